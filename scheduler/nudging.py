"""What a nudge that has come due means for a case. Pure: the history and the rules in, a Decision out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from data.derive import last_nudged
from procedure import letters_staff
from procedure.deadlines import Nudge, deadlines, nudges
from procedure.history import fold
from procedure.routing import STANDS_IN, addressees
from procedure.rulebook import Rulebook
from procedure.school import Person, School
from procedure.school_days import BeyondCalendar
from procedure.words import (
    Case,
    Deadline,
    DeadlineState,
    Decision,
    Entry,
    EntryKind,
    Letter,
    Role,
    Status,
)


@dataclass(frozen=True)
class Coming:
    """A nudge of a deadline that is due, and the case as it stands now."""

    case: Case
    deadline: Deadline
    escalate_to: Role
    kind: Literal["before", "on", "after"]
    at: datetime  # as planned, UTC


def in_hours(book: Rulebook, now: datetime) -> bool:
    """Whether letters to staff may be written now: in the school's hours of a school day (local time).

    Past the calendar's end Monday to Friday stand in for school days, as for the nudges themselves.
    """
    school = book.school
    local = now.astimezone(ZoneInfo(school.timezone))
    opens, closes = school.hours
    if not opens <= local.time() < closes:
        return False
    try:
        return book.calendar.is_school_day(local.date())
    except BeyondCalendar:
        return local.weekday() < 5


def decide(reference: str, entries: Sequence[Entry], key: str, book: Rulebook, now: datetime) -> Decision | None:
    """What to write and to whom, now that the nudge of this deadline has come; None when nothing.

    Of several nudges that came due while nobody looked only the latest is given: an owner who hears that a
    limit was missed need not hear as well that it will be. The same question asked again after the answer was
    kept gives None, so two sweeps, or a clock that is put back, say nothing twice.
    """
    coming = next_coming(reference, entries, key, book, now)
    if coming is None:
        return None
    due = coming.deadline.due.isoformat()
    facts = {"deadline": key, "kind": coming.kind, "due": due, "at": coming.at.isoformat()}
    school = book.school
    owners = reached(school, coming.deadline.owner, coming.case)
    written = [
        letters_staff.nudge(school, reference, coming.deadline, coming.kind, person, at=coming.at)
        for person in owners
    ]
    facts_of_owner = {**facts, "role": coming.deadline.owner.value, "persons": [p.id for p in owners]}
    happened = [Entry(EntryKind.NUDGED, now, "duly", facts_of_owner)]
    if coming.kind == "after":
        above = over(school, coming, owners)
        written += [letters_staff.missed(school, reference, coming.deadline, person) for person in above]
        facts_above = {**facts, "role": coming.escalate_to.value, "persons": [p.id for p in above]}
        happened.append(Entry(EntryKind.ESCALATED, now, "duly", facts_above))
    return Decision(reference, tuple(happened), _once(written))


def next_coming(reference: str, entries: Sequence[Entry], key: str, book: Rulebook, now: datetime) -> Coming | None:
    """The latest nudge of that deadline that is due and not yet given, in the state of the case now.

    None for a case that is closed or suspended, for a deadline that is met, cancelled or moved, and for one
    that the history no longer has.
    """
    if not entries:
        return None
    policy = book.policy(str(entries[0].facts["policy"]))
    case = fold(reference, entries, policy)
    if case.status is not Status.OPEN:
        return None
    found = deadlines(entries, policy, book.calendar, book.school.timezone)
    deadline = next((d for d in found if d.key == key and d.state is DeadlineState.OPEN), None)
    if deadline is None:
        return None
    rule = policy.limit(deadline.name)
    planned = nudges(deadline, rule, book.calendar, book.school.hours, book.school.timezone)
    last = last_nudged(deadline, entries)
    ripe = [nudge for nudge in planned if nudge.at <= now and (last is None or nudge.at > last)]
    return _latest(ripe, case, deadline, rule.escalate_to)


def _latest(ripe: Sequence[Nudge], case: Case, deadline: Deadline, escalate_to: Role) -> Coming | None:
    if not ripe:
        return None
    latest = max(ripe, key=lambda nudge: nudge.at)
    kind = cast('Literal["before", "on", "after"]', latest.kind)
    return Coming(case, deadline, escalate_to, kind, latest.at)


def reached(school: School, role: Role, case: Case) -> tuple[Person, ...]:
    """Who hears of a limit of that role: its holders or who stands in; nobody withheld, nobody who stepped back."""
    return addressees(_without(school, case.recused), role, case.withheld)


def over(school: School, coming: Coming, owners: Sequence[Person]) -> tuple[Person, ...]:
    """Who hears that a limit was missed: somebody else than its owner, or nobody besides.

    Where the role above is vacant, must not see the case or is the owner's own, those who stand in for it are
    asked; it does not go further than them, since a missed limit is no reason to widen who knows of a case.
    """
    others = _without(school, coming.case.recused | {person.id for person in owners})
    fit = {coming.escalate_to, *STANDS_IN.get(coming.escalate_to, ())}
    found = addressees(others, coming.escalate_to, coming.case.withheld)
    return tuple(person for person in found if person.roles & fit)


def _without(school: School, ids: frozenset[str]) -> School:
    return replace(school, people=tuple(person for person in school.people if person.id not in ids))


def _once(letters: Sequence[Letter]) -> tuple[Letter, ...]:
    return tuple({letter.key: letter for letter in letters}.values())
