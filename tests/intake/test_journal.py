"""Group commit: durable before the answer, many letters to a commit, one bad letter refuses no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from data.letters import LARGE, Received, add_many, counts, put_away, raw_of
from intake.journal import Journal, JournalClosed, JournalFull
from procedure.words import Envelope

SCHOOL = "southlands"
ENVELOPE = Envelope("smtp", datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "parent@home.example")  # a Monday
POISON = replace(ENVELOPE, received_at=datetime(2026, 11, 23, 12, 0))  # noqa: DTZ001 - no row can hold it


@contextmanager
def opened(engine: Engine, vault: Path | None = None, **options: object) -> Iterator[Journal]:
    journal = Journal(lambda batch: add_many(engine, SCHOOL, batch, vault), **options)  # type: ignore[arg-type]
    try:
        yield journal
    finally:
        journal.close()


class Gate:
    """A writer that waits at the gate, so that letters gather behind it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reached = threading.Event()
        self.open = threading.Event()
        self.batches: list[int] = []

    def add_many(self, batch: Sequence[Received]) -> list[int]:
        self.reached.set()
        assert self.open.wait(10)
        self.batches.append(len(batch))
        return add_many(self.engine, SCHOOL, batch, None)


def test_a_letter_is_in_the_journal_before_its_id_is_told(engine: Engine) -> None:
    with opened(engine) as journal:
        letter_id = journal.accept(b"Subject: x\r\n\r\n", ENVELOPE).result(10)
        assert raw_of(engine, letter_id, None) == b"Subject: x\r\n\r\n"


async def test_fifty_letters_at_once_share_fewer_commits_and_none_is_mixed_up(engine: Engine) -> None:
    with opened(engine) as journal:
        raws = [b"letter %d" % n for n in range(50)]
        ids = await asyncio.gather(*(journal.aaccept(raw, ENVELOPE) for raw in raws))
        assert [raw_of(engine, one, None) for one in ids] == raws
        assert journal.commits < 25


def test_letters_that_come_during_a_commit_are_the_next_batch(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many)
    futures = [journal.accept(b"first", ENVELOPE)]
    assert gate.reached.wait(10)
    futures += [journal.accept(b"%d" % n, ENVELOPE) for n in range(20)]
    gate.open.set()
    wait(futures, 10)
    journal.close()
    assert gate.batches == [1, 20]


def test_letters_from_many_threads_are_all_kept(engine: Engine) -> None:
    with opened(engine) as journal, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: journal.accept(b"%d" % n, ENVELOPE).result(10), range(100)))
    assert len(set(ids)) == 100
    assert counts(engine, SCHOOL) == {"new": 100}


def test_one_letter_that_cannot_be_written_refuses_no_other(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many)
    first = journal.accept(b"first", ENVELOPE)
    assert gate.reached.wait(10)
    good = [journal.accept(b"good", ENVELOPE), journal.accept(b"good too", ENVELOPE)]
    bad = journal.accept(b"poison", POISON)
    last = journal.accept(b"last", ENVELOPE)
    gate.open.set()
    with pytest.raises(Exception, match="time zone"):
        bad.result(10)
    assert [raw_of(engine, one.result(10), None) for one in (first, *good, last)] == [
        b"first", b"good", b"good too", b"last"
    ]  # fmt: skip
    journal.close()
    assert counts(engine, SCHOOL) == {"new": 4}


def test_the_writer_lives_on_after_a_commit_that_failed() -> None:
    broken = threading.Event()
    broken.set()

    def add(batch: Sequence[Received]) -> list[int]:
        if broken.is_set():
            raise OSError(28, "No space left on device")
        return list(range(len(batch)))

    journal = Journal(add)
    with pytest.raises(OSError, match="No space"):
        journal.accept(b"x", ENVELOPE).result(10)
    broken.clear()
    assert journal.accept(b"x", ENVELOPE).result(10) == 0
    journal.close()


def test_too_many_waiting_letters_are_refused_at_once(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many, max_letters=3)
    held = [journal.accept(b"%d" % n, ENVELOPE) for n in range(3)]
    with pytest.raises(JournalFull, match="3 letters are waiting"):
        journal.accept(b"one too many", ENVELOPE)
    gate.open.set()
    wait(held, 10)
    assert journal.accept(b"now there is room", ENVELOPE).result(10)
    journal.close()


def test_too_many_waiting_octets_are_refused_but_one_letter_is_always_taken(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many, max_octets=100)
    first = journal.accept(b"x" * 500, ENVELOPE)
    with pytest.raises(JournalFull):
        journal.accept(b"x", ENVELOPE)
    gate.open.set()
    assert first.result(10)
    journal.close()


def test_closing_writes_what_is_waiting_and_takes_no_more(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many)
    futures = [journal.accept(b"%d" % n, ENVELOPE) for n in range(10)]
    closing = threading.Thread(target=journal.close)
    closing.start()
    eventually(lambda: refuses(journal))
    gate.open.set()
    closing.join(10)
    assert all(one.done() and not one.exception() for one in futures)
    assert counts(engine, SCHOOL) == {"new": 10}


def refuses(journal: Journal) -> bool:
    try:
        journal.accept(b"late", ENVELOPE)
    except JournalClosed:
        return True
    return False


def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


async def test_a_letter_whose_sender_hung_up_is_kept_all_the_same(engine: Engine) -> None:
    gate = Gate(engine)
    journal = Journal(gate.add_many)
    task = asyncio.create_task(journal.aaccept(b"hung up", ENVELOPE))
    await asyncio.to_thread(gate.reached.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open.set()
    await asyncio.to_thread(journal.close)
    assert counts(engine, SCHOOL) == {"new": 1}


def test_a_large_letter_is_put_away_beside_the_writer_and_small_ones_overtake_it(
    engine: Engine, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def shelve(received: Received) -> Received:
        begun.set()
        assert go_on.wait(10)
        return put_away(received, tmp_path)

    with opened(engine, tmp_path, shelve=shelve) as journal:
        large = journal.accept(b"x" * (LARGE + 1), ENVELOPE)
        assert begun.wait(10)
        small = journal.accept(b"small", ENVELOPE).result(10)
        assert not large.done()
        go_on.set()
        assert large.result(10) > small
        assert raw_of(engine, large.result(10), tmp_path) == b"x" * (LARGE + 1)


def test_a_large_letter_that_cannot_be_put_away_is_answered(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("a file where the folder should be")
    with opened(engine, shelve=lambda one: put_away(one, tmp_path / "vault")) as journal:
        with pytest.raises(OSError, match="vault"):
            journal.accept(b"x" * (LARGE + 1), ENVELOPE).result(10)
        assert journal.accept(b"small", ENVELOPE).result(10)


def test_the_probe_is_told_before_and_after_every_commit(engine: Engine) -> None:
    told: list[tuple[str, int]] = []
    seen: list[Future[int]] = []
    with opened(engine, probe=lambda point: told.append((point, len(counts(engine, SCHOOL))))) as journal:
        seen.append(journal.accept(b"x", ENVELOPE))
        seen[0].result(10)
    assert told == [("journal.before_commit", 0), ("journal.after_commit", 1)]
