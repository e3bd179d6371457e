"""The head of a letter: its fields, and what addresses, dates, ids and encoded words in them say.

RFC 5322, 2047, 2231 and 6532 as mail in the wild has them. Nothing here raises for any bytes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from intake.charsets import clean, decode

_LINE = re.compile(rb"([^\r\n]*)(\r+\n|\n|\r|$)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
#: After a line that is no field, only these tell that the head goes on: a parent's "Note: ..." does not.
_KNOWN = re.compile(
    rb"(?:x-[a-z0-9-]+|arc-[a-z-]+|list-[a-z-]+|received|from|to|cc|bcc|subject|date|message-id|reply-to|sender"
    rb"|references"
    rb"|in-reply-to|return-path|mime-version|content-[a-z-]+|delivered-to|dkim-signature|authentication-results"
    rb"|auto-submitted|precedence|importance|user-agent|thread-[a-z]+)[ \t]*:",
    re.IGNORECASE,
)
_WORD = re.compile(r"=\?([^?\s*]{1,80})(?:\*[^?\s]{0,40})?\?([BbQq])\?(.*?)\?=", re.DOTALL)
_BLANK = re.compile(rb"[\r\n]*")
_FOLDED_ON = re.compile(rb"(?:[ \t][^\r\n]*(?:\r+\n|\n|\r))*")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_MAX_HEAD_LINES = 20_000
_LONGEST_FIELD = 100_000  # characters; what lies beyond stays undecoded


@dataclass(slots=True)
class Headers:
    """The fields of one head in their order: names in lower case, values as raw bytes."""

    fields: list[tuple[str, bytes]] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)

    def raw(self, name: str) -> bytes | None:
        return next((value for key, value in self.fields if key == name), None)

    def __contains__(self, name: str) -> bool:
        return self.raw(name) is not None

    def get(self, name: str) -> str:
        """The first field of that name as readable text; "" when there is none."""
        if name not in self._texts:
            raw = self.raw(name)
            self._texts[name] = text(raw) if raw else ""
        return self._texts[name]

    def all(self, name: str) -> list[str]:
        return [text(value) for key, value in self.fields if key == name]


def split(raw: bytes) -> tuple[Headers, bytes]:
    """The head and the bytes after it. Without any field everything is body."""
    head = Headers()
    at = _start(raw)
    begin = at
    folds: list[bytes] = []
    for _ in range(_MAX_HEAD_LINES):
        match = _LINE.match(raw, at)
        if match is None or at >= len(raw):
            break
        line, at_next = match.group(1), match.end()
        if not line.strip():
            if not line or not _goes_on(raw, at_next):
                at = at_next
                break
        elif line[:1] in b" \t":
            if head.fields:
                folds.append(line)
        elif found := _FIELD.fullmatch(line):
            _unfold(head, folds)
            head.fields.append((found.group(1).decode("ascii").lower(), found.group(2)))
        elif not (head.fields and _KNOWN.match(raw, at_next)):
            break
        else:
            head.defects.append("A line of the head is no field; it was left out.")
        at = at_next
    _unfold(head, folds)
    if not head.fields:
        return head, raw[begin:]
    return head, raw[at:]


def _goes_on(raw: bytes, at: int) -> bool:
    """After a line of spaces: does the head go on?"""
    folded = _FOLDED_ON.match(raw, at)
    return bool(_KNOWN.match(raw, folded.end() if folded else at))


def _start(raw: bytes) -> int:
    """Where the head begins: after blank lines and an mbox "From " line."""
    at = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    blank = _BLANK.match(raw, at)
    at = blank.end() if blank else at
    while raw.startswith((b"From ", b">From "), at):
        match = _LINE.match(raw, at)
        at = match.end() if match else len(raw)
    return at


def _unfold(head: Headers, folds: list[bytes]) -> None:
    """Continuation lines go to the field above them."""
    if folds:
        name, value = head.fields[-1]
        head.fields[-1] = (name, b"\n".join((value, *folds)))
        folds.clear()


def plain(raw: bytes) -> str:
    """Raw bytes of a field as one line of text, encoded words left as they are."""
    return _FOLD.sub(" ", decode(raw)).replace("\x0b", " ").replace("\x0c", " ").strip()


def text(raw: bytes) -> str:
    """A field as a person should read it: unfolded, encoded words decoded."""
    return words(plain(raw))


def words(value: str) -> str:
    """RFC 2047: encoded words decoded; those that stand side by side are joined before (characters may be cut"
    " in two).
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    pending: list[bytes] = []
    charset, end = "", 0
    for match in _WORD.finditer(value, 0, _LONGEST_FIELD):
        gap = value[end : match.start()]
        joined = bool(pending) and not gap.strip()
        if not joined or match.group(1).lower() != charset.lower():
            out.append(decode(b"".join(pending), charset))
            pending = []
        if not joined:
            out.append(gap)
        charset, end = match.group(1), match.end()
        pending.append(_payload(match.group(2), match.group(3)))
    out.extend((decode(b"".join(pending), charset), value[end:]))
    return clean(_FOLD.sub(" ", "".join(out))).strip()


def _payload(how: str, body: str) -> bytes:
    raw = body.encode("utf-8", "replace")
    if how in "Qq":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=False)
    return base64(raw)


def base64(raw: bytes) -> bytes:
    """Base64 as far as it can be read: foreign characters skipped, missing padding supplied."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        pass
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


_ID = re.compile(r"<([^<>]{1,990})>")


def ids(value: str) -> tuple[str, ...]:
    """Message-IDs of a field without their brackets, in order, each once; a word with @ counts when no bracket"
    " stands there.
    """
    found = ["".join(match.split()) for match in _ID.findall(value)]
    if not found:
        found = [word.strip("<>,;\"'()") for word in value.split() if "@" in word]
    return tuple(dict.fromkeys(one for one in found if one))


_ZONES = {
    "BST": 1, "IST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "MEZ": 1, "MESZ": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "AKST": -9, "AKDT": -8,
    "HST": -10,
}  # fmt: skip
_ZONE_WORD = re.compile(r"\b([A-Z]{3,4})\s*$")


def when(value: str) -> datetime | None:
    """The moment a Date field names, with its zone (UTC where it gives none); None when it cannot be read."""
    bare = re.sub(r"\([^()]{0,200}\)", " ", value[:400]).strip()
    if not bare:
        return None
    try:
        parsed = parsedate_tz(bare)
        if parsed is not None and re.search(r"\d:\d", bare):
            zone = _ZONE_WORD.search(bare)
            hours = _ZONES.get(zone.group(1)) if zone else None
            offset = timedelta(hours=hours) if hours is not None else timedelta(seconds=parsed[9] or 0)
            return _zoned(datetime(*parsed[:6]), offset)  # noqa: DTZ001 - the zone is put on in the next step
        iso = datetime.fromisoformat(bare)
        return iso if iso.tzinfo else iso.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _zoned(local: datetime, offset: timedelta) -> datetime:
    moment = local.replace(tzinfo=timezone(offset) if offset else UTC)
    moment.astimezone(UTC)  # a date at the edge of the calendar cannot be compared with others
    return moment


_PARAM = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A structured field as (main value in lower case, parameters by name in lower case), RFC 2231 pieces put"
    " together.
    """
    main, _, _ = value.partition(";")
    plain_: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAM.finditer(value[:20_000]):
        name, given = match.group(1).lower(), _unquote(match.group(2))
        base, star, tail = name.partition("*")
        if not star:
            plain_.setdefault(base, words(given))
            continue
        number = tail.rstrip("*") or "0"
        if number.isascii() and number.isdigit() and len(number) < 5:
            pieces.setdefault(base, {})[int(number)] = (given, name.endswith("*"))
    for base, parts in pieces.items():
        plain_[base] = _joined([parts[n] for n in sorted(parts)])
    return re.sub(r"\(.*", "", main).strip().lower(), plain_


def _unquote(given: str) -> str:
    given = given.strip()
    if given.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", given[1:].removesuffix('"'))
    return re.sub(r"\s+\([^()]*\)$", "", given).strip("'") if given.endswith((")", "'")) else given


def _joined(parts: list[tuple[str, bool]]) -> str:
    """RFC 2231 pieces: the charset stands in the first, percent signs only in starred ones."""
    charset = ""
    raw = b""
    for number, (given, starred) in enumerate(parts):
        value = given
        if number == 0 and starred and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if starred else value.encode("utf-8", "replace")
    return words(decode(raw, charset))


def walk_fields(raw: bytes) -> Iterator[Headers]:
    """Groups of fields parted by blank lines: the body of a report (RFC 3464)."""
    rest = raw
    for _ in range(200):
        head, after = split(rest)
        if head.fields:
            yield head
        if not after.strip() or len(after) >= len(rest):
            return
        rest = after
