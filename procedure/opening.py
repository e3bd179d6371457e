"""What a letter starts: a case, an entry in a case, an alert, a letter back, or nothing. Pure.

The order of the promises is the order of the work: an alert for a child at risk is decided first, then that
nothing is lost (the entry), then who may know, then dates and letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from procedure import letters_staff
from procedure import reference as references
from procedure.drafting import (
    Arrival,
    Campaign,
    Draft,
    Traffic,
    alert_safeguarding,
    answer,
    suggest_campaign,
    tell_staff,
    tell_uncounted,
)
from procedure.policy import Policy
from procedure.routing import addressees, alert_addressees
from procedure.rulebook import Rulebook
from procedure.school import School
from procedure.words import (
    Case,
    Decision,
    Entry,
    EntryKind,
    Envelope,
    Flag,
    Judgement,
    Letter,
    Request,
    Role,
    Stage,
    Status,
    Target,
)

#: The stage a letter asks for; what names no step starts as a concern (labels: a grievance is informal).
STAGE_OF = {
    Request.FORMAL: Stage.TWO,
    Request.STAGE3: Stage.THREE,
    Request.STAGE4: Stage.FOUR,
}
ORDER = [Stage.NONE, Stage.ONE, Stage.TWO, Stage.THREE, Stage.FOUR, Stage.FINAL]


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
    draft.enter(EntryKind.CASE_OPENED, received, **_opening_facts(arrival, policy, stage, book.school))
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


def joined_campaign(case: Case, campaign: Campaign, now: datetime) -> Decision | None:
    """An earlier case turns out to be one of many; None when that is known. Nobody is told again."""
    if case.campaign is not None:
        return None
    facts = {"campaign": campaign.id, "size": campaign.size}
    return Decision(case.reference, (Entry(EntryKind.CAMPAIGN_SUGGESTED, now, "duly", facts),))


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


#: A greeting, up to its comma: whom a letter is written to is not whom it is about.
_GREETING = re.compile(
    r"^\s*(dear|hello|hi|good (?:morning|afternoon)|fao|attn)\b[^,\n]{0,60}", re.IGNORECASE | re.MULTILINE
)


def names_headteacher(text: str, school: School) -> bool:
    """Whether a letter names the headteacher by surname, other than in its greeting.

    "Mrs Castell shouted at me" says no word of a headteacher, and a triage that knows no names calls it a complaint
    about staff; it must not be handed to Mrs Castell (L70).
    """
    surnames = {person.name.split()[-1] for person in school.holders(Role.HEADTEACHER) if person.name.strip()}
    body = _GREETING.sub("", text)
    return any(re.search(rf"\b{re.escape(name)}\b", body, re.IGNORECASE) for name in surnames)


def _opening_facts(arrival: Arrival, policy: Policy, stage: Stage, school: School) -> dict[str, object]:
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
        "target_unsure": in_scope
        and (
            "target" in judged.unsure
            or (target in {Target.STAFF, Target.SCHOOL} and names_headteacher(arrival.message.text, school))
        ),
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


def new_reference(school: School, year: int, serial: int) -> str:
    """The reference of a new case, "SL-2026-0042-7": prefix, year, serial and check digit."""
    return references.make(school.prefix, year, serial)
