"""Settings, `duly init`, `duly doctor`, `duly serve`: what is refused, and how the service starts and stops."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from duly.cli import app as cli
from duly.console import Refusal
from duly.demo.loopback import LoopThread, Sink
from duly.doctor import examine
from duly.settings import SettingsError, load
from tests.support.southlands_folder import SECRET, found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smtp_prot = 25", "smtp_prot is not a setting"),
        ('smtp_port = "abc"', "smtp_port = 'abc'"),
        ("smtp_port = 70000", "less than or equal to 65535"),
        ('database = "mysql://x"', "must begin with sqlite:///"),
        ('secret = "x"', "secret is a secret"),
        ('relay_password = "x"', "DULY_RELAY_PASSWORD"),
        ("workers = ", "not valid TOML"),
        ('relay_security = "perhaps"', "relay_security = 'perhaps'"),
    ],
)
def test_a_wrong_key_or_value_in_the_file_is_refused_with_key_value_and_reason(tmp_path: Path, text: str, said: str):
    (tmp_path / "duly.toml").write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match=r"duly\.toml") as refused:
        load(tmp_path / "duly.toml")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("DULY_SMTP_PROT=25", ".env: DULY_SMTP_PROT"), ("DULY_SECRET=short", "secret = (hidden)")],
)
def test_a_wrong_key_or_value_in_dotenv_is_refused_and_no_secret_is_shown(tmp_path: Path, text: str, said: str):
    (tmp_path / "duly.toml").write_text("", encoding="utf-8")
    (tmp_path / ".env").write_text(text + "\n", encoding="utf-8")

    with pytest.raises(SettingsError) as refused:
        load(tmp_path / "duly.toml")
    assert said in str(refused.value)
    assert "short" not in str(refused.value).replace("too short", "")


def test_the_environment_wins_over_the_file_and_flags_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "duly.toml").write_text("smtp_port = 1\nrelay_port = 1\n", encoding="utf-8")
    monkeypatch.setenv("DULY_SMTP_PORT", "2")
    monkeypatch.setenv("DULY_RELAY_PORT", "2")

    settings = load(tmp_path / "duly.toml", relay_port=3)
    assert (settings.smtp_port, settings.relay_port) == (2, 3)


FLAGS = [
    *("--name", "Hill School", "--prefix", "hs", "--inbox", "complaints@hill.example"),
    *("--website", "https://hill.example/c", "--headteacher", "Ann Poe <a@hill.example>"),
    *("--dsl", "Di Sun <d@hill.example>", "--clerk", "Cy Kay <c@hill.example>"),
    *("--chair", "Cha Ir <ch@hill.example>", "--office", "Office <o@hill.example>"),
]


def test_init_writes_files_that_load_and_replaces_none(tmp_path: Path):
    first = CliRunner().invoke(cli, ["init", str(tmp_path), *FLAGS])
    second = CliRunner().invoke(cli, ["init", str(tmp_path), *FLAGS])

    assert first.exit_code == 0, first.output
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert "--force" in str(second.exception)
    states = {one.part: one.state for one in examine(tmp_path / "duly.toml")}
    assert states["school"] == states["calendar"] == states["secret"] == states["model"] == "well"


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--prefix", "H4", "two to four letters"),
        ("--inbox", "nowhere", "holds no mail address"),
        ("--name", 'The "Hill"', "quotation mark"),
    ],
)
def test_an_answer_that_cannot_be_used_writes_nothing(tmp_path: Path, flag: str, value: str, said: str):
    flags = list(FLAGS)
    flags[flags.index(flag) + 1] = value
    ran = CliRunner().invoke(cli, ["init", str(tmp_path / "new"), *flags])

    assert isinstance(ran.exception, Refusal)
    assert said in str(ran.exception)
    assert not (tmp_path / "new").exists()


def states(config: Path) -> dict[str, str]:
    return {one.part: one.state for one in examine(config)}


def test_the_doctor_finds_a_dead_relay_and_a_living_one(tmp_path: Path):
    loop, sink = LoopThread(), Sink()
    loop.call(sink.start())
    try:
        assert states(found(tmp_path, relay_port=sink.port))["relay"] == "well"
    finally:
        loop.call(sink.stop())
        loop.close()
    dead = examine(found(tmp_path, relay_port=9))
    assert next(one for one in dead if one.part == "relay").do


def test_the_doctor_finds_an_ended_calendar_and_a_role_that_nobody_holds(tmp_path: Path):
    config = found(tmp_path, relay_port=9)
    school = (tmp_path / "school.toml").read_text(encoding="utf-8").replace('roles = ["office"]', 'roles = ["staff"]')
    (tmp_path / "school.toml").write_text(school, encoding="utf-8")
    (tmp_path / "calendar.toml").write_text(
        'name = "southlands"\ntitle = "x"\ntimezone = "Europe/London"\n[[year]]\nlabel = "2020-21"\n'
        '[[year.term]]\nname = "autumn"\nstart = 2020-09-01\nend = 2020-12-18\n',
        encoding="utf-8",
    )
    seen = {(one.part, one.state) for one in examine(config)}

    assert {("calendar", "fault"), ("school", "fault")} <= seen


def serve(config: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from duly.cli import main; main()", "serve", "-c", str(config)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def port_of(service: subprocess.Popen[str]) -> int:
    assert service.stderr is not None
    for line in service.stderr:
        if "Duly serves" in line:
            return int(line.split("127.0.0.1:")[1].split()[0])
    raise AssertionError("the service ended before it served")


def parts_of(service: subprocess.Popen[str]) -> dict[str, int]:
    """The processes of a service by the name of their part."""
    children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text(encoding="utf-8").split()
    found = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in children}
    return {words[words.index(b"duly.part") + 1].decode(): int(pid) for pid, words in found.items()}


def test_serve_takes_a_letter_survives_a_killed_worker_and_stops_within_five_seconds(tmp_path: Path):
    loop, sink = LoopThread(), Sink()
    loop.call(sink.start())
    service = serve(found(tmp_path, relay_port=sink.port))
    try:
        port = port_of(service)
        os.kill(parts_of(service)["worker-1"], signal.SIGKILL)
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
            text = (
                "From: jo@post.example\r\nSubject: Reading\r\n\r\nMr Fenwick shouted at Ella. I want to complain.\r\n"
            )
            line.sendmail("jo@post.example", ["complaints@southlands.example"], text)
        ends = time.monotonic() + 40
        while time.monotonic() < ends and not any("jo@post" in str(mail["To"]) for mail in sink.letters):
            time.sleep(0.1)
        assert any("jo@post" in str(mail["To"]) for mail in sink.letters)
        began = time.monotonic()
        service.terminate()
        assert service.wait(10) == 0
        assert time.monotonic() - began < 6
    finally:
        service.kill()
        service.wait()
        assert service.stderr is not None
        service.stderr.close()
        loop.call(sink.stop())
        loop.close()


def test_serve_refuses_a_wrong_setting_at_the_start(tmp_path: Path):
    config = found(tmp_path, relay_port=9)
    config.write_text('smtp_port = "abc"\n', encoding="utf-8")
    service = serve(config)
    _, said = service.communicate(timeout=30)

    assert service.returncode == 2
    assert "smtp_port = 'abc'" in said
    assert "Traceback" not in said
    assert SECRET not in said
