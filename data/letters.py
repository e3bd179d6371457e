"""The journal's SQL: letters as they came in, waiting to be settled, and put back when a worker fell over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Engine, RowMapping, and_, bindparam, func, insert, or_, select, text, update

from data.engine import reading, writing
from data.tables import WAITING, letter
from data.types import clean
from procedure.words import Envelope

log = structlog.get_logger()

#: Letters above this many octets are files of the vault; the row holds the path. Measured on ext4 under load: a row
#: holds the one writer for 1-4 ms up to 256 KiB, 12-14 ms at 1 MiB, 39-46 ms at 4 MiB; a file takes as long (7-12 ms
#: at 1 MiB) but beside the writer, where small letters do not wait for it.
LARGE = 256 * 1024
#: From these a letter can be processed again; the others have their place in a case.
REPLAYABLE = ("new", "unplaced", "quarantined", "automatic", "bounce")


@dataclass(frozen=True, slots=True)
class Received:
    """A letter on its way into the journal. `digest` (sha256, hex) and `raw_file` are set once it is put away."""

    raw: bytes
    envelope: Envelope
    digest: str = ""
    raw_file: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that one worker holds until its lease ends. `attempts` counts this one."""

    id: int
    raw: bytes
    envelope: Envelope
    attempts: int


def put_away(received: Received, vault: Path) -> Received:
    """Write a large letter to `vault/ab/<sha256>`, fsynced with its folders; a small one is left as it is.

    Safe to call twice and from several threads: a file appears under its name only when it is whole and on the disk.
    Raises OSError when it cannot be written; nothing half-written stays.
    """
    if received.raw_file is not None or len(received.raw) <= LARGE:
        return received
    digest = sha256(received.raw).hexdigest()
    path = vault / digest[:2] / digest
    _make_folder(path.parent)
    if not (path.exists() and path.stat().st_size == len(received.raw)):
        _write(path, received.raw)
    _sync_folder(path.parent)
    return replace(received, digest=digest, raw_file=f"{digest[:2]}/{digest}")


def _make_folder(folder: Path) -> None:
    """The folder and those above it, each durably named in its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _write(path: Path, raw: bytes) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with open(draft, "xb", opener=_private) as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_INSERT = insert(letter).returning(letter.c.id, sort_by_parameter_order=True)


def add_many(engine: Engine, school_id: str, batch: Sequence[Received], vault: Path | None) -> list[int]:
    """Keep a batch in one transaction; the ids in the order of the batch.

    Large letters are in the vault, on the disk, before their row is; without a vault they stay in the row.
    Raises what the database or the disk raises: then none of the batch is in the journal.
    """
    if not batch:
        return []
    rows = [_row(school_id, one if vault is None else put_away(one, vault)) for one in batch]
    with writing(engine) as connection:
        return list(connection.execute(_INSERT, rows).scalars())


def _row(school_id: str, received: Received) -> dict[str, Any]:
    envelope = received.envelope
    return {
        "school_id": school_id,
        "received_at": envelope.received_at,
        "door": envelope.door,
        "mail_from": envelope.mail_from,
        "rcpt_to": [clean(one) for one in envelope.rcpt_to],
        "peer": envelope.peer,
        "digest": received.digest or sha256(received.raw).hexdigest(),
        "size": len(received.raw),
        "raw": None if received.raw_file else received.raw,
        "raw_file": received.raw_file,
        "state": "new",
        "attempts": 0,
    }


def _waiting(school_id: str, now: datetime) -> ColumnElement[bool]:
    """New, or claimed by a worker whose lease is over; worded so that the partial index answers."""
    return and_(
        letter.c.school_id == school_id,
        text(WAITING),
        or_(letter.c.state == "new", letter.c.claimed_until <= now),
    )


_COLUMNS = (
    letter.c.id,
    letter.c.raw,
    letter.c.raw_file,
    letter.c.door,
    letter.c.received_at,
    letter.c.mail_from,
    letter.c.rcpt_to,
    letter.c.peer,
    letter.c.attempts,
)


def claim(
    engine: Engine,
    school_id: str,
    worker: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    *,
    vault: Path | None = None,
) -> list[Claimed]:
    """The oldest waiting letters, at most `limit`, held by `worker` until `now + lease`.

    No letter is held by two: PostgreSQL skips what another is taking, SQLite lets one write at a time. A letter whose
    file is gone from the vault goes to quarantine, so that it cannot stop the others.
    """
    waiting = _waiting(school_id, now)
    with reading(engine) as connection:  # nothing to do takes no write lock
        tries = connection.execute(select(letter.c.attempts).where(waiting).order_by(letter.c.id).limit(1)).scalar()
    if tries is None:
        return []
    if tries:  # it may be what ended its worker: alone, so that it takes no others with it a second time
        limit = 1
    oldest = select(letter.c.id).where(waiting).order_by(letter.c.id).limit(limit)
    taking = (
        update(letter)
        .where(letter.c.id.in_(oldest.with_for_update(skip_locked=True).scalar_subquery()))
        .values(state="claimed", claimed_by=worker, claimed_until=now + lease, attempts=letter.c.attempts + 1)
        .returning(*_COLUMNS)
    )
    with writing(engine) as connection:
        rows = sorted(connection.execute(taking).mappings(), key=lambda row: int(row["id"]))
    return list(_readable(engine, rows, vault, now))


def _readable(engine: Engine, rows: Iterable[RowMapping], vault: Path | None, now: datetime) -> Iterable[Claimed]:
    for row in rows:
        try:
            raw = _raw(row, vault)
        except LookupError as problem:
            log.error("letter_file_missing", letter=row["id"])  # noqa: TRY400 - the sentence says it all
            quarantine(engine, row["id"], str(problem), now)
            continue
        yield Claimed(row["id"], raw, _envelope(row), row["attempts"])


def _envelope(row: Mapping[Any, Any]) -> Envelope:
    return Envelope(
        door=row["door"],
        received_at=row["received_at"],
        mail_from=row["mail_from"],
        rcpt_to=tuple(row["rcpt_to"]),
        peer=row["peer"],
    )


def _raw(row: Mapping[Any, Any], vault: Path | None) -> bytes:
    if row["raw_file"] is None:
        return bytes(row["raw"])
    if vault is None:
        raise LookupError(f"letter {row['id']} is the file {row['raw_file']}, but no vault was named")
    try:
        return (vault / str(row["raw_file"])).read_bytes()
    except OSError as error:
        raise LookupError(
            f"letter {row['id']} is the file {row['raw_file']} of the vault, which cannot be read"
            f" ({error.strerror}); restore it from a backup, then: duly replay {row['id']}"
        ) from None


def raw_of(engine: Engine, letter_id: int, vault: Path | None) -> bytes:
    """The letter as it came, octet for octet. Raises LookupError with a sentence when there is none."""
    with reading(engine) as connection:
        row = connection.execute(select(*_COLUMNS).where(letter.c.id == letter_id)).mappings().first()
    if row is None:
        raise LookupError(f"there is no letter {letter_id} in the journal")
    return _raw(row, vault)


def quarantine(engine: Engine, letter_id: int, reason: str, now: datetime) -> None:
    """Set a letter aside for a person. Raises LookupError when there is no such letter."""
    aside = (
        update(letter)
        .where(letter.c.id == letter_id)
        .values(state="quarantined", reason=reason, processed_at=now, claimed_by=None, claimed_until=None)
    )
    with writing(engine) as connection:
        if connection.execute(aside).rowcount == 0:
            raise LookupError(f"there is no letter {letter_id} in the journal")


def again(engine: Engine, letter_id: int) -> None:
    """Put a letter back among the new ones, to be processed once more.

    Raises LookupError when there is no such letter, ValueError when it has its place in a case already or a worker
    holds it.
    """
    fresh = dict.fromkeys(
        ("reason", "processed_at", "claimed_by", "claimed_until", "duplicate_of", "reference", "content_digest")
    )
    one = letter.c.id == letter_id
    back = update(letter).where(one, letter.c.state.in_(REPLAYABLE)).values(state="new", attempts=0, **fresh)
    with writing(engine) as connection:
        if connection.execute(back).rowcount:
            return
        state = connection.execute(select(letter.c.state).where(one)).scalar()
    if state is None:
        raise LookupError(f"there is no letter {letter_id} in the journal")
    why = "a worker holds it just now" if state == "claimed" else f"it is settled already ({state})"
    raise ValueError(f"letter {letter_id} cannot be processed again: {why}")


def release(engine: Engine, school_id: str, worker: str, *, died: bool = False) -> int:
    """Give back what a worker holds; how many.

    When it stops in good order the try is not counted; when it `died` over its letters, it is.
    """
    held = and_(letter.c.school_id == school_id, text(WAITING), letter.c.state == "claimed")
    back = update(letter).where(held, letter.c.claimed_by == bindparam("worker"))
    fresh = back.values(
        state="new", claimed_by=None, claimed_until=None, attempts=letter.c.attempts - (0 if died else 1)
    )
    with writing(engine) as connection:
        return connection.execute(fresh, {"worker": worker}).rowcount


def counts(engine: Engine, school_id: str) -> dict[str, int]:
    """How many letters are in each state; states without any are left out."""
    by_state = select(letter.c.state, func.count()).where(letter.c.school_id == school_id).group_by(letter.c.state)
    with reading(engine) as connection:
        return dict(connection.execute(by_state).all())
