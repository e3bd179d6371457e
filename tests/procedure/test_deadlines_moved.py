"""What moves a limit: suspension and resumption, extension. Dates carry their weekday."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from procedure import calendar_file, policy_file
from procedure.deadlines import deadlines
from procedure.school_days import SchoolCalendar
from procedure.words import Deadline, DeadlineState, Entry, EntryKind

K = EntryKind
LONDON = ZoneInfo("Europe/London")
POLICY = policy_file.load_named("southlands-2023")
CALENDAR = calendar_file.load(
    (Path(__file__).parents[2] / "procedure/calendars/southlands.toml").read_text(encoding="utf-8")
)


def at(said: str) -> datetime:
    """ "Mon 2026-11-02 10:00" in London; the weekday must be right."""
    weekday, rest = said.split(" ", 1)
    found = datetime.fromisoformat(rest).replace(tzinfo=LONDON)
    assert f"{found:%a}" == weekday, f"{rest} is a {found:%A}"
    return found


def entry(kind: EntryKind, said: str, **facts: Any) -> Entry:
    return Entry(kind, at(said), "duly", facts)


def opened(said: str = "Mon 2026-11-02 10:00", **facts: Any) -> Entry:
    return entry(K.CASE_OPENED, said, policy=POLICY.id, target="staff", **{"stage": "stage2", **facts})


def running(*entries: Entry, calendar: SchoolCalendar = CALENDAR) -> dict[str, Deadline]:
    return {item.key: item for item in deadlines(entries, POLICY, calendar)}


COMPLAINT = entry(K.COMPLAINT_RECEIVED, "Mon 2026-11-02 10:00", letter=1)
#: Stage two of COMPLAINT: 15 school days after Mon 2026-11-02.
STAGE2_DUE = date(2026, 11, 23)  # a Monday


@pytest.mark.requirement(95)
def test_resumption_restores_the_school_days_that_remained() -> None:
    suspended = entry(K.SUSPENDED, "Wed 2026-11-04 10:00", reason="police")
    resumed = entry(K.RESUMED, "Wed 2026-11-18 10:00")
    paused = running(opened(), COMPLAINT, suspended)["stage2_15"]
    found = running(opened(), COMPLAINT, suspended, resumed)["stage2_15"]

    assert (paused.state, paused.due) == (DeadlineState.SUSPENDED, STAGE2_DUE)
    assert found.state is DeadlineState.OPEN
    left = CALENDAR.count(date(2026, 11, 4), STAGE2_DUE)  # Wednesday, Monday
    assert CALENDAR.count(date(2026, 11, 18), found.due) == left  # a Wednesday
    assert len(found.counted) == 15
    assert {skipped.day for skipped in found.skipped if skipped.why == "suspended"} == {
        date(2026, 11, day) for day in (5, 6, 9, 10, 11, 12, 13, 16, 17, 18)
    }
    assert found.moved_from == ((STAGE2_DUE, "suspended from 2026-11-04 to 2026-11-18"),)


def test_a_case_suspended_on_the_last_day_has_that_day_left() -> None:
    suspended = entry(K.SUSPENDED, "Mon 2026-11-23 10:00", reason="police")
    resumed = entry(K.RESUMED, "Mon 2026-11-30 10:00")

    assert running(opened(), COMPLAINT, suspended, resumed)["stage2_15"].due == date(2026, 12, 1)  # a Tuesday


def test_a_suspension_that_ends_the_same_day_moves_nothing() -> None:
    day = [entry(K.SUSPENDED, "Mon 2026-11-23 10:00"), entry(K.RESUMED, "Mon 2026-11-23 11:00")]

    assert running(opened(), COMPLAINT, *day) == running(opened(), COMPLAINT)


def test_a_suspension_after_the_limit_was_met_moves_nothing() -> None:
    acknowledged = entry(K.ACKNOWLEDGED, "Tue 2026-11-03 10:00", how="post")
    pause = [entry(K.SUSPENDED, "Wed 2026-11-04 10:00"), entry(K.RESUMED, "Wed 2026-11-18 10:00")]

    assert running(opened(), COMPLAINT, acknowledged, *pause)["ack_3"].due == date(2026, 11, 5)  # a Thursday


def test_a_second_suspension_counts_as_well() -> None:
    pauses = [
        entry(K.SUSPENDED, "Wed 2026-11-04 10:00"),
        entry(K.RESUMED, "Thu 2026-11-05 10:00"),
        entry(K.SUSPENDED, "Mon 2026-11-09 10:00"),
        entry(K.RESUMED, "Wed 2026-11-11 10:00"),
    ]
    found = running(opened(), COMPLAINT, *pauses)["stage2_15"]

    assert found.due == date(2026, 11, 26)  # three days more: a Thursday
    assert [old for old, _ in found.moved_from] == [STAGE2_DUE, date(2026, 11, 24)]  # Monday, Tuesday


@pytest.mark.requirement(42)
def test_an_extension_keeps_the_old_date_visible() -> None:
    extended = entry(K.EXTENDED, "Mon 2026-11-23 16:00", limit="stage2_15", to="2026-12-04", reason="two witnesses")
    found = running(opened(), COMPLAINT, extended)["stage2_15"]

    assert found.due == date(2026, 12, 4)  # a Friday
    assert found.moved_from == ((STAGE2_DUE, "extended to 2026-12-04: two witnesses"),)
    assert found.counted[-1] == found.due


@pytest.mark.requirement(42)
@pytest.mark.parametrize(
    "extended",
    [
        entry(K.EXTENDED, "Tue 2026-11-24 00:01", limit="stage2_15", to="2026-12-04", reason="too late"),
        entry(K.EXTENDED, "Wed 2026-11-04 10:00", limit="stage2_15", to="2026-11-20", reason="earlier"),
        entry(K.EXTENDED, "Wed 2026-11-04 10:00", limit="stage2_15", to="soon", reason="no date"),
        entry(K.EXTENDED, "Wed 2026-11-04 10:00", limit="ack_3", to="2026-12-04", reason="cannot be extended"),
        entry(K.EXTENDED, "Wed 2026-11-04 10:00", reason="of what"),
    ],
)
def test_what_is_no_extension_moves_nothing(extended: Entry) -> None:
    assert running(opened(), COMPLAINT, extended) == running(opened(), COMPLAINT)


def test_an_extension_to_a_saturday_is_kept_on_the_friday() -> None:
    extended = entry(K.EXTENDED, "Wed 2026-11-04 10:00", limit="stage2_15", to="2026-12-05", reason="holiday")

    assert running(opened(), COMPLAINT, extended)["stage2_15"].due == date(2026, 12, 4)


def test_a_pause_after_an_extension_moves_the_extended_date() -> None:
    extended = entry(K.EXTENDED, "Wed 2026-11-04 10:00", limit="stage2_15", to="2026-12-04", reason="holiday")
    pause = [entry(K.SUSPENDED, "Mon 2026-11-09 10:00"), entry(K.RESUMED, "Wed 2026-11-11 10:00")]
    found = running(opened(), COMPLAINT, extended, *pause)["stage2_15"]

    assert found.due == date(2026, 12, 8)  # a Tuesday
    assert [old for old, _ in found.moved_from] == [STAGE2_DUE, date(2026, 12, 4)]


def test_a_corrected_receipt_moves_the_limit_and_says_so() -> None:
    corrected = entry(K.RECEIPT_CORRECTED, "Thu 2026-11-05 10:00", of="complaint_received", to="2026-10-30")
    found = running(opened(), COMPLAINT, corrected)["ack_3"]

    assert (found.start, found.due) == (date(2026, 10, 30), date(2026, 11, 4))  # Friday, Wednesday
    assert found.moved_from == ((date(2026, 11, 5), "the receipt was corrected to 2026-10-30"),)


def test_a_correction_that_makes_no_sense_is_passed_over() -> None:
    corrected = entry(K.RECEIPT_CORRECTED, "Thu 2026-11-05 10:00", of="complaint_received", to=["2026"])

    assert running(opened(), COMPLAINT, corrected) == running(opened(), COMPLAINT)
