from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from data import outbox as stored
from data.engine import connect, writing
from data.store import Store
from procedure.words import Audience, EntryKind
from scheduler.mail import Mailer, RelaySettings
from scheduler.post import BATCH, RESTS, TRIES, WAITS, Delivered, Post, wait
from tests.scheduler.house import at, history, letter, mailer, open_case, outbox, queue, rulebook
from tests.scheduler.letters import REFERENCE, outgoing
from tests.scheduler.sink import Sink

NOW = at("Mon 2026-11-23 12:00")
LATER = NOW + timedelta(hours=1)


class Killed(BaseException):
    """The process ends here, as after kill -9: nothing that follows is done."""


def killer(point: str) -> Callable[[str], None]:
    def probe(reached: str) -> None:
        if reached == point:
            raise Killed

    return probe


def states(store: Store) -> list[str]:
    return [row.state for row in outbox(store)]


@pytest.mark.requirement(70)
def test_a_sent_letter_is_marked_and_stands_in_the_history(store: Store, relay: Sink) -> None:
    open_case(store, NOW)
    queue(store, NOW, letter())

    assert Post(store, mailer(relay)).deliver(NOW) == Delivered(sent=1)

    assert states(store) == ["sent"]
    assert [taken.rcpt_to for taken in relay.taken] == ["parent1@family.example"]
    (entry,) = history(store, EntryKind.LETTER_SENT)
    assert entry.facts["key"] == letter().key
    assert relay.taken[0].message["Message-ID"] == f"<{entry.facts['message_id']}>"


def test_a_second_delivery_sends_nothing_again(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(reference=None))
    post = Post(store, mailer(relay))
    post.deliver(NOW)
    assert not post.deliver(LATER)
    assert len(relay.taken) == 1


def test_urgent_letters_go_first(store: Store, relay: Sink) -> None:
    alert = letter(9, urgent=True, audience=Audience.STAFF, to_addr="o.trask@southlands.example", reference=None)
    queue(store, NOW, *(letter(number, reference=None) for number in range(1, 4)), alert)
    Post(store, mailer(relay)).deliver(NOW)
    assert relay.taken[0].rcpt_to == "o.trask@southlands.example"
    assert len(relay.taken) == 4


def test_more_letters_than_one_batch_go_over_one_connection(store: Store, relay: Sink) -> None:
    queue(store, NOW, *(letter(number, reference=None) for number in range(BATCH + 5)))
    assert Post(store, mailer(relay)).deliver(NOW).sent == BATCH + 5
    assert relay.sessions == 1


def test_a_held_letter_and_one_for_later_stay(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(1, held=True, reference=None), letter(2, not_before=LATER, reference=None))
    post = Post(store, mailer(relay))
    assert not post.deliver(NOW)
    assert post.deliver(LATER).sent == 1
    assert [taken.rcpt_to for taken in relay.taken] == ["parent2@family.example"]


def test_killed_between_claim_and_send_the_letter_goes_once_the_lease_ends(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(reference=None))
    with pytest.raises(Killed):
        Post(store, mailer(relay), probe=killer("post.claimed")).deliver(NOW)
    assert relay.taken == []
    other = Post(store, mailer(relay), worker="other")
    assert not other.deliver(NOW + timedelta(seconds=30)), "somebody else's while the lease runs"
    assert other.deliver(NOW + timedelta(minutes=3)).sent == 1
    assert len(relay.taken) == 1


def test_killed_between_send_and_mark_the_letter_goes_again_under_the_same_message_id(
    store: Store, relay: Sink
) -> None:
    open_case(store, NOW)
    queue(store, NOW, letter(1), letter(2))
    with pytest.raises(Killed):
        Post(store, mailer(relay), probe=killer("post.sent")).deliver(NOW)
    assert Post(store, mailer(relay), worker="other").deliver(NOW + timedelta(minutes=3)).sent == 2
    ids = [taken.message["Message-ID"] for taken in relay.taken]
    assert len(ids) == 3, "one letter is repeated, not the batch"
    assert len(set(ids)) == 2
    assert len(history(store, EntryKind.LETTER_SENT)) == 2


def test_a_letter_put_off_by_the_relay_waits_longer_each_time_and_then_goes(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(reference=None))
    post = Post(store, mailer(relay))
    now = NOW
    for expected in WAITS[:3]:
        relay.rcpt_answers = ["450 4.2.0 greylisted"]
        assert post.deliver(now) == Delivered(delayed=1)
        assert not post.deliver(now + expected - timedelta(seconds=1))
        now += expected * 1.25 + timedelta(seconds=1)
    assert post.deliver(now).sent == 1
    assert outbox(store)[0].last_error.startswith("450")


def test_letters_delayed_together_do_not_come_back_together() -> None:
    waits = {wait(outgoing(key=f"ack:{number}", attempts=1)) for number in range(50)}
    assert len(waits) > 25
    assert all(WAITS[0] <= one <= WAITS[0] * 1.25 for one in waits)
    assert wait(outgoing(attempts=TRIES)) >= WAITS[-1]


@pytest.mark.requirement(70)
def test_a_refused_letter_is_given_up_and_the_clerk_is_told(store: Store, relay: Sink) -> None:
    open_case(store, NOW)
    queue(store, NOW, letter())
    relay.rcpt_answers = ["550 5.1.1 no such mailbox"]

    delivered = Post(store, mailer(relay)).deliver(NOW)

    assert delivered == Delivered(sent=1, given_up=1)
    assert states(store) == ["failed", "sent"]
    assert [taken.rcpt_to for taken in relay.taken] == ["j.farrow@southlands.example"]
    assert "parent1" not in relay.taken[0].content.decode(), "where it was going is not told by mail"
    assert history(store, EntryKind.LETTER_FAILED)
    assert not [e for e in history(store, EntryKind.LETTER_SENT) if e.facts["letter"] == "acknowledgement"]


def test_an_address_that_is_none_is_given_up_without_asking_the_relay(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(to_addr="parent@family..example", name="told_alert", reference=None))
    assert Post(store, mailer(relay)).deliver(NOW) == Delivered(sent=1, given_up=1)
    assert [taken.rcpt_to for taken in relay.taken] == ["j.farrow@southlands.example"]


def test_a_letter_to_the_schools_own_inbox_never_leaves(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(to_addr="Complaints+x@southlands.example", name="told_alert", reference=None))
    assert Post(store, mailer(relay)).deliver(NOW).given_up == 1
    assert "complaints" not in {taken.rcpt_to.partition("@")[0].lower() for taken in relay.taken}


def test_the_person_whom_a_letter_did_not_reach_is_not_told_so_at_the_same_address(store: Store, relay: Sink) -> None:
    queue(
        store,
        NOW,
        letter(to_addr="j.farrow@southlands.example", audience=Audience.STAFF, name="told_alert", reference=None),
    )
    relay.rcpt_answers = ["550 no such mailbox", "550 nor this one"]
    assert Post(store, mailer(relay)).deliver(NOW) == Delivered(given_up=2)
    assert [row.to_addr for row in outbox(store, "gave_up")] == ["d.pryce@southlands.example"]


def test_a_letter_of_which_no_alert_can_be_written_is_given_up_all_the_same(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(1, reference=None), letter(2, reference=None))
    relay.rcpt_answers = ["550 no such mailbox"]
    assert Post(store, mailer(relay)).deliver(NOW) == Delivered(sent=1, given_up=1)


def test_a_letter_is_given_up_after_the_last_try(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(name="told_alert", reference=None))
    relay.rcpt_answers = ["451 later"] * TRIES
    post = Post(store, mailer(relay))
    now, total = NOW, Delivered()
    for _ in range(TRIES):
        total += post.deliver(now)
        now += WAITS[-1] * 1.25 + timedelta(seconds=1)
    assert total == Delivered(sent=1, delayed=TRIES - 1, given_up=1)
    assert now - NOW < timedelta(days=3)


def test_a_relay_that_is_down_is_left_alone_for_a_while_and_no_letter_is_given_up(store: Store, relay: Sink) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = Mailer(RelaySettings("127.0.0.1", free.getsockname()[1], "none"))
    queue(store, NOW, *(letter(number, reference=None) for number in range(5)))
    post = Post(store, down)

    assert post.deliver(NOW) == Delivered(delayed=1, returned=4)
    assert not post.deliver(NOW + RESTS[0] - timedelta(seconds=1))
    for hours in range(1, 40):
        post.deliver(NOW + timedelta(hours=hours))
    assert set(states(store)) == {"queued"}
    assert sum(row.attempts > 2 for row in outbox(store)) <= 5

    assert Post(store, mailer(relay)).deliver(NOW + timedelta(days=2)).sent == 5
    assert outbox(store, "gave_up") == []


def test_a_letter_that_trips_our_own_code_is_put_off_and_the_next_one_goes(store: Store, relay: Sink) -> None:
    queue(store, NOW, letter(1, reference=None), letter(2, reference=None))
    with writing(store.engine) as connection:
        connection.execute(text("update outbox set message_id = 'no\nid' where to_addr = 'parent1@family.example'"))
    delivered = Post(store, mailer(relay)).deliver(NOW)
    assert (delivered.sent, delivered.delayed) == (1, 1)


@pytest.mark.requirement(122)
def test_the_brake_postpones_a_flood_to_one_address_and_drops_nothing(store: Store, relay: Sink) -> None:
    queue(store, NOW, *(letter(n, to_addr="Parent@family.example", reference=None) for n in range(4)))
    post = Post(store, mailer(relay), brake_each=3)
    assert post.deliver(NOW) == Delivered(postponed=4)
    assert set(states(store)) == {"queued"}
    assert post.deliver(NOW + timedelta(days=1, minutes=5)).sent == 4


def test_letters_to_staff_have_no_brake(store: Store, relay: Sink) -> None:
    to = "o.trask@southlands.example"
    queue(store, NOW, *(letter(n, to_addr=to, audience=Audience.STAFF, reference=None) for n in range(6)))
    assert Post(store, mailer(relay), brake_each=3).deliver(NOW).sent == 6


def test_told_to_stop_it_finishes_the_letter_in_hand_and_gives_the_others_back(store: Store, relay: Sink) -> None:
    queue(store, NOW, *(letter(number, reference=None) for number in range(3)))
    post = Post(store, mailer(relay), probe=lambda point: post.stop() if point == "post.sent" else None)
    assert post.deliver(NOW) == Delivered(sent=1, returned=2)
    assert states(store) == ["sent", "queued", "queued"]
    assert Post(store, mailer(relay)).deliver(NOW + timedelta(seconds=5)).sent == 2


def test_two_posts_at_once_send_each_letter_once(store: Store, relay: Sink) -> None:
    queue(store, NOW, *(letter(number, reference=None) for number in range(60)))
    url = store.engine.url.render_as_string(hide_password=False)
    engines = [connect(url) for _ in range(2)]
    posts = [Post(Store(e, rulebook()), mailer(relay), worker=f"post-{n}") for n, e in enumerate(engines)]
    threads = [threading.Thread(target=post.deliver, args=(NOW,)) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for post, engine in zip(posts, engines, strict=True):
        post.close()
        engine.dispose()
    assert len(relay.taken) == 60
    assert len({taken.rcpt_to for taken in relay.taken}) == 60


def test_a_letter_that_another_sent_meanwhile_is_marked_once(store: Store, relay: Sink) -> None:
    open_case(store, NOW)
    queue(store, NOW, letter())
    (mine,) = stored.claim(store.engine, store.school_id, "slow", NOW, timedelta(seconds=1), 1)
    Post(store, mailer(relay)).deliver(NOW + timedelta(minutes=1))
    assert not stored.sent(store, mine, NOW + timedelta(minutes=2))
    assert [entry.facts["key"] for entry in history(store, EntryKind.LETTER_SENT)] == [f"ack:{REFERENCE}:1"]
