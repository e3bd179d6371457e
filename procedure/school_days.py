"""School days: which days count, and why the others do not (L92-L173; SI 2007/1304 reg. 2 for INSET days).

A school day is Monday to Friday, inside a term, outside its half term, and neither bank holiday, INSET day
nor closure. A calendar answers only for days it knows and says so otherwise: it never guesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from procedure.words import Skipped

ONE_DAY = timedelta(days=1)
NOTHING: Mapping[date, str] = {}
CLOSURE = "closure: "
Day = date  # where a field is called `date` itself


class CalendarError(ValueError):
    """A calendar that cannot be used, or a question that it cannot answer: one sentence."""


class BeyondCalendar(CalendarError):  # noqa: N818 - the name the house uses
    """A count that leaves the days the calendar knows, at either end."""

    def __init__(self, message: str, first_known: date, last_known: date) -> None:
        super().__init__(message)
        self.first_known = first_known
        self.last_known = last_known

    def __reduce__(self) -> tuple[type[BeyondCalendar], tuple[str, date, date]]:
        return type(self), (str(self), self.first_known, self.last_known)


@dataclass(frozen=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


@dataclass(frozen=True)
class Term:
    """A term as the school gives it; INSET days lie inside."""

    name: str
    days: Span
    half_term: Span | None = None


@dataclass(frozen=True)
class Counted:
    """A date, the days that made it (oldest first) and the days that did not, each with its reason."""

    date: Day
    counted: tuple[Day, ...]
    skipped: tuple[Skipped, ...]


class SchoolCalendar:
    """The days of one school, from `first_known` to `last_known`.

    Terms must not overlap (`calendar_file.load` sees to it). `closed` names the other days that are no school
    days by plan, and why ("INSET day", "bank holiday: Good Friday"); `closures` those that happened ("snow").
    """

    def __init__(
        self,
        name: str,
        terms: Sequence[Term],
        closed: Mapping[date, str],
        closures: Mapping[date, str] = NOTHING,
        *,
        title: str = "",
        timezone: str = "Europe/London",
    ) -> None:
        if not terms:
            raise CalendarError(f"the calendar {name!r} has no term; give at least one")
        self.name = name
        self.title = title or name
        self.timezone = timezone
        self.terms = tuple(sorted(terms, key=lambda term: term.days.start))
        self.closed = dict(closed)
        self.closures = dict(closures)
        self.first_known = _first_known(self.terms[0].days.start)
        #: The last day of the last term: what follows it is a year that nobody has written down yet.
        self.last_known: date = self.terms[-1].days.end
        self._why = {day: self._reason(day) for day in days_of(Span(self.first_known, self.last_known))}

    def with_closure(self, day: date, reason: str) -> SchoolCalendar:
        """The same calendar with one more closure (snow, strike)."""
        closures = {**self.closures, day: reason}
        return SchoolCalendar(self.name, self.terms, self.closed, closures, title=self.title, timezone=self.timezone)

    def is_school_day(self, day: date) -> bool:
        """Whether that day is a school day; BeyondCalendar for a day the calendar does not know."""
        return self.why_not(day) is None

    def why_not(self, day: date) -> str | None:
        """Why that day is no school day ("Saturday", "half term (autumn)"), or None for a school day."""
        try:
            return self._why[day]
        except KeyError:
            raise self._beyond(day) from None

    def add(self, start: date, n: int, besides: Mapping[date, str] = NOTHING) -> Counted:
        """The n-th school day after `start`; day 1 is the first school day after it (calendar.md, Counting).

        `besides` gives further days that do not count, and why ("suspended"). ValueError when n < 1;
        BeyondCalendar when the count leaves the days known.
        """
        if n < 1:
            raise ValueError(f"cannot add {n} school days; give 1 or more")
        return self._walk(start, besides, n=n)

    def until(self, start: date, end: date, besides: Mapping[date, str] = NOTHING) -> Counted:
        """The school days after `start` up to and including `end`, as `add` would count them."""
        return self._walk(start, besides, end=end)

    def count(self, after: date, until: date) -> int:
        """School days after `after` up to and including `until`; 0 when `until` is not later."""
        return len(self.until(after, until).counted)

    def last_day_for_notice(self, hearing: date, clear_days: int = 5) -> Counted:
        """The last date on which notice can be given so that `clear_days` full school days lie between (L156).

        The date itself may be a Sunday: only the days between are counted. A hearing on a day that is no
        school day is counted back from just the same.
        """
        if clear_days < 1:
            raise ValueError(f"cannot give notice of {clear_days} days; give 1 or more")
        self.why_not(hearing)
        counted: list[date] = []
        skipped: list[Skipped] = []
        day = hearing
        while len(counted) < clear_days:
            day -= ONE_DAY
            why = self.why_not(day)
            if why is None:
                counted.append(day)
            else:
                skipped.append(Skipped(day, why))
        return Counted(day - ONE_DAY, tuple(reversed(counted)), tuple(reversed(skipped)))

    def next_school_day(self, day: date, inclusive: bool = True) -> date:
        """The first school day on or after that day (after it, when not inclusive)."""
        if inclusive and self.is_school_day(day):
            return day
        return self.add(day, 1).date

    def previous_school_day(self, day: date, inclusive: bool = True) -> date:
        """The last school day on or before that day (before it, when not inclusive)."""
        if inclusive and self.is_school_day(day):
            return day
        self.why_not(day)
        day -= ONE_DAY
        while not self.is_school_day(day):
            day -= ONE_DAY
        return day

    def kept_by(self, promised: date) -> date:
        """The school day on which a promise for that day is kept.

        The day itself; the school day before, where none was planned for it; and where a closure then
        took that day away, the next one: a closure never brings a date forward.
        """
        day = promised
        while not (self.is_school_day(day) or self.is_closure(day)):
            day -= ONE_DAY
        return self.next_school_day(day)

    def is_closure(self, day: date) -> bool:
        """Whether that day would be a school day but for a closure."""
        return (self.why_not(day) or "").startswith(CLOSURE)

    def _walk(
        self, start: date, besides: Mapping[date, str], n: int | None = None, end: date | None = None
    ) -> Counted:
        """Day by day after `start`, until n days counted or `end` is reached."""
        self.why_not(start)
        counted: list[date] = []
        skipped: list[Skipped] = []
        day = start
        while len(counted) != n and (end is None or day < end):
            day += ONE_DAY
            why = self.why_not(day) or besides.get(day)
            if why is None:
                counted.append(day)
            else:
                skipped.append(Skipped(day, why))
        return Counted(end or day, tuple(counted), tuple(skipped))

    def _reason(self, day: date) -> str | None:
        if day.weekday() >= 5:
            return f"{day:%A}"
        if day in self.closed:
            return self.closed[day]
        term = next((term for term in self.terms if day in term.days), None)
        if term is None:
            return "between terms"
        if term.half_term is not None and day in term.half_term:
            return f"half term ({term.name})"
        return f"{CLOSURE}{self.closures[day]}" if day in self.closures else None

    def _beyond(self, day: date) -> BeyondCalendar:
        if day > self.last_known:
            said = f"the last day it knows is {self.last_known}; add the terms that follow"
        else:
            said = f"the first day it knows is {self.first_known}; add the terms before"
        return BeyondCalendar(
            f"the calendar of {self.name} does not reach {day}: {said}", self.first_known, self.last_known
        )


def days_of(span: Span) -> list[date]:
    """Every day of the span, in order; none when it ends before it starts."""
    return [span.start + timedelta(days=n) for n in range((span.end - span.start).days + 1)]


def _first_known(first_term: date) -> date:
    """1 August before a first term that begins after July, else the term's own first day.

    A school year begins with the first term to begin after July (Education Act 1996, s. 579), so from
    1 August to that term there is no school: a letter of 31 August can be counted, one of July cannot.
    """
    return date(first_term.year, 8, 1) if first_term.month >= 8 else first_term
