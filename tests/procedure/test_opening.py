"""What a letter starts. Tuesday 20 October 2026 is a school day of the invented Southlands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from procedure import opening
from procedure.drafting import CAP_EACH, Arrival, Campaign, Traffic
from procedure.history import fold
from procedure.words import (
    Address,
    Audience,
    Decision,
    Entry,
    EntryKind,
    Envelope,
    Flag,
    Judgement,
    Message,
    Request,
    Role,
    Stage,
    Status,
    Target,
    Topic,
)
from tests.support.southlands import rulebook

BOOK = rulebook()
POLICY = BOOK.policy("southlands-2023")
NOW = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)  # Tuesday
REFERENCE = "SL-2026-0001-3"
CONCERN = Judgement((Topic.GENERAL,), Target.STAFF, Request.INFORMAL, model="test")
MESSAGE = Message(
    digest="d",
    content_digest="c",
    subject="Reading",
    sender=Address("jo@post.example", "Joanna Marsh"),
    message_id="one@post.example",
    references=("zero@post.example",),
    text="Mr Fenwick was unkind to Ella.",
)


def arrival(judgement: Judgement = CONCERN, message: Message = MESSAGE, number: int = 1) -> Arrival:
    return Arrival(number, Envelope("smtp", NOW, "jo@post.example"), message, judgement)


def opened(
    judgement: Judgement = CONCERN, message: Message = MESSAGE, traffic: Traffic = Traffic(), **more
) -> Decision:
    return opening.open_case(REFERENCE, arrival(judgement, message), BOOK, traffic, NOW, **more)


def kinds(decision: Decision) -> list[EntryKind]:
    return [entry.kind for entry in decision.entries]


def letters(decision: Decision, name: str) -> list:
    return [letter for letter in decision.letters if letter.name == name]


def case_of(decision: Decision, past: tuple[Entry, ...] = ()):
    return fold(REFERENCE, (*past, *decision.entries), POLICY)


@pytest.mark.requirement(20)
@pytest.mark.requirement(4)
def test_a_concern_about_a_teacher_goes_to_the_headteacher_and_is_acknowledged():
    decision = opened()

    assert case_of(decision).handler is Role.HEADTEACHER
    assert case_of(decision).stage is Stage.ONE
    assert [alert.to_role for alert in letters(decision, "handler_alert")] == [Role.HEADTEACHER]
    (ack,) = letters(decision, "acknowledgement")
    assert (ack.to_addr, ack.held) == ("jo@post.example", False)
    assert ack.in_reply_to == "one@post.example"
    assert ack.references == ("zero@post.example", "one@post.example")


@pytest.mark.requirement(21)
@pytest.mark.requirement(44)
def test_nothing_about_a_complaint_against_the_headteacher_goes_to_the_headteacher():
    against_head = replace(CONCERN, target=Target.HEADTEACHER, request=Request.FORMAL)
    decision = opened(against_head)
    head = BOOK.school.holders(Role.HEADTEACHER)[0]

    assert Role.HEADTEACHER in case_of(decision).withheld
    assert head.email not in {letter.to_addr for letter in decision.letters}
    assert letters(decision, "handler_alert")


def test_a_letter_whose_target_is_unsure_is_kept_from_the_headteacher_until_a_person_says():
    decision = opened(replace(CONCERN, target=Target.SCHOOL, unsure=("target",)))

    assert case_of(decision).handler is Role.CLERK
    assert Role.HEADTEACHER in case_of(decision).withheld
    settled = Entry(EntryKind.JUDGEMENT_OVERRULED, NOW, "clerk", {"field": "target", "value": "school"})
    after = fold(REFERENCE, (*decision.entries, settled), POLICY)
    assert after.handler is Role.HEADTEACHER
    assert Role.HEADTEACHER not in after.withheld


@pytest.mark.requirement(21)
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Mrs Castell shouted at me in the corridor.", True),
        ("I asked CASTELL twice.", True),
        ("Dear Mrs Castell,\n\nMr Fenwick shouted at my son.", False),
        ("Mr Fenwick shouted at my son.", False),
    ],
)
def test_a_letter_that_names_the_headteacher_by_surname_is_not_handed_to_the_headteacher(text, kept):
    decision = opened(message=replace(MESSAGE, text=text))

    assert (Role.HEADTEACHER in case_of(decision).withheld) is kept


@pytest.mark.requirement(111)
def test_a_sign_of_a_child_at_risk_alerts_the_lead_before_anything_else_and_holds_the_answer():
    sign = replace(CONCERN, topics=(Topic.GENERAL, Topic.SAFEGUARDING), screen=True)
    decision = opened(sign)

    assert decision.letters[0].name == "safeguarding_alert"
    assert decision.letters[0].urgent
    alerted = {letter.to_addr for letter in letters(decision, "safeguarding_alert")}
    leads = (*BOOK.school.holders(Role.DSL), *BOOK.school.holders(Role.DEPUTY_DSL))
    assert alerted == {person.email for person in leads}
    to_writer = [letter for letter in decision.letters if letter.audience is Audience.COMPLAINANT]
    assert all(letter.held for letter in to_writer)
    assert case_of(decision).held


@pytest.mark.parametrize("flag", [(Flag.IMMEDIATE_RISK,), ()])
def test_the_screen_alone_or_immediate_risk_alone_is_sign_enough(flag):
    decision = opened(replace(CONCERN, flags=flag, screen=not flag))

    assert letters(decision, "safeguarding_alert")
    assert case_of(decision).held


@pytest.mark.requirement(5)
def test_an_anonymous_complaint_starts_no_limit_and_its_writer_is_asked_for_a_name():
    decision = opened(replace(CONCERN, flags=(Flag.ANONYMOUS,)))

    assert EntryKind.CONCERN_RECEIVED not in kinds(decision)
    assert letters(decision, "not_considered_anonymous")
    assert not letters(decision, "acknowledgement")


@pytest.mark.requirement(6)
def test_an_anonymous_letter_with_a_sign_still_alerts():
    decision = opened(replace(CONCERN, flags=(Flag.ANONYMOUS,), screen=True))

    assert letters(decision, "safeguarding_alert")


@pytest.mark.requirement(110)
def test_an_admissions_appeal_is_redirected_by_a_draft_that_waits_for_a_person():
    decision = opened(Judgement((Topic.ADMISSIONS,), Target.NONE, Request.NONE))

    assert case_of(decision).stage is Stage.NONE
    (draft,) = letters(decision, "redirection")
    assert draft.held
    (ack,) = letters(decision, "acknowledgement")
    assert not ack.held


@pytest.mark.requirement(119)
def test_of_a_mixed_letter_the_part_in_scope_goes_on_and_the_other_is_redirected():
    decision = opened(replace(CONCERN, topics=(Topic.GENERAL, Topic.ADMISSIONS)))

    assert EntryKind.CONCERN_RECEIVED in kinds(decision)
    assert letters(decision, "redirection")


def test_nothing_is_drafted_to_the_writer_of_a_child_protection_letter_before_the_lead_has_decided():
    decision = opened(replace(CONCERN, topics=(Topic.ADMISSIONS, Topic.SAFEGUARDING), screen=True))

    assert not letters(decision, "redirection")


@pytest.mark.requirement(69)
def test_a_request_for_the_panel_is_acknowledged_with_the_day_of_the_twenty_school_days():
    decision = opened(replace(CONCERN, request=Request.STAGE4))

    assert EntryKind.STAGE4_REQUESTED in kinds(decision)
    (ack,) = letters(decision, "acknowledgement")
    # Day 1 is Wednesday 21 October; half term is 26-30 October; day 20 is in November.
    assert "November 2026" in ack.text


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (replace(MESSAGE, may_autorespond=False), "RFC 3834"),
        (replace(MESSAGE, sender=None), "no address"),
        (replace(MESSAGE, sender=Address("Complaints@Southlands.example")), "own inbox"),
    ],
)
def test_where_no_automatic_answer_may_go_out_the_clerk_is_told_and_the_limit_still_runs(message, reason):
    decision = opened(message=message)

    (unsent,) = [entry for entry in decision.entries if entry.kind is EntryKind.LETTER_NOT_SENT]
    assert reason in unsent.facts["reason"]
    assert letters(decision, "not_acknowledged")
    assert EntryKind.CONCERN_RECEIVED in kinds(decision)


def test_one_writer_gets_no_more_automatic_letters_than_the_cap():
    assert letters(opened(traffic=Traffic(to_sender=CAP_EACH - 1)), "acknowledgement")
    assert not letters(opened(traffic=Traffic(to_sender=CAP_EACH)), "acknowledgement")


def test_what_is_no_complaint_opens_a_matter_for_the_office_without_a_limit_or_an_answer():
    decision = opened(Judgement((Topic.NOT_COMPLAINT,), Target.NONE, Request.NONE))

    assert case_of(decision).handler is Role.OFFICE
    assert not [letter for letter in decision.letters if letter.audience is Audience.COMPLAINANT]
    assert case_of(decision).stage is Stage.NONE


def test_a_reply_joins_its_case_without_a_second_acknowledgement():
    past = opened().entries
    decision = opening.join_case(REFERENCE, arrival(number=2), past, BOOK, Traffic(), NOW + timedelta(days=1))

    assert kinds(decision)[0] is EntryKind.LETTER_RECEIVED
    assert not letters(decision, "acknowledgement")
    assert letters(decision, "more_received")


def test_a_chaser_changes_no_limit():
    past = opened().entries
    chaser = replace(CONCERN, request=Request.FOLLOW_UP)
    decision = opening.join_case(REFERENCE, arrival(chaser, number=2), past, BOOK, Traffic(), NOW)

    assert EntryKind.CONCERN_RECEIVED not in kinds(decision)


def test_a_reply_that_asks_for_the_panel_starts_the_limit_of_stage_four_at_its_receipt():
    past = opened().entries
    panel = arrival(replace(CONCERN, request=Request.STAGE4), number=2)
    decision = opening.join_case(REFERENCE, panel, past, BOOK, Traffic(), NOW)

    assert case_of(decision, past).stage is Stage.FOUR
    assert letters(decision, "acknowledgement")


def test_a_reply_whose_request_is_unsure_moves_nothing():
    past = opened().entries
    panel = arrival(replace(CONCERN, request=Request.STAGE4, unsure=("request",)), number=2)
    decision = opening.join_case(REFERENCE, panel, past, BOOK, Traffic(), NOW)

    assert case_of(decision, past).stage is Stage.ONE


def test_a_reply_to_a_closed_case_is_attached_and_a_person_decides():
    past = (*opened().entries, Entry(EntryKind.WITHDRAWN, NOW, "clerk", {}))
    panel = arrival(replace(CONCERN, request=Request.STAGE4), number=2)
    decision = opening.join_case(REFERENCE, panel, past, BOOK, Traffic(), NOW)

    assert case_of(decision, past).status is Status.CLOSED
    assert EntryKind.STAGE4_REQUESTED not in kinds(decision)
    assert letters(decision, "more_received")


def test_a_sign_in_a_reply_alerts_and_holds_what_would_go_to_the_writer():
    past = opened().entries
    decision = opening.join_case(
        REFERENCE, arrival(replace(CONCERN, screen=True), number=2), past, BOOK, Traffic(), NOW
    )

    assert letters(decision, "safeguarding_alert")
    assert case_of(decision, past).held


def test_an_unplaced_letter_goes_to_the_clerk_and_a_sign_in_it_to_the_lead_at_once():
    plain = opening.unplaced(arrival(), "its sender is not known", BOOK, NOW)
    sign = opening.unplaced(arrival(replace(CONCERN, screen=True)), "its sender is not known", BOOK, NOW)

    assert {letter.name for letter in plain.letters} == {"unplaced_alert"}
    assert sign.letters[0].name == "safeguarding_alert"
    assert sign.reference is None


def test_a_letter_that_could_not_be_read_counts_as_a_sign():
    decision = opening.quarantined(7, BOOK, NOW)

    assert {letter.name for letter in decision.letters} == {"safeguarding_alert", "unplaced_alert"}


@pytest.mark.requirement(125)
def test_a_suggested_campaign_is_noted_and_the_clerk_told_once():
    decision = opened(campaign=Campaign("c-1", 4))

    assert case_of(decision).campaign == "c-1"
    assert len(letters(decision, "campaign_alert")) == 1


@pytest.mark.requirement(55)
def test_no_letter_to_staff_holds_a_word_of_the_writer():
    for judgement in (CONCERN, replace(CONCERN, screen=True), replace(CONCERN, target=Target.HEADTEACHER)):
        staff = [letter for letter in opened(judgement).letters if letter.audience is Audience.STAFF]
        assert staff
        for letter in staff:
            said = f"{letter.subject} {letter.text} {letter.html}"
            for word in ("Marsh", "Joanna", "jo@post", "Ella", "Fenwick", "unkind", "Reading"):
                assert word not in said


def test_a_limit_that_the_calendar_cannot_date_is_told_to_the_clerk_and_never_guessed():
    late = datetime.combine(BOOK.calendar.last_known, datetime.min.time(), UTC)
    beyond = Arrival(1, Envelope("smtp", late), MESSAGE, CONCERN)
    decision = opening.open_case(REFERENCE, beyond, BOOK, Traffic(), late)

    assert letters(decision, "uncounted")
    assert letters(decision, "acknowledgement")


def test_the_incident_date_of_the_judgement_becomes_the_cases():
    decision = opened(replace(CONCERN, incident_date=date(2026, 10, 15)))  # Thursday

    assert case_of(decision).incident_date == date(2026, 10, 15)
