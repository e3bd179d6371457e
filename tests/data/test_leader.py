from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine

from data.engine import connect
from data.leader import Leader

pytestmark = pytest.mark.postgres


@pytest.fixture
def rivals(postgres_engine: Engine) -> Iterator[tuple[Leader, Leader]]:
    second = connect(postgres_engine.url.render_as_string(hide_password=False))
    pair = Leader(postgres_engine, "southlands"), Leader(second, "southlands")
    yield pair
    for leader in pair:
        leader.release()
    second.dispose()


def test_one_of_two_services_leads_until_it_lets_go(rivals: tuple[Leader, Leader]) -> None:
    one, two = rivals
    assert one.try_lead()
    assert one.try_lead()
    assert not two.try_lead()
    one.release()
    assert two.try_lead()
    assert not one.try_lead()


def test_another_school_has_a_leader_of_its_own(rivals: tuple[Leader, Leader], postgres_engine: Engine) -> None:
    other = Leader(postgres_engine, "northlands")
    assert rivals[0].try_lead()
    assert other.try_lead()
    other.release()


def test_a_lost_connection_loses_the_lead(
    rivals: tuple[Leader, Leader], postgres_url: str, postgres_engine: Engine
) -> None:
    one, two = rivals
    assert one.try_lead()
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and database = (select oid from pg_database where datname = current_database())"
        )
    assert two.try_lead()
    assert not one.try_lead()


def test_on_sqlite_the_one_service_always_leads(sqlite_engine: Engine) -> None:
    leader = Leader(sqlite_engine, "southlands")
    assert leader.try_lead()
    leader.release()
    assert leader.try_lead()
