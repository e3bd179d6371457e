"""What counts as a school day, and how days are counted (calendar.md; requirements 24, A2, A10, A11)."""

from __future__ import annotations

import copy
import pickle
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procedure.calendar_file import load
from procedure.school_days import BeyondCalendar, CalendarError, SchoolCalendar

SOUTHLANDS = (Path(__file__).parents[2] / "procedure/calendars/southlands.toml").read_text(encoding="utf-8")
CALENDAR = load(SOUTHLANDS)
#: Days from which 20 school days can always be counted.
DAYS = st.dates(CALENDAR.first_known, CALENDAR.last_known - timedelta(days=60))
ANY_DAY = st.dates(CALENDAR.first_known, CALENDAR.last_known)


def day(said: str) -> date:
    """ "Mon 2026-10-26" as a date; the weekday must be right."""
    weekday, iso = said.split()
    found = date.fromisoformat(iso)
    assert f"{found:%a}" == weekday, f"{iso} is a {found:%A}"
    return found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Thu 2026-09-03", None),
        ("Sat 2026-09-05", "Saturday"),
        ("Sun 2026-09-06", "Sunday"),
        ("Wed 2026-09-02", "INSET day"),
        ("Mon 2026-08-31", "bank holiday: Late Summer Bank Holiday"),
        ("Thu 2026-08-20", "between terms"),
        ("Mon 2026-10-26", "half term (autumn)"),
        ("Sat 2026-10-31", "Saturday"),
        ("Mon 2026-11-02", None),
        ("Mon 2027-05-03", "bank holiday: May Day"),
        ("Mon 2026-12-28", "bank holiday: Boxing Day (observed)"),
        ("Tue 2027-12-28", "bank holiday: Boxing Day (observed)"),
        ("Wed 2026-12-23", "between terms"),
        ("Fri 2026-12-18", None),
        ("Mon 2026-12-21", "between terms"),
    ],
)
def test_a_day_says_why_it_does_not_count(said: str, why: str | None) -> None:
    assert CALENDAR.why_not(day(said)) == why
    assert CALENDAR.is_school_day(day(said)) is (why is None)


def test_a_closure_says_its_reason() -> None:
    snowed = CALENDAR.with_closure(day("Thu 2027-01-14"), "snow")

    assert snowed.why_not(day("Thu 2027-01-14")) == "closure: snow"
    assert CALENDAR.is_school_day(day("Thu 2027-01-14"))


def test_a_closure_in_a_holiday_is_still_a_holiday() -> None:
    assert CALENDAR.with_closure(day("Wed 2026-12-23"), "snow").why_not(day("Wed 2026-12-23")) == "between terms"


@pytest.mark.requirement(24)
@pytest.mark.parametrize(
    ("said", "n", "expected"),
    [
        ("Mon 2026-09-07", 3, "Thu 2026-09-10"),
        ("Sat 2026-09-05", 3, "Wed 2026-09-09"),  # received on Saturday: Monday is day 1
        ("Fri 2026-09-04", 3, "Wed 2026-09-09"),
        ("Fri 2026-10-23", 3, "Wed 2026-11-04"),  # the last day before half term
        ("Wed 2026-10-28", 3, "Wed 2026-11-04"),  # inside half term
        ("Mon 2026-08-31", 3, "Mon 2026-09-07"),  # a bank holiday; Tue and Wed are INSET days
        ("Thu 2026-11-26", 3, "Wed 2026-12-02"),  # the Friday is an INSET day
        ("Fri 2026-11-27", 3, "Wed 2026-12-02"),  # received on the INSET day itself
        ("Fri 2027-04-30", 3, "Thu 2027-05-06"),  # over the bank holiday of Mon 2027-05-03
        ("Fri 2026-12-18", 3, "Thu 2027-01-07"),  # over Christmas; Mon 2027-01-04 is an INSET day
        ("Tue 2026-07-21", 3, "Mon 2026-09-07"),  # received on the last day of the school year
        ("Mon 2026-09-07", 20, "Mon 2026-10-05"),
    ],
)
def test_day_one_is_the_first_school_day_after_the_event(said: str, n: int, expected: str) -> None:
    counted = CALENDAR.add(day(said), n)

    assert counted.date == day(expected)
    assert counted.counted[-1] == counted.date
    assert len(counted.counted) == n


def test_a_count_names_every_day_it_skipped() -> None:
    counted = CALENDAR.add(day("Fri 2026-10-23"), 1)

    assert [(skipped.day.isoformat(), skipped.why) for skipped in counted.skipped] == [
        ("2026-10-24", "Saturday"),
        ("2026-10-25", "Sunday"),
        ("2026-10-26", "half term (autumn)"),
        ("2026-10-27", "half term (autumn)"),
        ("2026-10-28", "half term (autumn)"),
        ("2026-10-29", "half term (autumn)"),
        ("2026-10-30", "half term (autumn)"),
        ("2026-10-31", "Saturday"),
        ("2026-11-01", "Sunday"),
    ]


@pytest.mark.requirement(79)
@pytest.mark.parametrize(
    ("hearing", "expected"),
    [
        ("Thu 2026-11-19", "Wed 2026-11-11"),  # Thu, Fri, Mon, Tue, Wed lie between
        ("Mon 2026-11-23", "Sun 2026-11-15"),  # Mon to Fri lie between: the Sunday before will still do
        ("Fri 2026-11-06", "Thu 2026-10-22"),  # Fri 23 October, then over half term Mon to Thu
        ("Sat 2026-11-21", "Sun 2026-11-15"),  # a hearing on a Saturday is counted back from just the same
    ],
)
def test_five_full_school_days_lie_between_notice_and_hearing(hearing: str, expected: str) -> None:
    counted = CALENDAR.last_day_for_notice(day(hearing))

    assert counted.date == day(expected)
    assert len(counted.counted) == 5
    assert counted.date < counted.counted[0]
    assert counted.counted[-1] < day(hearing)


def test_counting_past_the_end_names_the_last_day_known() -> None:
    with pytest.raises(BeyondCalendar, match="the last day it knows is 2029-07-20") as caught:
        CALENDAR.add(day("Wed 2029-07-18"), 2)

    assert caught.value.last_known == day("Fri 2029-07-20")


def test_a_day_after_the_end_is_refused_and_not_called_a_holiday() -> None:
    with pytest.raises(BeyondCalendar, match="2029-07-20"):
        CALENDAR.is_school_day(day("Sat 2029-07-21"))


def test_counting_from_before_the_first_day_known_is_refused() -> None:
    with pytest.raises(BeyondCalendar, match="the first day it knows is 2024-08-01"):
        CALENDAR.add(day("Wed 2024-07-31"), 1)


def test_notice_that_would_lie_before_the_first_day_known_is_refused() -> None:
    with pytest.raises(BeyondCalendar, match="2024-08-01"):
        CALENDAR.last_day_for_notice(day("Fri 2024-09-06"))


def test_august_before_the_first_term_is_known_to_be_a_holiday() -> None:
    assert CALENDAR.add(day("Sat 2024-08-31"), 1).date == day("Wed 2024-09-04")


@pytest.mark.parametrize("n", [0, -1])
def test_no_days_cannot_be_added(n: int) -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        CALENDAR.add(day("Mon 2026-09-07"), n)
    with pytest.raises(ValueError, match="give 1 or more"):
        CALENDAR.last_day_for_notice(day("Mon 2026-11-23"), n)


def test_a_calendar_without_a_term_is_refused() -> None:
    with pytest.raises(CalendarError, match="no term"):
        SchoolCalendar("empty", (), {})


@pytest.mark.parametrize(
    ("said", "before", "after"),
    [
        ("Sat 2026-11-07", "Fri 2026-11-06", "Mon 2026-11-09"),
        ("Wed 2026-10-28", "Fri 2026-10-23", "Mon 2026-11-02"),
        ("Tue 2026-11-10", "Tue 2026-11-10", "Tue 2026-11-10"),
    ],
)
def test_the_school_days_around_a_day(said: str, before: str, after: str) -> None:
    assert CALENDAR.previous_school_day(day(said)) == day(before)
    assert CALENDAR.next_school_day(day(said)) == day(after)


def test_the_school_days_strictly_around_a_school_day() -> None:
    assert CALENDAR.previous_school_day(day("Mon 2026-11-09"), inclusive=False) == day("Fri 2026-11-06")
    assert CALENDAR.next_school_day(day("Fri 2026-11-06"), inclusive=False) == day("Mon 2026-11-09")


def test_the_end_of_a_calendar_survives_copying_and_pickling() -> None:
    with pytest.raises(BeyondCalendar) as caught:
        CALENDAR.why_not(date(2040, 1, 2))  # a Monday

    for copied in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert str(copied) == str(caught.value)
        assert copied.last_known == CALENDAR.last_known


def test_the_calendar_of_southlands_has_190_school_days_a_year_give_or_take_one() -> None:
    years = [(date(year, 8, 31), min(date(year + 1, 8, 30), CALENDAR.last_known)) for year in range(2024, 2029)]

    assert all(189 <= CALENDAR.count(*year) <= 191 for year in years)


@given(DAYS, st.integers(1, 20))
def test_counting_undoes_adding(start: date, n: int) -> None:
    assert CALENDAR.count(start, CALENDAR.add(start, n).date) == n


@given(DAYS, st.integers(1, 20))
def test_added_days_and_skipped_days_are_all_the_days_between(start: date, n: int) -> None:
    counted = CALENDAR.add(start, n)
    days = sorted([*counted.counted, *(skipped.day for skipped in counted.skipped)])

    assert days == [start + timedelta(days=k) for k in range(1, (counted.date - start).days + 1)]
    assert CALENDAR.is_school_day(counted.date)


@given(DAYS, st.integers(1, 10), st.integers(1, 10))
def test_adding_twice_is_adding_the_sum(start: date, n: int, m: int) -> None:
    assert CALENDAR.add(CALENDAR.add(start, n).date, m).date == CALENDAR.add(start, n + m).date


@settings(max_examples=40, deadline=None)
@given(DAYS, st.integers(1, 20), st.lists(ANY_DAY, max_size=4))
def test_a_closure_never_brings_a_day_forward(start: date, n: int, closed: list[date]) -> None:
    closing = CALENDAR
    for closure in closed:
        closing = closing.with_closure(closure, "snow")

    assert closing.add(start, n).date >= CALENDAR.add(start, n).date


@settings(max_examples=40, deadline=None)
@given(st.dates(date(2024, 9, 6), CALENDAR.last_known - timedelta(days=60)), ANY_DAY)
def test_a_closure_never_brings_a_promise_forward(promised: date, closed: date) -> None:
    assert CALENDAR.with_closure(closed, "snow").kept_by(promised) >= CALENDAR.kept_by(promised)


@given(st.dates(date(2024, 10, 1), CALENDAR.last_known), st.integers(1, 10))
def test_notice_is_given_as_late_as_it_can_be(hearing: date, clear: int) -> None:
    last = CALENDAR.last_day_for_notice(hearing, clear).date

    assert CALENDAR.count(last, hearing - timedelta(days=1)) == clear
    assert CALENDAR.count(last + timedelta(days=1), hearing - timedelta(days=1)) == clear - 1
