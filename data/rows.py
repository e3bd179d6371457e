"""Values of the procedure as rows of the tables, and back; nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from data.types import clean, clean_json
from procedure.words import (
    Address,
    Attachment,
    Case,
    Deadline,
    DeadlineState,
    Entry,
    EntryKind,
    Flag,
    Judgement,
    Letter,
    Message,
    Request,
    Role,
    Skipped,
    Stage,
    Status,
    Target,
    Topic,
)

Values = dict[str, Any]
Columns = Mapping[str, Any]


def plain(entry: Entry) -> Entry:
    """The entry as it will read when it comes back: UTC, JSON facts, clean text.

    What is derived now must equal what is derived later, so both are derived from this form.
    """
    if entry.at.tzinfo is None:
        raise ValueError(f"an entry {entry.kind.value} at {entry.at.isoformat()} has no time zone")
    return Entry(entry.kind, entry.at.astimezone(UTC), clean(entry.by), clean_json(entry.facts))


def entry_of(row: Columns) -> Entry:
    return Entry(EntryKind(row["kind"]), row["at"], row["by"], row["facts"] or {})


def case_values(case: Case) -> Values:
    """The columns of table matter, without school_id, reference and the end of the chain."""
    return {
        "policy": case.policy,
        "opened_at": case.opened_at,
        "stage": case.stage.value,
        "status": case.status.value,
        "topics": _values(case.topics),
        "target": case.target.value,
        "request": case.request.value,
        "flags": _values(case.flags),
        "handler": case.handler.value,
        "told": sorted(_values(case.told)),
        "withheld": sorted(_values(case.withheld)),
        "disclosed_to": sorted(case.disclosed_to),
        "recused": sorted(case.recused),
        "safeguarding": case.safeguarding,
        "held": case.held,
        "campaign": case.campaign,
        "incident_date": case.incident_date,
        "closed_at": case.closed_at,
        "outcome": case.outcome,
    }


def case_of(row: Columns) -> Case:
    return Case(
        reference=row["reference"],
        policy=row["policy"],
        opened_at=row["opened_at"],
        stage=Stage(row["stage"]),
        status=Status(row["status"]),
        topics=tuple(Topic(topic) for topic in row["topics"]),
        target=Target(row["target"]),
        request=Request(row["request"]),
        flags=tuple(Flag(flag) for flag in row["flags"]),
        handler=Role(row["handler"]),
        told=frozenset(Role(role) for role in row["told"]),
        withheld=frozenset(Role(role) for role in row["withheld"]),
        disclosed_to=frozenset(row["disclosed_to"]),
        recused=frozenset(row["recused"]),
        safeguarding=row["safeguarding"],
        held=row["held"],
        campaign=row["campaign"],
        incident_date=row["incident_date"],
        closed_at=row["closed_at"],
        outcome=row["outcome"],
    )


def deadline_values(deadline: Deadline) -> Values:
    """The columns of table deadline, without school_id, reference and the next nudge."""
    return {
        "key": deadline.key,
        "name": deadline.name,
        "title": deadline.title,
        "clause": deadline.clause,
        "owner": deadline.owner.value,
        "start": deadline.start,
        "start_event": deadline.start_event,
        "unit": deadline.unit,
        "length": deadline.length,
        "due": deadline.due,
        "counted": [day.isoformat() for day in deadline.counted],
        "skipped": [[skipped.day.isoformat(), skipped.why] for skipped in deadline.skipped],
        "state": deadline.state.value,
        "met_on": deadline.met_on,
        "moved_from": [[day.isoformat(), why] for day, why in deadline.moved_from],
    }


def deadline_of(row: Columns) -> Deadline:
    return Deadline(
        key=row["key"],
        name=row["name"],
        title=row["title"],
        clause=row["clause"],
        owner=Role(row["owner"]),
        start=row["start"],
        start_event=row["start_event"],
        unit=row["unit"],
        length=row["length"],
        due=row["due"],
        counted=tuple(date.fromisoformat(day) for day in row["counted"]),
        skipped=tuple(Skipped(date.fromisoformat(day), why) for day, why in row["skipped"]),
        state=DeadlineState(row["state"]),
        met_on=row["met_on"],
        moved_from=tuple((date.fromisoformat(day), why) for day, why in row["moved_from"]),
    )


def letter_values(letter: Letter, now: datetime) -> Values:
    """The columns of a new row of table outbox, without school_id and message_id."""
    return {
        "key": letter.key,
        "name": letter.name,
        "audience": letter.audience.value,
        "to_addr": letter.to_addr,
        "to_key": letter.to_addr.lower(),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "to_role": letter.to_role.value if letter.to_role else None,
        "reference": letter.reference,
        "in_reply_to": letter.in_reply_to,
        "references": list(letter.references),
        "not_before": letter.not_before,
        "urgent": letter.urgent,
        "state": "held" if letter.held else "queued",
        "attempts": 0,
        "next_at": letter.not_before or now,
        "created_at": now,
    }


def message_facts(message: Message) -> Values:
    """A letter as read, as JSON; times keep the zone of their header."""
    return {
        "to": _addresses(message.to),
        "cc": _addresses(message.cc),
        "reply_to": _addresses(message.reply_to),
        "date": message.date.isoformat() if message.date else None,
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "text": message.text,
        "reply_text": message.reply_text,
        "quoted": message.quoted,
        "attachments": [_attachment(part) for part in message.attachments],
        "is_auto_reply": message.is_auto_reply,
        "is_bounce": message.is_bounce,
        "bounce_temporary": message.bounce_temporary,
        "kind": message.kind,
        "failed": list(message.failed),
        "reported_ids": list(message.reported_ids),
        "status": message.status,
        "may_autorespond": message.may_autorespond,
        "defects": list(message.defects),
    }


def judgement_facts(judgement: Judgement) -> Values:
    """A judgement as JSON, with its evidence."""
    return {
        "topics": _values(judgement.topics),
        "target": judgement.target.value,
        "request": judgement.request.value,
        "flags": _values(judgement.flags),
        "incident_date": judgement.incident_date.isoformat() if judgement.incident_date else None,
        "screen": judgement.screen,
        "safeguarding": judgement.safeguarding,
        "scores": dict(judgement.scores),
        "confidence": judgement.confidence,
        "unsure": list(judgement.unsure),
        "evidence": [
            {"label": e.label, "start": e.start, "end": e.end, "text": e.text, "source": e.source}
            for e in judgement.evidence
        ],
        "model": judgement.model,
    }


def _values(words: Iterable[StrEnum]) -> list[str]:
    return [word.value for word in words]


def _addresses(addresses: Iterable[Address]) -> list[Values]:
    return [{"addr": address.addr, "name": address.name} for address in addresses]


def _attachment(part: Attachment) -> Values:
    return {"name": part.name, "type": part.type, "size": part.size, "digest": part.digest}
