"""Steps of the appeal panel, and dates that move: extension, suspension."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from procedure.words import DeadlineState, Stage, Status
from tests.support.stepping import matter


@pytest.mark.requirement(79)
def test_a_hearing_is_not_set_inside_the_five_clear_days() -> None:
    it = matter(Stage.FOUR)  # now Thursday 10 September: five clear days are Friday, then Monday to Thursday

    assert it.refused("set-hearing", date="2026-09-17") == (  # Thursday
        "five clear days' notice of a hearing on 2026-09-17 had to be given by 2026-09-09 (L156, A2)"
    )
    it.step("set-hearing", date="2026-09-18")  # Friday

    assert it.due("cap_notice_5_before") == date(2026, 9, 10)  # Thursday
    assert it.wrong("set-hearing", date="2026-09-10") == "date must be a day to come; 2026-09-10 is not"
    assert it.wrong("set-hearing", date="18 September") == "date must be a day such as 2026-11-30, not '18 September'"


def test_a_hearing_beyond_the_calendar_is_refused_in_words() -> None:
    assert "cannot be counted" in matter(Stage.FOUR).refused("set-hearing", date="2040-01-05")


@pytest.mark.requirement(79)
def test_notice_counts_on_the_day_it_was_given_and_is_refused_when_late() -> None:
    it = matter(Stage.FOUR)
    assert it.refused("give-notice") == "give-notice comes after: hearing set (L156, A2)"
    it.step("set-hearing", date="2026-09-18")  # Friday
    it.now += timedelta(days=1)  # Friday 11 September

    assert it.refused("give-notice").startswith("five clear days' notice of a hearing on 2026-09-18")
    it.step("give-notice", on="2026-09-10")  # Thursday, the last day

    assert it.state("cap_notice_5_before") is DeadlineState.MET


@pytest.mark.requirement(71)
@pytest.mark.requirement(85)
def test_the_panel_hears_on_its_day_and_its_findings_end_the_schools_procedure() -> None:
    it = matter(Stage.FOUR)
    it.step("set-hearing", date="2026-09-21")  # Monday
    no_notice = it.refused("hold-hearing")
    it.step("give-notice")
    too_early = it.refused("hold-hearing")
    it.now = datetime(2026, 9, 21, 15, tzinfo=UTC)
    it.step("hold-hearing")
    it.step("give-panel-outcome", finding="partly_upheld")

    assert no_notice == "hold-hearing comes after: notice given (L160, L164)"
    assert too_early == "the hearing is set for 2026-09-21 (L160)"
    assert it.case.stage is Stage.FINAL
    assert {it.state("cap_hearing_20"), it.state("cap_outcome_15")} == {DeadlineState.MET}


def test_a_new_day_of_the_hearing_needs_a_new_notice() -> None:
    it = matter(Stage.FOUR)
    it.step("set-hearing", date="2026-09-21")  # Monday
    it.step("give-notice")
    it.step("set-hearing", date="2026-09-23")  # Wednesday
    it.now = datetime(2026, 9, 23, 15, tzinfo=UTC)

    assert it.refused("hold-hearing") == "no notice was given of the day that is now set (L156)"


@pytest.mark.requirement(42)
def test_a_limit_is_extended_before_its_date_has_passed() -> None:
    it = matter(Stage.TWO)
    old = it.due("stage2_15")

    it.step("extend", "head", limit="stage2_15", to="2026-10-09", reason="two witnesses are away")  # Friday

    assert old == date(2026, 9, 29)  # Tuesday
    assert it.due("stage2_15") == date(2026, 10, 9)
    assert it.last.facts["from"] == "2026-09-29"


@pytest.mark.requirement(42)
def test_a_limit_is_not_extended_once_its_date_has_passed() -> None:
    it = matter(Stage.TWO)
    it.now = datetime(2026, 9, 30, 9, tzinfo=UTC)  # Wednesday, a day late

    refused = it.refused("extend", limit="stage2_15", to="2026-10-09", reason="two witnesses are away")

    assert refused == "stage2_15 passed on 2026-09-29; a date moves only before it has passed (L100)"


def test_an_extension_names_a_running_limit_and_a_later_day() -> None:
    it = matter(Stage.TWO)
    more = {"to": "2026-09-29", "reason": "complex"}  # Tuesday, the day it is due

    assert it.wrong("extend", limit="stage2_15", **more).startswith("to must be later than 2026-09-29")
    assert it.wrong("extend", limit="stage3_20", **more) == "stage3_20 is not running in this case"
    assert it.wrong("extend", limit="stage2", **more).startswith(
        "no limit is called 'stage2'; those that may be moved"
    )
    assert it.refused("extend", limit="ack_3", **more) == "ack_3 cannot be moved (L138, A6)"


@pytest.mark.requirement(95)
@pytest.mark.requirement(97)
def test_a_procedure_is_suspended_and_resumed_and_takes_letters_meanwhile() -> None:
    it = matter(Stage.TWO)

    it.step("suspend", "head", reason="social_services")
    suspended = it.case.status
    outcome = it.refused("give-outcome", "head", finding="upheld")
    it.step("request-stage3")
    it.step("resume")

    assert suspended is Status.SUSPENDED
    assert outcome == "the case is suspended (L116, L126)"
    assert (it.case.status, it.case.stage) == (Status.OPEN, Stage.THREE)
    assert it.wrong("suspend", reason="holiday").startswith("reason of suspend must be one of social_services")
