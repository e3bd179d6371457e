"""What every room's tests share: a migrated database on both engines, and the list of demands shown."""

from __future__ import annotations

import os
import secrets
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from data.engine import connect, migrate
from data.tables import TABLES
from tests.support import postgres


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--requirements", action="store_true", help="list demand numbers and the tests that show them")


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.getoption("--requirements"):
        return
    shown: dict[int, set[str]] = defaultdict(set)
    for item in session.items:
        for mark in item.iter_markers("requirement"):
            for number in mark.args:
                shown[int(number)].add(item.nodeid.partition("[")[0])
    for number in sorted(shown):
        sys.stdout.write(f"{number:>4}  " + "\n      ".join(sorted(shown[number])) + "\n")
    pytest.exit(f"{len(shown)} demands are shown by tests", returncode=0)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a PostgreSQL server; skips loudly without one, fails under CI=true."""
    try:
        return postgres.find()
    except postgres.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, migrated database for this session (and this xdist worker), dropped afterwards."""
    name = f"duly_test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'create database "{name}"')  # a name of our own making
    before, _, _ = postgres_server.partition("?")[0].rpartition("/")
    url = f"{before}/{name}".replace("postgresql://", "postgresql+psycopg://")
    engine = connect(url)
    migrate(engine)
    engine.dispose()
    yield url
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """PostgreSQL with empty tables."""
    engine = connect(postgres_url)
    with engine.begin() as connection:
        names = ", ".join(f'"{name}"' for name in TABLES.tables)
        connection.execute(text(f"truncate {names} restart identity cascade"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated, empty SQLite file: copying it is quicker than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "duly.sqlite"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def sqlite_engine(sqlite_template: bytes, tmp_path: Path) -> Iterator[Engine]:
    path = tmp_path / "duly.sqlite"
    path.write_bytes(sqlite_template)
    engine = connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated, empty database: each test that asks for it runs on SQLite and on PostgreSQL."""
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found
