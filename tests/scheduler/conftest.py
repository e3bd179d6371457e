"""What the tests of the scheduler share: a store of Southlands on both databases, a relay, cases at a stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from data.store import Store
from tests.scheduler.house import MAILERS, rulebook
from tests.scheduler.sink import Sink, sink


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine, rulebook())


@pytest.fixture(autouse=True)
def closed_mailers() -> Iterator[None]:
    """A test that ends as a killed process would leaves its connection open; others need not think of it."""
    yield
    while MAILERS:
        MAILERS.pop().close()


@pytest.fixture
def relay() -> Iterator[Sink]:
    with sink() as running:
        yield running
