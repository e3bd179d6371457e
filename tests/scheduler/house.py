"""Southlands for the tests of the scheduler: its rulebook, cases that began on a day, letters, a mailer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from data.engine import reading
from data.store import Store
from procedure.rulebook import Rulebook
from procedure.words import Audience, Decision, Entry, EntryKind, Letter, Stage, Target
from scheduler.mail import Mailer, RelaySettings
from tests.scheduler.letters import REFERENCE, SECRET
from tests.scheduler.sink import Sink
from tests.support import matters

#: Mailers that a test was given, closed when it ends.
MAILERS: list[Mailer] = []
LONDON = ZoneInfo("Europe/London")


@cache
def rulebook() -> Rulebook:
    return Rulebook(matters.school(), {matters.policy().id: matters.policy()}, matters.calendar(), SECRET)


def at(words: str) -> datetime:
    """ "Mon 2026-11-23 08:30" (local time in London) in UTC; the weekday must be right."""
    weekday, day, hour = words.split()
    moment = datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=LONDON)
    assert f"{moment:%a}" == weekday, f"{day} is a {moment:%A}"
    return moment.astimezone(UTC)


def entries(received: datetime, stage: Stage = Stage.FOUR, target: Target = Target.SCHOOL) -> tuple[Entry, ...]:
    """A case opened by a letter received then, at that stage."""
    return tuple(Entry(e.kind, received, e.by, e.facts) for e in matters.opening(stage, target))


def open_case(
    store: Store,
    received: datetime,
    stage: Stage = Stage.FOUR,
    target: Target = Target.SCHOOL,
    reference: str = REFERENCE,
) -> str:
    write(store, received, *entries(received, stage, target), reference=reference)
    return reference


def write(store: Store, now: datetime, *more: Entry, reference: str = REFERENCE) -> None:
    with store.begin() as desk:
        desk.keep(Decision(reference, more), now)


def acknowledge(store: Store, when: datetime, reference: str = REFERENCE) -> None:
    """The clerk acknowledged by telephone."""
    write(store, when, Entry(EntryKind.ACKNOWLEDGED, when, "clerk", {"how": "telephone"}), reference=reference)


def history(store: Store, *kinds: EntryKind, reference: str = REFERENCE) -> list[Entry]:
    with store.begin() as desk:
        return [entry for entry in desk.history(reference) if entry.kind in kinds]


def letter(number: int = 1, **changed: Any) -> Letter:
    facts: dict[str, Any] = {
        "key": f"ack:{REFERENCE}:{number}",
        "name": "acknowledgement",
        "audience": Audience.COMPLAINANT,
        "to_addr": f"parent{number}@family.example",
        "subject": f"Your complaint {REFERENCE}",
        "text": "Thank you for your letter.\n",
        "html": "<p>Thank you for your letter.</p>\n",
        "reference": REFERENCE,
    }
    return Letter(**{**facts, **changed})


def queue(store: Store, now: datetime, *letters: Letter) -> None:
    with store.begin() as desk:
        desk.keep(Decision(None, letters=letters), now)


def outbox(store: Store, name: str | None = None) -> Sequence[Any]:
    """Rows of the outbox, oldest first; times as the database holds them."""
    with reading(store.engine) as connection:
        rows = connection.execute(text("select * from outbox order by id")).all()
    return [row for row in rows if name in {None, row.name}]


def mailer(relay: Sink, **more: Any) -> Mailer:
    wishes = {"security": "none", "helo": "duly.example", "command_timeout": 2.0, "letter_timeout": 3.0, **more}
    MAILERS.append(Mailer(RelaySettings("127.0.0.1", relay.port, **wishes)))
    return MAILERS[-1]
