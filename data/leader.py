"""Who leads: of several services on one PostgreSQL, one alone lets time pass (sweeps, digests)."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data.engine import lock_key


class Leader:
    """An advisory lock on a connection of its own: it ends with the process, however that ends.

    On SQLite there is one machine and one service, which always leads. Not for several threads at once.
    """

    def __init__(self, engine: Engine, school_id: str) -> None:
        self._engine = engine
        self._key = lock_key("leader", school_id)
        self._held: Connection | None = None

    def try_lead(self) -> bool:
        """Whether this service leads now; asked before each tick, since a lost connection loses the lock.

        Raises sqlalchemy.exc.DBAPIError when the database cannot be reached at all.
        """
        if self._engine.dialect.name != "postgresql":
            return True
        if self._still_leads():
            return True
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": self._key}):
            self._held = connection
            return True
        connection.close()
        return False

    def release(self) -> None:
        """Let another lead; nothing happens when this one does not."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            held.execute(text("select pg_advisory_unlock(:key)"), {"key": self._key})
            held.close()
        except DBAPIError:
            held.invalidate()
            held.close()

    def _still_leads(self) -> bool:
        if self._held is None:
            return False
        try:
            self._held.execute(text("select 1"))
        except DBAPIError:
            self._held.invalidate()
            self._held.close()
            self._held = None
            return False
        return True
