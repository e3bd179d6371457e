"""Steps about people: a child at risk, who is told, who steps back, what a person judges otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from procedure.words import EntryKind, Role, Stage, Target, Topic
from tests.support import matters
from tests.support.matters import entry
from tests.support.stepping import NOTES, matter


@pytest.mark.requirement(111)
@pytest.mark.requirement(99)
@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (Stage.ONE, "discuss"),
        (Stage.TWO, "offer-meeting"),
        (Stage.TWO, "meet"),
        (Stage.TWO, "give-outcome"),
        (Stage.FOUR, "set-hearing"),
    ],
)
def test_nothing_is_investigated_while_a_child_may_be_at_risk(stage: Stage, name: str) -> None:
    it = matter(stage, safeguarding=True)

    refusal = it.possible()[name].refusal
    it.step("safeguarding-cleared", "dsl", reason="handed_over")

    assert refusal is not None
    assert refusal.clause == "L238, L206"
    assert it.possible()[name].allowed


@pytest.mark.requirement(111)
@pytest.mark.parametrize("who", ["head", "clerk", "business-manager"])
@pytest.mark.parametrize("name", ["safeguarding-cleared", "safeguarding-confirmed"])
def test_only_the_dsl_settles_a_safeguarding_sign(who: str, name: str) -> None:
    refusal = matter(Stage.TWO, safeguarding=True).possible(who)[name].refusal

    assert refusal is not None


def test_where_the_case_is_withheld_from_every_dsl_who_was_alerted_instead_settles_the_sign() -> None:
    head = replace(matters.person("head"), roles=frozenset({Role.HEADTEACHER, Role.DSL}))
    others = [p for p in matters.school().people if p.id not in {"head", "dsl", "deputy-dsl"}]
    school = replace(matters.school(), people=(head, *others))
    it = matter(Stage.TWO, Target.HEADTEACHER, safeguarding=True)
    it.school = school

    assert it.refused("safeguarding-cleared", "head", reason="no_concern").startswith("the case is withheld")
    assert it.step("safeguarding-cleared", "clerk", reason="no_concern").entries


def test_a_case_with_an_unsettled_sign_is_not_closed_nor_resolved_but_may_be_withdrawn() -> None:
    it = matter(Stage.TWO, safeguarding=True)

    assert it.refused("close") == "the DSL first confirms or clears the safeguarding sign (L238)"
    assert it.refused("resolve", route="formal").endswith("(L238)")
    assert it.step("withdraw").entries


def test_a_sign_confirmed_and_cleared_that_comes_again_is_unsettled_again() -> None:
    it = matter(Stage.TWO, safeguarding=True)
    it.step("safeguarding-confirmed", "dsl")
    confirmed = it.possible()["resolve"].allowed
    it.step("safeguarding-cleared", "dsl", reason="handed_over")
    it.entries = [*it.entries, entry(EntryKind.JUDGED, it.now, safeguarding=True)]

    assert confirmed
    assert it.refused("resolve", route="formal").endswith("(L238)")


def test_an_alert_is_acknowledged_by_who_got_it() -> None:
    it = matter(Stage.TWO, safeguarding=True)
    assert it.refused("acknowledge-alert", "dsl") == "no safeguarding alert was sent in this case (L238)"
    it.entries = [*it.entries, entry(EntryKind.ALERTED, role="dsl", person="dsl", kind="safeguarding")]

    assert it.step("acknowledge-alert", "deputy-dsl").entries


def test_only_the_dsl_takes_a_safeguarding_topic_away() -> None:
    it = matter(Stage.TWO, Target.STAFF, Topic.GENERAL, Topic.SAFEGUARDING)

    assert it.refused("overrule", "head", field="topics", value="general").endswith("(L238)")
    it.step("overrule", "dsl", field="topics", value="general")

    assert it.case.topics == (Topic.GENERAL,)


@pytest.mark.requirement(21)
def test_nothing_is_disclosed_to_a_person_from_whom_the_case_is_withheld() -> None:
    it = matter(Stage.TWO, Target.HEADTEACHER)

    refused = it.refused("disclose", person="head", reason="to answer it")

    assert refused == "the case is withheld from the headteacher (L70, L104)"


@pytest.mark.requirement(105)
def test_a_complaint_is_not_disclosed_to_the_entire_board() -> None:
    it = matter(Stage.TWO, Target.STAFF)
    for name in ("chair", "vice-chair", "governor-1", "governor-2"):
        it.step("disclose", person=name, reason="panel")

    refused = it.refused("disclose", person="governor-3", reason="panel")

    assert refused == "with this the entire governing board would know the case (L226)"


def test_a_disclosure_names_somebody_of_the_school_who_does_not_see_the_case_yet() -> None:
    it = matter(Stage.TWO, Target.STAFF)

    assert it.wrong("disclose", person="head", reason="x") == "head sees this case already"
    assert it.wrong("disclose", person="nobody", reason="x").startswith("nobody at the school is called 'nobody'")


def test_who_steps_back_sees_the_case_no_more() -> None:
    it = matter(Stage.TWO, Target.STAFF)

    it.step("recuse", "head", reason="a relative")

    assert it.case.recused == {"head"}
    assert it.refused("meet", "head", **NOTES) == "head stepped back from this case (L54, L90)"
    assert it.wrong("recuse", person="head", reason="a relative") == "head stepped back from this case already"


@pytest.mark.requirement(35)
def test_only_the_clerk_or_the_handler_takes_another_out_of_a_case() -> None:
    it = matter(Stage.TWO, Target.STAFF)
    it.step("disclose", person="governor-1", reason="first approached")

    refused = it.refused("recuse", "governor-1", person="head", reason="x")
    it.step("recuse", person="governor-1", reason="acted alone")

    assert refused == "only the clerk, or who handles the case, takes another out of it (L54)"
    assert "governor-1" in it.case.recused


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"field": "target", "value": "teacher"}, "value must be one of staff, headteacher"),
        ({"field": "topics", "value": ""}, "overrule needs the fact value for topics"),
        ({"field": "topics", "value": "general, fees"}, "value must be one of general, admissions"),
        ({"field": "incident_date", "value": "May"}, "value must be a day such as"),
        ({"field": "mood", "value": "angry"}, "field of overrule must be one of topics, target"),
    ],
)
def test_a_judgement_is_overruled_with_known_labels_only(facts: dict[str, str], said: str) -> None:
    assert matter().wrong("overrule", **facts).startswith(said)


def test_an_overruled_judgement_changes_the_case() -> None:
    it = matter(Stage.TWO, Target.SCHOOL)

    it.step("overrule", field="topics", value="general, fluency")
    it.step("overrule", field="flags", value="")
    it.step("overrule", field="incident_date", value="2026-09-04")  # Friday
    it.step("overrule", "head", field="target", value="headteacher")

    assert it.case.topics == (Topic.GENERAL, Topic.FLUENCY)
    assert it.case.incident_date == date(2026, 9, 4)
    assert it.refused("meet", "head", notes="digital").startswith("the case is withheld from the headteacher")


def test_the_target_is_for_the_clerk_or_the_handler_to_say() -> None:
    it = matter(Stage.TWO, Target.HEADTEACHER, Topic.GENERAL, Topic.SAFEGUARDING)
    it.entries = [*it.entries, entry(EntryKind.DISCLOSED, person="office")]

    assert it.refused("overrule", "office", field="target", value="staff").endswith("(L72)")


@pytest.mark.requirement(27)
def test_a_deviation_has_a_text_a_reason_and_a_decider() -> None:
    it = matter()

    assert it.wrong("deviate", what="x", reason="y") == "deviate needs the fact decider"
    it.step("deviate", what="meeting by telephone", reason="illness", decider="chair")

    assert it.last.facts["decider"] == "chair"
