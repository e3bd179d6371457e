"""The outbox drained over one connection, beside aiosmtplib alone, to the same receiver in turns."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import aiosmtplib
import structlog

from bench.report import Table, spread
from data.engine import connect, migrate
from data.store import Store
from procedure.words import Audience, Decision, Letter
from scheduler.mail import Mailer, RelaySettings
from scheduler.post import Post
from scheduler.posting import Posting, posting
from tests.scheduler.house import at, entries, rulebook
from tests.scheduler.letters import SCHOOL, SECRET, outgoing

NOW = at("Mon 2026-11-23 12:00")
LETTERS = 200
ROUNDS = 3
TEXT = "Thank you for your letter. " * 60
HTML = f"<p>{TEXT}</p>\n"
WAYS = {
    "smtplib": "smtplib alone, one message made before",
    "plain": "aiosmtplib alone, one message made before",
    "mailer": "Duly's mailer, one message made before",
    "made": "Duly's mailer, each message made",
    "post": "Duly: claim, make, send, mark one by one (SQLite)",
    "case": "the same, each letter entered in the history of its case",
}


def run() -> Iterator[Table]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            with _receiver() as port:
                rates[way].append(LETTERS / _WAYS[way](port))
    alone = [median(rates[way]) for way in ("plain", "smtplib")]
    rows = tuple(
        (WAYS[way], spread(found), *(f"{median(found) / one:.2f}" for one in alone)) for way, found in rates.items()
    )
    facts = {f"{way}_per_s": median(found) for way, found in rates.items()}
    note = (
        f"{LETTERS} letters of {len(_one().content):,} octets, one kept connection, {ROUNDS} rounds in turns, "
        "to aiosmtpd that drops them."
    )
    yield Table(
        "The outbox",
        ("way", "letters a second", "of aiosmtplib alone", "of smtplib alone"),
        rows,
        note=note,
        facts=facts,
    )


def _one(number: int = 0) -> Posting:
    letter = outgoing(
        key=f"ack:{number}", subject=f"We received your complaint, number {number}", text=TEXT, html=HTML
    )
    return posting(letter, SCHOOL, SECRET, NOW)


def _smtplib(port: int) -> float:
    mail = _one()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="duly.example") as smtp:
        began = time.perf_counter()
        for _ in range(LETTERS):
            smtp.sendmail(mail.mail_from, [mail.rcpt_to], mail.content)
        return time.perf_counter() - began


def _plain(port: int) -> float:
    mail = _one()

    async def send() -> float:
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="duly.example")
        async with smtp:
            began = time.perf_counter()
            for _ in range(LETTERS):
                await smtp.sendmail(mail.mail_from, [mail.rcpt_to], mail.content)
            return time.perf_counter() - began

    return asyncio.run(send())


def _mailer(port: int) -> float:
    mail = _one()
    with Mailer(_settings(port)) as mailer:
        mailer.send(mail)
        began = time.perf_counter()
        for _ in range(LETTERS):
            mailer.send(mail)
        return time.perf_counter() - began


def _made(port: int) -> float:
    with Mailer(_settings(port)) as mailer:
        mailer.send(_one())
        began = time.perf_counter()
        for number in range(LETTERS):
            mailer.send(_one(number))
        return time.perf_counter() - began


def _post(port: int) -> float:
    return _drained(port, cases=False)


def _case(port: int) -> float:
    return _drained(port, cases=True)


def _drained(port: int, *, cases: bool) -> float:
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'duly.sqlite'}")
        migrate(engine)
        store = Store(engine, rulebook())
        with store.begin() as desk:
            for number in range(LETTERS):
                reference = f"SL-2025-{number:04d}-0"
                opened = entries(NOW) if cases else ()
                desk.keep(Decision(reference, opened, (_letter(number, reference if cases else None),)), NOW)
        post = Post(store, Mailer(_settings(port)), brake_each=LETTERS, brake_all=LETTERS)
        began = time.perf_counter()
        delivered = post.deliver(NOW)
        took = time.perf_counter() - began
        engine.dispose()
    if delivered.sent != LETTERS:
        raise AssertionError(f"{delivered} of {LETTERS} letters")
    return took


def _letter(number: int, reference: str | None) -> Letter:
    return Letter(
        key=f"ack:{number}",
        name="acknowledgement",
        audience=Audience.COMPLAINANT,
        to_addr=f"parent{number}@family.example",
        subject=f"We received your complaint, number {number}",
        text=TEXT,
        html=HTML,
        reference=reference,
    )


def _settings(port: int) -> RelaySettings:
    return RelaySettings("127.0.0.1", port, "none", helo="duly.example")


@contextmanager
def _receiver() -> Iterator[int]:
    """aiosmtpd that drops what it takes, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.smtp_receiver", "drop", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            process.communicate()


_WAYS = {"smtplib": _smtplib, "plain": _plain, "mailer": _mailer, "made": _made, "post": _post, "case": _case}
