"""Letters to staff, one function each, with the least they need: reference, limit, clause, what to do.

No function takes a complainant's name, address, subject or text, so none can leak it (lessons: contents leak
in push and mail). Each letter has a key, so one duty gives one letter however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from procedure.explaining import explain, length_in_words, school_days_left
from procedure.policy import LimitRule, Policy
from procedure.routing import route
from procedure.school import Person, School
from procedure.wording import day_in_words, one_line, render
from procedure.words import Audience, Case, Deadline, DeadlineState, Letter, Role

#: Kinds of case_alert: a new case is yours; you are told of one (L68-L76); more came in for one.
CASE_ALERTS = ("handler_alert", "told_alert", "more_received")


def safeguarding_alert(
    school: School,
    reference: str | None,
    person: Person,
    *,
    letter_id: int,
    immediate: bool,
    now: datetime,
) -> Letter:
    """A child may be at risk: look now (L238). Urgent; one for each letter and person.

    `reference` is None for a letter that has no case; `now` is aware. Names the LADO and the MASH as the
    school's file gives them, and nothing of what the letter says.
    """
    bodies = [body for body in (school.body("mash"), school.body("lado")) if body is not None]
    facts = {
        "letter_id": letter_id,
        "immediate": immediate,
        "seen": _moment(now, school),
        "bodies": [f"{one_line(body.name)}: {one_line(body.contact)}" for body in bodies],
    }
    key = f"safeguarding:{letter_id}:{person.id}"
    role = _role(person, Role.DSL, Role.DEPUTY_DSL, Role.CHAIR, Role.CLERK)
    return _letter(school, person, "safeguarding_alert", key, facts, reference, role, urgent=True)


def case_alert(
    school: School,
    case: Case,
    person: Person,
    *,
    role: Role,
    name: str = "handler_alert",
    letter_id: int | None = None,
    policy: Policy | None = None,
    deadlines: Sequence[Deadline] = (),
) -> Letter:
    """A case is yours, you are to know of it, or more came in for it (`name`, one of CASE_ALERTS).

    Of the case it says the reference and the open limits. `policy` gives the line that has the person told.
    Raises ValueError for another name, and for "more_received" without `letter_id`.
    """
    if name not in CASE_ALERTS:
        raise ValueError(f"{name!r} is no alert about a case; there are {', '.join(CASE_ALERTS)}")
    if name == "more_received" and letter_id is None:
        raise ValueError("an alert that more was received needs the number of the letter")
    of_letter = f":{letter_id}" if name == "more_received" else ""
    facts = {
        "role": role.value.replace("_", " "),
        "clause": route(policy, case.target, case.topics).clause if policy else None,
        "limits": [_limit_line(d) for d in deadlines if d.state is DeadlineState.OPEN],
        "letter_id": letter_id,
    }
    key = f"{name}:{case.reference}{of_letter}:{person.id}"
    return _letter(school, person, name, key, facts, case.reference, role)


def unplaced_alert(school: School, person: Person, *, letter_id: int, reason: str) -> Letter:
    """A letter that no rule could place, or that could not be read, waits for a person.

    `reason` is one of our own sentences, never words of the letter.
    """
    facts = {"letter_id": letter_id, "reason": one_line(reason).rstrip(".")}
    key = f"unplaced:{letter_id}:{person.id}"
    return _letter(school, person, "unplaced_alert", key, facts, None, _role(person, Role.CLERK))


def campaign_alert(school: School, campaign_id: str, person: Person) -> Letter:
    """Several letters may be one campaign (L322): a suggestion for a person to confirm or not."""
    facts = {"campaign": one_line(campaign_id)}
    key = f"campaign:{campaign_id}:{person.id}"
    return _letter(school, person, "campaign_alert", key, facts, None, _role(person, Role.CLERK))


def held_notice(school: School, reference: str, person: Person, *, letter: str, key: str) -> Letter:
    """A letter to the sender waits for this person's release; `letter` is its name, `key` its key."""
    own_key = f"held:{key}:{person.id}"
    return _letter(school, person, "held_notice", own_key, {"letter": _words(letter)}, reference, _role(person))


def not_acknowledged(school: School, reference: str, person: Person, *, reason: str) -> Letter:
    """No automatic acknowledgement went out, and why: a person sends or says one (L138).

    `reason` is one of our own sentences, never words of the letter.
    """
    key = f"not_acknowledged:{reference}:{person.id}"
    facts = {"reason": one_line(reason).rstrip(".")}
    return _letter(school, person, "not_acknowledged", key, facts, reference, _role(person, Role.CLERK))


def nudge(
    school: School,
    reference: str,
    deadline: Deadline,
    kind: Literal["before", "on", "after"],
    person: Person,
    *,
    at: datetime | None = None,
) -> Letter:
    """A reminder of a limit before, on or after its day, with how the day was counted.

    `at` is the moment for which the reminder was planned (not the moment of sending): it tells two reminders
    before the same day apart. The key holds the day due, so a limit that moved is reminded of anew.
    """
    planned = at.astimezone(ZoneInfo(school.timezone)).date() if at else None
    facts = _limit_facts(deadline) | {
        "kind": kind,
        "left": school_days_left(deadline, planned) if planned and kind == "before" else None,
    }
    on = f":{planned.isoformat()}" if planned else ""
    key = f"nudge:{reference}:{_run_key(deadline)}:{kind}{on}:{person.id}"
    return _letter(school, person, "nudge", key, facts, reference, _role(person, deadline.owner))


def missed(school: School, reference: str, deadline: Deadline, person: Person) -> Letter:
    """A limit passed and is not met: brought to the person above its owner (L264)."""
    key = f"missed:{reference}:{_run_key(deadline)}:{person.id}"
    facts = _limit_facts(deadline) | {"owner": deadline.owner.value.replace("_", " ")}
    return _letter(school, person, "missed", key, facts, reference, _role(person), urgent=True)


def gave_up(school: School, reference: str | None, person: Person, *, letter: str, key: str) -> Letter:
    """A letter of ours could not be delivered after many tries, and will not be tried again.

    `letter` is its name and `key` its key; where it was going stands in `duly outbox`, not here.
    """
    facts = {"letter": _words(letter), "acknowledgement": letter == "acknowledgement"}
    return _letter(
        school, person, "gave_up", f"gave_up:{key}:{person.id}", facts, reference, _role(person), urgent=True
    )


def bounce_notice(school: School, reference: str | None, person: Person, *, message_id: str) -> Letter:
    """A letter of ours came back: its duty is open again, and its limit is not met by it (L138).

    `message_id` is the Message-ID of our letter, without angle brackets.
    """
    facts = {"message_id": one_line(message_id)}
    key = f"bounce:{message_id}:{person.id}"
    return _letter(school, person, "bounce_notice", key, facts, reference, _role(person, Role.CLERK), urgent=True)


def uncounted(school: School, reference: str, person: Person, *, limit: LimitRule, last_known: date) -> Letter:
    """A limit could not be dated, since the school's calendar ends on `last_known`: nobody guesses."""
    facts = {
        "limit": limit.name,
        "clause": limit.clause,
        "length": length_in_words(limit.length, limit.unit),
        "last_known": last_known,
    }
    key = f"uncounted:{reference}:{limit.name}:{last_known.isoformat()}:{person.id}"
    return _letter(school, person, "uncounted", key, facts, reference, _role(person, limit.owner))


def _limit_facts(deadline: Deadline) -> dict[str, object]:
    return {
        "limit": deadline.name,
        "title": one_line(deadline.title),
        "clause": deadline.clause,
        "due": deadline.due,
        "counting": explain(deadline),
    }


def _limit_line(deadline: Deadline) -> str:
    return f"{deadline.name} ({deadline.clause}): {day_in_words(deadline.due)}"


def _run_key(deadline: Deadline) -> str:
    return f"{deadline.key}:{deadline.due.isoformat()}"


def _moment(now: datetime, school: School) -> str:
    here = now.astimezone(ZoneInfo(school.timezone))
    return f"{here:%H:%M} on {day_in_words(here.date())}"


def _words(name: str) -> str:
    return one_line(name).replace("_", " ")


def _role(person: Person, *preferred: Role) -> Role | None:
    """The role in which the person is written to: the first preferred one held, else the first of theirs."""
    return next((role for role in (*preferred, *sorted(person.roles)) if role in person.roles), None)


def _letter(
    school: School,
    person: Person,
    name: str,
    key: str,
    facts: Mapping[str, object],
    reference: str | None,
    role: Role | None,
    *,
    urgent: bool = False,
) -> Letter:
    said = render(name, {**facts, "school": one_line(school.name), "reference": reference})
    return Letter(
        key=key,
        name=name,
        audience=Audience.STAFF,
        to_addr=one_line(person.email),
        subject=said.subject,
        text=said.text,
        html=said.html,
        to_role=role,
        reference=reference,
        urgent=urgent,
    )
