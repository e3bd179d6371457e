"""Cases of Southlands made from entries, without a database: the tests of the procedure talk about these."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources

from procedure import calendar_file, policy_file, school_file
from procedure.history import fold
from procedure.policy import Policy
from procedure.school import Person, School
from procedure.school_days import SchoolCalendar
from procedure.words import Case, Entry, EntryKind, Role, Stage, Target, Topic

REFERENCE = "SL-2026-0042-7"
#: A Tuesday in term, after the INSET days.
OPENED = datetime(2026, 9, 8, 9, 30, tzinfo=UTC)


@cache
def policy() -> Policy:
    return policy_file.load_named("southlands-2023")


@cache
def school() -> School:
    return school_file.load_named("southlands")


@cache
def calendar() -> SchoolCalendar:
    text = resources.files("procedure").joinpath("calendars", "southlands.toml").read_text("utf-8")
    return calendar_file.load(text, "southlands.toml")


def person(person_id: str) -> Person:
    found = school().person(person_id)
    assert found is not None, person_id
    return found


def entry(kind: EntryKind, at: datetime = OPENED, by: str = "duly", /, **facts: object) -> Entry:
    return Entry(kind, at, by, facts)


def opening(
    stage: Stage = Stage.TWO,
    target: Target = Target.SCHOOL,
    topics: tuple[Topic, ...] = (Topic.GENERAL,),
    flags: tuple[str, ...] = (),
    *,
    safeguarding: bool = False,
) -> list[Entry]:
    """The entries of a case just opened at that stage."""
    opened = entry(
        EntryKind.CASE_OPENED,
        policy="southlands-2023",
        letter=1,
        door="smtp",
        target=target.value,
        request="none",
        topics=[topic.value for topic in topics],
        flags=list(flags),
        safeguarding=safeguarding,
        screen=safeguarding,
        stage=stage.value,
        incident_date=None,
        anonymous="anonymous" in flags,
    )
    receipt = next((rule.receipt for rule in policy().stages if rule.stage is stage), None)
    return [opened] if receipt is None else [opened, entry(receipt, letter=1)]


def case_of(entries: list[Entry]) -> Case:
    return fold(REFERENCE, entries, policy())


def a_case(stage: Stage = Stage.TWO, target: Target = Target.SCHOOL, *topics: Topic) -> Case:
    return case_of(opening(stage, target, topics or (Topic.GENERAL,)))


def holder(role: Role) -> Person:
    return school().holders(role)[0]
