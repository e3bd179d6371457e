"""Letters from an mbox file: through the same journal and the same processing as those from a door."""

from __future__ import annotations

import mailbox
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from procedure.words import Envelope

if TYPE_CHECKING:
    from duly.app import App

#: Letters a commit; small enough that a break loses little work and the digest makes a second run harmless.
CHUNK = 64


def import_file(app: App, file: Path, *, progress: bool) -> tuple[int, int]:
    """Journal and settle every letter of the file; (taken, settled). A second run opens nothing twice."""
    from data.letters import Received, add_many

    school = app.rulebook.school.id
    batch: list[Received] = []
    with closing(mailbox.mbox(file, create=False)) as box, _bar(len(box), "Taking", show=progress) as step:
        keys = box.keys()
        for key in keys:
            raw = box.get_bytes(key)
            batch.append(Received(raw, Envelope("mbox", _received(box, key, app.clock()))))
            if len(batch) == CHUNK:
                add_many(app.engine, school, batch, app.vault)
                batch.clear()
            step()
        if batch:
            add_many(app.engine, school, batch, app.vault)
    return len(keys), _settle(app, len(keys), show=progress)


def _settle(app: App, expected: int, *, show: bool) -> int:
    processor = app.processor("import")
    settled = 0
    with _bar(expected, "Settling", show=show) as step:
        while done := processor.work(app.clock()):
            settled += done
            for _ in range(done):
                step()
    return settled


def _received(box: mailbox.mbox, key: str, now: datetime) -> datetime:
    """When the letter came: the date of its From_ line or Date header; never later than now."""
    message = box.get_message(key)
    try:
        moment = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError):
        return now
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(aware.astimezone(UTC), now)


@contextmanager
def _bar(total: int, what: str, *, show: bool) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not show) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
