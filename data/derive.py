"""What follows from the entries of a case: the case, its deadlines, and when each is nudged next.

The desk writes it at every keep, `rebuild` derives it again; both call `derive`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.rows import Values, case_values, deadline_values
from procedure.deadlines import deadlines, nudges
from procedure.history import fold
from procedure.policy import LimitRule
from procedure.rulebook import Rulebook
from procedure.words import Case, Deadline, DeadlineState, Entry, EntryKind


@dataclass(frozen=True)
class Derived:
    """The case and the rows of its tables, without school_id."""

    case: Case
    matter: Values
    deadlines: tuple[Values, ...]


def derive(reference: str, entries: Sequence[Entry], book: Rulebook) -> Derived:
    """Derive everything from the history; entries in the order they were written.

    Raises ValueError when the history does not begin with the opening of a case, KeyError when it names a policy
    edition that the rulebook does not hold.
    """
    if not entries or entries[0].kind is not EntryKind.CASE_OPENED:
        raise ValueError(f"the history of {reference} does not begin with the opening of a case")
    policy = book.policy(str(entries[0].facts["policy"]))
    case = fold(reference, entries, policy)
    found = deadlines(entries, policy, book.calendar, book.school.timezone)
    rules = {rule.name: rule for rule in policy.limits}
    rows = tuple(
        {
            **deadline_values(one),
            "reference": reference,
            "next_nudge_at": next_nudge_at(one, rules[one.name], entries, book),
        }
        for one in found
    )
    return Derived(case, {**case_values(case), "reference": reference}, rows)


def next_nudge_at(deadline: Deadline, rule: LimitRule, entries: Sequence[Entry], book: Rulebook) -> datetime | None:
    """When the deadline is nudged next (UTC), None when never again.

    The first nudge after the last one that the history holds for this due date; it may lie in the past, where the
    service was down: the sweep then fires the latest that is due, and the older ones are superseded by it.
    """
    if deadline.state is not DeadlineState.OPEN or not rule.nudge:
        return None
    last = last_nudged(deadline, entries)
    planned = nudges(deadline, rule, book.calendar, book.school.hours, book.school.timezone)
    return min((nudge.at for nudge in planned if last is None or nudge.at > last), default=None)


def last_nudged(deadline: Deadline, entries: Sequence[Entry]) -> datetime | None:
    """The planned time of the last nudge given for this deadline and this due date (NUDGED {deadline, due, at})."""
    due = deadline.due.isoformat()
    given = (
        datetime.fromisoformat(entry.facts["at"]) if "at" in entry.facts else entry.at
        for entry in entries
        if entry.kind is EntryKind.NUDGED
        and entry.facts.get("deadline") == deadline.key
        and entry.facts.get("due", due) == due
    )
    return max(given, default=None)
