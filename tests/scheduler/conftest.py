"""What the tests of the scheduler share: a store of Southlands on both databases, a relay, cases at a stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from data.store import Store
from tests.scheduler.house import rulebook
from tests.scheduler.sink import Sink, sink


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine, rulebook())


@pytest.fixture
def relay() -> Iterator[Sink]:
    with sink() as running:
        yield running
