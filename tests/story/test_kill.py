"""`kill -9` at five named points of the line, with real sockets: nothing lost, no second case, one Message-ID."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from data import reads
from duly.app import App
from duly.demo.loopback import LoopThread, Sink
from duly.settings import load
from tests.support.emptied import emptied
from tests.support.southlands_folder import found

DOOMED = Path(__file__).with_name("doomed.py")
POINTS = {
    "journal.before_commit": "after the last byte, before the commit",
    "journal.after_commit": "after the commit, before the 250",
    "process.before_commit": "while processing",
    "post.claimed": "between claim and send",
    "post.sent": "after send, before mark",
}


class World(Sink):
    """The world's mail on a loopback port."""

    def to_complainant(self) -> list[EmailMessage]:
        return [letter for letter in self.letters if "jo@post.example" in letter["To"]]


@pytest.fixture
def world() -> Iterator[World]:
    loop, it = LoopThread(), World()
    loop.call(it.start())
    yield it
    loop.call(it.stop())
    loop.close()


def letter() -> bytes:
    mail = EmailMessage()
    mail["From"] = "Jo Marsh <jo@post.example>"
    mail["To"] = "complaints@southlands.example"
    mail["Subject"] = "Ella's reading"
    mail["Message-ID"] = "<one@post.example>"
    mail["Date"] = "Tue, 20 Oct 2026 09:00:00 +0100"
    mail.set_content("Mr Fenwick shouted at Ella in front of the class. I would like to complain about him.")
    return mail.as_bytes()


def start(config: Path, point: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(DOOMED), str(config), point, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def hand_in(service: subprocess.Popen[str]) -> bool:
    """Give the letter to the door; whether it said that it is kept."""
    assert service.stdout is not None
    port = int(service.stdout.readline())
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as line:
            line.sendmail("jo@post.example", ["complaints@southlands.example"], letter())
    except (smtplib.SMTPException, OSError):
        return False
    return True


def live_again(config: Path, world: World, *, resend: bool) -> None:
    """A second life of the service, long enough for everything that waits."""
    service = start(config, "never", 60)
    try:
        kept = hand_in(service) if resend else service.stdout is not None
        assert kept
        ends = time.monotonic() + 40
        while time.monotonic() < ends and not (world.to_complainant() and settled(config)):
            time.sleep(0.2)
    finally:
        service.kill()
        service.wait()
        assert service.stdout is not None
        service.stdout.close()


def settled(config: Path) -> bool:
    """Whether nothing waits in the journal or the outbox any more."""
    app = App(load(config))
    try:
        clerk = app.rulebook.school.person("clerk")
        assert clerk is not None
        waiting = reads.journal(app.store, clerk, ("new", "claimed"))
        going = [one for one in reads.outbox_of(app.store, clerk) if one.state in {"queued", "claimed"}]
        return not waiting and not going
    finally:
        app.engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    if request.param == "postgres":
        return emptied(request.getfixturevalue("postgres_url"))
    return "sqlite:///duly.sqlite"


@pytest.mark.parametrize("point", POINTS, ids=[name.replace(" ", "-") for name in POINTS.values()])
def test_a_kill_loses_nothing_opens_one_case_and_repeats_at_most_one_letter_under_its_message_id(
    point, tmp_path, world, database
):
    config = found(tmp_path, relay_port=world.port, database=database)
    service = start(config, point, 40)
    kept = hand_in(service)
    assert service.wait(40) == -9, "the service reached the point and was killed there"
    assert service.stdout is not None
    service.stdout.close()
    # A sender that heard no 250 keeps the letter and tries again; one that heard it never does.
    live_again(config, world, resend=not kept)

    app = App(load(config))
    clerk = app.rulebook.school.person("clerk")
    assert clerk is not None
    everybody = app.rulebook.school.people
    cases = {case.reference for person in everybody for case in reads.cases(app.store, person)}
    journal = reads.journal(app.store, clerk)
    app.engine.dispose()
    assert len(cases) == 1
    assert [one.state for one in journal if one.state != "duplicate"] == ["done"]
    answers = world.to_complainant()
    assert 1 <= len(answers) <= 2
    assert len({answer["Message-ID"] for answer in answers}) == 1
    if point != "post.sent":
        assert len(answers) == 1
