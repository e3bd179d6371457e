"""The store: the only writer of cases. `with store.begin() as desk:` is one write transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import InterfaceError, OperationalError

from data.desk import AlreadyHere, Desk
from data.engine import lock_key, reading, writing
from data.lookups import Found, SeenSketch
from procedure.rulebook import Rulebook

__all__ = ["UNAVAILABLE", "AlreadyHere", "Desk", "Found", "SeenSketch", "Store"]

#: The database did not answer, or was locked too long: no fault of what was being written; try again later.
UNAVAILABLE = (OperationalError, InterfaceError)


class Store:
    """A school's memory: the database and the rulebook that cases are derived by."""

    def __init__(self, engine: Engine, rulebook: Rulebook) -> None:
        self.engine = engine
        self.rulebook = rulebook
        self.school_id = rulebook.school.id
        self._writers = lock_key("desk", self.school_id)

    @contextmanager
    def begin(self) -> Iterator[Desk]:
        """A desk for one write transaction: kept at the end, nothing of it when anything is raised.

        Desks of one school work one after another, on SQLite as on PostgreSQL; another waits up to 15 s.
        """
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": self._writers})
            yield Desk(connection, self.rulebook)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for `data.reads`, which ask who wants to know."""
        with reading(self.engine) as connection:
            yield connection
