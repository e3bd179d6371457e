"""The sweep over many open deadlines: with nothing due it must cost the same however many are open."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import Engine, text

from bench.report import Table, spread
from data.engine import connect, migrate, writing
from data.store import Store
from procedure.words import Decision
from scheduler.sweep import Sweep
from tests.scheduler.house import at, entries, rulebook
from tests.support import postgres

SIZES = {"sqlite": (1_000, 100_000, 1_000_000), "postgresql": (1_000, 100_000)}
DUE = 100
IDLE_ROUNDS = 200
RECEIVED = at("Wed 2026-11-18 10:00")
QUIET = at("Thu 2026-11-19 10:00")
#: The three nudges of an acknowledgement that is due on Monday 23 November.
BURSTS = (at("Fri 2026-11-20 08:30"), at("Mon 2026-11-23 08:30"), at("Tue 2026-11-24 08:30"))
NUMBERS = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n where i < {size}) select i from n",
    "postgresql": "select i from generate_series(1, {size}) as n(i)",
}
FILL = """
insert into deadline (school_id, reference, key, name, title, clause, owner, start, start_event, unit, length, due,
                      counted, skipped, state, moved_from, next_nudge_at)
select :school, 'SL-2026-' || i, 'stage2_15', 'stage2_15', 'Completion of stage two', 'L100, A8', 'clerk', :start,
       'complaint_received', 'school_days', 15, :due, '[]', '[]', 'open', '[]', {later}
from ({numbers}) as numbered
"""
COLUMNS = ("database", "open", "nothing due, µs", "100 due, ms", "one nudge, ms", "filled in, s")


def run() -> Iterator[Table]:
    rows, facts = [], {}
    for kind, sizes in SIZES.items():
        for size in sizes:
            try:
                with _engine(kind) as engine:
                    row, measured = _measure(kind, engine, size)
            except postgres.Missing as missing:
                rows.append((kind, str(missing), "", "", "", ""))
                break
            rows.append(row)
            facts[f"{kind}_{size}"] = measured
    yield Table("The sweep", COLUMNS, tuple(rows), note=_note(facts), facts=facts)


def _measure(kind: str, engine: Engine, size: int) -> tuple[tuple[str, ...], dict[str, float]]:
    store = Store(engine, rulebook())
    began = time.perf_counter()
    _fill(kind, engine, store.school_id, size)
    filled = time.perf_counter() - began
    for number in range(DUE):
        with store.begin() as desk:
            reference = f"SL-2025-{number:04d}-0"
            desk.keep(Decision(reference, entries(RECEIVED)), RECEIVED)
    idle = [_timed(store, QUIET, 0) * 1e6 for _ in range(IDLE_ROUNDS)]
    bursts = [_timed(store, moment, DUE) * 1e3 for moment in BURSTS]
    each = [burst / DUE for burst in bursts]
    quick = sorted(idle)[: IDLE_ROUNDS * 9 // 10]
    cells = (kind, f"{size:,}", spread(quick), spread(bursts), spread(each, 2), f"{filled:.1f}")
    return cells, {"idle_us": median(idle), "hundred_ms": median(bursts)}


def _timed(store: Store, now: datetime, expected: int) -> float:
    sweeping = Sweep(store)
    began = time.perf_counter()
    swept = sweeping.run(now)
    took = time.perf_counter() - began
    if swept.nudged < expected or swept.failed or (expected == 0 and swept.nudged):
        raise AssertionError(f"the sweep nudged {swept.nudged}, expected {expected}; {swept.failed} failed")
    return took


def _fill(kind: str, engine: Engine, school: str, size: int) -> None:
    """Open deadlines that are nudged next year, written straight into the table."""
    later = BURSTS[-1] + timedelta(days=300)
    written = "'" + later.strftime("%Y-%m-%d %H:%M:%S.000000") + "'"
    if kind == "postgresql":
        written = f"timestamptz '{later.isoformat()}'"
    query = FILL.format(numbers=NUMBERS[kind].format(size=size), later=written)
    with writing(engine) as connection:
        days = {"start": RECEIVED.date(), "due": later.date()}
        if kind == "sqlite":
            days = {name: day.isoformat() for name, day in days.items()}
        connection.execute(text(query), {"school": school, **days})
        if kind == "postgresql":
            connection.execute(text("analyze deadline"))


@contextmanager
def _engine(kind: str) -> Iterator[Engine]:
    """An empty, migrated database of that kind, gone afterwards. Raises postgres.Missing."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
            engine = connect(f"sqlite:///{Path(folder) / 'duly.sqlite'}")
            migrate(engine)
            yield engine
            engine.dispose()
        return
    server = postgres.find()
    name = f"duly_bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'create database "{name}"')
    engine = connect(f"{server.partition('?')[0].rpartition('/')[0]}/{name}")
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'drop database if exists "{name}" with (force)')


def _note(facts: dict[str, dict[str, float]]) -> str:
    least, most = facts[f"sqlite_{SIZES['sqlite'][0]}"], facts[f"sqlite_{SIZES['sqlite'][-1]}"]
    return (
        f"SQLite, a thousand times more open deadlines: nothing due {most['idle_us'] / least['idle_us']:.2f} times, "
        f"100 due {most['hundred_ms'] / least['hundred_ms']:.2f} times. A nudge reads the whole history, decides, "
        "renders the letter and writes both; ten share a commit."
    )
