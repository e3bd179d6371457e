"""The new words of a letter apart from what it quotes, forwards or signs with.

A complaint must not be lost: a line is taken off only on a sure sign, and when nothing would be left, all is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from intake.quote_signs import (
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

_QUOTE = re.compile(r"[ \t]{0,3}[>＞]")
_LONGEST = 20_000  # lines; what lies beyond is kept as it is


@dataclass(frozen=True, slots=True)
class _Cut:
    """Lines [start:end] are old; `rest` tells that everything after `end` is old too."""

    start: int
    end: int
    rest: bool


def split(text: str) -> tuple[str, str]:
    """(new words, the rest). Both are lines of `text` in their order; new words are never empty when `text` is not."""
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
    if not line.strip():
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
    """The end of a copied head ("From: ... Sent: ... Subject: ..."), 0 when it is none: a person may write "To:" once."""
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
    """ "On Monday, Jane <jane@...> wrote:", over up to four lines, in the languages people write in."""
    joined = ""
    for end in range(at, min(at + 4, len(lines))):
        if not lines[end].strip() or (end > at and STARTS_ATTRIBUTION.match(lines[end]) and WROTE.search(lines[end])):
            return None
        joined = f"{joined} {lines[end].strip().lstrip('>').strip()}".strip()
        if len(joined) > 400:
            return None
        if WROTE.search(joined) and (STARTS_ATTRIBUTION.match(joined) or STRONG.search(joined)):
            return _attributed(lines, at, end + 1, joined)
        if _QUOTE.match(lines[end]):
            return None
    return None


def _attributed(lines: list[str], at: int, end: int, joined: str) -> _Cut | None:
    after = _next(lines, end)
    if after < len(lines) and _QUOTE.match(lines[after]):
        block = _quote_block(lines, after)
        return _Cut(at, block.end if block else after, rest=False)
    if STRONG.search(joined):
        return _Cut(at, end, rest=True)
    return None


def _signature(lines: list[str], kept: list[int]) -> set[int]:
    """Lines at the end that the person's program, list or habit put there."""
    gone: set[int] = set()
    left = [n for n in kept]
    changed = True
    while changed and left:
        changed = False
        while left and (not lines[left[-1]].strip() or SENT_FROM.match(lines[left[-1]]) or DELIMITER.match(lines[left[-1]])):
            gone.add(left.pop())
            changed = True
        start = _delimited(lines, left)
        if start is not None and any(lines[n].strip() for n in left[:start]):
            gone.update(left[start:])
            left = left[:start]
            changed = True
    return gone


def _delimited(lines: list[str], left: list[int]) -> int | None:
    """Where a delimited signature begins in `left`: "-- ", or a rule with a list's footer."""
    for back in range(1, min(len(left), 16) + 1):
        line = lines[left[-back]]
        if re.fullmatch(r"\s{0,2}(?:--|—|–)\s*", line):
            return len(left) - back
        if re.fullmatch(r"\s*[_=-]{10,}\s*", line) and any(LIST_FOOTER.search(lines[n]) for n in left[len(left) - back :]):
            return len(left) - back
    return None
