"""The JSON-lines contract of `labels.md`: a record in, a record out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from procedure.words import Evidence, Judgement

LONDON = ZoneInfo("Europe/London")
_TEXT_FIELDS = ("channel", "from_name", "from_addr", "subject", "body")


class RecordError(ValueError):
    """A record that is not one of the contract: the field, what is wrong, what to write instead."""


@dataclass(frozen=True)
class LetterRecord:
    """A record as read. `sent` is a day in Europe/London, None where the record gives none."""

    body: str
    subject: str
    sent: date | None
    channel: str
    from_name: str
    from_addr: str


def read(record: object) -> LetterRecord:
    """A record of the contract; every field may be missing. Raises RecordError with one sentence."""
    if not isinstance(record, Mapping):
        raise RecordError(f"A record must be a JSON object, not {_kind(record)}.")
    values: dict[str, str] = {}
    for name in _TEXT_FIELDS:
        value = record.get(name)
        if value is not None and not isinstance(value, str):
            raise RecordError(f"The field {name!r} must be text, not {_kind(value)}; write it in quotes.")
        values[name] = value or ""
    return LetterRecord(
        body=values["body"],
        subject=values["subject"],
        sent=_day_in(record.get("sent")),
        channel=values["channel"] or "email",
        from_name=values["from_name"],
        from_addr=values["from_addr"],
    )


def day(sent: date | datetime | None) -> date | None:
    """The day in Europe/London of a moment (a naive one is taken as London time) or of a day."""
    if isinstance(sent, datetime):
        return sent.astimezone(LONDON).date() if sent.tzinfo else sent.date()
    return sent


def _day_in(value: object) -> date | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RecordError(f"The field 'sent' must be a date as text, not {_kind(value)}; write it like 2026-03-10.")
    try:
        return day(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        raise RecordError(
            f"The field 'sent' holds {value[:40]!r}, which is no date; write it like 2026-03-10."
        ) from None


def written(ident: object, judgement: Judgement) -> dict[str, Any]:
    """A judgement in the form of the contract; JSON values only."""
    found = judgement.incident_date
    return {
        "id": ident,
        "topics": [topic.value for topic in judgement.topics],
        "target": judgement.target.value,
        "request": judgement.request.value,
        "flags": [flag.value for flag in judgement.flags],
        "incident_date": found.isoformat() if found else None,
        "screen": judgement.screen,
        "scores": dict(judgement.scores),
        "confidence": judgement.confidence,
        "unsure": list(judgement.unsure),
        "evidence": [_piece(piece) for piece in judgement.evidence],
        "model": judgement.model,
    }


def _piece(piece: Evidence) -> dict[str, Any]:
    return {
        "label": piece.label,
        "start": piece.start,
        "end": piece.end,
        "text": piece.text,
        "source": piece.source,
    }


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
    }
    return names.get(type(value), "null" if value is None else type(value).__name__)
