"""Staff are reminded before, on and after a limit, in school hours of a school day (lessons 28, 30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure import calendar_file, counting, policy_file
from procedure.deadlines import Nudge, next_nudge, nudges
from procedure.words import Deadline, DeadlineState, Role

POLICY = policy_file.load_named("southlands-2023")
CALENDAR = calendar_file.load(
    (Path(__file__).parents[2] / "procedure/calendars/southlands.toml").read_text(encoding="utf-8")
)
HOURS = (time(8, 30), time(16, 30))
LONDON = "Europe/London"


def limit(name: str, start: date) -> Deadline:
    rule = POLICY.limit(name)
    counted = counting.count(rule.unit, rule.length, start, CALENDAR)
    return Deadline(
        key=name,
        name=name,
        title=rule.title,
        clause=rule.clause,
        owner=rule.owner,
        start=start,
        start_event="",
        unit=rule.unit,
        length=rule.length,
        due=counted.date,
        counted=counted.counted,
        skipped=counted.skipped,
    )


def nudged(deadline: Deadline, remind: tuple[int, ...] | None = None) -> list[tuple[str, str, Role]]:
    rule = POLICY.limit(deadline.name)
    rule = rule if remind is None else replace(rule, remind=remind)
    found = nudges(deadline, rule, CALENDAR, HOURS, LONDON)
    return [(nudge.kind, f"{nudge.at:%a %Y-%m-%d %H:%M}", nudge.role) for nudge in found]


def test_a_limit_is_nudged_before_on_and_after_its_day() -> None:
    assert nudged(limit("stage2_15", date(2026, 11, 2))) == [  # received on a Monday, due on a Monday
        ("before", "Mon 2026-11-16 08:30", Role.CLERK),
        ("before", "Thu 2026-11-19 08:30", Role.CLERK),
        ("on", "Mon 2026-11-23 08:30", Role.CLERK),
        ("after", "Tue 2026-11-24 08:30", Role.CHAIR),
        ("after", "Tue 2026-11-24 08:30", Role.CLERK),
    ]


def test_a_limit_on_monday_is_nudged_on_friday() -> None:
    assert nudged(limit("ack_3", date(2026, 11, 4)))[:2] == [  # received on a Wednesday
        ("before", "Fri 2026-11-06 08:30", Role.CLERK),
        ("on", "Mon 2026-11-09 08:30", Role.CLERK),
    ]


def test_school_hours_begin_an_hour_earlier_by_utc_in_summer() -> None:
    found = nudged(limit("ack_3", date(2026, 10, 19)))  # received on a Monday

    assert found[:2] == [("before", "Wed 2026-10-21 07:30", Role.CLERK), ("on", "Thu 2026-10-22 07:30", Role.CLERK)]


def test_hours_follow_the_clock_over_both_changes() -> None:
    autumn = nudged(limit("ack_3", date(2026, 10, 22)))  # a Thursday; the clocks go back in half term
    spring = nudged(limit("ack_3", date(2028, 3, 23)))  # a Thursday; the clocks go forward on the 26th

    assert autumn[0] == ("before", "Mon 2026-11-02 08:30", Role.CLERK)
    assert spring[0] == ("before", "Mon 2028-03-27 07:30", Role.CLERK)


def test_a_day_that_is_no_school_day_is_nudged_on_the_school_day_before() -> None:
    found = nudged(limit("cap_notice_5_before", date(2026, 11, 23)))  # a Monday; notice by Sunday the 15th

    assert found == [
        ("before", "Tue 2026-11-10 08:30", Role.CLERK),
        ("before", "Thu 2026-11-12 08:30", Role.CLERK),
        ("on", "Fri 2026-11-13 08:30", Role.CLERK),
        ("after", "Mon 2026-11-16 08:30", Role.CHAIR),
        ("after", "Mon 2026-11-16 08:30", Role.CLERK),
    ]


def test_nobody_is_nudged_before_the_limit_began() -> None:
    kinds = [kind for kind, _, _ in nudged(limit("ack_3", date(2026, 11, 2)), remind=(10, 3, 2))]

    assert kinds == ["before", "on", "after", "after"]


def test_one_who_owns_and_escalates_hears_once() -> None:
    deadline = limit("ack_3", date(2026, 11, 2))
    rule = replace(POLICY.limit("ack_3"), escalate_to=Role.CLERK)

    assert [nudge.kind for nudge in nudges(deadline, rule, CALENDAR, HOURS, LONDON)] == ["before", "on", "after"]


@pytest.mark.parametrize("state", [DeadlineState.MET, DeadlineState.CANCELLED, DeadlineState.SUSPENDED])
def test_a_limit_that_nobody_waits_for_is_not_nudged(state: DeadlineState) -> None:
    assert nudged(replace(limit("ack_3", date(2026, 11, 2)), state=state)) == []


def test_the_complainants_window_is_not_nudged() -> None:
    assert nudged(limit("cap_request_10", date(2026, 11, 2))) == []


def test_the_next_nudge_is_the_first_one_later() -> None:
    deadline, rule = limit("ack_3", date(2026, 11, 4)), POLICY.limit("ack_3")

    def after(moment: datetime) -> Nudge | None:
        return next_nudge(deadline, rule, CALENDAR, HOURS, LONDON, moment)

    first = after(datetime(2026, 11, 4, 12, tzinfo=UTC))
    assert first == Nudge("before", datetime(2026, 11, 6, 8, 30, tzinfo=UTC), Role.CLERK)
    second = after(first.at)
    assert second is not None
    assert second.kind == "on"
    assert after(datetime(2026, 11, 10, 8, 30, tzinfo=UTC)) is None


def test_a_limit_at_the_end_of_the_calendar_is_still_escalated() -> None:
    found = nudged(limit("ack_3", date(2029, 7, 16)))  # due on Thursday 19 July, the last school day

    assert found[1] == ("on", "Thu 2029-07-19 07:30", Role.CLERK)
    assert found[2] == ("after", "Fri 2029-07-20 07:30", Role.CHAIR)


def test_a_review_beyond_the_calendar_is_still_nudged_on_weekdays() -> None:
    found = nudged(limit("comms_plan_6_months", date(2029, 7, 1)))  # due on Tuesday 1 January 2030

    assert ("on", "Tue 2030-01-01 08:30", Role.HEADTEACHER) in found
    assert ("after", "Wed 2030-01-02 08:30", Role.CLERK) in found


@given(st.dates(date(2024, 10, 1), date(2029, 4, 1)), st.sampled_from(["ack_3", "stage2_15", "comms_plan_6_months"]))
def test_nudges_come_in_order_when_hours_begin_on_school_days(start: date, name: str) -> None:
    deadline = limit(name, start)
    if deadline.due > CALENDAR.last_known.replace(day=1):
        return
    found = nudges(deadline, POLICY.limit(name), CALENDAR, HOURS, LONDON)
    local = [nudge.at.astimezone(ZoneInfo(LONDON)) for nudge in found]

    assert all(CALENDAR.is_school_day(moment.date()) for moment in local)
    assert {moment.time() for moment in local} == {HOURS[0]}
    assert [nudge.at for nudge in found] == sorted(nudge.at for nudge in found)
    assert all(
        (nudge.kind == "after") == (moment.date() > deadline.due) for nudge, moment in zip(found, local, strict=True)
    )
