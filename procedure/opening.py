"""What a letter starts: a case, an entry in a case, an alert, a letter back, or nothing. Pure.

The order of the promises is the order of the work: an alert for a child at risk is decided first, then that
nothing is lost (the entry), then who may know, then dates and letters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from procedure import letters, letters_staff
from procedure import reference as references
from procedure.deadlines import deadlines, uncounted
from procedure.history import fold
from procedure.policy import Policy
from procedure.routing import addressees, alert_addressees
from procedure.rulebook import Rulebook
from procedure.school import Person, School
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
    Request,
    Role,
    Stage,
    Status,
    Target,
    Topic,
)

#: The stage a letter asks for; what names no step starts as a concern (labels: a grievance is informal).
STAGE_OF = {
    Request.FORMAL: Stage.TWO,
    Request.STAGE3: Stage.THREE,
    Request.STAGE4: Stage.FOUR,
}
ORDER = [Stage.NONE, Stage.ONE, Stage.TWO, Stage.THREE, Stage.FOUR, Stage.FINAL]

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
    """A suggestion that this letter is one of many: the campaign's id and how many letters it now has."""

    id: str
    size: int


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

    @property
    def case(self) -> Case:
        return fold(self.reference, (*self.past, *self.entries), self.policy)

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


def open_case(
    reference: str,
    arrival: Arrival,
    book: Rulebook,
    traffic: Traffic,
    now: datetime,
    campaign: Campaign | None = None,
) -> Decision:
    """The decision for a letter that starts a matter of its own."""
    received = arrival.envelope.received_at
    policy = book.current(received.astimezone(ZoneInfo(book.school.timezone)).date())
    draft = Draft(reference, book, policy, (), now)
    judged = arrival.judgement
    stage = opening_stage(judged, policy)
    draft.enter(EntryKind.CASE_OPENED, received, **_opening_facts(arrival, policy, stage))
    draft.enter(EntryKind.JUDGED, now, **judged_facts(arrival))
    if judged.safeguarding:
        alert_safeguarding(draft, arrival)
    receipt = next((rule.receipt for rule in policy.stages if rule.stage is stage and rule.receipt), None)
    if receipt is not None and Flag.ANONYMOUS not in judged.flags:
        draft.enter(receipt, received, letter=arrival.letter_id)
    if campaign is not None:
        suggest_campaign(draft, campaign)
    tell_staff(draft, "handler_alert")
    answer(draft, arrival, traffic, stage)
    tell_uncounted(draft)
    return draft.decision()


def join_case(
    reference: str,
    arrival: Arrival,
    past: Sequence[Entry],
    book: Rulebook,
    traffic: Traffic,
    now: datetime,
) -> Decision:
    """The decision for a letter that belongs to a case there is already."""
    policy = book.policy(str(past[0].facts["policy"]))
    draft = Draft(reference, book, policy, past, now)
    before = draft.case
    received = arrival.envelope.received_at
    draft.enter(EntryKind.LETTER_RECEIVED, received, letter=arrival.letter_id, door=arrival.envelope.door)
    draft.enter(EntryKind.JUDGED, now, **judged_facts(arrival))
    if arrival.judgement.safeguarding:
        alert_safeguarding(draft, arrival)
    tell_staff(draft, "more_received", arrival.letter_id)
    asked = STAGE_OF.get(arrival.judgement.request)
    sure = "request" not in arrival.judgement.unsure
    # The clock of a stage runs from the request, whoever reads it when; a person can undo it (not-requested).
    # A closed case moves only by a person's hand.
    if asked and sure and before.status is not Status.CLOSED and ORDER.index(asked) > ORDER.index(before.stage):
        receipt = next(rule.receipt for rule in policy.stages if rule.stage is asked)
        assert receipt is not None
        draft.enter(receipt, received, letter=arrival.letter_id)
        answer(draft, arrival, traffic, asked)
        tell_uncounted(draft)
    return draft.decision()


def duplicate(reference: str, letter_id: int, envelope: Envelope, first: int, now: datetime) -> Decision:
    """The same letter again: noted beside the first, and nothing else happens."""
    facts = {"letter": letter_id, "of": first, "door": envelope.door}
    return Decision(reference, (Entry(EntryKind.DUPLICATE_RECEIVED, now, "duly", facts),))


def unplaced(arrival: Arrival, reason: str, book: Rulebook, now: datetime) -> Decision:
    """A letter that no rule may place: a person decides, and a child at risk is seen at once all the same."""
    school = book.school
    out: list[Letter] = []
    if arrival.judgement.safeguarding:
        immediate = Flag.IMMEDIATE_RISK in arrival.judgement.flags
        out.extend(
            letters_staff.safeguarding_alert(
                school, None, person, letter_id=arrival.letter_id, immediate=immediate, now=now
            )
            for person in alert_addressees(school, None)
        )
    out.extend(
        letters_staff.unplaced_alert(school, person, letter_id=arrival.letter_id, reason=reason)
        for person in addressees(school, Role.CLERK, frozenset())
    )
    return Decision(None, (), tuple(out))


def quarantined(letter_id: int, book: Rulebook, now: datetime) -> Decision:
    """A letter that could not be read at all: nobody knows what it says, so it counts as a sign."""
    school = book.school
    alerts = [
        letters_staff.safeguarding_alert(school, None, person, letter_id=letter_id, immediate=False, now=now)
        for person in alert_addressees(school, None)
    ]
    reason = "it could not be read and waits in quarantine"
    clerk = addressees(school, Role.CLERK, frozenset())
    told = [letters_staff.unplaced_alert(school, person, letter_id=letter_id, reason=reason) for person in clerk]
    return Decision(None, (), (*alerts, *told))


def opening_stage(judged: Judgement, policy: Policy) -> Stage:
    """Where a new case starts: outside the procedure when every topic belongs elsewhere (L230-256)."""
    if not any(policy.topic(topic).here for topic in judged.topics):
        return Stage.NONE
    return STAGE_OF.get(judged.request, Stage.ONE)


def _opening_facts(arrival: Arrival, policy: Policy, stage: Stage) -> dict[str, object]:
    judged = arrival.judgement
    facts = judged_facts(arrival)
    del facts["unsure"], facts["model"], facts["confidence"]
    in_scope = stage is not Stage.NONE
    # First contact is the headteacher where nobody in particular is complained of (L19).
    target = Target.SCHOOL if in_scope and judged.target is Target.NONE else judged.target
    return {
        **facts,
        "policy": policy.id,
        "door": arrival.envelope.door,
        "stage": stage.value,
        "target": target.value,
        "target_unsure": in_scope and "target" in judged.unsure,
        "anonymous": Flag.ANONYMOUS in judged.flags,
    }


def judged_facts(arrival: Arrival) -> dict[str, object]:
    """A judgement as facts of an entry: labels only, no text."""
    judged = arrival.judgement
    return {
        "letter": arrival.letter_id,
        "topics": [topic.value for topic in judged.topics],
        "target": judged.target.value,
        "request": judged.request.value,
        "flags": [flag.value for flag in judged.flags],
        "safeguarding": judged.safeguarding,
        "screen": judged.screen,
        "incident_date": judged.incident_date.isoformat() if judged.incident_date else None,
        "confidence": round(judged.confidence, 3),
        "unsure": list(judged.unsure),
        "model": judged.model,
    }


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
    every = (*draft.past, *draft.entries)
    for one in uncounted(every, draft.policy, book.calendar, book.school.timezone):
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
        every = (*draft.past, *draft.entries)
        due = deadlines(every, draft.policy, draft.book.calendar, school.timezone)
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


def new_reference(school: School, year: int, serial: int) -> str:
    """The reference of a new case, "SL-2026-0042-7": prefix, year, serial and check digit."""
    return references.make(school.prefix, year, serial)
