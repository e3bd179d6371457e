from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from data.engine import connect
from data.leader import Leader
from data.store import Store
from scheduler.clock import Clockwork
from scheduler.mail import Carrier
from scheduler.post import Post
from scheduler.posting import Posting
from tests.scheduler.house import at, letter, mailer, open_case, outbox, queue, rulebook
from tests.scheduler.sink import Sink

FRIDAY = at("Fri 2026-11-20 09:00")
QUICK = timedelta(milliseconds=50)


def until(met: Callable[[], bool], seconds: float = 8) -> bool:
    ends = time.monotonic() + seconds
    while not met() and time.monotonic() < ends:
        time.sleep(0.02)
    return met()


def clockwork(store: Store, relay: Sink, *, leader: Leader | None = None) -> Clockwork:
    post = Post(store, mailer(relay))
    return Clockwork(store, post, lambda: FRIDAY, leader, post_every=QUICK, sweep_every=QUICK)


def test_a_running_clock_nudges_and_delivers_by_itself(store: Store, relay: Sink) -> None:
    open_case(store, at("Wed 2026-11-18 10:00"))
    queue(store, FRIDAY, letter())
    works = clockwork(store, relay)
    works.start()
    try:
        assert until(lambda: len(relay.taken) == 2)
        time.sleep(0.3)
    finally:
        works.stop()
    assert {taken.rcpt_to for taken in relay.taken} == {"parent1@family.example", "j.farrow@southlands.example"}
    assert len(relay.taken) == 2, "many ticks say nothing twice"


def test_a_tick_that_fails_does_not_stop_the_clock(store: Store, relay: Sink) -> None:
    queue(store, FRIDAY, letter(reference=None))
    calls: list[int] = []

    def clock() -> datetime:
        calls.append(1)
        if len(calls) < 4:
            raise RuntimeError("the clock has stopped")
        return FRIDAY

    works = Clockwork(store, Post(store, mailer(relay)), clock, post_every=QUICK, sweep_every=QUICK)
    works.start()
    try:
        assert until(lambda: len(relay.taken) == 1)
    finally:
        works.stop()


class SlowRelay:
    """A carrier that takes its time over each letter."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.taken: list[str] = []
        self.closed = 0

    def send(self, posting: Posting) -> None:
        self.began.set()
        time.sleep(0.5)
        self.taken.append(posting.rcpt_to)

    def close(self) -> None:
        self.closed += 1


def test_stopping_waits_for_the_letter_in_hand_and_leaves_the_others_queued(store: Store) -> None:
    slow = SlowRelay()
    carrier: Carrier = slow
    queue(store, FRIDAY, *(letter(number, reference=None) for number in range(5)))
    works = Clockwork(store, Post(store, carrier), lambda: FRIDAY, post_every=QUICK, sweep_every=QUICK)
    works.start()
    assert slow.began.wait(5)
    began = time.monotonic()
    works.stop()
    assert time.monotonic() - began < 3
    assert len(slow.taken) == 1
    assert sorted(row.state for row in outbox(store)) == ["queued"] * 4 + ["sent"]
    assert slow.closed


@pytest.mark.postgres
def test_on_postgresql_only_the_leader_sweeps_and_another_takes_over(postgres_engine: Engine, relay: Sink) -> None:
    store = Store(postgres_engine, rulebook())
    url = postgres_engine.url.render_as_string(hide_password=False)
    first_engine, second_engine = connect(url), connect(url)
    first, second = (Leader(engine, store.school_id) for engine in (first_engine, second_engine))
    assert first.try_lead()
    open_case(store, at("Wed 2026-11-18 10:00"))
    follower = clockwork(Store(second_engine, rulebook()), relay, leader=second)
    follower.start()
    try:
        time.sleep(0.4)
        assert outbox(store) == [], "the follower lets the leader sweep"
        first.release()
        assert until(lambda: len(relay.taken) == 1)
    finally:
        follower.stop()
        first_engine.dispose()
        second_engine.dispose()


@pytest.mark.postgres
def test_two_clocks_at_once_on_one_database_say_everything_once(store: Store, relay: Sink) -> None:
    for number in range(10):
        open_case(store, at("Wed 2026-11-18 10:00"), reference=f"SL-2026-{number:04d}-0")
    url = store.engine.url.render_as_string(hide_password=False)
    engines = [connect(url) for _ in range(2)]
    clocks = [clockwork(Store(engine, rulebook()), relay) for engine in engines]
    for works in clocks:
        works.start()
    try:
        assert until(lambda: len(relay.taken) >= 10)
        time.sleep(0.3)
    finally:
        for works in clocks:
            works.stop()
        for engine in engines:
            engine.dispose()
    keys = [taken.message["Message-ID"] for taken in relay.taken]
    assert len(keys) == len(set(keys)) == 10
