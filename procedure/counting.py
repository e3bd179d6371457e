"""From the day of an event to the day of a limit, in each of the policy's units, with the counting shown."""

from __future__ import annotations

import calendar as months
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from procedure.school_days import Counted, SchoolCalendar, Span, days_of
from procedure.words import Skipped

SCHOOL_DAYS = "school_days"
CALENDAR_DAYS = "calendar_days"
CALENDAR_MONTHS = "calendar_months"
CLEAR_BEFORE = "clear_school_days_before"
SUSPENDED = "suspended"


def local_day(at: datetime, timezone: str = "Europe/London") -> date:
    """The day of an event in that zone, whatever zone the (aware) time carries."""
    return at.astimezone(ZoneInfo(timezone)).date()


def add_months(day: date, length: int) -> date:
    """The same day `length` months later, or that month's last day where it has none (A9)."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + length, 12)
    last = months.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(day.day, last))


def count(unit: str, length: int, start: date, calendar: SchoolCalendar, pauses: Sequence[Span] = ()) -> Counted:
    """The day on which a limit ends that runs from the day `start`.

    A pause, from the day of suspension to the day of resumption, restores what remained: of school days
    those after the first up to the last do not count, other units move by as many days as it lasted. Notice
    before a hearing (`start` is the hearing) does not move. Months have no counted days: the date is
    the same day of a later month. BeyondCalendar where school days leave the calendar; ValueError for a
    unit that is not one of the policy's.
    """
    if unit == SCHOOL_DAYS:
        return _count_days(length, start, calendar.add, pauses, calendar)
    if unit == CLEAR_BEFORE:
        return calendar.last_day_for_notice(start, length)
    if unit == CALENDAR_DAYS:
        return _count_days(length, start, add_days, pauses)
    if unit == CALENDAR_MONTHS:
        return Counted(_moved(add_months(start, length), start, pauses), (), ())
    raise ValueError(
        f"no limit is counted in {unit!r}; use {SCHOOL_DAYS}, {CALENDAR_DAYS}, {CALENDAR_MONTHS} or {CLEAR_BEFORE}"
    )


def extend(
    unit: str, start: date, given: date, to: date, calendar: SchoolCalendar, pauses: Sequence[Span] = ()
) -> Counted:
    """The day of a limit from `start` that was moved, on the day `given`, to the date `to`.

    Later pauses move it on. A promise for a day that is no school day is kept on the school day before it
    (`SchoolCalendar.kept_by`).
    """
    if unit == CALENDAR_MONTHS:
        return Counted(_moved(to, given, [pause for pause in pauses if pause.end > given]), (), ())
    if unit == SCHOOL_DAYS:
        paused = _paused(pauses, calendar)
        before = calendar.until(start, given, paused)
        way = calendar.until(given, calendar.kept_by(to))
        # A closure inside a pause took nothing away from what remained.
        closed = [skipped for skipped in way.skipped if skipped.day in paused and calendar.is_closure(skipped.day)]
        left = len(way.counted) + len(closed)
        if left == 0:
            return Counted(way.date, before.counted, before.skipped)
        after = _count_days(left, given, calendar.add, pauses, calendar)
    else:
        before = _walk(start, _paused(pauses), end=given)
        after = _count_days((to - given).days, given, add_days, pauses)
    return Counted(after.date, (*before.counted, *after.counted), (*before.skipped, *after.skipped))


def add_days(start: date, n: int, besides: Mapping[date, str]) -> Counted:
    """The n-th day after `start`, whatever day it is, leaving out the days `besides`."""
    return _walk(start, besides, n=n)


def _count_days(
    length: int,
    start: date,
    add: Callable[[date, int, Mapping[date, str]], Counted],
    pauses: Sequence[Span],
    calendar: SchoolCalendar | None = None,
) -> Counted:
    """The `length`-th day after `start`, as `add` counts, that no pause takes away."""
    paused = _paused(pauses, calendar)
    counted = add(start, length, paused)
    # The last day of a limit had not ended when the case was suspended on it: it is given back.
    while any(pause.start == counted.date != pause.end for pause in pauses):
        paused[counted.date] = SUSPENDED
        counted = add(start, length, paused)
    return counted


def _paused(pauses: Sequence[Span], calendar: SchoolCalendar | None = None) -> dict[date, str]:
    """The days that suspension takes out of the count, as far as the calendar reaches."""
    found: dict[date, str] = {}
    for pause in pauses:
        first, last = pause.start + timedelta(days=1), pause.end
        if calendar is not None:
            first, last = max(first, calendar.first_known), min(last, calendar.last_known)
        found |= dict.fromkeys(days_of(Span(first, last)), SUSPENDED)
    return found


def _moved(due: date, start: date, pauses: Sequence[Span]) -> date:
    """`due`, later by the days of each pause that began on or before it, oldest first."""
    reached = start
    for pause in sorted(pauses, key=lambda pause: pause.start):
        first = max(pause.start, reached)
        if pause.start <= due and pause.end > first:
            due += pause.end - first + timedelta(days=pause.start == due)
            reached = pause.end
    return due


def _walk(start: date, besides: Mapping[date, str], n: int | None = None, end: date | None = None) -> Counted:
    """Day by day after `start`, until n days counted or `end` is reached."""
    counted: list[date] = []
    skipped: list[Skipped] = []
    day = start
    while len(counted) != n and (end is None or day < end):
        day += timedelta(days=1)
        if day in besides:
            skipped.append(Skipped(day, besides[day]))
        else:
            counted.append(day)
    return Counted(end or day, tuple(counted), tuple(skipped))
