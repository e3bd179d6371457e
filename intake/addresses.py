"""Address fields: who a letter says it is from and to (RFC 5322 section 3.4, as people's programs write it)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intake.headers import words
from procedure.words import Address

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[(),;:<>]|\\.|[^"(),;:<>\\]+|.', re.DOTALL)
_BARE = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>(),;:\"']+")
_MOST = 2000


@dataclass(slots=True)
class _Item:
    """One address as far as it is read."""

    phrase: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    angle: str | None = None

    @property
    def blank(self) -> bool:
        return self.angle is None and not "".join(self.phrase).strip() and not self.comment


def addresses(value: str) -> tuple[Address, ...]:
    """The addresses of a field not yet decoded. Groups are opened; what names no mailbox keeps its name only."""
    items = _items(value[:200_000])
    found = [one for one in map(_address, _with_commas(items)) if one.addr or one.name]
    if found and not any("@" in one.addr for one in found) and "=?" in value:
        again = words(value)
        return addresses(again) if "=?" not in again and "@" in again else tuple(found)
    return tuple(found)


def _items(value: str) -> list[_Item]:
    items = [_Item()]
    depth, inside = 0, False
    for piece in _TOKEN.findall(value):
        item = items[-1]
        if depth:
            depth += (piece == "(") - (piece == ")")
            if depth:
                item.comment.append(piece)
        elif piece == "(":
            depth = 1
        elif inside:
            inside = piece != ">"
            item.angle = (item.angle or "") + (piece if inside else "")
        elif piece == "<":
            inside = True
            item.angle = item.angle or ""
        elif piece in ",;" and len(items) < _MOST:
            items.append(_Item())
        elif piece == ":" and "@" not in "".join(item.phrase):
            item.phrase.clear()  # the name of a group
        elif piece != ">":
            item.phrase.append(piece)
    return [item for item in items if not item.blank]


def _with_commas(items: list[_Item]) -> list[_Item]:
    """A name with a comma and no quotes (Doe, Jane <jane@...>) is one person, not two."""
    out: list[_Item] = []
    for item in items:
        last = out[-1] if out else None
        if (
            last is not None
            and item.angle
            and item.phrase
            and last.angle is None
            and "@" not in "".join(last.phrase)
            and last.phrase
        ):
            last.phrase += [", ", *item.phrase]
            last.comment += item.comment
            last.angle = item.angle
        else:
            out.append(item)
    return out


def _address(item: _Item) -> Address:
    phrase = "".join(item.phrase).strip()
    comment = words("".join(item.comment).strip())
    if item.angle is not None:
        addr = "".join(item.angle.split()).strip('"')
        name = _name(phrase) or comment
        if "@" not in addr and (inside := _BARE.search(phrase)):
            return Address(inside.group(), addr or name)
        return Address(_routed(words(addr)), name)
    if "@" in phrase:
        bare = "".join(phrase.split())
        found = bare if bare.startswith('"') and bare.count("@") == 1 else ""
        match = _BARE.search(phrase)
        addr = found or (match.group() if match else bare)
        rest = _name(phrase.replace(addr, "").strip()) if not found else ""
        return Address(addr.strip(".'"), rest or comment)
    return Address("", _name(phrase) or comment)


def _routed(addr: str) -> str:
    """RFC 5322 section 4.4: "<@relay,@relay:jane@example>" names jane@example."""
    return addr.rpartition(":")[2] if addr.startswith("@") and ":" in addr else addr.removeprefix("mailto:")


def _name(phrase: str) -> str:
    """A display name without its quotes, decoded."""
    parts = [_dequoted(piece) for piece in _TOKEN.findall(phrase)]
    return re.sub(r"\s+", " ", words("".join(parts))).strip().strip("'\"").strip()


def _dequoted(token: str) -> str:
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:].removesuffix('"'))
    return token[1:] if len(token) == 2 and token[0] == "\\" else token
