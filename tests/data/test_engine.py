from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, select, text
from sqlalchemy.exc import StatementError

from data import tables
from data.engine import StoreError, check_schema, connect, head_is_current, migrate, reading, writing


def test_a_migrated_schema_equals_the_tables(engine: Engine) -> None:
    check_schema(engine)  # raises where they differ
    assert head_is_current(engine)


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    assert head_is_current(engine)


def test_an_empty_database_is_not_current(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    assert not head_is_current(engine)
    engine.dispose()


def test_every_table_has_a_school_id() -> None:
    assert tables.TABLES.tables
    assert all("school_id" in table.c for table in tables.TABLES.tables.values())


def test_sqlite_is_durable_and_checks_its_references(sqlite_engine: Engine) -> None:
    with reading(sqlite_engine) as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15_000}


def test_a_write_on_sqlite_takes_the_lock_at_once(sqlite_engine: Engine) -> None:
    other = connect(str(sqlite_engine.url))
    with writing(sqlite_engine), other.connect() as second:
        second.exec_driver_sql("PRAGMA busy_timeout=0")
        with pytest.raises(Exception, match="locked"):
            second.execute(insert(tables.serial).values(school_id="southlands", year=2026, last=1))
    other.dispose()


def test_what_raises_inside_a_write_leaves_nothing(engine: Engine) -> None:
    def half() -> None:
        with writing(engine) as connection:
            connection.execute(insert(tables.serial).values(school_id="southlands", year=2026, last=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with reading(engine) as connection:
        assert connection.execute(select(tables.serial)).all() == []


def test_a_naive_time_is_refused(engine: Engine) -> None:
    row = dict(school_id="s", letter_id=1, sender="", sketch=[], sent_at=datetime(2026, 11, 23, 9, 0))  # noqa: C408, DTZ001 - naive on purpose
    with pytest.raises(StatementError, match="no time zone"), writing(engine) as connection:
        connection.execute(insert(tables.sketch).values(**row))


def letter_at(moment: datetime) -> dict[str, object]:
    fixed = {"school_id": "s", "door": "smtp", "digest": "d", "size": 0, "state": "new", "attempts": 0}
    return fixed | {"mail_from": "", "rcpt_to": [], "peer": "", "received_at": moment}


def test_a_time_comes_back_aware_and_in_utc(engine: Engine) -> None:
    summer = datetime.fromisoformat("2026-07-06T09:30:00.123456+01:00")  # a Monday
    with writing(engine) as connection:
        connection.execute(insert(tables.letter).values(**letter_at(summer)))
    with reading(engine) as connection:
        found = connection.execute(select(tables.letter.c.received_at)).scalar_one()
    assert found == summer
    assert found.tzinfo is UTC


def test_nul_and_half_characters_from_the_wild_can_be_kept(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(
            insert(tables.party).values(
                school_id="s", reference="r", role="complainant", name="A\x00B\udc80\U0001f600", addr="a"
            )
        )
    with reading(engine) as connection:
        assert connection.execute(select(tables.party.c.name)).scalar_one() == "A\ufffdB\ufffd\U0001f600"


def test_the_due_indexes_are_partial(engine: Engine) -> None:
    with reading(engine) as connection:
        found = {i["name"] for t in ("deadline", "outbox") for i in inspect(connection).get_indexes(t)}
        if engine.dialect.name == "sqlite":
            plain = text("select sql from sqlite_master where name in ('ix_deadline_nudge', 'ix_outbox_due')")
        else:
            plain = text("select indexdef from pg_indexes where indexname in ('ix_deadline_nudge', 'ix_outbox_due')")
        assert all("WHERE" in sql for sql in connection.execute(plain).scalars())
    assert {"ix_deadline_nudge", "ix_outbox_due"} <= found


@pytest.mark.parametrize("url", ["", "sqlite://", "mysql://localhost/duly", "duly.sqlite"])
def test_an_address_that_names_no_usable_database_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite"):
        connect(url)
