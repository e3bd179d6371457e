"""A message as a JSON object: what `duly parse --json` prints, a line a letter."""

from __future__ import annotations

from typing import Any

from intake.mime import read
from procedure.words import Address, Message


def as_record(file: str, message: Message) -> dict[str, Any]:
    """The fields of the shared mail set under their names there; `date` is ISO 8601 with its zone, or null."""
    return {
        "file": file,
        "subject": message.subject,
        "from": _address(message.sender) if message.sender else None,
        "to": [_address(one) for one in message.to],
        "cc": [_address(one) for one in message.cc],
        "reply_to": [_address(one) for one in message.reply_to],
        "date": message.date.isoformat() if message.date else None,
        "message_id": message.message_id,
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "text": message.text,
        "reply_text": message.reply_text,
        "quoted": message.quoted,
        "attachments": [{"name": one.name, "type": one.type, "size": one.size} for one in message.attachments],
        "is_auto_reply": message.is_auto_reply,
        "is_bounce": message.is_bounce,
        "bounce_temporary": message.bounce_temporary,
        "class": message.kind,
        "failed": list(message.failed),
        "status": message.status,
        "may_autorespond": message.may_autorespond,
    }


def scored(raw: bytes) -> dict[str, Any]:
    """The record of a letter with attachments by name only, as the scorers of the mail set read it."""
    record = as_record("", read(raw))
    return {**record, "attachments": [one["name"] for one in record["attachments"]]}


def new_text(raw: bytes) -> str:
    """The newly written words of a letter."""
    return read(raw).reply_text


def _address(one: Address) -> dict[str, str]:
    return {"name": one.name, "addr": one.addr}
