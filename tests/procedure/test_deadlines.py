"""The limits of a case come from its whole history, and each date explains itself (calendar.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from procedure import calendar_file, policy_file
from procedure.deadlines import deadlines, uncounted
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


@pytest.mark.requirement(41)
def test_a_formal_complaint_starts_its_limits_on_the_day_it_was_received() -> None:
    found = running(opened(), COMPLAINT)

    assert set(found) == {"ack_3", "stage2_15"}
    stage2 = found["stage2_15"]
    assert (stage2.start, stage2.due) == (date(2026, 11, 2), STAGE2_DUE)
    assert (stage2.start_event, stage2.clause) == ("complaint_received", "L100, A8")
    assert len(stage2.counted) == 15
    assert stage2.counted[-1] == stage2.due
    assert stage2.state is DeadlineState.OPEN
    assert not stage2.moved_from


@pytest.mark.requirement(24)
@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("Sat 2026-11-07 10:00", date(2026, 11, 11)),  # Saturday: Monday is day 1
        ("Wed 2026-10-28 10:00", date(2026, 11, 4)),  # half term
        ("Mon 2026-08-31 10:00", date(2026, 9, 7)),  # 31 August, bank holiday, INSET on Tue and Wed
        ("Fri 2026-11-27 10:00", date(2026, 12, 2)),  # INSET day
        ("Fri 2027-04-30 10:00", date(2027, 5, 6)),  # May Day is the Monday
    ],
)
def test_three_school_days_to_acknowledge(received: str, due: date) -> None:
    assert running(opened(received), entry(K.COMPLAINT_RECEIVED, received))["ack_3"].due == due


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("2026-09-10T23:30:00+00:00", date(2026, 9, 11)),  # British Summer Time: half past midnight on Friday
        ("2026-10-24T23:30:00+00:00", date(2026, 10, 25)),  # the night the clocks go back
        ("2026-10-25T23:30:00+00:00", date(2026, 10, 25)),  # and the night after
        ("2027-03-27T23:30:00+00:00", date(2027, 3, 27)),  # the night before they go forward
        ("2027-03-28T23:30:00+00:00", date(2027, 3, 29)),  # the night they have gone forward
        ("2026-11-02T23:30:00-05:00", date(2026, 11, 3)),  # written in New York
    ],
)
def test_the_day_of_an_event_is_its_day_in_london(moment: str, start: date) -> None:
    received = Entry(K.COMPLAINT_RECEIVED, datetime.fromisoformat(moment), "duly")

    assert running(opened(), received)["ack_3"].start == start


@pytest.mark.requirement(69)
def test_a_sent_acknowledgement_meets_its_limit() -> None:
    sent = entry(K.LETTER_SENT, "Tue 2026-11-03 09:00", letter="acknowledgement", key="SL:ack")
    met = running(opened(), COMPLAINT, sent)["ack_3"]

    assert (met.state, met.met_on, met.late) == (DeadlineState.MET, date(2026, 11, 3), False)


def test_another_letter_does_not_meet_the_acknowledgement() -> None:
    sent = entry(K.LETTER_SENT, "Tue 2026-11-03 09:00", letter="outcome", key="SL:out")

    assert running(opened(), COMPLAINT, sent)["ack_3"].state is DeadlineState.OPEN


def test_an_acknowledgement_after_its_day_is_met_and_late() -> None:
    met = running(opened(), COMPLAINT, entry(K.ACKNOWLEDGED, "Fri 2026-11-06 09:00", how="post"))["ack_3"]

    assert (met.due, met.met_on, met.late) == (date(2026, 11, 5), date(2026, 11, 6), True)


@pytest.mark.requirement(70)
@pytest.mark.parametrize("kind", [K.LETTER_BOUNCED, K.LETTER_FAILED])
def test_a_bounced_acknowledgement_is_owed_again(kind: EntryKind) -> None:
    sent = entry(K.LETTER_SENT, "Mon 2026-11-02 10:01", letter="acknowledgement", key="SL:ack")
    bounced = entry(kind, "Mon 2026-11-02 10:02", letter="acknowledgement", key="SL:ack")
    owed = running(opened(), COMPLAINT, sent, bounced)["ack_3"]

    assert (owed.state, owed.met_on, owed.due) == (DeadlineState.OPEN, None, date(2026, 11, 5))


@pytest.mark.requirement(70)
def test_a_bounce_undoes_no_other_letter_and_no_call() -> None:
    sent = entry(K.LETTER_SENT, "Mon 2026-11-02 10:01", letter="acknowledgement", key="SL:ack")
    other = entry(K.LETTER_BOUNCED, "Mon 2026-11-02 10:02", letter="notice", key="SL:notice")
    bounced = entry(K.LETTER_BOUNCED, "Mon 2026-11-02 10:02", letter="acknowledgement", key="SL:ack")
    called = entry(K.ACKNOWLEDGED, "Wed 2026-11-04 10:00", how="telephone")

    assert running(opened(), COMPLAINT, sent, other)["ack_3"].met_on == date(2026, 11, 2)
    assert running(opened(), COMPLAINT, sent, called, bounced)["ack_3"].met_on == date(2026, 11, 4)


def test_a_letter_sent_again_after_a_bounce_meets_the_limit() -> None:
    sent = entry(K.LETTER_SENT, "Mon 2026-11-02 10:01", letter="acknowledgement", key="SL:ack")
    bounced = entry(K.LETTER_BOUNCED, "Mon 2026-11-02 10:02", letter="acknowledgement", key="SL:ack")
    again = replace(sent, at=at("Wed 2026-11-04 10:00"))

    assert running(opened(), COMPLAINT, sent, bounced, again)["ack_3"].met_on == date(2026, 11, 4)


def test_a_chaser_by_any_door_changes_no_limit() -> None:
    history = (opened(), COMPLAINT)
    chasers = (
        entry(K.LETTER_RECEIVED, "Wed 2026-11-04 10:00", letter=2, door="smtp"),
        entry(K.COMPLAINT_RECEIVED, "Thu 2026-11-05 10:00", letter=3),
        entry(K.DUPLICATE_RECEIVED, "Fri 2026-11-06 10:00", letter=4, of=1),
    )

    assert running(*history, *chasers) == running(*history)


def test_a_new_receipt_after_the_limit_was_met_starts_a_second_run() -> None:
    acknowledged = entry(K.ACKNOWLEDGED, "Tue 2026-11-03 10:00", how="post")
    again = entry(K.COMPLAINT_RECEIVED, "Mon 2026-11-09 10:00", letter=2)
    found = running(opened(), COMPLAINT, acknowledged, again)

    assert found["ack_3"].state is DeadlineState.MET
    assert (found["ack_3.2"].start, found["ack_3.2"].due) == (date(2026, 11, 9), date(2026, 11, 12))


@pytest.mark.requirement(69)
def test_each_stage_is_acknowledged_even_while_an_earlier_acknowledgement_is_owed() -> None:
    asked = entry(K.STAGE4_REQUESTED, "Mon 2026-11-09 10:00", letter=2)
    found = running(opened(), COMPLAINT, asked)

    assert (found["ack_3"].start, found["ack_3.2"].start) == (date(2026, 11, 2), date(2026, 11, 9))
    assert found["ack_3.2"].start_event == "stage4_requested"


def test_a_letter_written_before_a_request_does_not_acknowledge_it() -> None:
    written = entry(K.LETTER_HELD, "Mon 2026-11-02 10:01", letter="acknowledgement", key="SL:ack")
    asked = entry(K.STAGE4_REQUESTED, "Mon 2026-11-09 10:00", letter=2)
    sent = entry(K.LETTER_SENT, "Mon 2026-11-09 15:00", letter="acknowledgement", key="SL:ack")
    found = running(opened(), COMPLAINT, written, asked, sent)

    assert found["ack_3"].state is DeadlineState.MET
    assert found["ack_3.2"].state is DeadlineState.OPEN


@pytest.mark.requirement(62)
def test_stage_three_runs_from_the_earlier_of_two_receipts_however_they_were_written() -> None:
    chair = entry(K.STAGE3_REQUESTED, "Thu 2026-11-12 10:00", letter=3)
    clerk = entry(K.STAGE3_REQUESTED, "Tue 2026-11-10 10:00", letter=2)
    found = running(opened(), chair, clerk)["stage3_20"]

    assert (found.start, found.due) == (date(2026, 11, 10), date(2026, 12, 9))


def test_an_outcome_meets_only_its_own_stage() -> None:
    asked = entry(K.STAGE3_REQUESTED, "Tue 2026-11-10 10:00", letter=2)
    outcome = entry(K.OUTCOME_GIVEN, "Mon 2026-11-16 10:00", stage="stage2", delivered_on="2026-11-16")
    found = running(opened(), COMPLAINT, asked, outcome)

    assert found["stage3_20"].state is DeadlineState.OPEN
    assert "cap_request_10" not in found


@pytest.mark.requirement(67)
def test_the_window_to_stage_four_runs_from_the_recorded_delivery() -> None:
    outcome = entry(K.OUTCOME_GIVEN, "Mon 2026-11-16 10:00", stage="stage3", delivered_on="2026-11-17")
    window = running(opened(), outcome)["cap_request_10"]

    assert (window.start, window.due) == (date(2026, 11, 17), date(2026, 12, 2))


@pytest.mark.requirement(67)
def test_without_a_recorded_delivery_two_school_days_are_for_the_post() -> None:
    outcome = entry(K.OUTCOME_GIVEN, "Fri 2026-11-13 10:00", stage="stage3")
    window = running(opened(), outcome)["cap_request_10"]

    assert (window.start, window.due, len(window.counted)) == (date(2026, 11, 13), date(2026, 12, 2), 10)
    assert [(s.day.day, s.why) for s in window.skipped[:4]] == [
        (14, "Saturday"),
        (15, "Sunday"),
        (16, "in the post"),
        (17, "in the post"),
    ]


def test_a_request_that_was_not_made_cancels_its_limits_and_what_it_met() -> None:
    asked = entry(K.STAGE3_REQUESTED, "Tue 2026-11-10 10:00", letter=2)
    not_made = entry(K.REQUEST_NOT_MADE, "Wed 2026-11-11 10:00", of="stage3_requested")
    found = running(opened(), COMPLAINT, asked, not_made)

    assert running(opened(), COMPLAINT, asked)["stage2_15"].state is DeadlineState.MET
    assert found["stage3_20"].state is DeadlineState.CANCELLED
    assert found["stage2_15"].state is DeadlineState.OPEN
    assert found["ack_3"].state is DeadlineState.OPEN
    assert found["ack_3.2"].state is DeadlineState.CANCELLED


@pytest.mark.requirement(3)
@pytest.mark.parametrize("kind", [K.WITHDRAWN, K.RESOLVED, K.CLOSED])
def test_an_ended_case_waits_for_nothing_and_a_reopened_one_waits_again(kind: EntryKind) -> None:
    acknowledged = entry(K.ACKNOWLEDGED, "Tue 2026-11-03 10:00", how="post")
    ended = entry(kind, "Mon 2026-11-09 10:00")
    reopened = entry(K.REOPENED, "Tue 2026-11-10 10:00")
    over = running(opened(), COMPLAINT, acknowledged, ended)
    again = running(opened(), COMPLAINT, acknowledged, ended, reopened)

    assert (over["stage2_15"].state, over["ack_3"].state) == (DeadlineState.CANCELLED, DeadlineState.MET)
    assert (again["stage2_15"].state, again["stage2_15"].due) == (DeadlineState.OPEN, STAGE2_DUE)


def test_a_bounce_after_the_end_owes_nothing_until_the_case_is_reopened() -> None:
    sent = entry(K.LETTER_SENT, "Mon 2026-11-02 10:01", letter="acknowledgement", key="SL:ack")
    ended = entry(K.WITHDRAWN, "Mon 2026-11-02 10:02")
    bounced = entry(K.LETTER_BOUNCED, "Mon 2026-11-02 10:03", letter="acknowledgement", key="SL:ack")
    reopened = entry(K.REOPENED, "Tue 2026-11-03 10:00")

    assert running(opened(), COMPLAINT, sent, ended, bounced)["ack_3"].state is DeadlineState.CANCELLED
    assert running(opened(), COMPLAINT, sent, ended, bounced, reopened)["ack_3"].state is DeadlineState.OPEN


def test_a_limit_that_came_again_after_the_end_is_not_revived_twice() -> None:
    ended = entry(K.CLOSED, "Mon 2026-11-09 10:00")
    again = entry(K.COMPLAINT_RECEIVED, "Tue 2026-11-10 10:00", letter=2)
    reopened = entry(K.REOPENED, "Tue 2026-11-10 11:00")
    found = running(opened(), COMPLAINT, ended, again, reopened)

    assert found["stage2_15"].state is DeadlineState.CANCELLED
    assert found["stage2_15.2"].state is DeadlineState.OPEN


@pytest.mark.requirement(79)
def test_notice_of_a_hearing_leaves_five_full_school_days() -> None:
    found = running(opened(), entry(K.HEARING_SET, "Mon 2026-11-02 10:00", date="2026-11-23"))["cap_notice_5_before"]

    assert found.start == date(2026, 11, 23)  # the Monday of the hearing
    assert found.due == date(2026, 11, 15)  # the Sunday before: Monday to Friday lie between
    assert len(found.counted) == 5


def test_a_hearing_that_is_moved_moves_the_day_for_notice() -> None:
    first = entry(K.HEARING_SET, "Mon 2026-11-02 10:00", date="2026-11-19")
    second = entry(K.HEARING_SET, "Tue 2026-11-03 10:00", date="2026-11-26")
    found = running(opened(), first, second)

    assert set(found) == {"cap_notice_5_before"}
    assert found["cap_notice_5_before"].due == date(2026, 11, 18)  # a Wednesday
    assert found["cap_notice_5_before"].moved_from == ((date(2026, 11, 11), "the hearing was moved to 2026-11-26"),)


def test_a_hearing_that_is_moved_after_notice_needs_notice_again() -> None:
    first = entry(K.HEARING_SET, "Mon 2026-11-02 10:00", date="2026-11-19")
    notice = entry(K.NOTICE_GIVEN, "Tue 2026-11-03 10:00")
    second = entry(K.HEARING_SET, "Wed 2026-11-04 10:00", date="2026-11-26")
    found = running(opened(), first, notice, second)

    assert found["cap_notice_5_before"].state is DeadlineState.MET
    assert found["cap_notice_5_before.2"].state is DeadlineState.OPEN


@pytest.mark.requirement(71)
def test_hearing_and_outcome_of_the_panel() -> None:
    asked = entry(K.STAGE4_REQUESTED, "Mon 2026-11-02 10:00", letter=5)
    held = entry(K.HEARING_HELD, "Thu 2026-11-26 10:00")
    found = running(opened(), asked, held)

    assert (found["cap_hearing_20"].due, found["cap_hearing_20"].state) == (date(2026, 12, 1), DeadlineState.MET)
    assert found["cap_outcome_15"].due == date(2026, 12, 18)  # a Friday, the last day of term


@pytest.mark.requirement(13)
def test_three_months_run_from_the_incident_and_end_with_the_month() -> None:
    found = running(opened(incident_date="2026-11-30"))["three_month_limit"]

    assert (found.start, found.due) == (date(2026, 11, 30), date(2027, 2, 28))
    assert (found.counted, found.skipped) == ((), ())


@pytest.mark.requirement(13)
def test_an_undated_incident_is_in_time_until_somebody_says() -> None:
    said = entry(K.JUDGEMENT_OVERRULED, "Tue 2026-11-03 10:00", field="incident_date", value="2026-07-01")

    assert "three_month_limit" not in running(opened(), COMPLAINT)
    assert running(opened(), COMPLAINT, said)["three_month_limit"].late


@pytest.mark.requirement(14)
def test_a_complaint_after_three_months_is_marked_late_and_taken() -> None:
    found = running(opened(incident_date="2026-08-01"), COMPLAINT)

    assert (found["three_month_limit"].state, found["three_month_limit"].late) == (DeadlineState.MET, True)
    assert found["stage2_15"].state is DeadlineState.OPEN


def test_a_persons_word_about_the_incident_moves_the_window() -> None:
    said = entry(K.JUDGEMENT_OVERRULED, "Tue 2026-11-03 10:00", field="incident_date", value="2026-10-01")
    found = running(opened(incident_date="2026-08-01"), COMPLAINT, said)["three_month_limit"]

    assert (found.due, found.late) == (date(2027, 1, 1), False)
    assert found.moved_from == ((date(2026, 11, 1), "the incident was on 2026-10-01"),)


@pytest.mark.requirement(46)
def test_the_chairs_meeting_is_due_only_for_complaints_against_the_headteacher() -> None:
    head = replace(opened(), facts={**opened().facts, "target": "headteacher"})
    found = running(head, COMPLAINT)["head_meeting_15"]

    assert "head_meeting_15" not in running(opened(), COMPLAINT)
    assert (found.due, len(found.counted)) == (date(2026, 11, 17), 15)  # a Tuesday, 15 calendar days on


def test_a_limit_of_another_target_is_cancelled_once_a_person_says_whom_it_is_against() -> None:
    said = entry(K.JUDGEMENT_OVERRULED, "Tue 2026-11-03 10:00", field="target", value="headteacher")
    unsaid = entry(K.JUDGEMENT_OVERRULED, "Wed 2026-11-04 10:00", field="target", value="staff")

    assert running(opened(), COMPLAINT, said)["head_meeting_15"].state is DeadlineState.OPEN
    assert running(opened(), COMPLAINT, said, unsaid)["head_meeting_15"].state is DeadlineState.CANCELLED


def test_a_suspension_moves_a_limit_in_calendar_days_as_well() -> None:
    head = replace(opened(), facts={**opened().facts, "target": "headteacher"})
    pause = [entry(K.SUSPENDED, "Wed 2026-11-04 10:00"), entry(K.RESUMED, "Wed 2026-11-11 10:00")]
    found = running(head, COMPLAINT, *pause)["head_meeting_15"]

    assert (found.due, len(found.counted), len(found.skipped)) == (date(2026, 11, 24), 15, 7)


def test_a_plan_is_reviewed_after_six_months() -> None:
    found = running(opened(), entry(K.COMMUNICATION_PLAN_MADE, "Mon 2026-08-31 10:00"))["comms_plan_6_months"]

    assert found.due == date(2027, 2, 28)


def test_the_end_of_the_calendar_stops_no_letter_and_is_told_to_the_clerk() -> None:
    late = [opened("Wed 2029-07-11 10:00"), entry(K.COMPLAINT_RECEIVED, "Wed 2029-07-11 10:00")]
    left_out = uncounted(late, POLICY, CALENDAR)

    assert set(running(*late)) == {"ack_3"}
    assert [(item.name, item.key) for item in left_out] == [("stage2_15", "stage2_15")]
    assert "the last day it knows is 2029-07-20" in left_out[0].reason


def test_nobody_is_told_of_an_uncounted_limit_that_was_met() -> None:
    late = [opened("Wed 2029-07-11 10:00"), entry(K.COMPLAINT_RECEIVED, "Wed 2029-07-11 10:00")]
    done = entry(K.OUTCOME_GIVEN, "Thu 2029-07-12 10:00", stage="stage2", delivered_on="2029-07-12")

    assert uncounted([*late, done], POLICY, CALENDAR) == ()


def test_an_incident_at_the_end_of_time_stops_no_letter() -> None:
    assert [item.name for item in uncounted([opened(incident_date="9999-12-31")], POLICY, CALENDAR)] == [
        "three_month_limit"
    ]


def test_a_closure_added_later_moves_an_open_limit() -> None:
    snowed = CALENDAR.with_closure(date(2026, 11, 12), "snow")  # a Thursday
    found = running(opened(), COMPLAINT, calendar=snowed)["stage2_15"]

    assert found.due == date(2026, 11, 24)
    assert "closure: snow" in {skipped.why for skipped in found.skipped}
