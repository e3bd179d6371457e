"""The whole line: from letters in the journal to acknowledgements queued, with and without the judge."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from bench.report import Table, spread
from data.letters import Received, add_many
from duly.app import App
from duly.settings import load
from intake import process
from procedure.words import Envelope, Judgement, Message, Request, Target, Topic
from tests.support import postgres
from tests.support.southlands_folder import found

LETTERS = 96
ROUNDS = 3
#: Words of an ordinary letter, and of a long one (5 KB).
ORDINARY, LONG = 130, 850
SAID = """
    Mr Fenwick was unkind to my son again on Thursday and nobody at the office has answered my emails about the
    gate behind the hall where the bus waits before lunch while teachers talk of homework trips uniform reading
    letters forms meetings clubs coats shoes dinner money rain noise stairs lockers phones rules fairness apologies
""".split()  # noqa: SIM905 - a list of eighty words is not the more readable


def letter(number: int, words: int = ORDINARY) -> bytes:
    """A letter of its own words: shuffled by its number, so that no two are alike."""
    body = " ".join(random.Random(number).choices(SAID, k=words))
    lines = ". ".join(body[at : at + 90].strip().capitalize() for at in range(0, len(body), 90))
    head = (
        f"From: Parent {number} <p{number}@post.example>\r\nTo: complaints@southlands.example\r\n"
        f"Subject: Matter {number}\r\nMessage-ID: <{number}.{time.time_ns()}@post.example>\r\n"
        "Date: Tue, 20 Oct 2026 09:00:00 +0100\r\n\r\n"
    )
    return head.encode() + f"I wish to complain. {lines}.\r\n".encode()


def no_judge(_message: Message, _received: datetime) -> Judgement:
    return Judgement((Topic.GENERAL,), Target.STAFF, Request.INFORMAL, model="none")


def rate(app: App, *, judge: bool, batch: int, words: int = ORDINARY) -> float:
    """Letters a second from the journal to the outbox."""
    now = app.clock()
    envelope = Envelope("smtp", now, "p@post.example", ("complaints@southlands.example",), "192.0.2.1")
    school = app.rulebook.school.id
    processor = app.processor("bench")
    if not judge:
        processor.judge = no_judge
    process.BATCH = batch
    add_many(app.engine, school, [Received(letter(0), envelope)], None)
    processor.work(now)
    add_many(app.engine, school, [Received(letter(n, words), envelope) for n in range(1, LETTERS + 1)], None)
    began = time.perf_counter()
    settled = 0
    while done := processor.work(now):
        settled += done
    assert settled == LETTERS
    return settled / (time.perf_counter() - began)


def run() -> Iterable[Table]:
    ways = {
        "as it is (16 a transaction)": (True, 16, ORDINARY),
        "without the judge": (False, 16, ORDINARY),
        "one letter a transaction": (True, 1, ORDINARY),
        "long letters of 5 KB": (True, 16, LONG),
    }
    rates: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for base in databases():
            for _ in range(ROUNDS):
                for way, (judge, batch, words) in ways.items():
                    place = Path(tempfile.mkdtemp(dir=folder))
                    given = {"database": base} if base else {}
                    app = App(load(found(place, relay_port=9, **given)))
                    app.ready_database()
                    rates.setdefault((base or "sqlite", way), []).append(
                        rate(app, judge=judge, batch=batch, words=words)
                    )
                    app.engine.dispose()
    process.BATCH = 16
    rows = [(base.split(":")[0], way, spread(values)) for (base, way), values in rates.items()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Table(
        "The whole line, accept to acknowledgement queued, new letters of 130 words, one worker",
        ("database", "way", "letters/s"),
        tuple(rows),
        note=f"{ROUNDS} interleaved rounds of {LETTERS} letters. Peak memory of this process: {peak:.0f} MB.",
        facts={f"{base} {way}": values for (base, way), values in rates.items()},
    )


def databases() -> list[str]:
    """SQLite, and PostgreSQL where one answers; its database is emptied by nobody else."""
    import psycopg

    try:
        server = postgres.find()
    except postgres.Missing:
        return [""]
    with psycopg.connect(server, autocommit=True) as line:
        line.execute("drop database if exists duly_bench_line with (force)")
        line.execute("create database duly_bench_line")
    before, _, _ = server.partition("?")[0].rpartition("/")
    return ["", f"{before}/duly_bench_line".replace("postgresql://", "postgresql+psycopg://")]
