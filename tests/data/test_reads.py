from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from data import reads
from data.store import Store
from procedure.school import Person
from procedure.words import Audience, Decision, Entry, EntryKind, NotAllowed, Request, Role, Target, Topic
from tests.support import memory
from tests.support.memory import MONDAY

TEACHER = "SL-2026-0001-2"
HEAD = "SL-2026-0002-9"
CHILD = "SL-2026-0003-7"


@pytest.fixture
def store(engine: Engine) -> Store:
    """Three cases, each with a letter in and a letter out: a teacher's, the headteacher's, a child's."""
    store = memory.store(engine)
    facts = {
        TEACHER: {"target": Target.STAFF.value},
        HEAD: {"target": Target.HEADTEACHER.value},
        CHILD: {"target": Target.STAFF.value, "topics": [Topic.SAFEGUARDING.value], "safeguarding": True},
    }
    for number, (reference, more) in enumerate(facts.items(), start=1):
        letter_id = memory.journalled(engine, number)
        with store.begin() as desk:
            letters = (memory.letter(f"ack:{number}", reference),)
            desk.keep(Decision(reference, memory.opening(**more), letters), MONDAY)
            judged = memory.judgement(target=Target(more["target"]))
            desk.remember(letter_id, memory.message(number), judged, state="done", reference=reference, now=MONDAY)
    return store


def everything(store: Store, viewer: Person) -> dict[str, set[str | None]]:
    """The references that each reader shows."""
    return {
        "cases": {one.reference for one in reads.cases(store, viewer)},
        "due": {line.case.reference for line in reads.due_list(store, viewer, MONDAY)},
        "outbox": {one.reference for one in reads.outbox_of(store, viewer)},
        "journal": {one.reference for one in reads.journal(store, viewer)},
    }


@pytest.mark.requirement(21)
def test_the_headteacher_finds_nothing_of_a_complaint_against_the_headteacher(store: Store) -> None:
    head = memory.stranger(Role.HEADTEACHER)
    assert all(HEAD not in found for found in everything(store, head).values())
    assert all(TEACHER in found for found in everything(store, head).values())
    with pytest.raises(NotAllowed, match="withheld"):
        reads.case(store, head, HEAD)


@pytest.mark.parametrize("role", [Role.GOVERNOR, Role.STAFF, Role.CHAIR, Role.OFFICE])
def test_a_person_whom_no_case_concerns_sees_none_anywhere(store: Store, role: Role) -> None:
    viewer = memory.stranger(role)
    shown = set().union(*everything(store, viewer).values()) - {HEAD if role is Role.CHAIR else None}
    assert shown == set()
    figures = reads.counts(store, viewer, MONDAY + timedelta(days=30))
    if role is not Role.CHAIR:
        assert (figures.by_status, figures.by_stage, figures.safeguarding, figures.overdue) == ({}, {}, 0, 0)
        with pytest.raises(NotAllowed):
            reads.case(store, viewer, TEACHER)


def test_the_clerk_keeps_the_register(store: Store) -> None:
    clerk = memory.stranger(Role.CLERK)
    assert everything(store, clerk)["cases"] == {TEACHER, HEAD, CHILD}
    figures = reads.counts(store, clerk, MONDAY + timedelta(days=60))
    assert figures.by_status == {"open": 3}
    assert figures.by_stage == {"stage2": 3}
    assert figures.safeguarding == 1
    assert figures.overdue >= 3


def test_the_dsl_sees_the_childs_case_and_no_other(store: Store) -> None:
    assert everything(store, memory.stranger(Role.DSL))["cases"] == {CHILD}


def test_somebody_who_stepped_back_sees_the_case_no_more(store: Store) -> None:
    clerk = memory.stranger(Role.CLERK)
    with store.begin() as desk:
        desk.keep(Decision(TEACHER, (Entry(EntryKind.RECUSED, MONDAY, clerk.id, {"person": clerk.id}),)), MONDAY)
    assert all(TEACHER not in found for found in everything(store, clerk).values())


def test_a_case_file_holds_everything_about_the_case(store: Store) -> None:
    file = reads.case(store, memory.stranger(Role.CLERK), TEACHER)
    assert file.case.reference == TEACHER
    assert file.entries == memory.opening(target=Target.STAFF.value)
    assert {"ack_3", "stage2_15"} <= {one.key for one in file.deadlines}
    assert [one.key for one in file.letters_out] == ["ack:1"]
    assert [one.text for one in file.letters_in] == [memory.message().text]


def test_a_case_that_is_not_there_is_told_in_a_sentence(store: Store) -> None:
    with pytest.raises(LookupError, match="no case SL-1"):
        reads.case(store, memory.stranger(Role.CLERK), "SL-1")


def test_closed_cases_can_be_left_out(store: Store) -> None:
    clerk = memory.stranger(Role.CLERK)
    with store.begin() as desk:
        desk.keep(Decision(TEACHER, (Entry(EntryKind.WITHDRAWN, MONDAY, "clerk", {}),)), MONDAY)
    assert {one.reference for one in reads.cases(store, clerk, open_only=True)} == {HEAD, CHILD}
    assert len(reads.cases(store, clerk)) == 3


def test_a_deadline_is_overdue_from_the_day_after_it(store: Store) -> None:
    clerk = memory.stranger(Role.CLERK)

    def acks(days: int) -> set[bool]:
        lines = reads.due_list(store, clerk, MONDAY + timedelta(days=days))
        return {line.overdue for line in lines if line.deadline.key == "ack_3"}

    assert acks(3) == {False}  # Thursday, the day itself
    assert acks(4) == {True}  # Friday


@pytest.mark.parametrize(
    ("role", "target", "unsure", "seen"),
    [
        (Role.CLERK, Target.STAFF, (), True),
        (Role.DSL, Target.STAFF, (), True),
        (Role.OFFICE, Target.SCHOOL, (), False),
        (Role.HEADTEACHER, Target.STAFF, (), False),
    ],
)
def test_a_letter_that_stands_in_no_case_is_for_those_who_look_first(
    store: Store, role: Role, target: Target, unsure: tuple[str, ...], seen: bool
) -> None:
    letter_id = memory.journalled(store.engine, 9)
    with store.begin() as desk:
        judged = memory.judgement(target=target, unsure=unsure)
        desk.remember(letter_id, memory.message(9), judged, state="unplaced", now=MONDAY)
    found = reads.journal(store, memory.stranger(role), ("unplaced",))
    assert bool(found) is seen


def test_a_dsl_who_is_the_headteacher_does_not_see_an_unplaced_letter_that_may_be_against_the_headteacher(
    store: Store,
) -> None:
    both = memory.stranger(Role.DSL, Role.HEADTEACHER)
    for number, (target, unsure) in enumerate([(Target.HEADTEACHER, ()), (Target.STAFF, ("target",))], start=9):
        letter_id = memory.journalled(store.engine, number)
        with store.begin() as desk:
            judged = memory.judgement(target=target, unsure=unsure, request=Request.FORMAL)
            desk.remember(letter_id, memory.message(number), judged, state="unplaced", now=MONDAY)
    memory.journalled(store.engine, 20)  # not read yet: nobody knows whom it is against
    assert reads.journal(store, both, ("unplaced", "new")) == []
    assert len(reads.journal(store, memory.stranger(Role.DSL), ("unplaced", "new"))) == 3


def test_a_letter_of_ours_outside_any_case_is_for_the_role_that_it_goes_to(store: Store) -> None:
    alert = memory.letter("alert", None, audience=Audience.STAFF, to_role=Role.CLERK, to_addr="x@y.example")
    with store.begin() as desk:
        desk.keep(Decision(None, (), (alert,)), MONDAY)
    assert None in everything(store, memory.stranger(Role.CLERK))["outbox"]
    assert None not in everything(store, memory.stranger(Role.HEADTEACHER))["outbox"]
