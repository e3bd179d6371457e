"""Letters of ours as the outbox hands them over, for tests; every name and address is invented."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from data.outbox import Outgoing
from procedure.reference import make, message_id
from procedure.school import Person, School
from procedure.words import Audience, Role

SECRET = b"a secret for tests, and nothing else"
REFERENCE = make("SL", 2026, 42)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday

SCHOOL = School(
    id="southlands",
    name="Southlands School",
    prefix="SL",
    addresses=("complaints@southlands.example", "office@southlands.example"),
    sender="complaints@southlands.example",
    website="https://southlands.example/complaints",
    policy="southlands-2023",
    hours=(time(8, 30), time(16, 30)),
    people=(
        Person("clerk", "Judith Farrow", "j.farrow@southlands.example", frozenset({Role.CLERK})),
        Person("chair", "Desmond Pryce", "d.pryce@southlands.example", frozenset({Role.CHAIR})),
    ),
)


def outgoing(**changed: Any) -> Outgoing:
    """An acknowledgement to a complainant, changed where the test says."""
    key = changed.get("key", f"ack:{REFERENCE}:stage2")
    facts: dict[str, Any] = {
        "id": 1,
        "reference": REFERENCE,
        "key": key,
        "name": "acknowledgement",
        "audience": Audience.COMPLAINANT,
        "to_addr": "parent@family.example",
        "subject": f"Your complaint {REFERENCE}",
        "text": "Thank you. We answer by Monday 14 December – at the latest.\n",
        "html": "<p>Thank you. We answer by Monday 14 December – at the latest.</p>\n",
        "message_id": message_id(key, "southlands.example", SECRET),
        "in_reply_to": "first@family.example",
        "references": (),
        "attempts": 1,
        "urgent": False,
    }
    return Outgoing(**{**facts, **changed})
