"""The tests' own helpers are tested: a throw-away cluster starts, answers, and a missing server is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres

ROOT = Path(__file__).parents[2]


def test_a_named_server_that_does_not_answer_is_told_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.NAMED, "postgresql+psycopg://postgres@127.0.0.1:1/postgres")
    with pytest.raises(postgres.Missing, match=f"{postgres.NAMED} names a server that does not answer"):
        postgres.find()


@pytest.mark.postgres
def test_a_named_server_is_the_one_that_is_used(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.NAMED, postgres_server.replace("postgresql://", "postgresql+psycopg://"))
    assert postgres.find() == postgres_server


@pytest.mark.postgres
@pytest.mark.skipif(postgres.binaries() is None, reason="no PostgreSQL binaries here to start a server from")
def test_a_throw_away_cluster_starts_answers_and_is_gone_with_its_process() -> None:
    script = (
        "import psycopg; from tests.support import postgres; url = postgres.start();"
        "print(url, psycopg.connect(url).execute('select 41 + 1').fetchone()[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    url, answer = done.stdout.split()
    assert answer == "42"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_make_test_is_told_which_server_there_is() -> None:
    done = subprocess.run([sys.executable, "tests/servers.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("PostgreSQL: ")
