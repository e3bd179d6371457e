"""How a limit came to its day, in lines that anybody can check against a wall calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from procedure.wording import day_in_words
from procedure.words import Deadline, Skipped

_UNITS = {
    "school_days": "school day",
    "calendar_days": "calendar day",
    "calendar_months": "calendar month",
    "clear_school_days_before": "clear school day",
}


def length_in_words(length: int, unit: str) -> str:
    """A length as people say it: "15 school days", "1 school day", "5 clear school days before"."""
    words = f"{length} {_UNITS.get(unit, unit.replace('_', ' '))}{'' if length == 1 else 's'}"
    return f"{words} before" if unit.endswith("_before") else words


def explain(deadline: Deadline) -> tuple[str, ...]:
    """The counting of a limit: start, length, days counted, days that do not count and why, older dates.

    Reasons that people typed when they moved or suspended a limit are left out: they may speak of somebody.
    """
    event = deadline.start_event.replace("_", " ")
    lines = [
        f"Start: {day_in_words(deadline.start)} ({event})",
        f"Length: {length_in_words(deadline.length, deadline.unit)}",
    ]
    if deadline.counted:
        first, last = min(deadline.counted), max(deadline.counted)
        lines.append(f"Days counted: {len(deadline.counted)}, {_span(first, last)}")
    lines.extend(_not_counted(deadline.skipped))
    lines.extend(f"Before it moved: {day_in_words(old)}" for old, _ in deadline.moved_from)
    lines.append(f"Policy: {deadline.clause}")
    return tuple(lines)


def school_days_left(deadline: Deadline, today: date) -> int | None:
    """Days of the counting that still lie ahead of `today`; None where the unit is not school days."""
    if deadline.unit != "school_days":
        return None
    return sum(day > today for day in deadline.counted)


def _not_counted(skipped: Sequence[Skipped]) -> Iterator[str]:
    ends = [one for one in skipped if _why(one) == "weekend"]
    others = sorted((one for one in skipped if _why(one) != "weekend"), key=lambda one: one.day)
    for why, first, last in _runs(others):
        yield f"Not counted: {_span(first, last)}, {why}"
    if ends:
        yield f"Not counted: {len(ends)} days of weekends"


def _runs(skipped: Sequence[Skipped]) -> Iterator[tuple[str, date, date]]:
    """Days in a row that are left out for one reason, as (reason, first, last)."""
    run: list[Skipped] = []
    for one in skipped:
        if run and (_why(one) != _why(run[-1]) or one.day - run[-1].day > timedelta(days=3)):
            yield _why(run[0]), run[0].day, run[-1].day
            run = []
        run.append(one)
    if run:
        yield _why(run[0]), run[0].day, run[-1].day


def _why(one: Skipped) -> str:
    why = one.why.strip()
    if why.lower().startswith("suspen"):
        return "suspended"
    return "weekend" if why.lower() in {"weekend", "saturday", "sunday"} else why


def _span(first: date, last: date) -> str:
    if first == last:
        return day_in_words(first)
    return f"{day_in_words(first)} to {day_in_words(last)}"
