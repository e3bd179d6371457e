"""The new words of a letter apart from what it quotes, forwards or signs with.

A complaint must not be lost: a line is taken off only on a sure sign, and when nothing would be left, all is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intake.quote_signs import (
    DATED,
    DELIMITER,
    FORWARDED,
    HEADER_LINE,
    LIST_FOOTER,
    ORIGINAL,
    SENT_FROM,
    STARTS_ATTRIBUTION,
    STRONG,
    WROTE,
)

_QUOTE = re.compile(r"[ \t]{0,3}(?:[A-Z]{1,3})?[>＞]")
_LONGEST = 5_000  # lines; what lies beyond is kept as it is
_WIDEST = 500  # characters; a longer line is a person's paragraph


@dataclass(frozen=True, slots=True)
class _Cut:
    """Lines [start:end] are old; `rest` tells that everything after `end` is old too."""

    start: int
    end: int
    rest: bool


def split(text: str) -> tuple[str, str]:
    """(new words, the rest): the lines of `text` in their order; new words are never empty when `text` is not."""
    lines = text.split("\n")
    body = lines[:_LONGEST]
    old = _old_lines(body)
    new = [line for n, line in enumerate(lines) if n not in old]
    reply = "\n".join(new).strip("\n")
    if not reply.strip():
        return text.strip("\n"), ""
    return reply, "\n".join(line for n, line in enumerate(lines) if n in old).strip("\n")


def _old_lines(lines: list[str]) -> set[int]:
    old = _quotes(lines)
    kept = [n for n in range(len(lines)) if n not in old]
    old |= _signature(lines, kept)
    if any(lines[n].strip() for n in range(len(lines)) if n not in old):
        return old
    return _quotes(lines)


def _quotes(lines: list[str]) -> set[int]:
    old: set[int] = set()
    at = 0
    said = False  # has the person said anything before
    while at < len(lines):
        cut = _cut_at(lines, at, said=said)
        if cut is None:
            said = said or bool(lines[at].strip())
            at += 1
            continue
        end = len(lines) if cut.rest else cut.end
        old.update(range(cut.start, end))
        at = end
    return old


def _cut_at(lines: list[str], at: int, *, said: bool) -> _Cut | None:
    line = lines[at]
    if len(line) > _WIDEST or not line.strip():
        return None
    if _QUOTE.match(line):
        return _quote_block(lines, at)
    if ORIGINAL.match(line) or FORWARDED.match(line):
        return _Cut(at, _past_headers(lines, at + 1), rest=said)
    if HEADER_LINE.match(line) and (end := _header_block(lines, at)):
        return _Cut(at, end, rest=said)
    if DELIMITER.match(line) and at + 1 < len(lines) and (end := _header_block(lines, _next(lines, at + 1))):
        return _Cut(at, end, rest=said)
    return _attribution(lines, at)


def _next(lines: list[str], at: int) -> int:
    """The next line that is not blank (or the end)."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _quote_block(lines: list[str], at: int) -> _Cut | None:
    end = at
    while end < len(lines) and (_QUOTE.match(lines[end]) or (not lines[end].strip() and _quoted_next(lines, end))):
        end += 1
    return _Cut(at, end, rest=False)


def _quoted_next(lines: list[str], at: int) -> bool:
    after = _next(lines, at)
    return after < len(lines) and bool(_QUOTE.match(lines[after]))


def _header_block(lines: list[str], at: int) -> int:
    """The end of a copied head (From, Sent, Subject, ...), 0 when it is none: a person may write "To:" once."""
    found: set[str] = set()
    end = at
    while end < len(lines) and end - at < 25:
        match = HEADER_LINE.match(lines[end])
        if match:
            found.add(match.group(1).lower().strip("* "))
        elif not lines[end].strip():
            if not (found and _header_next(lines, end)):
                break
        elif not found or end - at > 20:
            break
        end += 1
    return end if len(found) >= 3 else 0


def _header_next(lines: list[str], at: int) -> bool:
    after = _next(lines, at)
    return after < len(lines) and after - at <= 1 and bool(HEADER_LINE.match(lines[after]))


def _past_headers(lines: list[str], at: int) -> int:
    begin = _next(lines, at)
    if begin >= len(lines) or not HEADER_LINE.match(lines[begin]):
        return at
    end = begin
    while end < len(lines) and lines[end].strip():
        end += 1
    return end


def _attribution(lines: list[str], at: int) -> _Cut | None:
    """Such as "On Monday, Jane <jane@...> wrote:", over some lines, in the languages people write in."""
    if DATED.match(lines[at]):
        return _attributed(lines, at, _dated_end(lines, at), lines[at])
    opens = _opens(lines[at])
    if not opens and not STRONG.search(lines[at]) and not WROTE.search(lines[at]):
        return None
    joined = lines[at].strip()
    end = at + 1
    while not WROTE.search(joined):
        if end >= min(at + (8 if opens else 2), len(lines)) or not _continues(lines[end], joined, opens=opens):
            return None
        joined = f"{joined} {lines[end].strip()}".strip()
        end += 1
    sure = opens or end == at + 1 or STRONG.search(joined)
    return _attributed(lines, at, end, joined) if sure else None


def _continues(line: str, joined: str, *, opens: bool) -> bool:
    """May the attribution begun in `joined` go on in this line?"""
    if len(joined) + len(line) > 400 or _opens(line) or _is_quote(line):
        return False
    return bool(line.strip()) or (opens and STRONG.search(joined) is not None)


def _is_quote(line: str) -> bool:
    """A quoted line, not the end of an attribution that broke before its ">"."""
    return bool(_QUOTE.match(line)) and not (len(line) < 20 and line.rstrip().endswith(":"))


def _opens(line: str) -> bool:
    """A line with which an attribution begins: a word such as "On", and a number."""
    return bool(STARTS_ATTRIBUTION.match(line)) and any(c.isdigit() for c in line)


def _dated_end(lines: list[str], at: int) -> int:
    follows = (
        at + 1 < len(lines) and lines[at].rstrip().endswith("<") and lines[at + 1].rstrip().endswith((">:", ">"))
    )
    return at + 2 if follows else at + 1


def _attributed(lines: list[str], at: int, end: int, joined: str) -> _Cut | None:
    """What stands under it: the lines with ">", or, where the attribution is beyond doubt, all the rest."""
    after = _next(lines, end)
    if after < len(lines) and _QUOTE.match(lines[after]):
        block = _quote_block(lines, after)
        return _Cut(at, block.end if block else after, rest=False)
    if STRONG.search(joined):
        return _Cut(at, end, rest=_said_before(lines, at))
    return None


def _said_before(lines: list[str], at: int) -> bool:
    return any(line.strip() and not _QUOTE.match(line) for line in lines[:at])


def _signature(lines: list[str], kept: list[int]) -> set[int]:
    """Lines at the end that the person's program, list or habit put there."""
    gone: set[int] = set()
    left = list(kept)
    changed = True
    while changed and left:
        changed = False
        while left and (not lines[left[-1]].strip() or _is_furniture(lines[left[-1]])):
            gone.add(left.pop())
            changed = True
        start = _delimited(lines, left)
        if start is not None and any(lines[n].strip() for n in left[:start]):
            gone.update(left[start:])
            left = left[:start]
            changed = True
    return gone


def _is_furniture(line: str) -> bool:
    return len(line) <= _WIDEST and bool(SENT_FROM.match(line) or DELIMITER.match(line))


def _delimited(lines: list[str], left: list[int]) -> int | None:
    """Where a delimited signature begins in `left`: "-- ", or a rule with a list's footer."""
    for back in range(1, min(len(left), 16) + 1):
        line = lines[left[-back]][:_WIDEST]
        if re.fullmatch(r"\s{0,2}(?:--|—|–)\s*", line):
            return len(left) - back
        if re.fullmatch(r"\s*[_=-]{10,}\s*", line) and any(
            LIST_FOOTER.search(lines[n][:_WIDEST]) for n in left[len(left) - back :]
        ):
            return len(left) - back
    return None
