from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from procedure import letters, plain
from procedure.words import DeadlineState, Role, Stage, Target, Topic
from tests.procedure.letters import (
    BOARD_CASE,
    CHAIR,
    CLERK,
    COMPLAINANT,
    DSL,
    HEAD,
    HEAD_CASE,
    MANAGER,
    REF,
    SCHOOL,
    TO,
    acknowledge,
    case,
    deadline,
    topic_rule,
)


@pytest.mark.requirement(8)
@pytest.mark.parametrize("name", sorted(COMPLAINANT))
def test_letters_to_complainants_read_plainly(name: str) -> None:
    letter = COMPLAINANT[name]

    assert plain.problems(letter.text) == ()
    assert plain.measure(letter.text).words < 180


@pytest.mark.requirement(8)
@pytest.mark.parametrize("name", sorted(COMPLAINANT))
def test_the_case_number_stands_in_brackets_in_the_subject_and_in_the_letter(name: str) -> None:
    letter = COMPLAINANT[name]

    assert f"[{REF}]" in letter.subject
    assert REF in letter.text
    assert letter.reference == REF


@pytest.mark.requirement(7)
@pytest.mark.parametrize("name", sorted(COMPLAINANT))
def test_the_procedure_is_linked(name: str) -> None:
    letter = COMPLAINANT[name]

    assert SCHOOL.website in letter.text
    assert f'<a href="{SCHOOL.website}">' in letter.html


@pytest.mark.requirement(111)
@pytest.mark.parametrize("name", sorted(COMPLAINANT))
def test_what_to_do_when_a_child_is_in_danger_stands_on_a_line_of_its_own(name: str) -> None:
    assert "If a child is in danger now, call 999." in COMPLAINANT[name].text.splitlines()


@pytest.mark.requirement(122)
@pytest.mark.parametrize(
    "name", [name for name in sorted(COMPLAINANT) if name.startswith(("stage", "head", "board"))]
)
def test_the_plea_for_few_letters_is_a_kind_sentence(name: str) -> None:
    text = COMPLAINANT[name].text

    assert "Fewer letters help us to answer sooner." in text
    assert "just answer this email" in text
    assert not re.search(r"\bmust\b|unreasonable|\bwill not\b", text)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("received", "The school office"),
        ("stage one", "The headteacher (Ms R. Adeyemi)"),
        ("stage two", "The headteacher (Ms R. Adeyemi)"),
        ("headteacher", "the chair of governors (Dr A. Quill)"),
        ("board", "the clerk to governors (Mr T. Bell)"),
        ("target unsure", "the clerk to governors (Mr T. Bell)"),
        ("stage three", "The chair of governors (Dr A. Quill)"),
        ("stage four", "The clerk to governors (Mr T. Bell)"),
    ],
)
def test_an_acknowledgement_names_who_answers(name: str, who: str) -> None:
    assert who in COMPLAINANT[name].text


@pytest.mark.parametrize("stage", list(letters.LIMIT_OF))
def test_an_acknowledgement_says_by_which_day(stage: Stage) -> None:
    letter = acknowledge(stage)

    assert "Monday 30 November 2026" in letter.text
    assert "Thursday 22 October 2026" in letter.text
    assert "Tuesday 27 October 2026" not in letter.text  # the limit of the acknowledgement itself


@pytest.mark.parametrize("stage", list(letters.LIMIT_OF))
def test_without_a_date_an_acknowledgement_promises_no_day(stage: Stage) -> None:
    letter = acknowledge(stage, dues=())

    assert not re.search(r"\b20\d\d\b", letter.text.replace(REF, ""))
    assert "in the time that our procedure sets" in letter.text


def test_only_a_limit_that_still_runs_is_promised() -> None:
    met = replace(deadline("stage2_15", due=date(2026, 11, 13)), state=DeadlineState.MET)
    second = replace(deadline("stage2_15"), key="stage2_15.2", start=date(2026, 10, 23))

    assert "Monday 30 November 2026" in acknowledge(Stage.TWO, dues=(second, met)).text
    assert "Friday 13 November 2026" not in acknowledge(Stage.TWO, dues=(second, met)).text


@pytest.mark.requirement(69)
def test_the_stage_four_acknowledgement_names_the_panel_its_twenty_days_and_the_notice() -> None:
    text = acknowledge(Stage.FOUR).text

    assert "appeal panel will hear your complaint within 20 school days, that is by Monday 30 November 2026" in text
    assert "at least five school days before" in text


@pytest.mark.requirement(44)
@pytest.mark.parametrize("stage", [Stage.ONE, Stage.TWO])
def test_the_answer_to_a_complaint_against_the_headteacher_never_mentions_one(stage: Stage) -> None:
    letter = acknowledge(stage, HEAD_CASE)

    for part in (letter.subject, letter.text, letter.html):
        assert "head" not in part.replace("<head>", "").replace("</head>", "").lower()
        assert HEAD.name not in part
    assert CLERK.name in letter.text
    assert "in confidence" in letter.text


@pytest.mark.requirement(22)
def test_nobody_who_must_not_see_a_case_is_named_as_answering() -> None:
    withheld = frozenset({Role.CHAIR, Role.HEADTEACHER})
    for stage in letters.LIMIT_OF:
        for handler in Role:
            text = acknowledge(stage, case(Target.CHAIR, handler, withheld)).text

            assert CHAIR.name not in text
            assert HEAD.name not in text


def test_a_person_who_stepped_back_is_not_named() -> None:
    recused = replace(case(handler=Role.CHAIR), recused=frozenset({"chair"}))

    assert CHAIR.name not in acknowledge(Stage.THREE, recused).text


@pytest.mark.requirement(23)
def test_a_complaint_against_the_whole_board_is_settled_by_clerk_and_business_manager() -> None:
    text = acknowledge(Stage.TWO, BOARD_CASE).text

    assert CLERK.name in text
    assert MANAGER.name in text
    assert CHAIR.name not in text


def test_a_child_protection_matter_is_not_called_one_in_a_letter_to_a_shared_inbox() -> None:
    of = replace(case(handler=Role.DSL, stage=Stage.NONE), safeguarding=True, held=True)
    letter = acknowledge(Stage.NONE, of)

    assert letter.held
    assert not re.search(r"safeguarding|protection|at risk", letter.text.replace("in danger now", ""))
    assert DSL.name not in letter.text


def test_one_matter_and_stage_gets_one_acknowledgement_ever() -> None:
    first = acknowledge(Stage.TWO)
    again = acknowledge(Stage.TWO, dues=(), held=True, in_reply_to="another@letters.example")

    assert first.key == again.key == f"ack:{REF}:stage2"
    assert acknowledge(Stage.THREE).key != first.key
    assert first.name == "acknowledgement"


def test_an_acknowledgement_answers_the_letter_that_came() -> None:
    letter = acknowledge(Stage.TWO, in_reply_to="b@x.example", references=("a@x.example", "b@x.example"))

    assert letter.to_addr == TO
    assert letter.in_reply_to == "b@x.example"
    assert letter.references == ("a@x.example", "b@x.example")


def test_a_held_case_holds_its_letters_even_when_nobody_asks() -> None:
    held = replace(case(), held=True)

    assert acknowledge(Stage.TWO, held).held
    assert letters.not_considered_anonymous(SCHOOL, held, to=TO).held
    assert not acknowledge(Stage.TWO).held


@pytest.mark.parametrize("addr", ["nobody", "a@b.example\r\nBcc: c@d.example", "a b\n@x", ""])
def test_a_letter_goes_to_a_mail_address_and_nowhere_else(addr: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        letters.acknowledgement(SCHOOL, case(), (), Stage.TWO, to=addr)


@pytest.mark.requirement(5)
def test_an_anonymous_writer_is_asked_for_a_name_and_may_speak_of_a_child_at_risk_without() -> None:
    letter = COMPLAINANT["anonymous"]

    assert "answer with your name" in letter.text
    assert "with or without your name" in letter.text
    assert letter.key == f"anonymous:{REF}"


@pytest.mark.requirement(110)
@pytest.mark.parametrize("topic", sorted(letters.REDIRECTED))
def test_a_redirection_is_a_draft_that_a_person_sends_and_refuses_nothing(topic: Topic) -> None:
    letter = COMPLAINANT[topic.value]

    assert letter.held
    assert letter.key == f"redirect:{REF}:{topic.value}"
    assert "If your letter is about something else as well, we will deal with that part here." in letter.text


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (Topic.ADMISSIONS, "Example County Council, education@council.example"),
        (Topic.ADMISSIONS, "Example Admissions Service"),  # A26: both are named
        (Topic.ADMISSIONS, "independent appeal"),
        (Topic.SEND_ASSESSMENT, "SEND Tribunal"),
        (Topic.REORGANISATION, "Example County Council"),
        (Topic.EXCLUSION, "Exclusion Policy"),
        (Topic.EXCLUSION, "independent review"),
        (Topic.WHISTLEBLOWING, "Whistleblowing Policy"),
        (Topic.WHISTLEBLOWING, "Department for Education"),
        (Topic.STAFF_GRIEVANCE, "is being dealt with under that policy"),
        (Topic.STAFF_GRIEVANCE, "may not tell you how it ends"),
        (Topic.THIRD_PARTY, "their own way to deal with complaints"),
        (Topic.CURRICULUM_CONTENT, "Department for Education"),
        (Topic.CURRICULUM_CONTENT, "how we teach it"),
        (Topic.INFORMATION_REQUEST, "Freedom of Information Policy"),
    ],
)
def test_each_topic_is_pointed_to_where_it_belongs(topic: Topic, said: str) -> None:
    assert said in COMPLAINANT[topic.value].text


@pytest.mark.requirement(96)
@pytest.mark.parametrize("topic", sorted(letters.REDIRECTED))
def test_a_redirection_names_the_appeal_where_there_is_one(topic: Topic) -> None:
    has_appeal = topic in {Topic.ADMISSIONS, Topic.SEND_ASSESSMENT, Topic.EXCLUSION}

    assert ("you may have a right" in COMPLAINANT[topic.value].text.lower()) == has_appeal


@pytest.mark.parametrize("topic", sorted(letters.REDIRECTED))
def test_a_redirection_can_be_written_before_the_outside_bodies_are_filled_in(topic: Topic) -> None:
    bare = replace(SCHOOL, bodies=())

    assert ": ," not in letters.redirection_draft(bare, case(), topic_rule(topic), to=TO).text


@pytest.mark.requirement(111)
def test_a_child_protection_matter_is_never_redirected_by_letter() -> None:
    with pytest.raises(ValueError, match="L238"):
        letters.redirection_draft(SCHOOL, case(), topic_rule(Topic.SAFEGUARDING), to=TO)


@pytest.mark.parametrize("topic", [Topic.GENERAL, Topic.FLUENCY, Topic.BARRING, Topic.NOT_COMPLAINT])
def test_what_is_handled_here_is_not_redirected(topic: Topic) -> None:
    with pytest.raises(ValueError, match="handled here"):
        letters.redirection_draft(SCHOOL, case(), topic_rule(topic, here=True), to=TO)
