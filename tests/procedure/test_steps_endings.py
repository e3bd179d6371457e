"""How cases end, and what holds for every step in every case."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.school import Person
from procedure.words import EntryKind, NotAllowed, Stage, Status, Target, Topic
from tests.support import matters
from tests.support.matters import entry, opening
from tests.support.stepping import Matter, matter


@pytest.mark.requirement(3)
@pytest.mark.parametrize(("stage", "status"), list(product(Stage, ["open", "suspended"])))
def test_a_case_is_resolved_or_withdrawn_from_every_open_state(stage: Stage, status: str) -> None:
    it = matter(stage)
    if status == "suspended":
        it.entries = [*it.entries, entry(EntryKind.SUSPENDED, it.now, "head", reason="social_services")]

    assert it.possible()["resolve"].allowed
    it.step("withdraw")

    assert (it.case.status, it.case.outcome) == (Status.CLOSED, "withdrawn")


@pytest.mark.requirement(12)
@pytest.mark.requirement(102)
def test_a_case_is_not_closed_without_an_answer() -> None:
    it = matter(Stage.TWO, Target.SCHOOL)

    refused = it.refused("close")
    it.step("give-outcome", "head", finding="not_upheld")
    it.step("close", learned="answer letters sooner")

    assert refused == "the complaint has no answer yet at this stage (L58, L216)"
    assert (it.case.status, it.case.outcome) == (Status.CLOSED, "not_upheld")


def test_the_answer_of_an_earlier_stage_does_not_answer_the_next() -> None:
    it = matter(Stage.TWO, Target.SCHOOL)
    it.step("give-outcome", "head", finding="not_upheld")
    it.step("request-stage3")

    assert it.refused("close").startswith("the complaint has no answer yet")


def test_the_panels_findings_let_the_case_close() -> None:
    past = [*opening(Stage.FOUR), entry(EntryKind.PANEL_OUTCOME_GIVEN, finding="upheld")]
    it = Matter(past, datetime(2026, 9, 10, 10, tzinfo=UTC))

    it.step("close")

    assert it.case.outcome == "upheld"


@pytest.mark.requirement(110)
@pytest.mark.requirement(119)
def test_each_part_that_belongs_elsewhere_is_directed_there_before_the_case_closes() -> None:
    it = matter(Stage.TWO, Target.SCHOOL, Topic.GENERAL, Topic.ADMISSIONS)
    it.step("give-outcome", "head", finding="upheld")

    refused = it.refused("close")
    it.step("redirect", topic="admissions")
    it.step("close")

    assert refused == "the part about admissions was not yet directed elsewhere (L236, L240, A26)"
    assert it.entries[-2].facts["body"] == "admissions"


def test_only_a_topic_of_the_case_that_belongs_elsewhere_is_directed_there() -> None:
    it = matter(Stage.TWO, Target.SCHOOL, Topic.GENERAL, Topic.ADMISSIONS)

    assert it.refused("redirect", topic="general") == "general belongs in this procedure (L15)"
    assert it.wrong("redirect", topic="exclusion").startswith("topic must be one of this case: general, admissions")
    assert matter().refused("redirect", topic="general") == "every part of this case belongs in this procedure (L15)"


@pytest.mark.requirement(5)
def test_an_anonymous_complaint_is_closed_as_not_considered() -> None:
    it = matter(Stage.TWO, flags=("anonymous",))

    it.step("close")

    assert it.case.outcome == "not considered - anonymous"


def test_what_is_no_complaint_is_closed_without_more() -> None:
    it = matter(Stage.NONE, Target.NONE, Topic.NOT_COMPLAINT)

    assert it.step("close", "office").entries


def test_a_child_protection_matter_closes_once_the_dsl_has_settled_the_sign() -> None:
    it = matter(Stage.NONE, Target.NONE, Topic.SAFEGUARDING, safeguarding=True)
    it.step("safeguarding-confirmed", "dsl")

    assert it.step("close", "dsl").entries


def test_a_closed_case_takes_no_step_but_reopening_and_who_may_know() -> None:
    it = matter(Stage.TWO)
    it.step("withdraw")

    allowed = {name for name, item in it.possible().items() if item.allowed}
    it.step("reopen", reason="the complainant asks")

    assert allowed == {"disclose", "recuse", "reopen"}
    assert it.case.status is Status.OPEN


STEPS = [step.name for step in matters.policy().steps]
SOMEBODY = st.sampled_from(matters.school().people)
FACTS = {
    "how": "letter",
    "notes": "paper: file",
    "finding": "upheld",
    "route": "formal",
    "why": "unable",
    "reason": "social_services",
    "what": "x",
    "decider": "chair",
    "limit": "stage2_15",
    "to": "2026-10-20",
    "field": "flags",
    "topic": "admissions",
    "of": "complaint_received",
    "date": "2026-10-15",
    "person": "governor-1",
}


def facts_for(name: str) -> dict[str, str]:
    step = next(step for step in matters.policy().steps if step.name == name)
    facts = {fact.partition(":")[0]: FACTS[fact.partition(":")[0]] for fact in step.needs}
    return {**facts, "reason": "no_concern"} if name == "safeguarding-cleared" else facts


@given(
    st.sampled_from(Stage),
    st.sampled_from(Target),
    st.frozensets(st.sampled_from(Topic), min_size=1, max_size=2),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(STEPS), SOMEBODY), max_size=12),
)
def test_whatever_steps_are_tried_a_refusal_has_its_line_and_the_listing_tells_the_truth(
    stage: Stage, target: Target, topics: frozenset[Topic], sign: bool, tries: list[tuple[str, Person]]
) -> None:
    it = matter(stage, target, *sorted(topics), safeguarding=sign)

    for name, person in tries:
        listed = it.possible(person.id).get(name)
        try:
            it.step(name, person.id, **facts_for(name))
        except NotAllowed as refused:
            assert refused.clause.startswith("L"), refused  # noqa: PT017 - what is refused is the point
        except ValueError as wrong:
            assert str(wrong).strip()  # noqa: PT017 - as above
        else:
            assert listed is not None
            assert listed.allowed
            assert it.last.by == person.id
