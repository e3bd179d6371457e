"""Letters that wait for a person, and notes: what a person may let go, and what may be written down. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from procedure.access import SAFEGUARDERS, why_not_see
from procedure.routing import alert_addressees
from procedure.school import Person, School
from procedure.words import Case, Decision, Entry, EntryKind, NotAllowed, Role, Stage, Target

#: Who may send a drafted redirection besides the handler (L230-256: a person sends it).
SENDERS = frozenset({Role.CLERK, Role.OFFICE, Role.HEADTEACHER})
#: A history holds reasons, not letters.
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Held:
    """A letter of ours that waits: its key, and its name ("acknowledgement", "redirection")."""

    key: str
    name: str


def release(
    case: Case,
    held: Sequence[Held],
    person: Person,
    now: datetime,
    school: School,
    wanted: Collection[str] = (),
) -> Decision:
    """Let held letters go: all of them, or those whose keys are wanted.

    While a sign that a child may be at risk holds the case's letters, only those who are alerted to it may let
    them go (L238). Raises NotAllowed with reason and line, ValueError when nothing waits or a key is unknown.
    """
    unseen = why_not_see(person, case)
    if unseen is not None:
        raise unseen
    chosen = [one for one in held if not wanted or one.key in wanted]
    unknown = sorted(set(wanted) - {one.key for one in held})
    if unknown:
        raise ValueError(f"no letter of {case.reference} waits under the key {unknown[0]}")
    if not chosen:
        raise ValueError(f"no letter of {case.reference} waits for a release")
    if case.held and not (person.roles & SAFEGUARDERS or person in alert_addressees(school, case)):
        raise NotAllowed("a sign that a child may be at risk holds these letters; the DSL lets them go", "L238")
    if not case.held and not person.roles & (SENDERS | SAFEGUARDERS | {case.handler}):
        raise NotAllowed("a drafted letter is sent by the clerk, the office or the handler", "L230")
    keys = tuple(one.key for one in chosen)
    facts = {"keys": list(keys), "letters": sorted({one.name for one in chosen})}
    entry = Entry(EntryKind.LETTER_RELEASED, now, person.id, facts)
    return Decision(case.reference, (entry,), release=keys)


def note(case: Case, text: str, person: Person, now: datetime, *, paper: str | None = None) -> Decision:
    """Write a brief note into the history, or where its paper lies.

    Notes of a formal complaint against staff or the headteacher are hard copies in personnel files: the history
    takes the place of the paper and refuses the words (L110). Raises NotAllowed, or ValueError for an empty note.
    """
    unseen = why_not_see(person, case)
    if unseen is not None:
        raise unseen
    words = " ".join(text.split())
    if paper is not None and paper.strip():
        facts = {"paper": " ".join(paper.split())}
    elif case.stage is Stage.TWO and case.target in {Target.STAFF, Target.HEADTEACHER}:
        raise NotAllowed(
            "notes of a complaint against staff or the headteacher are hard copies in personnel files; "
            "say where the paper is with --paper",
            "L110",
        )
    elif not words:
        raise ValueError("an empty note says nothing; give a text, or --paper with the place of the paper")
    elif len(words) > LONGEST_NOTE:
        raise ValueError(f"a note is brief (L86): at most {LONGEST_NOTE} characters, this has {len(words)}")
    else:
        facts = {"text": words}
    return Decision(case.reference, (Entry(EntryKind.NOTED, now, person.id, facts),))
