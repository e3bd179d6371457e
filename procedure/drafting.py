"""What a decision about a letter is made of: entries, alerts to staff, the answer to the writer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from procedure import letters, letters_staff
from procedure.deadlines import deadlines, uncounted
from procedure.history import CHANGES, fold
from procedure.policy import Policy
from procedure.routing import addressees, alert_addressees
from procedure.rulebook import Rulebook
from procedure.school import Person
from procedure.words import (
    Case,
    Decision,
    Entry,
    EntryKind,
    Envelope,
    Flag,
    Judgement,
    Letter,
    Message,
    Role,
    Stage,
    Topic,
)

#: Automatic letters to one address in 24 hours, and to all; beyond them a person answers (RFC 3834 section 2).
CAP_EACH = 4
CAP_ALL = 500


@dataclass(frozen=True)
class Arrival:
    """A letter that came in, read and judged."""

    letter_id: int
    envelope: Envelope
    message: Message
    judgement: Judgement


@dataclass(frozen=True)
class Traffic:
    """Automatic letters queued in the last 24 hours: to this sender, and in all."""

    to_sender: int = 0
    in_all: int = 0


@dataclass(frozen=True)
class Campaign:
    """A suggestion that this letter is one of many: the campaign's id, how many letters like it were met,

    and the earlier ones that were not known to belong to it.
    """

    id: str
    size: int
    members: tuple[int, ...] = ()


class Draft:
    """Entries and letters gathered for one case until they make a Decision."""

    def __init__(self, reference: str, book: Rulebook, policy: Policy, past: Sequence[Entry], now: datetime) -> None:
        self.reference = reference
        self.book = book
        self.policy = policy
        self.past = tuple(past)
        self.now = now
        self.entries: list[Entry] = []
        self.letters: list[Letter] = []
        self._case: Case | None = None
        self._folded = 0

    @property
    def every(self) -> tuple[Entry, ...]:
        return (*self.past, *self.entries)

    @property
    def case(self) -> Case:
        """What the case is with the entries so far; most entries of a draft change nothing, so it is kept."""
        if self._case is None or any(entry.kind in CHANGES for entry in self.entries[self._folded :]):
            self._case = fold(self.reference, self.every, self.policy)
        self._folded = len(self.entries)
        return self._case

    def enter(self, what: EntryKind, at: datetime | None = None, /, **facts: object) -> None:
        self.entries.append(Entry(what, at or self.now, "duly", facts))

    def send(self, letter: Letter) -> None:
        """Queue a letter, or hold it; either stands in the history."""
        kind = EntryKind.LETTER_HELD if letter.held else EntryKind.LETTER_QUEUED
        to = letter.to_role.value if letter.to_role else "complainant"
        self.letters.append(letter)
        self.enter(kind, letter=letter.name, key=letter.key, to=to)

    def decision(self) -> Decision:
        return Decision(self.reference, tuple(self.entries), tuple(self.letters))


def alert_safeguarding(draft: Draft, arrival: Arrival) -> None:
    """Tell the designated safeguarding lead and deputies at once, each letter anew (L238)."""
    immediate = Flag.IMMEDIATE_RISK in arrival.judgement.flags
    for person in alert_addressees(draft.book.school, draft.case):
        alert = letters_staff.safeguarding_alert(
            draft.book.school,
            draft.reference,
            person,
            letter_id=arrival.letter_id,
            immediate=immediate,
            now=draft.now,
        )
        draft.letters.append(alert)
        role = alert.to_role.value if alert.to_role else "dsl"
        draft.enter(EntryKind.ALERTED, role=role, person=person.id, kind="safeguarding")


def suggest_campaign(draft: Draft, campaign: Campaign) -> None:
    draft.enter(EntryKind.CAMPAIGN_SUGGESTED, campaign=campaign.id, size=campaign.size)
    tell_clerk(draft, lambda person: letters_staff.campaign_alert(draft.book.school, campaign.id, person))


def tell_clerk(draft: Draft, letter: Callable[[Person], Letter]) -> None:
    """A letter to the clerk, or to whoever stands in where the clerk must not see the case."""
    for person in addressees(draft.book.school, Role.CLERK, draft.case.withheld):
        draft.letters.append(letter(person))


def tell_uncounted(draft: Draft) -> None:
    """A limit runs whose day nobody can count, since the calendar ends too soon: the clerk is told, never a guess."""
    book = draft.book
    for one in uncounted(draft.every, draft.policy, book.calendar, book.school.timezone):
        rule = draft.policy.limit(one.name)
        tell_clerk(
            draft,
            lambda person, rule=rule: letters_staff.uncounted(  # type: ignore[misc]
                book.school, draft.reference, person, limit=rule, last_known=book.calendar.last_known
            ),
        )


def tell_staff(draft: Draft, kind: str, letter_id: int | None = None) -> None:
    """Tell the handler and those the route names; never a role that must not see (L68-76)."""
    case, school = draft.case, draft.book.school
    told: set[str] = set()
    for role in (case.handler, *sorted(case.told)):
        for person in addressees(school, role, case.withheld):
            if person.id in told or person.id in case.recused:
                continue
            told.add(person.id)
            name = kind if role is case.handler or kind == "more_received" else "told_alert"
            draft.letters.append(
                letters_staff.case_alert(
                    school, case, person, role=role, name=name, letter_id=letter_id, policy=draft.policy
                )
            )
            draft.enter(EntryKind.ALERTED, role=role.value, person=person.id, kind=name)


def answer(draft: Draft, arrival: Arrival, traffic: Traffic, stage: Stage) -> None:
    """The automatic answer, or the reason why there is none; and the drafted redirections (L230-256)."""
    reason = why_no_answer(draft, arrival, traffic)
    if reason is not None:
        draft.enter(EntryKind.LETTER_NOT_SENT, letter="acknowledgement", reason=reason)
        if stage is not Stage.NONE:  # the duty stands all the same, so a person must know
            tell_clerk(
                draft,
                lambda person: letters_staff.not_acknowledged(
                    draft.book.school, draft.reference, person, reason=reason
                ),
            )
        return
    to = arrival.message.answer_to
    assert to is not None
    case, school = draft.case, draft.book.school
    thread = _thread(arrival.message)
    if Flag.ANONYMOUS in arrival.judgement.flags:
        letter = letters.not_considered_anonymous(school, case, to=to.addr, held=case.held, **thread)
    else:
        due = deadlines(draft.every, draft.policy, draft.book.calendar, school.timezone)
        letter = letters.acknowledgement(
            school, case, due, stage, to=to.addr, held=case.held, policy=draft.policy, **thread
        )
    draft.send(letter)
    if not case.held:  # for child protection nothing is drafted to the sender before the lead has decided
        for rule in map(draft.policy.topic, case.topics):
            if not rule.here and rule.topic in letters.REDIRECTED:
                draft.send(letters.redirection_draft(school, case, rule, to=to.addr, **thread))


class _Thread(TypedDict):
    in_reply_to: str | None
    references: tuple[str, ...]


def _thread(message: Message) -> _Thread:
    """What an answer names, so that mail programs show it under the letter (RFC 5322 section 3.6.4)."""
    references = tuple(one for one in (*message.references, message.message_id) if one)
    return {"in_reply_to": message.message_id, "references": references}


def why_no_answer(draft: Draft, arrival: Arrival, traffic: Traffic) -> str | None:
    """The reason that no automatic answer may go out, or None (RFC 3834; lessons of mail loops)."""
    message = arrival.message
    if message.answer_to is None:
        return "the letter gives no address to answer to"
    if message.answer_to.addr.lower() in {address.lower() for address in draft.book.school.addresses}:
        return "the letter comes from the school's own inbox"
    if not message.may_autorespond:
        return "the letter asks for no automatic answer (RFC 3834)"
    if set(arrival.judgement.topics) == {Topic.NOT_COMPLAINT}:
        return "the letter is judged to be no complaint; the office answers"
    if traffic.to_sender >= CAP_EACH or traffic.in_all >= CAP_ALL:
        return "enough automatic letters went out in the last 24 hours; a person answers"
    return None
