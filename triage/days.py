"""Days named in a letter: all candidates, resolved against the day it was sent. Pure; no spaCy.

Numbers are read the UK way (day first). A weekday is the last one before the letter. A month alone is its first
day. Days after the letter are candidates too, so that nobody mistakes them for an incident.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_NUMBERS = {
    word: number
    for number, words in enumerate(
        ("", "a one an", "two couple", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
    )
    for word in words.split()
} | {"twelve": 12}
_COUNT = r"(?:\d{1,2}|a couple of|" + "|".join(_NUMBERS) + ")"

_PATTERN = re.compile(
    rf"""\b(?:
      (?P<iso>(?:19|20)\d\d-\d\d-\d\d)
    | (?P<d>\d{{1,2}})(?P<sep>[/.-])(?P<m>\d{{1,2}})(?P=sep)(?P<y>(?:20)?\d\d)
    | (?:(?P<wd1>{_WEEKDAY})\.?,?\s+(?:the\s+)?)?(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<m1>{_MONTH})\b\.?
        (?:,?\s+(?P<y1>20\d\d))?
    | (?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y2>20\d\d))?
    | (?:(?P<back>back\s+in|in|during|early|late|mid|last|since|until|till|from|by|this|next)\s+)
        (?:early\s+|late\s+|mid\s+)?(?P<m3>{_MONTH})\b(?:\s+(?P<y3>20\d\d))?
    | (?P<ago>{_COUNT})\s+(?P<unit>day|week|fortnight|month)s?\s+ago(?:\s+(?:on|last)\s+(?P<agowd>{_WEEKDAY})\b)?
    | (?P<before>the\s+day\s+before\s+yesterday)
    | (?P<yesterday>yesterday|last\s+night|last\s+evening)
    | (?P<today>today|this\s+morning|this\s+afternoon|earlier\s+today|at\s+lunchtime\s+today)
    | (?P<tomorrow>tomorrow|tonight)
    | (?:(?P<which>a\s+week\s+last|week\s+last|last\s+week\s+on|on\s+an?|on|last|this\s+past|this|next|by|since|until
        |till|every|each|come)\s+)?
        (?P<wd>(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?P<plural>s)?\b(?P<after>\s+(?:of\s+last\s+week|last\s+week|just\s+gone|next|next\s+week))?
    )""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Candidate:
    """A day named at text[start:end]; `vague` when only a month is named."""

    day: date
    start: int
    end: int
    vague: bool = False


def candidates(text: str, sent: date) -> Iterator[Candidate]:
    """Every day that the text names, in its order."""
    for match in _PATTERN.finditer(text):
        try:
            found = _resolve(match, sent)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            yield Candidate(found, match.start(), match.end(), match["m3"] is not None)


def _resolve(match: re.Match[str], sent: date) -> date | None:
    if match["iso"]:
        return date.fromisoformat(match["iso"])
    if match["d"]:
        year = int(match["y"])
        return date(year + 2000 if year < 100 else year, int(match["m"]), int(match["d"]))
    if match["d1"]:
        return _written(match["d1"], match["m1"], match["y1"], sent, match["wd1"])
    if match["d2"]:
        return _written(match["d2"], match["m2"], match["y2"], sent, None)
    if match["m3"]:
        return _month_alone(match, sent)
    return _ago(match, sent) if match["ago"] else _named(match, sent)


def _named(match: re.Match[str], sent: date) -> date | None:
    for group, days in (("before", -2), ("yesterday", -1), ("today", 0), ("tomorrow", 1)):
        if match[group]:
            return sent + timedelta(days=days)
    return _weekday(match, sent)


def _written(day: str, month: str, year: str | None, sent: date, weekday: str | None) -> date:
    number = MONTHS.index(month[:3].lower()) + 1
    if year:
        return date(int(year), number, int(day))
    this_year = date(sent.year, number, int(day))
    if this_year <= sent:
        return this_year
    # A day ahead without a year: the coming one when it is near or its weekday says so, else last year's.
    wanted = WEEKDAYS.index(weekday[:3].lower()) if weekday else None
    last_year = date(sent.year - 1, number, int(day))
    near = (this_year - sent).days <= 120 if wanted is None else this_year.weekday() == wanted
    return this_year if near else last_year


def _month_alone(match: re.Match[str], sent: date) -> date | None:
    word = match["m3"].lower()
    lead = " ".join(match["back"].lower().split())
    if lead in {"since", "until", "till", "from", "by", "next", "this"}:
        return None
    if word in {"may", "mar", "march"} and lead in {"in", "last", "early", "late"} and match["m3"][0].islower():
        return None
    number = MONTHS.index(word[:3]) + 1
    if match["y3"]:
        return date(int(match["y3"]), number, 1)
    return date(sent.year if number <= sent.month else sent.year - 1, number, 1)


def _ago(match: re.Match[str], sent: date) -> date | None:
    word = match["ago"].lower()
    count = int(word) if word.isdigit() else 2 if "couple" in word else _NUMBERS[word]
    unit = match["unit"].lower()
    if unit == "month":
        month = sent.year * 12 + sent.month - 1 - count
        return date(month // 12, month % 12 + 1, min(sent.day, 28))
    day = sent - timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit])
    if match["agowd"]:
        wanted = WEEKDAYS.index(match["agowd"][:3].lower())
        return day - timedelta(days=(day.weekday() - wanted) % 7)
    return day


def _weekday(match: re.Match[str], sent: date) -> date | None:
    which = " ".join((match["which"] or "").lower().split())
    after = (match["after"] or "").lower()
    if match["plural"] or which in {"every", "each", "since", "on a", "on an"}:
        return None
    wanted = WEEKDAYS.index(match["wd"][:3].lower())
    ahead = (wanted - sent.weekday() - 1) % 7 + 1
    if which in {"next", "by", "until", "till", "come"} or "next" in after:
        return sent + timedelta(days=ahead)
    back = (sent.weekday() - wanted - 1) % 7 + 1
    last = sent - timedelta(days=back)
    if which in {"a week last", "week last"}:
        return last - timedelta(days=7)
    if "last week" in which or "last week" in after:
        monday = sent - timedelta(days=sent.weekday() + 7)
        return monday + timedelta(days=wanted)
    return last
