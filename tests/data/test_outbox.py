from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from data import outbox, tables
from data.engine import connect, reading
from data.store import Store
from procedure.words import Audience, Decision, EntryKind, Role
from tests.support import memory
from tests.support.memory import MONDAY

REF = "SL-2026-0001-2"
LEASE = timedelta(minutes=5)


@pytest.fixture
def store(engine: Engine) -> Store:
    return memory.store(engine)


def queue(store: Store, *keys: str, **more: object) -> None:
    letters = tuple(memory.letter(key, **more) for key in keys)
    with store.begin() as desk:
        entries = memory.opening() if not desk.history(REF) else ()
        desk.keep(Decision(REF, entries, letters), MONDAY)


def claim(store: Store, worker: str = "one", now: datetime = MONDAY, limit: int = 10) -> list[outbox.Outgoing]:
    return outbox.claim(store.engine, store.school_id, worker, now, LEASE, limit)


def kinds(store: Store) -> list[EntryKind]:
    with store.begin() as desk:
        return [entry.kind for entry in desk.history(REF)][2:]


def state(store: Store, key: str = "a") -> tuple[object, ...]:
    row = select(tables.outbox.c.state, tables.outbox.c.attempts, tables.outbox.c.last_error)
    with reading(store.engine) as connection:
        return tuple(connection.execute(row.where(tables.outbox.c.key == key)).one())


def test_a_claimed_letter_is_the_letter_that_was_decided(store: Store) -> None:
    queue(store, "a", in_reply_to="x@example.org", references=("w@example.org", "x@example.org"))
    (one,) = claim(store)
    assert (one.key, one.name, one.audience, one.to_addr) == (
        "a",
        "acknowledgement",
        Audience.COMPLAINANT,
        "Mary.Onyango@example.org",
    )
    assert (one.reference, one.in_reply_to, one.attempts) == (REF, "x@example.org", 1)
    assert one.references == ("w@example.org", "x@example.org")


def test_a_claimed_letter_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    queue(store, "a")
    (first,) = claim(store, "one")
    assert claim(store, "two", MONDAY + LEASE - timedelta(seconds=1)) == []
    (again,) = claim(store, "two", MONDAY + LEASE)
    assert (again.id, again.attempts, again.message_id) == (first.id, 2, first.message_id)


def test_urgent_letters_go_first_and_later_ones_wait_for_their_time(store: Store) -> None:
    queue(store, "a", "b")
    queue(store, "tomorrow", not_before=MONDAY + timedelta(days=1))
    queue(store, "held", held=True)
    queue(store, "urgent", urgent=True)
    assert [one.key for one in claim(store, limit=2)] == ["urgent", "a"]
    assert [one.key for one in claim(store)] == ["b"]
    assert [one.key for one in claim(store, now=MONDAY + timedelta(days=1), limit=1)] == ["urgent"]


def test_two_workers_never_get_the_same_letter(store: Store) -> None:
    queue(store, *(f"letter {n}" for n in range(60)))
    got: dict[str, list[str]] = {"one": [], "two": [], "three": []}

    def work(worker: str) -> None:
        mine = Store(connect(store.engine.url.render_as_string(hide_password=False)), store.rulebook)
        while batch := claim(mine, worker, limit=3):
            got[worker].extend(one.key for one in batch)
        mine.engine.dispose()

    workers = [threading.Thread(target=work, args=(name,)) for name in got]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    every = [key for keys in got.values() for key in keys]
    assert sorted(every) == sorted(f"letter {n}" for n in range(60))


def test_a_sent_letter_stands_in_its_case_and_meets_the_limit(store: Store) -> None:
    queue(store, "a")
    (one,) = claim(store)
    assert outbox.sent(store, one, MONDAY + timedelta(hours=1))
    assert kinds(store) == [EntryKind.LETTER_SENT]
    with store.begin() as desk:
        assert desk.history(REF)[-1].facts == {"letter": "acknowledgement", "key": "a", "message_id": one.message_id}
    with reading(store.engine) as connection:
        ack = select(tables.deadline.c.state).where(tables.deadline.c.key == "ack_3")
        assert connection.execute(ack).scalar_one() == "met"
    assert claim(store, now=MONDAY + timedelta(days=9)) == []


def test_a_letter_that_two_sent_one_after_the_other_is_entered_once(store: Store) -> None:
    queue(store, "a")
    (slow,) = claim(store, "slow")
    (quick,) = claim(store, "quick", MONDAY + LEASE)
    assert outbox.sent(store, quick, MONDAY + LEASE)
    assert not outbox.sent(store, slow, MONDAY + LEASE)
    assert not outbox.failed(store, slow, "421", MONDAY, MONDAY)
    assert not outbox.give_up(store, slow, "550", MONDAY)
    assert (state(store)[0], kinds(store)) == ("sent", [EntryKind.LETTER_SENT])


def test_a_failed_letter_waits_and_a_given_up_one_is_entered(store: Store) -> None:
    queue(store, "a")
    (one,) = claim(store)
    later = MONDAY + timedelta(minutes=10)
    assert outbox.failed(store, one, "421 busy", later, MONDAY)
    assert claim(store, now=later - timedelta(seconds=1)) == []
    (again,) = claim(store, now=later)
    assert outbox.give_up(store, again, "550 no such user", later)
    assert state(store) == ("failed", 2, "550 no such user")
    assert kinds(store) == [EntryKind.LETTER_FAILED]
    assert claim(store, now=MONDAY + timedelta(days=9)) == []


@pytest.mark.requirement(70)
def test_a_bounced_acknowledgement_opens_the_limit_again(store: Store) -> None:
    queue(store, "a")
    (one,) = claim(store)
    outbox.sent(store, one, MONDAY)
    with store.begin() as desk:
        assert outbox.bounced(desk, one.message_id, "5.1.1", MONDAY + timedelta(hours=2)) == REF
        assert outbox.bounced(desk, one.message_id, "5.1.1", MONDAY + timedelta(hours=3)) is None
        assert outbox.bounced(desk, "nobody@example.org", "5.1.1", MONDAY) is None
    assert kinds(store) == [EntryKind.LETTER_SENT, EntryKind.LETTER_BOUNCED]
    with reading(store.engine) as connection:
        ack = select(tables.deadline.c.state, tables.deadline.c.next_nudge_at)
        found, nudge = connection.execute(ack.where(tables.deadline.c.key == "ack_3")).one()
    assert found == "open"
    assert nudge is not None


def test_a_letter_without_a_case_is_sent_without_an_entry(store: Store) -> None:
    alert = memory.letter("alert", None, audience=Audience.STAFF, to_role=Role.CLERK)
    with store.begin() as desk:
        desk.keep(Decision(None, (), (alert,)), MONDAY)
    (one,) = claim(store)
    assert one.to_role is Role.CLERK
    assert outbox.sent(store, one, MONDAY)
    assert state(store, "alert")[0] == "sent"
