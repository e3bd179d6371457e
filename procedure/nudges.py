"""When staff are reminded of a limit: before it, on its day, and once it has passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from procedure.policy import LimitRule
from procedure.school_days import BeyondCalendar, SchoolCalendar
from procedure.words import Deadline, DeadlineState, Role

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Nudge:
    """A reminder of a limit: "before", "on" or "after" its day, when (UTC) and to whom."""

    kind: str
    at: datetime
    role: Role


def nudges(
    deadline: Deadline,
    rule: LimitRule,
    calendar: SchoolCalendar,
    hours: tuple[time, time],
    timezone: str = "Europe/London",
) -> tuple[Nudge, ...]:
    """Every nudge of an open deadline, oldest first; none once it is met, cancelled, or while suspended.

    Each comes when the school's hours (local, in `timezone`) begin, on a school day: the owner is reminded
    `rule.remind` school days before, and on the day (the school day before, where it is none); on
    the next school day after it, `escalate_to` and the owner both hear that it was missed. Where the
    calendar ends too soon, Monday to Friday stand in for school days: a nudge is no promise, and one too
    many is better than none.
    """
    if not rule.nudge or deadline.state is not DeadlineState.OPEN:
        return ()
    days = _Days(calendar)
    on = days.back(deadline.due, 0)
    wanted = {days.back(on, n) for n in rule.remind if n > 0}
    if deadline.start <= deadline.due:
        wanted = {day for day in wanted if day > deadline.start}
    after = days.next(deadline.due)

    def nudge(kind: str, day: date, role: Role) -> Nudge:
        return Nudge(kind, datetime.combine(day, hours[0], ZoneInfo(timezone)).astimezone(UTC), role)

    return (
        *(nudge("before", day, deadline.owner) for day in sorted(wanted)),
        nudge("on", on, deadline.owner),
        *(nudge("after", after, role) for role in dict.fromkeys((rule.escalate_to, deadline.owner))),
    )


def next_nudge(
    deadline: Deadline,
    rule: LimitRule,
    calendar: SchoolCalendar,
    hours: tuple[time, time],
    timezone: str,
    after: datetime,
) -> Nudge | None:
    """The first nudge later than `after`. Others of the same instant, to another role, stand in `nudges`."""
    coming = nudges(deadline, rule, calendar, hours, timezone)
    return next((nudge for nudge in coming if nudge.at > after), None)


class _Days:
    """School days, and weekdays where the calendar does not reach."""

    def __init__(self, calendar: SchoolCalendar) -> None:
        self.calendar = calendar

    def next(self, day: date) -> date:
        return self._or_weekday(lambda: self.calendar.next_school_day(day, inclusive=False), day + ONE_DAY, ONE_DAY)

    def back(self, day: date, n: int) -> date:
        """The n-th school day before; for 0 the day itself or, where it is none, the school day before."""
        day = self._or_weekday(lambda: self.calendar.previous_school_day(day), day, -ONE_DAY)
        return day if n == 0 else self.back(day - ONE_DAY, n - 1)

    def _or_weekday(self, school_day: Callable[[], date], day: date, step: timedelta) -> date:
        try:
            return school_day()
        except BeyondCalendar:
            while day.weekday() >= 5:
                day += step
            return day
