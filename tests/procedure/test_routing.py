"""Who handles a complaint, who is told, who must not see it."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure.routing import addressees, alert_addressees, route, withheld_from
from procedure.school import Person, School
from procedure.words import Role, Stage, Target, Topic
from tests.support import matters

HEAD, CLERK, CHAIR, VICE = Role.HEADTEACHER, Role.CLERK, Role.CHAIR, Role.VICE_CHAIR
GOVERNOR, BUSINESS = Role.GOVERNOR, Role.BUSINESS_MANAGER

#: Against whom: handled by, told, withheld from.
TABLE = {
    Target.STAFF: (HEAD, set(), set()),
    Target.HEADTEACHER: (CLERK, {CHAIR}, {HEAD}),
    Target.CHAIR: (CLERK, set(), {CHAIR}),
    Target.GOVERNOR: (CLERK, set(), {GOVERNOR, VICE}),
    Target.BOARD: (CLERK, {BUSINESS}, {CHAIR, VICE, GOVERNOR}),
    Target.SCHOOL: (HEAD, set(), set()),
    Target.THIRD_PARTY: (HEAD, set(), set()),
    Target.NONE: (Role.OFFICE, set(), set()),
}
SETS_OF_TOPICS = st.frozensets(st.sampled_from(Topic), min_size=1)
SETS_OF_ROLES = st.frozensets(st.sampled_from(sorted(set(Role) - {Role.COMPLAINANT})))


@pytest.mark.requirement(4)
@pytest.mark.requirement(20)
@pytest.mark.requirement(21)
@pytest.mark.requirement(22)
@pytest.mark.requirement(23)
@pytest.mark.parametrize("target", Target)
def test_the_target_of_a_complaint_says_who_handles_it_and_who_must_not_see_it(target: Target) -> None:
    handler, told, withheld = TABLE[target]

    way = route(matters.policy(), target, [Topic.GENERAL])

    assert (way.handler, set(way.told), set(way.withheld)) == (handler, told, withheld)


@pytest.mark.requirement(26)
def test_a_complaint_against_the_clerk_goes_to_the_chair_and_the_clerk_does_not_see_it() -> None:
    way = route(matters.policy(), Target.STAFF, [Topic.GENERAL], against=CLERK)

    assert (way.handler, way.withheld) == (CHAIR, (CLERK,))


@pytest.mark.requirement(113)
@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("topics", [{Topic.WHISTLEBLOWING}, {Topic.WHISTLEBLOWING, Topic.GENERAL}])
def test_a_whistleblower_is_shielded_from_line_management_whatever_the_target(
    target: Target, topics: set[Topic]
) -> None:
    way = route(matters.policy(), target, topics)

    assert {HEAD, BUSINESS} <= set(way.withheld)
    assert way.handler not in {HEAD, BUSINESS}
    assert not set(way.told) & {HEAD, BUSINESS}


def test_a_disclosure_goes_to_the_clerk_and_the_chair_is_told() -> None:
    way = route(matters.policy(), Target.STAFF, [Topic.WHISTLEBLOWING])

    assert (way.handler, way.told, way.clause) == (CLERK, (CHAIR,), "L68, L244")


@pytest.mark.requirement(111)
def test_a_child_protection_matter_alone_is_handled_by_the_dsl() -> None:
    way = route(matters.policy(), Target.STAFF, [Topic.SAFEGUARDING])

    assert (way.handler, set(way.told)) == (Role.DSL, {Role.DSL, Role.DEPUTY_DSL})
    assert way.clause == "L68, L238"
    assert "Child Protection" in way.why


@pytest.mark.requirement(119)
def test_of_mixed_mail_the_part_in_scope_keeps_its_handler_and_the_dsl_is_told() -> None:
    way = route(matters.policy(), Target.STAFF, [Topic.GENERAL, Topic.SAFEGUARDING])

    assert way.handler is HEAD
    assert set(way.told) == {Role.DSL, Role.DEPUTY_DSL}


def test_a_letter_that_is_no_complaint_goes_to_the_office() -> None:
    assert route(matters.policy(), Target.NONE, [Topic.NOT_COMPLAINT]).handler is Role.OFFICE


@pytest.mark.parametrize("topic", [Topic.SAFEGUARDING, Topic.WHISTLEBLOWING, Topic.STAFF_GRIEVANCE])
def test_the_office_never_handles_a_disclosure_or_a_grievance(topic: Topic) -> None:
    assert route(matters.policy(), Target.NONE, [topic, Topic.GENERAL]).handler is not Role.OFFICE


@given(st.sampled_from(Target), SETS_OF_TOPICS)
def test_nobody_handles_or_is_told_of_what_they_must_not_see(target: Target, topics: frozenset[Topic]) -> None:
    way = route(matters.policy(), target, topics)

    assert not {way.handler, *way.told} & set(way.withheld)


@given(st.sampled_from(Target), SETS_OF_TOPICS, SETS_OF_TOPICS)
def test_a_further_topic_never_shows_a_case_to_anybody_from_whom_it_was_withheld(
    target: Target, topics: frozenset[Topic], more: frozenset[Topic]
) -> None:
    before = route(matters.policy(), target, topics)
    after = route(matters.policy(), target, topics | more)

    assert set(before.withheld) <= set(after.withheld)


def everybody_except(withheld: frozenset[Role]) -> set[str]:
    return {person.id for person in matters.school().people if not person.roles & withheld}


@given(st.sampled_from(Role), SETS_OF_ROLES)
def test_a_letter_for_a_role_reaches_somebody_while_anybody_is_left_and_never_a_withheld_person(
    role: Role, withheld: frozenset[Role]
) -> None:
    people = addressees(matters.school(), role, withheld)

    assert {person.id for person in people} <= everybody_except(withheld)
    assert bool(people) == bool(everybody_except(withheld))


def school_with(*people: Person) -> School:
    return replace(matters.school(), people=people)


def test_a_person_of_two_roles_is_passed_over_when_either_is_withheld() -> None:
    both = Person("both", "B", "b@southlands.example", frozenset({HEAD, Role.DSL}))
    deputy = Person("deputy", "D", "d@southlands.example", frozenset({Role.DEPUTY_DSL}))

    assert addressees(school_with(both, deputy), Role.DSL, frozenset({HEAD})) == (deputy,)
    assert withheld_from(both, frozenset({HEAD})) == {HEAD}


@pytest.mark.parametrize(
    ("role", "withheld", "expected"),
    [
        (HEAD, {HEAD}, "clerk"),
        (CLERK, {CLERK}, "chair"),
        (CHAIR, {CHAIR}, "vice-chair"),
        (CHAIR, {CHAIR, VICE, GOVERNOR}, "clerk"),
        (VICE, {VICE}, "clerk"),
        (Role.DSL, {Role.DSL}, "deputy-dsl"),
        (BUSINESS, {BUSINESS}, "clerk"),
    ],
)
def test_who_stands_in_follows_the_documented_chain(role: Role, withheld: set[Role], expected: str) -> None:
    assert [p.id for p in addressees(matters.school(), role, frozenset(withheld))] == [expected]


@pytest.mark.requirement(105)
def test_no_letter_goes_to_all_governors() -> None:
    assert len(matters.school().holders(GOVERNOR)) > 1
    assert len(addressees(matters.school(), GOVERNOR, frozenset())) == 1


def test_a_safeguarding_alert_goes_to_the_lead_and_every_deputy() -> None:
    case = matters.a_case(Stage.NONE, Target.NONE, Topic.SAFEGUARDING)

    assert [p.id for p in alert_addressees(matters.school(), case)] == ["dsl", "deputy-dsl"]
    assert [p.id for p in alert_addressees(matters.school(), None)] == ["dsl", "deputy-dsl"]


def test_an_alert_passes_over_a_lead_who_is_also_the_headteacher_complained_of() -> None:
    both = Person("both", "B", "b@southlands.example", frozenset({HEAD, Role.DSL}))
    others = [matters.person(name) for name in ("clerk", "chair", "deputy-dsl")]
    case = matters.a_case(Stage.NONE, Target.HEADTEACHER, Topic.SAFEGUARDING)

    assert [p.id for p in alert_addressees(school_with(both, *others), case)] == ["deputy-dsl"]
    assert [p.id for p in alert_addressees(school_with(both, *others[:2]), case)] == ["clerk", "chair"]


def test_an_alert_passes_over_a_lead_who_stepped_back() -> None:
    case = replace(matters.a_case(Stage.NONE, Target.NONE, Topic.SAFEGUARDING), recused=frozenset({"dsl"}))

    assert [p.id for p in alert_addressees(matters.school(), case)] == ["deputy-dsl"]


def test_an_alert_reaches_somebody_whatever_is_withheld_while_anybody_is_left() -> None:
    case = matters.a_case(Stage.NONE, Target.NONE, Topic.SAFEGUARDING)
    roles = sorted(set(Role) - {Role.COMPLAINANT})

    for withheld in chain.from_iterable(combinations(roles, n) for n in range(len(roles) + 1)):
        barred = replace(case, withheld=frozenset(withheld))
        told = alert_addressees(matters.school(), barred)
        assert bool(told) == bool(everybody_except(barred.withheld))
        assert not any(person.roles & barred.withheld for person in told)
