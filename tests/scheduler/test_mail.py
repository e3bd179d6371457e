from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from scheduler.mail import Delayed, Mailer, Refused, RelaySettings, Unreachable
from scheduler.posting import Posting, posting
from tests.scheduler.letters import NOON, SCHOOL, SECRET, outgoing
from tests.scheduler.sink import Sink, sink


def to(relay: Sink, **more: object) -> Mailer:
    settings = {"security": "none", "helo": "duly.example", "command_timeout": 2.0, "letter_timeout": 3.0, **more}
    return Mailer(RelaySettings("127.0.0.1", relay.port, **settings))


def letter(**changed: object) -> Posting:
    return posting(outgoing(**changed), SCHOOL, SECRET, NOON)


def test_letters_go_over_one_kept_connection(relay: Sink) -> None:
    with to(relay) as mailer:
        for _ in range(3):
            mailer.send(letter())
    assert relay.sessions == 1
    assert [taken.rcpt_to for taken in relay.taken] == ["parent@family.example"] * 3
    assert relay.taken[0].mail_from == letter().mail_from
    assert relay.taken[0].message["Subject"] == outgoing().subject


def test_a_connection_given_back_is_opened_again(relay: Sink) -> None:
    with to(relay) as mailer:
        mailer.send(letter())
        mailer.close()
        mailer.close()
        mailer.send(letter())
    assert relay.sessions == 2
    assert len(relay.taken) == 2


def test_a_relay_that_hung_up_in_between_is_called_again_and_gets_the_letter_once(relay: Sink) -> None:
    with to(relay) as mailer:
        mailer.send(letter())
        relay.hang_up()
        mailer.send(letter())
    assert len(relay.taken) == 2


def test_a_relay_that_says_421_on_the_kept_connection_is_called_again(relay: Sink) -> None:
    with to(relay) as mailer:
        mailer.send(letter())
        relay.mail_answers = ["421 4.4.2 idle too long"]
        mailer.send(letter())
    assert len(relay.taken) == 2
    assert relay.sessions == 2


@pytest.mark.parametrize("answer", ["550 5.1.1 no such mailbox", "552 too much", "554 no"])
def test_5yz_to_a_letter_is_final(relay: Sink, answer: str) -> None:
    relay.rcpt_answers = [answer]
    with to(relay) as mailer, pytest.raises(Refused) as refused:
        mailer.send(letter())
    assert str(refused.value) == answer
    with to(relay) as mailer:
        relay.answers = [answer]
        with pytest.raises(Refused):
            mailer.send(letter())


@pytest.mark.parametrize("answer", ["450 4.2.0 greylisted", "451 later", "452 full"])
def test_4yz_to_a_letter_delays_it_and_the_next_one_goes(relay: Sink, answer: str) -> None:
    relay.rcpt_answers = [answer]
    relay.answers = [answer]
    with to(relay) as mailer:
        for _ in range(2):
            with pytest.raises(Delayed) as delayed:
                mailer.send(letter())
            assert str(delayed.value) == answer
        mailer.send(letter())
    assert len(relay.taken) == 1


@pytest.mark.parametrize("trouble", ["drop", "after"])
def test_a_connection_that_breaks_around_data_delays_the_letter(relay: Sink, trouble: str) -> None:
    relay.answers = [trouble]
    with to(relay) as mailer:
        with pytest.raises(Delayed):
            mailer.send(letter())
        mailer.send(letter())
    ids = {taken.message["Message-ID"] for taken in relay.taken}
    assert len(ids) == 1, "a letter sent again carries the Message-ID it had"


def test_a_relay_that_does_not_answer_in_time_delays_the_letter(relay: Sink) -> None:
    relay.answers = ["slow"]
    with to(relay, command_timeout=0.2) as mailer, pytest.raises(Delayed):
        mailer.send(letter())
    relay.answers = ["slow"]
    with to(relay, letter_timeout=0.2) as mailer, pytest.raises(Delayed, match=r"longer than 0\.2 s"):
        mailer.send(letter())


def test_no_relay_is_nobodys_fault_but_the_relays() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Mailer(RelaySettings("127.0.0.1", port, "none")) as mailer, pytest.raises(Unreachable, match=str(port)):
        mailer.send(letter())


def test_a_relay_that_refuses_our_own_address_is_the_relays_fault(relay: Sink) -> None:
    relay.mail_answers = ["553 5.7.1 not your address"]
    with to(relay) as mailer, pytest.raises(Unreachable, match="sender"):
        mailer.send(letter())


def test_a_name_or_password_that_is_wrong_is_the_relays_fault(relay: Sink) -> None:
    with to(relay, user="duly", password="wrong") as mailer, pytest.raises(Unreachable) as fault:
        mailer.send(letter())
    assert "wrong" not in str(fault.value)


def test_a_relay_without_starttls_gets_no_letter_in_the_clear(relay: Sink) -> None:
    with to(relay, security="starttls") as mailer, pytest.raises(Unreachable, match="STARTTLS"):
        mailer.send(letter())
    assert relay.taken == []


def test_a_letter_goes_over_tls_to_a_relay_whose_certificate_is_trusted(certificate: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with sink(tls=context) as relay:
        settings = RelaySettings("localhost", relay.port, "starttls", ca_file=str(certificate[0]))
        with Mailer(settings) as mailer:
            mailer.send(letter())
        wary = Mailer(RelaySettings("localhost", relay.port, "starttls"))
        with wary, pytest.raises(Unreachable, match="certificate"):
            wary.send(letter())
    assert len(relay.taken) == 1


def test_an_address_beyond_ascii_goes_by_smtputf8_or_not_at_all(relay: Sink) -> None:
    with to(relay) as mailer:
        mailer.send(letter(to_addr="jürgen@schön.example"))
    assert relay.taken[0].rcpt_to == "jürgen@xn--schn-7qa.example"
    assert "SMTPUTF8" in relay.taken[0].mail_options
    with sink(utf8=False) as old, to(old) as mailer:
        with pytest.raises(Refused, match="6531"):
            mailer.send(letter(to_addr="jürgen@schön.example"))
        mailer.send(letter(to_addr="eltern@schön.example"))
        assert [taken.rcpt_to for taken in old.taken] == ["eltern@xn--schn-7qa.example"]


def test_a_relay_that_knows_reports_is_asked_for_failures_with_headers_only() -> None:
    with sink(dsn=True) as relay:
        with to(relay) as mailer:
            mailer.send(letter())
        assert {"RET:HDRS", f"ENVID:{outgoing().message_id.upper()}"} <= set(relay.taken[0].mail_options)
        assert "NOTIFY:FAILURE" in relay.taken[0].rcpt_options


def test_a_line_that_begins_with_a_dot_arrives_whole(relay: Sink) -> None:
    with to(relay) as mailer:
        mailer.send(letter(text="First.\n.\n..two dots\nLast.\n"))
    body = relay.taken[0].message.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["First.", ".", "..two dots", "Last."]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost and its key, made for this run."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def make_certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"openssl is needed for a test certificate: {done.stderr}")
    return cert, key
