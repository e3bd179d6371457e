"""The SMTP door when something goes wrong: our own faults, TLS, closing, and what a kill -9 leaves."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from data.engine import connect
from data.letters import add_many, claim, counts
from intake.journal import Journal
from intake.smtp import Door
from tests.support.smtp import LETTER, NOON, SETTINGS, House, Shelf, line_to, opened, with_smtplib

# -- our own faults


async def test_a_commit_that_fails_is_answered_451_without_a_word_of_the_fault() -> None:
    shelf = Shelf()
    shelf.error = OSError(28, "No space left on device", "/secret/place")
    async with opened(shelf) as house, line_to(house) as line:
        await line.greet()
        answer = await line.send(LETTER)
        assert answer.startswith("451 4.3.0 ")
        assert "space" not in answer
        shelf.error = None
        assert (await line.send(LETTER)).startswith("250")
        assert len(shelf.kept) == 1


async def test_a_letter_that_got_451_is_not_in_the_journal(engine: Engine) -> None:
    def refuse(point: str) -> None:
        if point == "journal.before_commit":
            raise RuntimeError("broken")

    journal = Journal(lambda batch: add_many(engine, "southlands", batch, None), refuse)
    door = Door(SETTINGS, journal, clock=lambda: NOON)
    async with asyncio.timeout(20), door, line_to(House(door, Shelf())) as line:
        await line.greet()
        assert (await line.send(LETTER)).startswith("451")
    await asyncio.to_thread(journal.close)
    assert counts(engine, "southlands") == {}


async def test_a_fault_in_our_own_code_is_451_and_not_quoted() -> None:
    def broken_clock() -> datetime:
        raise ZeroDivisionError("the letter said: secret")

    async with opened() as house, line_to(house) as line:
        house.door.clock = broken_clock
        await line.greet()
        answer = await line.send(LETTER)
        assert answer.startswith("451 4.3.0 ")
        assert "secret" not in answer
        house.door.clock = lambda: NOON
        assert (await line.send(LETTER)).startswith("250")


async def test_a_full_journal_says_try_again() -> None:
    async with opened() as house, line_to(house) as line:
        await line.greet()
        house.door.journal._max_letters = 0
        house.door.journal._letters = 1
        assert (await line.send(LETTER)).startswith("451 4.3.1 Too many letters are arriving at once")
        house.door.journal._letters = 0


# -- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made for STARTTLS")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


async def test_starttls_is_offered_with_a_certificate_and_takes_letters(certificate: tuple[Path, Path]) -> None:
    trusting = ssl.create_default_context(cafile=certificate[0])
    trusting.check_hostname = False

    def act(client: smtplib.SMTP) -> tuple[bool, bool, bool]:
        client.ehlo()
        offered = client.has_extn("starttls")
        client.starttls(context=trusting)
        client.ehlo()
        client.sendmail("parent@home.example", ["complaints@southlands.example"], LETTER * 20_000)
        return offered, client.has_extn("starttls"), client.has_extn("auth")

    async with opened(tls_context=tls(certificate)) as house:
        assert await with_smtplib(house, act) == (True, False, False)
        assert [one.raw for one in house.shelf.kept] == [LETTER * 20_000]


async def test_starttls_can_be_demanded(certificate: tuple[Path, Path]) -> None:
    async with opened(tls_context=tls(certificate), require_starttls=True) as house, line_to(house) as line:
        await line.greet()
        assert (await line.say(b"MAIL FROM:<a@home.example>\r\n")).startswith("530")


async def test_commands_slipped_in_before_the_handshake_are_forgotten(certificate: tuple[Path, Path]) -> None:
    trusting = ssl.create_default_context(cafile=certificate[0])
    trusting.check_hostname = False
    async with opened(tls_context=tls(certificate)) as house, line_to(house) as line:
        await line.greet()
        assert (await line.say(b"STARTTLS\r\nMAIL FROM:<slipped@in.example>\r\n")).startswith("220")
        await line.writer.start_tls(trusting)
        await line.say(b"EHLO home.example\r\n")
        assert (await line.say(b"RCPT TO:<complaints@southlands.example>\r\n")).startswith("503")


# -- closing


async def test_closing_lets_the_letter_in_hand_be_answered_and_says_goodbye_to_the_idle() -> None:
    async with opened() as house, line_to(house) as busy, line_to(house) as idle:
        await busy.greet()
        await idle.greet()
        await busy.begin()
        stopping = asyncio.create_task(house.door.stop(10))
        assert (await idle.hear()).startswith("421 4.3.2")
        assert (await busy.say(b"in hand\r\n.\r\n")).startswith("250")
        assert await busy.hear() == ""
        await stopping
        assert [one.raw for one in house.shelf.kept] == [b"in hand\r\n"]


async def test_closing_does_not_wait_for_ever_and_takes_no_new_connections() -> None:
    async with opened() as house, line_to(house) as busy:
        port = house.door.port
        await busy.greet()
        await busy.begin()
        busy.writer.write(b"never ends")
        await house.door.stop(0.2)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_client_that_vanishes_in_the_middle_leaves_nothing_behind() -> None:
    async with opened() as house:
        async with line_to(house) as line:
            await line.greet()
            await line.begin()
            line.writer.write(b"half a letter")
            await line.writer.drain()
        await asyncio.wait_for(house.door._empty.wait(), 5)
        assert (house.shelf.kept, house.door._per_peer) == ([], {})


# -- kill -9

SERVICE = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from data.engine import connect, migrate
from data.letters import add_many
from intake.journal import Journal
from intake.smtp import Door, DoorSettings

url, point = sys.argv[1:]

def kill(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    engine = connect(url)
    journal = Journal(lambda batch: add_many(engine, "southlands", batch, None), kill)
    settings = DoorSettings("127.0.0.1", 0, ("complaints@southlands.example",))
    async with Door(settings, journal, clock=lambda: datetime.now(UTC)) as door:
        print(door.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("point", "in_journal"), [("journal.before_commit", 0), ("journal.after_commit", 1)], ids=["before", "after"]
)
def test_a_kill_around_the_commit_loses_no_letter_that_got_its_250(
    engine: Engine, point: str, in_journal: int
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE, url, point],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert service.stdout is not None
    with service.stdout:
        client = smtplib.SMTP("127.0.0.1", int(service.stdout.readline()), timeout=20)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail("parent@home.example", ["complaints@southlands.example"], LETTER)
        client.close()
        assert service.wait(20) == -signal.SIGKILL
    after = connect(url)
    kept = claim(after, "southlands", "w", NOON, NOON - NOON, 10)
    after.dispose()
    assert [one.raw for one in kept] == [LETTER] * in_journal
