"""Steps up to stage three: what is refused and by which line, what a step writes; and the facts of steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from procedure.words import DeadlineState, EntryKind, Role, Stage, Target, Topic
from tests.support.matters import entry
from tests.support.stepping import NOTES, matter


@pytest.mark.requirement(19)
def test_each_stage_follows_on_request_and_no_finding_is_asked_for() -> None:
    it = matter(Stage.ONE, Target.STAFF)

    seen = [it.case.stage]
    for name in ("request-stage2", "request-stage3", "request-stage4"):
        it.step(name)
        seen.append(it.case.stage)

    assert seen == [Stage.ONE, Stage.TWO, Stage.THREE, Stage.FOUR]


@pytest.mark.requirement(19)
@pytest.mark.parametrize("finding", ["upheld", "partly_upheld", "not_upheld"])
def test_whatever_was_found_the_complainant_may_go_on(finding: str) -> None:
    it = matter(Stage.TWO, Target.SCHOOL)
    it.step("give-outcome", "head", finding=finding)

    it.step("request-stage3")

    assert it.case.stage is Stage.THREE


def test_a_stage_is_not_skipped() -> None:
    assert matter(Stage.ONE).refused("request-stage4") == "request-stage4 is no step of stage 1 (L128, L132, L66)"


def test_a_matter_outside_the_procedure_is_taken_into_it_as_a_concern() -> None:
    it = matter(Stage.NONE, Target.NONE, Topic.NOT_COMPLAINT)

    it.step("request-stage1", "office")

    assert it.case.stage is Stage.ONE
    assert it.due("informal_15") == date(2026, 10, 1)  # Thursday, 15 school days after Thursday 10 September


def test_a_request_that_was_not_made_leaves_the_case_where_it_was() -> None:
    it = matter(Stage.TWO, Target.SCHOOL)
    it.step("request-stage3")

    it.step("not-requested", of="stage3_requested")

    assert it.case.stage is Stage.TWO
    assert it.wrong("not-requested", of="stage3_requested") == (
        "of must be one of complaint_received, not 'stage3_requested'"
    )


def test_a_corrected_receipt_moves_the_limit() -> None:
    it = matter(Stage.TWO)
    before = it.due("stage2_15")

    it.step("correct-receipt", of="complaint_received", to="2026-09-07")  # Monday, a day earlier

    assert before - it.due("stage2_15") == timedelta(days=1)
    assert it.wrong("correct-receipt", of="complaint_received", to="2026-09-11").startswith("to must not be a day to")


@pytest.mark.requirement(70)
def test_a_letter_by_post_acknowledges_on_the_day_it_was_posted() -> None:
    it = matter(Stage.TWO)

    it.step("acknowledge", how="letter", on="2026-09-09")  # Wednesday

    assert it.last.at == datetime(2026, 9, 9, 11, tzinfo=UTC)  # noon in London
    assert (it.last.kind, it.last.by, it.last.facts["how"]) == (EntryKind.ACKNOWLEDGED, "clerk", "letter")
    assert it.state("ack_3") is DeadlineState.MET


def test_a_letter_posted_on_the_day_of_an_afternoon_receipt_answers_it() -> None:
    it = matter(Stage.TWO)
    it.entries = [replace(item, at=item.at.replace(hour=14)) for item in it.entries]  # three in the afternoon

    it.step("acknowledge", how="letter", on="2026-09-08")

    assert it.state("ack_3") is DeadlineState.MET


@pytest.mark.requirement(69)
def test_a_request_for_the_panel_is_acknowledged_in_writing() -> None:
    it = matter(Stage.FOUR)

    assert it.refused("acknowledge", how="phone") == "a request for the panel is acknowledged in writing (L138)"
    assert it.step("acknowledge", how="letter").entries


@pytest.mark.requirement(68)
def test_who_has_difficulty_with_writing_is_acknowledged_by_telephone() -> None:
    it = matter(Stage.FOUR, flags=("communication_difficulty",))

    assert it.step("acknowledge", how="phone").entries


@pytest.mark.requirement(37)
def test_a_discussion_is_recorded_with_its_notes() -> None:
    it = matter(Stage.ONE)

    assert it.wrong("discuss", "head") == "discuss needs the fact notes"
    it.step("discuss", "head", notes="digital")

    assert it.state("informal_15") is DeadlineState.MET


def test_the_member_of_staff_records_the_talk_once_the_case_was_disclosed_to_them() -> None:
    it = matter(Stage.ONE, Target.STAFF)

    assert it.refused("discuss", "j.hale", notes="digital").startswith("nothing of this case was disclosed")
    it.step("disclose", "head", person="j.hale", reason="to discuss the concern")

    assert it.step("discuss", "j.hale", notes="digital").entries


@pytest.mark.requirement(50)
@pytest.mark.parametrize("target", [Target.STAFF, Target.HEADTEACHER])
def test_notes_about_staff_or_headteacher_are_paper_and_a_place(target: Target) -> None:
    it = matter(Stage.TWO, target)
    if target is Target.HEADTEACHER:
        it.step("pass-to-chair")
    name = "meet-chair" if target is Target.HEADTEACHER else "meet"

    assert it.refused(name, notes="digital").endswith("(L110)")
    assert (
        it.wrong(name, notes="paper: ")
        == 'notes must say where the notes are kept: "digital", or "paper: " and the place'
    )
    it.step(name, **NOTES)

    assert it.last.facts["notes"] == NOTES["notes"]


@pytest.mark.requirement(49)
def test_other_notes_of_stage_two_are_digital() -> None:
    assert matter(Stage.TWO, Target.SCHOOL).step("meet", "head", notes="digital").entries


@pytest.mark.requirement(47)
def test_a_meeting_in_absence_needs_offers_of_dates_first() -> None:
    it = matter(Stage.TWO, Target.SCHOOL)
    absent = {"notes": "digital", "why": "refused"}

    assert it.refused("meet-in-absence", "head", **absent) == "meet-in-absence comes after: meeting offered (L106)"
    it.step("offer-meeting", "head", date="2026-09-14")  # Monday
    one = it.refused("meet-in-absence", "head", **absent)
    it.step("offer-meeting", "head", date="2026-09-16")  # Wednesday
    it.step("meet-in-absence", "head", **absent)

    assert one == "a meeting in absence needs 2 recorded offers of dates; there are 1 (L106)"
    assert it.last.facts["absent"] is True


def test_offers_of_an_earlier_stage_do_not_count() -> None:
    it = matter(Stage.TWO)
    it.step("offer-meeting", "head", date="2026-09-14")  # Monday
    it.step("offer-meeting", "head", date="2026-09-16")  # Wednesday
    it.entries = [*it.entries, entry(EntryKind.COMPLAINT_RECEIVED, it.now, letter=2)]

    assert "comes after: meeting offered" in it.refused("meet-in-absence", "head", notes="digital", why="unable")


@pytest.mark.requirement(52)
def test_no_outcome_about_staff_before_the_headteacher_spoke_with_them() -> None:
    it = matter(Stage.TWO, Target.STAFF)

    refused = it.refused("give-outcome", "head", finding="upheld")
    it.step("discuss-with-staff", "head", **NOTES)
    it.step("give-outcome", "head", finding="upheld")

    assert refused == "the headteacher first discusses the issue with the member of staff (L112)"
    assert it.last.facts == {"step": "give-outcome", "finding": "upheld", "stage": "stage2"}
    assert it.state("stage2_15") is DeadlineState.MET


def test_the_delivery_of_an_outcome_lies_between_the_letter_and_today() -> None:
    it = matter(Stage.THREE)
    facts = {"finding": "upheld", "on": "2026-09-09"}

    assert "must lie between 2026-09-09 and 2026-09-10" in it.wrong(
        "give-outcome", "chair", **facts, delivered_on="2026-09-08"
    )
    assert "must lie between 2026-09-09 and 2026-09-10" in it.wrong(
        "give-outcome", "chair", **facts, delivered_on="2026-09-11"
    )
    it.step("give-outcome", "chair", **facts, delivered_on="2026-09-10")

    assert it.due("cap_request_10") == date(2026, 9, 24)  # Thursday, ten school days after Thursday the 10th


@pytest.mark.requirement(45)
@pytest.mark.requirement(46)
@pytest.mark.requirement(61)
def test_a_complaint_against_the_headteacher_goes_by_clerk_and_chair_to_the_vice_chair() -> None:
    it = matter(Stage.TWO, Target.HEADTEACHER)

    early = it.refused("meet-chair", "chair", **NOTES)
    it.step("pass-to-chair")
    no_outcome = it.refused("give-outcome", finding="upheld")
    too_soon = it.refused("move-to-stage3", "chair")
    it.step("meet-chair", "chair", **NOTES)
    it.step("move-to-stage3", "chair")

    assert early == "meet-chair comes after: passed to chair (L104, L110)"
    assert no_outcome == "a complaint against the headteacher moves from the meeting to stage three (L104)"
    assert too_soon == "move-to-stage3 comes after: meeting held (L104)"
    assert (it.case.stage, it.case.handler) == (Stage.THREE, Role.VICE_CHAIR)
    assert it.refused("give-outcome", "chair", finding="upheld").startswith("the case is handled by the vice chair")
    assert {it.state("head_meeting_15"), it.state("stage2_15")} == {DeadlineState.MET}


@pytest.mark.requirement(21)
def test_the_headteacher_takes_no_step_in_a_complaint_against_them() -> None:
    it = matter(Stage.TWO, Target.HEADTEACHER)

    assert not [name for name, item in it.possible("head").items() if item.allowed]
    assert it.refused("resolve", "head", route="formal") == "the case is withheld from the headteacher (L70, L104)"


def test_a_step_that_is_not_known_is_refused_with_those_that_are() -> None:
    assert matter().wrong("escalate").startswith("no step is called 'escalate'; there are request-stage1, ")


def test_a_fact_that_is_not_known_is_refused_with_those_that_are() -> None:
    assert matter().wrong("withdraw", when="today") == "withdraw knows no fact called when; its facts are: on"


def test_a_day_to_come_or_before_the_case_was_opened_is_refused() -> None:
    it = matter()

    assert it.wrong("withdraw", on="2026-09-11") == "on must not be a day to come: 2026-09-11 is after 2026-09-10"
    assert it.wrong("withdraw", on="2026-09-07").startswith("on must not be before the case was opened on 2026-09-08")


def test_a_text_longer_than_a_reason_is_refused() -> None:
    assert "longer than 300 characters" in matter().wrong("recuse", reason="x" * 301)


def test_a_step_happens_on_the_schools_day_around_midnight() -> None:
    it = matter()
    it.now = datetime(2026, 9, 10, 23, 30, tzinfo=UTC)  # already Friday 11 September in London

    it.step("withdraw", on="2026-09-11")

    assert it.last.at == it.now
