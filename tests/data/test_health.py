from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from data.engine import connect, is_empty
from data.health import counts, size_of
from procedure.words import Decision
from tests.support import memory
from tests.support.memory import MONDAY


def test_the_doctor_counts_letters_cases_and_what_waits(engine: Engine) -> None:
    store = memory.store(engine)
    memory.journalled(engine, 1, MONDAY + timedelta(hours=1))
    memory.journalled(engine, 2, MONDAY)
    done = memory.journalled(engine, 3, MONDAY - timedelta(hours=1))
    with store.begin() as desk:
        desk.keep(Decision("SL-2026-0001-2", memory.opening(), (memory.letter("a"), memory.letter("b"))), MONDAY)
        desk.remember(done, memory.message(3), None, state="done", now=MONDAY)
    found = counts(engine, "southlands")
    assert (found.letters, found.outbox, found.matters) == ({"new": 2, "done": 1}, {"queued": 2}, 1)
    assert found.oldest_new == MONDAY


def test_an_empty_memory_has_nothing_waiting(engine: Engine) -> None:
    found = counts(engine, "southlands")
    assert (found.letters, found.outbox, found.matters, found.oldest_new) == ({}, {}, 0, None)


def test_the_size_of_a_database_is_known(engine: Engine) -> None:
    assert size_of(engine.url.render_as_string(hide_password=False)) > 10_000


def test_a_database_without_tables_is_empty_and_a_migrated_one_is_not(engine: Engine, tmp_path: Path) -> None:
    fresh = connect(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    assert is_empty(fresh)
    assert not is_empty(engine)
    fresh.dispose()
