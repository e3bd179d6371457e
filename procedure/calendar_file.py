"""Reading a school's calendar file (TOML), and refusing one that contradicts itself, with the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from procedure.school_days import CalendarError, SchoolCalendar, Span, Term

TOP = {"name", "title", "timezone", "year", "inset", "closure", "bank_holiday"}
#: A typing error such as 20226 is refused; beyond 2100 the `holidays` package knows no bank holidays.
YEARS = range(2000, 2101)
Path = tuple[str | int, ...]


def load(text: str, source: str = "calendar.toml") -> SchoolCalendar:
    """The calendar that the text describes (TOML, dates as TOML dates, both ends included).

    Without a `bank_holiday` table the bank holidays of England are used. CalendarError, one sentence with
    source and line, for a file that is no TOML, misses or does not know a key, or contradicts itself.
    """
    reader = _Reader(text.removeprefix("\ufeff"), source)
    return reader.calendar()


class _Reader:
    """One file being read: its values, and where each stands."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.values = _parse(text, source)
        self.lines = _lines(text)
        #: Every single day given, and as what, to find a day given twice.
        self.given: dict[date, tuple[str, Path]] = {}

    def calendar(self) -> SchoolCalendar:
        top = self.values
        self.known(top, (), TOP)
        name = self.text(top, (), "name")
        timezone = self.timezone()
        terms = self.terms()
        if not terms:
            self.refuse((), "it gives no term; add a [[year]] with at least one [[year.term]]")
        ordered = [term for term, _ in terms]
        closed, closures = self.closed(ordered), self.closures()
        title = self.text(top, (), "title") if "title" in top else ""
        if "bank_holiday" not in top:
            closed = {**_england(ordered), **closed}
        return SchoolCalendar(name, ordered, closed, closures, title=title, timezone=timezone)

    def timezone(self) -> str:
        name = self.text(self.values, (), "timezone")
        try:
            return ZoneInfo(name).key
        except (ValueError, OSError, KeyError):
            self.refuse(("timezone",), f'{name!r} is no time zone; give one such as "Europe/London"')

    def terms(self) -> list[tuple[Term, Path]]:
        """Every term with its place, in order of time."""
        found: list[tuple[Term, Path]] = []
        labels: dict[str, Path] = {}
        for place, year in self.tables(self.values, (), "year"):
            self.known(year, place, {"label", "term"})
            label = self.text(year, place, "label")
            if label in labels:
                self.refuse((*place, "label"), f"the school year {label!r} is given twice{self.also(labels[label])}")
            labels[label] = place
            found += [(self.term(table, at), at) for at, table in self.tables(year, place, "term")]
        found.sort(key=lambda pair: pair[0].days.start)
        for (earlier, first), (later, second) in pairwise(found):
            if later.days.start <= earlier.days.end:
                self.refuse(
                    max(first, second, key=self.line_number),
                    f"the term {later.name!r} ({later.days}) overlaps the term {earlier.name!r} ({earlier.days})",
                )
        return found

    def term(self, table: Mapping[str, Any], place: Path) -> Term:
        self.known(table, place, {"name", "start", "end", "half_term"})
        name = self.text(table, place, "name")
        days = self.span(table, place, f"the term {name!r}")
        if "half_term" not in table:
            return Term(name, days)
        inner, at = table["half_term"], (*place, "half_term")
        if not isinstance(inner, dict):
            self.refuse(at, "half_term must be written { start = 2026-10-26, end = 2026-10-30 }")
        self.known(inner, at, {"start", "end"})
        half = self.span(inner, at, "the half term")
        if half.start < days.start or half.end > days.end:
            self.refuse(at, f"the half term {half} lies outside its term {name!r} ({days})")
        return Term(name, days, half)

    def closed(self, terms: list[Term]) -> dict[date, str]:
        """INSET days and the file's own bank holidays, each with its reason."""
        closed: dict[date, str] = {}
        for place, table in self.tables(self.values, (), "inset"):
            self.known(table, place, {"date"})
            day = self.once(table, place, "an INSET day")
            if not any(day in term.days for term in terms):
                self.refuse((*place, "date"), f"the INSET day {day} lies outside every term")
            closed[day] = "INSET day"
        for place, table in self.tables(self.values, (), "bank_holiday"):
            self.known(table, place, {"date", "name", "substitute"})
            if not isinstance(table.get("substitute", False), bool):
                self.refuse((*place, "substitute"), "substitute must be true or false")
            name = self.text(table, place, "name")
            closed[self.once(table, place, "a bank holiday")] = f"bank holiday: {name}"
        return closed

    def closures(self) -> dict[date, str]:
        closures: dict[date, str] = {}
        for place, table in self.tables(self.values, (), "closure"):
            self.known(table, place, {"date", "reason"})
            closures[self.once(table, place, "a closure")] = self.text(table, place, "reason")
        return closures

    def once(self, table: Mapping[str, Any], place: Path, as_what: str) -> date:
        day, at = self.day(table, place, "date"), (*place, "date")
        if day in self.given:
            other, there = self.given[day]
            again = "twice" if other == as_what else f"as {as_what} and as {other}"
            self.refuse(at, f"{day} is given {again}{self.also(there)}")
        self.given[day] = (as_what, at)
        return day

    def span(self, table: Mapping[str, Any], place: Path, what: str) -> Span:
        span = Span(self.day(table, place, "start"), self.day(table, place, "end"))
        if span.start > span.end:
            self.refuse((*place, "end"), f"{what} ends on {span.end}, before it starts on {span.start}")
        return span

    def day(self, table: Mapping[str, Any], place: Path, key: str) -> date:
        value = self.required(table, place, key)
        if isinstance(value, date) and not isinstance(value, datetime):
            if value.year not in YEARS:
                self.refuse((*place, key), f"{value} is no day of a school year from {YEARS[0]} to {YEARS[-1]}")
            return value
        return self.refuse((*place, key), f"{key} must be a date without quotes, such as 2026-09-02, not {value!r}")

    def text(self, table: Mapping[str, Any], place: Path, key: str) -> str:
        value = self.required(table, place, key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        return self.refuse((*place, key), f"{key} must be a text in quotes, not {value!r}")

    def required(self, table: Mapping[str, Any], place: Path, key: str) -> Any:
        if key not in table:
            self.refuse(place, f"{_said(place)} has no {key}; add it")
        return table[key]

    def tables(self, table: Mapping[str, Any], place: Path, key: str) -> list[tuple[Path, Mapping[str, Any]]]:
        """The tables of an array of tables, each with its place; none where the key is absent."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            header = ".".join([*(str(part) for part in place if isinstance(part, str)), key])
            self.refuse((*place, key), f"{key} must be written as tables, each under its own [[{header}]]")
        return [((*place, key, index), item) for index, item in enumerate(value)]

    def known(self, table: Mapping[str, Any], place: Path, keys: set[str]) -> None:
        for key in table:
            if key not in keys:
                there = ", ".join(sorted(keys))
                self.refuse((*place, key), f"{_said(place)} has no key {key!r}; there are {there}")

    def line_number(self, place: Path) -> int:
        """The line of that value, else of the table around it; 0 when neither was found."""
        while place:
            line = self.lines.get(place) or self.lines.get((*place, 0))
            if line is not None:
                return line
            place = place[:-1]
        return 0

    def also(self, place: Path) -> str:
        line = self.line_number(place)
        return f" (also in line {line})" if line else ""

    def refuse(self, place: Path, why: str) -> NoReturn:
        line = self.line_number(place)
        raise CalendarError(f"{self.source}, line {line}: {why}" if line else f"{self.source}: {why}")


def _said(place: Path) -> str:
    """A place in words: "the inset table", "the year.term table", "the file"."""
    names = ".".join(part for part in place if isinstance(part, str))
    return f"the {names} table" if names else "the file"


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise CalendarError(f"{source}, line {line}: this is not TOML ({what}); correct the line") from None
    except (RecursionError, ValueError) as error:
        raise CalendarError(f"{source}: this cannot be read as TOML ({type(error).__name__}: {error})") from None


_HEADER = re.compile(r"^\s*(\[\[?)\s*([\w\"'. -]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([\w\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")


def _lines(text: str) -> dict[Path, int]:
    """The line of every table and key that stands at the beginning of a line.

    `tomllib` gives values only. Tables written inside one line are found by the line of their key.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            here = _descend(_names(header[2]), counts, new=header[1] == "[[")
            lines.setdefault(here, number)
        elif key := _KEY.match(line):
            names = _names(key[1])
            for depth in range(1, len(names) + 1):
                lines.setdefault((*here, *names[:depth]), number)
    return lines


def _descend(names: list[str], counts: dict[Path, int], *, new: bool) -> Path:
    """The path of a header's table: each array on the way is at its latest item."""
    place: Path = ()
    for depth, name in enumerate(names, start=1):
        place = (*place, name)
        if new and depth == len(names):
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _names(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _england(terms: list[Term]) -> dict[date, str]:
    """England's bank holidays in the years of these terms, from the `holidays` package."""
    from holidays import country_holidays

    years = range(terms[0].days.start.year, terms[-1].days.end.year + 1)
    table = country_holidays("GB", subdiv="ENG", years=years)
    return {day: f"bank holiday: {name}" for day, name in table.items()}
