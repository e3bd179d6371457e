from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.explaining import explain, length_in_words, school_days_left
from procedure.words import Deadline, Role, Skipped

# Received on Thursday 22 October 2026; half term is Monday 26 to Friday 30 October.
START = date(2026, 10, 22)
DEADLINE = Deadline(
    key="ack_3",
    name="ack_3",
    title="Acknowledgement",
    clause="L138",
    owner=Role.CLERK,
    start=START,
    start_event="stage4_requested",
    unit="school_days",
    length=3,
    due=date(2026, 11, 3),  # Tuesday
    counted=(date(2026, 10, 23), date(2026, 11, 2), date(2026, 11, 3)),
    skipped=tuple(
        Skipped(date(2026, 10, 24) + timedelta(days=n), "weekend" if n in {0, 1, 7, 8} else "half term: autumn")
        for n in range(9)
    ),
)


def test_a_limit_explains_its_day_line_by_line() -> None:
    assert explain(DEADLINE) == (
        "Start: Thursday 22 October 2026 (stage4 requested)",
        "Length: 3 school days",
        "Days counted: 3, Friday 23 October 2026 to Tuesday 3 November 2026",
        "Not counted: Monday 26 October 2026 to Friday 30 October 2026, half term: autumn",
        "Not counted: 4 days of weekends",
        "Policy: L138",
    )


def test_a_limit_that_moved_keeps_its_older_day_in_sight_but_not_what_was_typed() -> None:
    moved = replace(DEADLINE, moved_from=((date(2026, 10, 28), "Mr Sorrel was ill"),))
    lines = "\n".join(explain(moved))

    assert "Before it moved: Wednesday 28 October 2026" in lines
    assert "Sorrel" not in lines


def test_why_a_limit_was_suspended_is_left_out() -> None:
    suspended = replace(DEADLINE, skipped=(Skipped(date(2026, 10, 26), "suspended: social services visit Ana"),))
    lines = "\n".join(explain(suspended))

    assert "Monday 26 October 2026, suspended" in lines
    assert "Ana" not in lines


def test_days_off_for_one_reason_at_two_times_are_two_lines() -> None:
    apart = (Skipped(date(2026, 10, 5), "INSET day"), Skipped(date(2026, 10, 16), "INSET day"))
    lines = explain(replace(DEADLINE, skipped=apart))

    assert "Not counted: Monday 5 October 2026, INSET day" in lines
    assert "Not counted: Friday 16 October 2026, INSET day" in lines


@pytest.mark.parametrize(
    ("length", "unit", "words"),
    [
        (1, "school_days", "1 school day"),
        (15, "school_days", "15 school days"),
        (3, "calendar_months", "3 calendar months"),
        (5, "clear_school_days_before", "5 clear school days before"),
    ],
)
def test_lengths_are_said_in_words(length: int, unit: str, words: str) -> None:
    assert length_in_words(length, unit) == words


@pytest.mark.parametrize(("day", "left"), [(START, 3), (date(2026, 10, 30), 2), (date(2026, 11, 3), 0)])
def test_school_days_left_are_those_still_to_be_counted(day: date, left: int) -> None:
    assert school_days_left(DEADLINE, day) == left


def test_a_limit_in_other_units_has_no_school_days_left() -> None:
    assert school_days_left(replace(DEADLINE, unit="calendar_days"), START) is None


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
reasons = st.sampled_from(["weekend", "half term: spring", "INSET day", "bank holiday: Easter Monday"])


@given(st.lists(st.builds(Skipped, days, reasons), max_size=30, unique_by=lambda one: one.day))
def test_every_reason_for_a_day_that_does_not_count_is_told(skipped: list[Skipped]) -> None:
    lines = "\n".join(explain(replace(DEADLINE, skipped=tuple(skipped))))

    for one in skipped:
        assert one.why in lines
