"""Where Alembic finds the tables; the connection is handed in by `data.engine`."""

from __future__ import annotations

from alembic import context

from data.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,  # SQLite alters a table by writing it anew
    transactional_ddl=True,  # on SQLite too: we begin, sqlite3 does not
)
with context.begin_transaction():
    context.run_migrations()
