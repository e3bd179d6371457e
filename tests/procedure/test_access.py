"""Who may see a case and who may act in it, over every role, target, topic, stage and step."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.access import is_safeguarding, may_do, may_see, why_not_see
from procedure.school import Person
from procedure.words import Case, EntryKind, Role, Stage, Target, Topic
from tests.support import matters

PEOPLE = matters.school().people
STEPS = {step.name: step for step in matters.policy().steps}
#: Every target, stage and topic, alone and beside a matter of this procedure.
CASES = [
    matters.a_case(stage, target, *topics)
    for stage, target, topic in product(Stage, Target, Topic)
    for topics in ((topic,), (topic, Topic.GENERAL))
]
SOME_CASES = st.builds(
    replace,
    st.sampled_from(CASES),
    safeguarding=st.booleans(),
    disclosed_to=st.frozensets(st.sampled_from([person.id for person in PEOPLE]), max_size=3),
    recused=st.frozensets(st.sampled_from([person.id for person in PEOPLE]), max_size=2),
)


def seen_by(case: Case) -> set[str]:
    return {person.id for person in PEOPLE if may_see(person, case)}


#: Who of Southlands sees a case of stage two, by target, about nothing in particular.
SEEN = {
    Target.STAFF: {"head", "clerk"},
    Target.HEADTEACHER: {"clerk", "chair"},
    Target.CHAIR: {"clerk"},
    Target.GOVERNOR: {"clerk"},
    Target.BOARD: {"clerk", "business-manager"},
    Target.SCHOOL: {"head", "clerk", "office"},
    Target.THIRD_PARTY: {"head", "clerk", "office"},
    Target.NONE: {"clerk", "office"},
}


@pytest.mark.requirement(9)
@pytest.mark.requirement(21)
@pytest.mark.requirement(22)
@pytest.mark.requirement(44)
@pytest.mark.parametrize("target", Target)
def test_a_case_is_seen_by_its_handler_those_told_and_the_clerk(target: Target) -> None:
    assert seen_by(matters.a_case(Stage.TWO, target)) == SEEN[target]


@pytest.mark.parametrize("target", Target)
def test_a_safeguarding_sign_lets_the_dsl_in_and_keeps_the_office_out(target: Target) -> None:
    case = matters.case_of(matters.opening(Stage.TWO, target, safeguarding=True))

    assert seen_by(case) == (SEEN[target] - {"office"}) | {"dsl", "deputy-dsl"}


@pytest.mark.requirement(111)
def test_a_child_protection_matter_alone_is_seen_by_dsl_and_clerk_only() -> None:
    case = matters.a_case(Stage.NONE, Target.STAFF, Topic.SAFEGUARDING)

    assert seen_by(case) == {"dsl", "deputy-dsl", "clerk"}


@pytest.mark.requirement(113)
def test_a_whistleblowers_case_is_not_seen_by_line_management() -> None:
    case = matters.a_case(Stage.NONE, Target.STAFF, Topic.WHISTLEBLOWING)

    refused = why_not_see(matters.person("head"), case)

    assert seen_by(case) == {"clerk", "chair"}
    assert refused is not None
    assert refused.clause == "L244"


def test_a_workers_grievance_is_not_seen_by_the_office() -> None:
    case = matters.a_case(Stage.NONE, Target.SCHOOL, Topic.STAFF_GRIEVANCE)

    assert "office" not in seen_by(case)


@pytest.mark.parametrize("case", CASES[::7], ids=lambda c: f"{c.stage}-{c.target}-{'+'.join(c.topics)}")
def test_staff_and_plain_governors_see_no_case_that_was_not_disclosed_to_them(case: Case) -> None:
    hidden = {p.id for p in PEOPLE if p.roles <= {Role.STAFF, Role.GOVERNOR}}

    assert not seen_by(case) & hidden


def test_a_role_that_many_hold_opens_no_case_even_where_it_is_told() -> None:
    case = replace(matters.a_case(Stage.TWO, Target.SCHOOL), told=frozenset({Role.GOVERNOR}), handler=Role.STAFF)

    assert seen_by(case) == {"clerk", "office"}


@pytest.mark.requirement(30)
def test_the_member_of_staff_sees_the_case_that_was_disclosed_to_them() -> None:
    case = replace(matters.a_case(Stage.ONE, Target.STAFF), disclosed_to=frozenset({"j.hale"}))

    assert may_see(matters.person("j.hale"), case)
    assert not may_see(matters.person("a.okafor"), case)


@pytest.mark.requirement(21)
def test_the_headteacher_complained_of_sees_nothing_even_where_an_entry_names_them() -> None:
    case = replace(matters.a_case(Stage.TWO, Target.HEADTEACHER), disclosed_to=frozenset({"head"}))

    refused = why_not_see(matters.person("head"), case)

    assert refused is not None
    assert str(refused) == "the case is withheld from the headteacher (L70, L104)"


def test_a_person_of_two_roles_sees_nothing_when_either_is_withheld() -> None:
    both = Person("both", "B", "b@southlands.example", frozenset({Role.CLERK, Role.HEADTEACHER}))

    assert not may_see(both, matters.a_case(Stage.TWO, Target.HEADTEACHER))


def test_a_person_who_stepped_back_sees_nothing_from_then_on() -> None:
    past = matters.opening(Stage.TWO, Target.STAFF)
    before = matters.case_of(past)
    after = matters.case_of([*past, matters.entry(EntryKind.RECUSED, by="head", person="head")])

    assert may_see(matters.person("head"), before)
    assert not may_see(matters.person("head"), after)


@given(SOME_CASES)
def test_nobody_with_a_withheld_role_and_nobody_who_stepped_back_sees_a_case(case: Case) -> None:
    barred = {p.id for p in PEOPLE if p.roles & case.withheld} | case.recused

    assert not seen_by(case) & barred


@given(SOME_CASES)
def test_whoever_an_entry_names_sees_the_case_unless_it_is_withheld_from_them(case: Case) -> None:
    free = {p.id for p in PEOPLE if not p.roles & case.withheld} - case.recused

    assert case.disclosed_to & free <= seen_by(case)


@given(SOME_CASES)
def test_the_dsl_sees_every_safeguarding_case_that_is_not_withheld_from_them(case: Case) -> None:
    leads = {p.id for p in PEOPLE if p.roles & {Role.DSL, Role.DEPUTY_DSL} and not p.roles & case.withheld}

    assert not is_safeguarding(case) or leads - case.recused <= seen_by(case)


@given(SOME_CASES, st.sampled_from(PEOPLE))
def test_a_refusal_to_show_a_case_has_a_reason_and_a_line(case: Case, person: Person) -> None:
    refused = why_not_see(person, case)

    assert may_see(person, case) == (refused is None)
    assert refused is None or (refused.reason and refused.clause.startswith("L"))


@given(SOME_CASES, st.sampled_from(PEOPLE), st.sampled_from(sorted(STEPS)))
def test_a_step_is_only_for_who_sees_the_case_and_holds_a_role_of_the_step(
    case: Case, person: Person, name: str
) -> None:
    refused = may_do(person, STEPS[name], case)

    assert refused is not None or may_see(person, case)
    assert refused is not None or person.roles & set(STEPS[name].by)
    assert refused is None or refused.clause


#: Who of Southlands may give the outcome at stages two and three, by target.
DECIDES = {
    (Stage.TWO, Target.STAFF): {"head", "clerk"},
    (Stage.TWO, Target.SCHOOL): {"head", "clerk"},
    (Stage.THREE, Target.STAFF): {"chair", "clerk"},
    (Stage.THREE, Target.HEADTEACHER): {"vice-chair", "clerk"},
    (Stage.THREE, Target.CHAIR): {"vice-chair", "clerk"},
    (Stage.THREE, Target.BOARD): {"clerk"},
}


@pytest.mark.requirement(60)
@pytest.mark.parametrize(("stage", "target"), DECIDES)
def test_the_outcome_is_for_who_handles_the_case_at_that_stage(stage: Stage, target: Target) -> None:
    case = matters.a_case(stage, target)

    decides = {p.id for p in PEOPLE if may_do(p, STEPS["give-outcome"], case) is None}

    assert decides == DECIDES[(stage, target)]


#: Who holds but this role, and may act at stage two: against whom (all: any target), where the topic allows.
ACTS_AGAINST = {
    Role.STAFF: set(),
    Role.GOVERNOR: set(),
    Role.VICE_CHAIR: set(),
    Role.DSL: set(Target),
    Role.DEPUTY_DSL: set(Target),
    Role.CLERK: set(Target),
    Role.CHAIR: {Target.HEADTEACHER},
    Role.HEADTEACHER: {Target.STAFF, Target.SCHOOL, Target.THIRD_PARTY},
    Role.BUSINESS_MANAGER: {Target.BOARD},
    Role.OFFICE: {Target.SCHOOL, Target.THIRD_PARTY, Target.NONE},
}
NOT_FOR_OFFICE = {Topic.SAFEGUARDING, Topic.WHISTLEBLOWING, Topic.STAFF_GRIEVANCE}


def acts(role: Role, target: Target, topic: Topic) -> bool:
    """The same table in other words: for a case of that topic and a matter of this procedure."""
    exceptions = {
        (Role.HEADTEACHER, Topic.WHISTLEBLOWING): False,
        (Role.BUSINESS_MANAGER, Topic.WHISTLEBLOWING): False,
        (Role.CHAIR, Topic.WHISTLEBLOWING): target not in {Target.CHAIR, Target.BOARD},
        (Role.BUSINESS_MANAGER, Topic.INFORMATION_REQUEST): True,
        **{(Role.OFFICE, kept): False for kept in NOT_FOR_OFFICE},
    }
    if (role, topic) in exceptions:
        return exceptions[role, topic]
    if role is Role.HEADTEACHER and topic in {Topic.EXCLUSION, Topic.STAFF_GRIEVANCE} and target is Target.NONE:
        return True
    if role in {Role.DSL, Role.DEPUTY_DSL}:
        return topic is Topic.SAFEGUARDING
    return target in ACTS_AGAINST[role]


@pytest.mark.parametrize("role", sorted(ACTS_AGAINST))
def test_every_role_acts_in_exactly_the_cases_of_the_table(role: Role) -> None:
    person = Person("one", "One", "one@southlands.example", frozenset({role}))
    wrong = []

    for target, topic in product(Target, Topic):
        case = matters.a_case(Stage.TWO, target, topic, Topic.GENERAL)
        for step in STEPS.values():
            expected = role in step.by and acts(role, target, topic)
            if step.name == "give-outcome":
                expected = expected and role in {case.handler, Role.CLERK}
            if (may_do(person, step, case) is None) != expected:
                wrong.append(f"{target} {topic} {step.name}")

    assert wrong == []


def test_the_headteacher_does_not_decide_what_was_only_disclosed_to_them() -> None:
    case = replace(matters.a_case(Stage.THREE, Target.STAFF), disclosed_to=frozenset({"head"}))

    refused = may_do(matters.person("head"), STEPS["give-outcome"], case)

    assert refused is not None
    assert str(refused) == "the case is handled by the chair (L116, L126)"


def test_a_refusal_names_those_for_whom_the_step_is() -> None:
    refused = may_do(matters.person("head"), STEPS["safeguarding-cleared"], matters.a_case())

    assert refused is not None
    assert refused.reason == "safeguarding-cleared is for the DSL or deputy DSL"
