"""What a letter says and what it brings: the text to read, and the parts kept beside it (RFC 2046, 2387)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake import html
from intake.charsets import decode
from intake.parts import Part, uudecoded
from procedure.words import Attachment

#: Parts of a report that are for machines, not for readers (RFC 3464, 5965, 8098).
MACHINE = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/global-disposition-notification",
        "text/rfc822-headers",
        "message/global-headers",
    }
)
_META = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_UU = re.compile(r"(?m)^begin [0-7]{3,4} ([^\n]{1,255})\n((?:[\x20-\x60][^\n]{0,100}\n)+?)(?:[`\x20]?\n)?end[ \t]*$")
_LINE_ENDS = re.compile(r"\r+\n|\r|\x85|\u2028|\u2029")


@dataclass(slots=True)
class Bodies:
    """The text as written, and the attachments."""

    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)


def read_bodies(top: Part) -> Bodies:
    """Text from the parts meant to be read, everything else as attachments.

    A letter without words of its own that encloses another (a complaint forwarded as an attachment) has those of
    the other.
    """
    found = Bodies()
    named: list[Part] = []
    shown = [_text_of(part) for part in _gather(top, found, named)]
    if not any(one.strip() for one in shown):
        shown = [_text_of(part) for part in named]
    if not any(one.strip() for one in shown):
        shown = [decode(top.around)]
    if not any(one.strip() for one in shown):
        shown = [_enclosed_text(part) for part in top.walk(enclosed=False) if part.type.startswith("message/rfc822")]
    found.text = _without_uu("\n\n".join(one.strip("\n") for one in shown if one.strip()), found)
    return found


def _enclosed_text(part: Part) -> str:
    return read_bodies(part.children[0]).text if part.children else ""


def _gather(part: Part, found: Bodies, named: list[Part]) -> Iterator[Part]:
    """The parts to read, in order; the others are put with the attachments on the way."""
    if part.type.startswith("multipart/"):
        if part.type == "multipart/alternative" and part.children:
            yield from _alternative(part, found, named)
        elif part.type == "multipart/related" and part.children:
            yield from _related(part, found, named)
        else:
            for child in part.children:
                yield from _gather(child, found, named)
    elif part.disposition == "attachment" or not readable(part):
        if part.type not in MACHINE or part.name:
            found.attachments.append(attachment(part))
    elif part.name:
        found.attachments.append(attachment(part))
        named.append(part)
    else:
        yield part


def readable(part: Part) -> bool:
    return part.type in {"text/plain", "text/html", "text/enriched", "text/markdown", "text/x-amp-html"}


def _alternative(part: Part, found: Bodies, named: list[Part]) -> Iterator[Part]:
    """The plain one if it says anything, else the richest that does; attachments of all."""
    choices = [list(_gather(child, found, named)) for child in part.children]
    plain = [one for one in choices if one and one[0].type == "text/plain" and _says(one)]
    rich = [one for one in choices if one and _says(one)]
    yield from next(iter(plain or rich), [])


def _says(parts: list[Part]) -> bool:
    return any(_text_of(part).strip() for part in parts)


def _related(part: Part, found: Bodies, named: list[Part]) -> Iterator[Part]:
    """The root is read; what it shows is kept beside it."""
    start = part.params.get("start", "").strip()
    root = next(
        (c for c in part.children if start and c.headers.get("content-id").strip() == start), part.children[0]
    )
    for child in part.children:
        if child is root or child.type.startswith("multipart/"):
            yield from _gather(child, found, named)
        elif readable(child) and not child.name and child.disposition != "attachment" and not readable(root):
            yield child
        else:
            found.attachments.append(attachment(child))


def _text_of(part: Part) -> str:
    raw = part.content()
    charset = part.params.get("charset", "")
    if part.type == "text/html":
        if not charset and (meta := _META.search(raw[:2000])):
            charset = meta.group(1).decode("ascii")
        return html.to_text(decode(raw, charset))
    if part.type == "text/enriched":
        return re.sub(r"</?[a-zA-Z-]{1,60}>", "", line_ends(decode(raw, charset)))
    return line_ends(decode(raw, charset))


def line_ends(text: str) -> str:
    return _LINE_ENDS.sub("\n", text) if not text.isascii() or "\r" in text else text


def attachment(part: Part) -> Attachment:
    return kept(part.name, part.type, part.content())


def kept(name: str | None, kind: str, raw: bytes) -> Attachment:
    """A part by its content: the same file twice has one digest."""
    return Attachment(name=name, type=kind, size=len(raw), digest=hashlib.sha256(raw).hexdigest())


def _without_uu(text: str, found: Bodies) -> str:
    """Files that stand in the text in the old way (uuencode) become attachments."""
    if "begin " not in text:
        return text

    def lift(match: re.Match[str]) -> str:
        raw = uudecoded(match.group().encode("ascii", "replace"))
        found.attachments.append(kept(match.group(1).strip() or None, "application/octet-stream", raw))
        return ""

    return _UU.sub(lift, text)
