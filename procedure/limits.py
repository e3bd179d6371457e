"""`duly limits`: one line of JSON in, the day of a limit and its counting out."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, NoReturn

from procedure import counting
from procedure.policy import LimitRule, Policy
from procedure.school_days import SchoolCalendar


class _LineError(ValueError):
    """A line that cannot be answered: one sentence."""


def answer(line: str, calendar: SchoolCalendar, policy: Policy) -> dict[str, Any]:
    """The answer to `{"id", "event_at", "rule"}` (calendar.md, `duly limits`); JSON values. Never raises.

    `event_at` is an ISO time with its zone; its day is the one in the calendar's zone. The answer is
    `{"id", "date", "counted", "skipped": [{"date", "why"}], "clause"}`. A limit in months has no counted
    days: its date is the same day of a later month (or that month's last). For notice before a hearing `event_at`
    is the hearing, `date` may be a Sunday, and `last_school_day` is that date or the school day before it.
    A line that cannot be answered gives `{"id", "error"}`, with id null where none could be read.
    """
    asked: dict[str, Any] = {}
    try:
        asked = _read(line)
        rule = _rule(asked, policy)
        return {"id": _id(asked), **_count(rule, _event_day(asked, calendar.timezone), calendar)}
    except (ValueError, OverflowError) as error:
        return {"id": _id(asked), "error": str(error)}


def _count(rule: LimitRule, day: date, calendar: SchoolCalendar) -> dict[str, Any]:
    counted = counting.count(rule.unit, rule.length, day, calendar)
    found: dict[str, Any] = {
        "date": counted.date.isoformat(),
        "counted": [each.isoformat() for each in counted.counted],
        "skipped": [{"date": skipped.day.isoformat(), "why": skipped.why} for skipped in counted.skipped],
        "clause": rule.clause,
    }
    if rule.unit == counting.CLEAR_BEFORE:
        found["last_school_day"] = calendar.previous_school_day(counted.date).isoformat()
    return found


def _read(line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _LineError(f"the line is not JSON ({why}); write an object with id, event_at and rule") from None
    if not isinstance(asked, dict):
        raise _LineError("the line is JSON but no object; write an object with id, event_at and rule")
    return asked


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _id(asked: dict[str, Any]) -> str | int | None:
    """The id as given; a text that no encoding can write (half a surrogate pair) loses what is broken."""
    given = asked.get("id")
    if isinstance(given, str):
        return given.encode("utf-8", "replace").decode("utf-8")
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _rule(asked: dict[str, Any], policy: Policy) -> LimitRule:
    name = _text(asked, "rule")
    for rule in policy.limits:
        if rule.name == name:
            return rule
    known = ", ".join(rule.name for rule in policy.limits)
    raise _LineError(f"no limit is called {_short(name)}; the policy {policy.id} knows {known}")


def _event_day(asked: dict[str, Any], timezone: str) -> date:
    text = _text(asked, "event_at")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _LineError(f"event_at {_short(text)} is no ISO time such as 2026-09-10T16:05:00+01:00") from None
    if at.tzinfo is None:
        raise _LineError(f"event_at {_short(text)} has no zone; add one, such as Z or +01:00")
    try:
        return counting.local_day(at, timezone)
    except OverflowError:
        raise _LineError(f"event_at {_short(text)} lies outside the years that can be counted") from None


def _text(asked: dict[str, Any], key: str) -> str:
    if key not in asked:
        raise _LineError(f"the line has no {key}; add it")
    value = asked[key]
    if not isinstance(value, str):
        raise _LineError(f"{key} must be a text in quotes, not {_short(value)}")
    return value


def _short(value: object) -> str:
    """A value as it was given, cut where it would fill the screen."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "so large a number"
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."
