"""A letter as a tree of parts (RFC 2045, 2046): boundaries, depth and number bounded, every byte accounted for.

Why not the standard library's parser: its cost grows with depth times lines, deep nesting ends in RecursionError and
its address fields raise when read. Only the splitting is done here; alphabets and codings are decoded elsewhere.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake import headers as h

MAX_DEPTH = 30
MAX_PARTS = 1000
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")


@dataclass(slots=True)
class Part:
    """One part: its head, its bytes as sent, and the parts in it (multipart, or the letter in message/rfc822)."""

    headers: h.Headers
    body: bytes
    type: str
    params: dict[str, str]
    disposition: str
    name: str | None
    children: list[Part] = field(default_factory=list)
    #: Text before the first and after the last boundary.
    around: bytes = b""

    def content(self) -> bytes:
        """The bytes of the part, transfer coding undone as far as it can be."""
        return transfer_decoded(self.body, self.headers.get("content-transfer-encoding"))

    def walk(self, *, enclosed: bool = True) -> Iterator[Part]:
        """This part and those in it, in order; `enclosed=False` stays out of letters within the letter."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            if enclosed or not part.type.startswith("message/"):
                stack.extend(reversed(part.children))


@dataclass(slots=True)
class _Budget:
    parts: int = MAX_PARTS


def read_parts(raw: bytes) -> Part:
    """The tree of a whole letter."""
    return _part(raw, 0, _Budget(), "text/plain")


def _part(raw: bytes, depth: int, budget: _Budget, default: str) -> Part:
    budget.parts -= 1
    head, body = h.split(raw)
    kind, params = h.parameters(h.plain(head.raw("content-type") or b""))
    how, given = h.parameters(h.plain(head.raw("content-disposition") or b""))
    part = Part(head, body, _type(kind, default), params, how, _name(given.get("filename") or params.get("name")))
    if depth >= MAX_DEPTH or budget.parts <= 0:
        if part.type.startswith("multipart/"):
            part.type = "text/plain"
            head.defects.append("The letter is nested too deep; the innermost parts are shown as they came.")
        return part
    if part.type.startswith("multipart/"):
        _open_multipart(part, depth, budget)
    elif part.type in {"message/rfc822", "message/global", "message/news"}:
        part.children = [_part(part.content(), depth + 1, budget, "text/plain")]
    return part


def _type(kind: str, default: str) -> str:
    kind = kind.replace(" ", "")
    if _TYPE.fullmatch(kind):
        return kind
    return "text/plain" if kind.startswith("text") or (not kind.startswith("multipart") and kind) else default


def _name(given: str | None) -> str | None:
    """A file name without its folders and controls; a name is shown, never opened."""
    if not given:
        return None
    shown = re.sub(r"\s+", " ", given.replace("\\", "/")).rpartition("/")[2].strip()
    return shown[:255] or None


def _open_multipart(part: Part, depth: int, budget: _Budget) -> None:
    boundary = part.params.get("boundary", "").encode("utf-8", "replace")
    pieces = _pieces(part.body, boundary) if boundary else []
    if len(pieces) < 2:
        guessed = _guess(part.body)
        pieces = _pieces(part.body, guessed) if guessed else []
        part.headers.defects.append("The boundary of a part is missing.")
    if len(pieces) < 2:
        part.type = "text/html" if b"<html" in part.body[:2000].lower() else "text/plain"
        return
    default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
    part.around = pieces[0]
    for piece in pieces[1:]:
        part.children.append(_part(piece, depth + 1, budget, default))


def _guess(body: bytes) -> bytes:
    """The first line that looks like a boundary which is used again."""
    for match in re.finditer(rb"(?m)^--([^\s-][^\r\n]{3,70}?|-[^\r\n]{4,70}?)[ \t]*\r?$", body[:20_000]):
        if body.find(b"\n--" + match.group(1), match.end()) >= 0:
            return match.group(1)
    return b""


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Preamble, then the parts; what follows the last boundary goes to the preamble."""
    mark = b"--" + boundary
    out: list[bytes] = []
    begin = 0
    at = 0 if body.startswith(mark) else _find(body, mark, 0)
    while at >= 0 and len(out) <= MAX_PARTS:
        end = at + len(mark)
        line_end = _line_end(body, end)
        tail = body[end:line_end].strip()
        if tail in {b"", b"--"}:
            out.append(body[begin : _before(body, at, begin)])
            begin = end = _after(body, line_end)
            if tail == b"--":
                out[0] += body[begin:]
                return out
        at = end if body.startswith(mark, end) and end == begin else _find(body, mark, end - 1)
    return [*out, body[begin:]] if out else out


def _find(body: bytes, mark: bytes, at: int) -> int:
    found = body.find(b"\n" + mark, max(at, 0))
    return found + 1 if found >= 0 else -1


def _line_end(body: bytes, at: int) -> int:
    feed = body.find(b"\n", at, at + 1000)
    stop = feed if feed >= 0 else min(len(body), at + 1000)
    bare = body.find(b"\r", at, stop)
    return bare if bare >= 0 else stop


def _before(body: bytes, at: int, begin: int) -> int:
    """The line end before a boundary belongs to the boundary."""
    if at > begin and body[at - 1 : at] == b"\n":
        at -= 1
    if at > begin and body[at - 1 : at] == b"\r":
        at -= 1
    return at


def _after(body: bytes, at: int) -> int:
    if body[at : at + 2] == b"\r\n":
        return at + 2
    return at + 1


def transfer_decoded(body: bytes, coding: str) -> bytes:
    """Content-Transfer-Encoding undone; an unknown one leaves the bytes as they are."""
    how = coding.lower().split(";")[0].strip().replace(" ", "")
    if how in {"base64", "b", "x-base64"}:
        return h.base64(body)
    if how in {"quoted-printable", "quotedprintable", "q", "qp"}:
        return binascii.a2b_qp(body)
    if how in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        return uudecoded(body)
    return body


def uudecoded(body: bytes) -> bytes:
    """The bytes of the first uuencoded block."""
    out = bytearray()
    started = False
    for line in body.splitlines():
        if not started:
            started = re.match(rb"begin [0-7]{3,4} ", line) is not None
        elif line.strip() == b"end":
            break
        else:
            out += _uu_line(line)
    return bytes(out) if started else body


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
