"""An HTML body as the text a reader would see: hidden text left out, quotations marked with "> ".

One pass over the tags with a stack of what is open: cost follows the length, not the depth, and there is no tree to
overflow. (lxml, and inscriptis on it, drop whatever lies deeper than 256 elements; 2,048 with its limits lifted.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

from intake.charsets import clean

MAX_CHARS = 8_000_000
#: Elements open at once; those deeper are read like the one they are in.
MAX_OPEN = 1_000
_VOID = frozenset({
    "area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param",
    "source", "track", "wbr",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol",
    "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "blockquote",
})  # fmt: skip
_PARAGRAPHS = frozenset({
    "blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul",
})  # fmt: skip
_SILENT = frozenset({
    "script", "style", "title", "template", "noframes", "svg", "math", "object", "applet", "head",
})  # fmt: skip
_RAW = frozenset({"script", "style", "title", "textarea"})
_CLOSES = {
    "p": frozenset({"p"}),
    "li": frozenset({"p", "li"}),
    "td": frozenset({"p", "td", "th"}),
    "th": frozenset({"p", "td", "th"}),
    "tr": frozenset({"p", "td", "th", "tr"}),
    "body": frozenset({"head", "title"}),
}
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)|<!--|<[!?]")
_ATTRIBUTE = re.compile(r"""(?:^|[\s"'/])([^\s=/"'>]{1,40})\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)|\shidden\b""")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0*(?:\.0+)?(?:px|pt|em|rem"
    r"|%)?\s*(?:!|;|$)"
    r"|mso-hide\s*:\s*all|opacity\s*:\s*0*(?:\.0+)?\s*(?:!|;|$)|text-indent\s*:\s*-\d{4,}"
    r"|max-height\s*:\s*0(?:px)?\s*(?:!|;|$)"
    r"|(?:left|top)\s*:\s*-\d{4,}px"
)
_WHITE = re.compile(r"(?:#fff(?:fff)?|white|rgba?\(\s*255\s*,\s*255\s*,\s*255\b[^)]*\)|transparent)\s*(?:!|;|$)")
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;]*)")
_BACKGROUND = re.compile(r"background(?:-color|-image)?\s*:\s*([^;]*)")
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u034f]")


@dataclass(slots=True)
class _Open:
    """An open element that changes how what is in it is read; the others are not kept."""

    tag: str
    hidden: bool = False
    on_white: bool = True
    quote: int = 0
    pre: bool = False
    silent: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the attributes of an element do."""

    hides: bool = False
    white: bool = False
    #: The ground it lays: white, another, or none of its own.
    ground: bool | None = None
    cites: bool = False


_PLAIN = _Look()
#: Elements that change what is in them without any attribute.
_TELLING = _SILENT | {"pre", "blockquote"}


@dataclass(slots=True)
class _Page:
    """The text written so far, and what is open."""

    stack: list[_Open] = field(default_factory=lambda: [_Open("")])
    counts: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    everything: list[str] = field(default_factory=list)

    def pop(self, depth: int) -> None:
        for one in self.stack[-depth:]:
            self.counts[one.tag] -= 1
        del self.stack[-depth:]

    def say(self, piece: str) -> None:
        top = self.stack[-1]
        if top.silent:
            return
        told = unescape(piece) if "&" in piece else piece
        if top.hidden:
            self.everything.append(told)
            return
        if not top.pre:
            self.line.append(told)
            return
        first, *rest = told.split("\n")
        self.line.append(first.replace(" ", "\0"))
        for one in rest:
            self.end_line(blank=False)
            self.line.append(one.replace(" ", "\0"))

    def end_line(self, *, blank: bool, forced: bool = False) -> None:
        if not self.line and not forced and not blank:
            return
        told = _SPACES.sub(" ", "".join(self.line)).strip(" ").replace("\0", " ").rstrip()
        self.line.clear()
        mark = "> " * min(self.stack[-1].quote, 20)
        if told:
            self.lines.append(mark + told)
            self.everything.append(told + "\n")
        elif forced:
            self.lines.append(mark.rstrip())
        if blank and self.lines and self.lines[-1].strip("> "):
            self.lines.append(mark.rstrip())


def to_text(html: str) -> str:
    """The visible text. When every word is hidden the words are given all the same: nothing that came in is"
    " lost.
    """
    page = _Page()
    _read(clean(html[:MAX_CHARS]).replace("\r\n", "\n").replace("\r", "\n"), page)
    page.end_line(blank=False)
    shown = _INVISIBLE.sub("", "\n".join(page.lines)).strip("\n")
    if not shown.strip("> \n"):
        shown = _INVISIBLE.sub("", _SPACES.sub(" ", " ".join(page.everything))).strip()
    return re.sub(r"\n{3,}", "\n\n", shown)


@dataclass(slots=True)
class _Marks:
    """Where the last of each closing mark stands, so that a search for one that is not there costs nothing."""

    tag: int
    comment: int
    unclosed: set[str] = field(default_factory=set)


def _read(html: str, page: _Page) -> None:
    marks = _Marks(html.rfind(">"), html.rfind("-->"))
    at = 0
    while found := _TAG.search(html, at):
        if found.start() > at:
            page.say(html[at : found.start()])
        name = found.group(2)
        if found.end() > marks.tag:
            at = found.start()
            break
        if name is None:
            at = _after_comment(html, found, marks)
            continue
        at = _tag_end(html, found.end()) + 1
        name = name.lower()
        if found.group(1):
            _close(page, name)
        else:
            _open(page, name, html[found.end() : at - 1])
            if name in _RAW:
                at = _raw_end(html, at, name, marks)
    page.say(html[at:])


def _after_comment(html: str, found: re.Match[str], marks: _Marks) -> int:
    """Past a comment or declaration; one that never ends hides only its own mark, not the rest of the letter."""
    if found.group() != "<!--" or html.startswith(">", found.end()):
        return html.find(">", found.end()) + 1
    return html.find("-->", found.end()) + 3 if found.end() <= marks.comment else found.end()


def _tag_end(html: str, at: int) -> int:
    """The ">" of a tag (there is one); one inside a quoted value does not count."""
    first = end = html.find(">", at)
    for _ in range(8):
        if html.count('"', at, end) % 2 == 0:
            return end
        end = html.find(">", end + 1, end + 20_000)
        if end < 0:
            break
    return first


def _raw_end(html: str, at: int, name: str, marks: _Marks) -> int:
    """The closing tag of an element whose content is no markup."""
    if name in marks.unclosed:
        return at
    closing = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
    if closing is None:
        marks.unclosed.add(name)
        return at
    return closing.start()


def _open(page: _Page, name: str, attributes: str) -> None:
    for tag in _CLOSES.get(name, ()):
        if page.stack[-1].tag == tag:
            page.pop(1)
    if name == "br":
        page.end_line(blank=False, forced=True)
    elif name in _BLOCKS:
        if page.stack[-1].tag == "p":
            page.pop(1)
        page.end_line(blank=name in _PARAGRAPHS)
    elif name in {"td", "th"}:
        page.line.append(" ")
    if name in _VOID or attributes.endswith("/") or len(page.stack) >= MAX_OPEN:
        return
    look = _look(attributes) if attributes else _PLAIN
    outer = page.stack[-1]
    if look != _PLAIN or name in _TELLING or outer.silent or page.counts.get(name):
        page.stack.append(_entered(outer, name, look))
        page.counts[name] = page.counts.get(name, 0) + 1


def _close(page: _Page, name: str) -> None:
    if name in _BLOCKS:
        page.end_line(blank=name in _PARAGRAPHS)
    if page.counts.get(name):
        page.pop(next(n for n in range(1, len(page.stack)) if page.stack[-n].tag == name))
        if name == "blockquote":
            page.end_line(blank=True)


def _entered(outer: _Open, name: str, look: _Look) -> _Open:
    on_white = outer.on_white if look.ground is None else look.ground
    silent = name if name in _SILENT else outer.silent
    if outer.silent == "head" and name in _BLOCKS:
        silent = ""  # a head that was never closed
    cited = name == "blockquote" and (look.cites or outer.quote > 0)
    return _Open(
        name,
        hidden=outer.hidden or look.hides or (look.white and on_white),
        on_white=on_white,
        quote=outer.quote + cited,
        pre=outer.pre or name == "pre",
        silent=silent,
    )


@lru_cache(maxsize=512)
def _look(attributes: str) -> _Look:
    given = {
        (m.group(1) or "hidden").lower(): unescape((m.group(2) or "").strip("\"'")).lower()
        for m in _ATTRIBUTE.finditer(attributes[:4_000])
    }
    style = given.get("style", "")
    grounds = _BACKGROUND.findall(style) + [g for g in (given.get("bgcolor"), given.get("background")) if g]
    ink = _COLOUR.search(style)
    colour = ink.group(1).strip() if ink else given.get("color", "")
    return _Look(
        hides="hidden" in given or bool(_HIDING.search(style)) or _flat(style.replace(" ", "")),
        white=bool(_WHITE.match(colour)),
        ground=bool(_WHITE.match(grounds[-1].strip())) if grounds else None,
        cites=given.get("type") == "cite" or bool(given.get("class")) or "border-left" in style,
    )


def _flat(style: str) -> bool:
    """A box of no height whose content is cut off."""
    return "overflow:hidden" in style and re.search(r"(?:^|;)height:0(?:px)?(?:!|;|$)", style) is not None
