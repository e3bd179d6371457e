"""The journal's rows and files, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update

from data.engine import reading, writing
from data.letters import (
    LARGE,
    Claimed,
    Received,
    add_many,
    again,
    claim,
    counts,
    put_away,
    quarantine,
    raw_of,
    release,
)
from data.tables import letter
from procedure.words import Envelope

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
LEASE = timedelta(seconds=60)
SCHOOL = "southlands"
ENVELOPE = Envelope("smtp", NOON, "parent@home.example", ("complaints@southlands.example",), "192.0.2.7")


def letters(*raws: bytes) -> list[Received]:
    return [Received(raw, ENVELOPE) for raw in raws]


def take(engine: Engine, worker: str = "one", now: datetime = NOON, limit: int = 10) -> list[Claimed]:
    return claim(engine, SCHOOL, worker, now, LEASE, limit)


def test_a_batch_gets_its_ids_in_order_and_keeps_every_octet(engine: Engine) -> None:
    raws = [b"first\r\n", b"", b"nul \x00 and \xff\xfe\r\n", *(b"letter %d" % n for n in range(40))]
    ids = add_many(engine, SCHOOL, letters(*raws), None)
    assert ids == sorted(ids)
    assert [raw_of(engine, one, None) for one in ids] == raws


def test_an_empty_batch_is_no_transaction(engine: Engine) -> None:
    assert add_many(engine, SCHOOL, [], None) == []


def test_the_envelope_comes_back_as_it_was_kept(engine: Engine) -> None:
    odd = replace(ENVELOPE, mail_from="zo\u00eb@home.example", rcpt_to=("a@b.example", "c@d.example"))
    add_many(engine, SCHOOL, [Received(b"x", odd)], None)
    assert take(engine)[0].envelope == odd


def test_text_that_postgresql_cannot_hold_is_kept_with_a_mark(engine: Engine) -> None:
    odd = replace(ENVELOPE, mail_from="a\x00b", rcpt_to=("c\x00@d.example", "\udce9@d.example"), peer="\udcff")
    add_many(engine, SCHOOL, [Received(b"x", odd)], None)
    kept = take(engine)[0].envelope
    assert (kept.mail_from, kept.rcpt_to) == ("a\ufffdb", ("c\ufffd@d.example", "\ufffd@d.example"))


def test_one_row_that_cannot_be_written_refuses_its_whole_batch(engine: Engine) -> None:
    naive = replace(ENVELOPE, received_at=datetime(2026, 11, 23, 12, 0))  # noqa: DTZ001 - the poison
    with pytest.raises(Exception, match="time zone"):
        add_many(engine, SCHOOL, [*letters(b"good"), Received(b"poison", naive)], None)
    assert counts(engine, SCHOOL) == {}


def test_a_large_letter_is_a_file_of_the_vault_and_a_small_one_a_row(engine: Engine, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    large, small = os.urandom(LARGE + 1), os.urandom(LARGE)
    ids = add_many(engine, SCHOOL, letters(large, small), vault)
    digest = hashlib.sha256(large).hexdigest()
    assert [p.relative_to(vault).as_posix() for p in vault.rglob("*") if p.is_file()] == [f"{digest[:2]}/{digest}"]
    with reading(engine) as connection:
        rows = connection.execute(select(letter.c.raw, letter.c.raw_file).order_by(letter.c.id)).all()
    assert rows[0] == (None, f"{digest[:2]}/{digest}")
    assert rows[1].raw_file is None
    assert [raw_of(engine, one, vault) for one in ids] == [large, small]
    assert [one.raw for one in claim(engine, SCHOOL, "w", NOON, LEASE, 9, vault=vault)] == [large, small]


def test_a_file_of_the_vault_can_be_read_by_nobody_else(tmp_path: Path) -> None:
    put_away(Received(b"x" * (LARGE + 1), ENVELOPE), tmp_path / "vault")
    file = next(p for p in (tmp_path / "vault").rglob("*") if p.is_file())
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_putting_the_same_letter_away_from_many_threads_leaves_one_whole_file(tmp_path: Path) -> None:
    large = Received(os.urandom(LARGE * 4), ENVELOPE)
    found: list[Received] = []
    threads = [threading.Thread(target=lambda: found.append(put_away(large, tmp_path))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(found) == 8
    assert [p.read_bytes() for p in files] == [large.raw]


def test_a_full_disk_leaves_neither_row_nor_half_a_file(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="vault"):
        add_many(engine, SCHOOL, letters(b"x" * (LARGE + 1)), tmp_path / "vault")
    assert counts(engine, SCHOOL) == {}


def test_the_oldest_letters_are_claimed_first_and_counted_as_tried(engine: Engine) -> None:
    ids = add_many(engine, SCHOOL, letters(b"a", b"b", b"c"), None)
    first = take(engine, limit=2)
    assert [(one.id, one.attempts) for one in first] == [(ids[0], 1), (ids[1], 1)]
    assert [one.id for one in take(engine, "two")] == [ids[2]]
    assert take(engine, "three") == []


def test_a_claim_whose_lease_is_over_goes_to_the_next_worker(engine: Engine) -> None:
    add_many(engine, SCHOOL, letters(b"a"), None)
    take(engine)
    assert take(engine, "two", NOON + LEASE - timedelta(seconds=1)) == []
    assert [one.attempts for one in take(engine, "two", NOON + LEASE)] == [2]


def test_two_workers_at_once_never_hold_the_same_letter(engine: Engine) -> None:
    ids = add_many(engine, SCHOOL, letters(*(b"%d" % n for n in range(60))), None)
    held: list[int] = []

    def work(name: str) -> None:
        while batch := take(engine, name, limit=4):
            held.extend(one.id for one in batch)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(held) == ids


def test_another_schools_letters_are_not_claimed(engine: Engine) -> None:
    add_many(engine, "elsewhere", letters(b"a"), None)
    assert take(engine) == []
    assert counts(engine, SCHOOL) == {}


def test_a_letter_whose_file_is_gone_is_set_aside_and_does_not_stop_the_others(
    engine: Engine, tmp_path: Path
) -> None:
    lost, _ = add_many(engine, SCHOOL, letters(b"x" * (LARGE + 1), b"small"), tmp_path)
    next(p for p in tmp_path.rglob("*") if len(p.name) == 64).unlink()
    assert [one.raw for one in claim(engine, SCHOOL, "w", NOON, LEASE, 9, vault=tmp_path)] == [b"small"]
    assert counts(engine, SCHOOL) == {"claimed": 1, "quarantined": 1}
    with pytest.raises(LookupError, match=f"letter {lost} is the file"):
        raw_of(engine, lost, tmp_path)
    with pytest.raises(LookupError, match="no vault"):
        raw_of(engine, lost, None)


def test_a_letter_set_aside_can_be_processed_again(engine: Engine) -> None:
    (one,) = add_many(engine, SCHOOL, letters(b"a"), None)
    take(engine)
    quarantine(engine, one, "it could not be settled", NOON)
    assert counts(engine, SCHOOL) == {"quarantined": 1}
    assert take(engine, now=NOON + LEASE) == []
    again(engine, one)
    assert [(c.id, c.attempts) for c in take(engine)] == [(one, 1)]


@pytest.mark.parametrize(("state", "why"), [("done", r"settled already \(done\)"), ("claimed", "a worker holds it")])
def test_a_letter_that_has_its_place_is_not_processed_again(engine: Engine, state: str, why: str) -> None:
    (one,) = add_many(engine, SCHOOL, letters(b"a"), None)
    with writing(engine) as connection:
        connection.execute(update(letter).values(state=state))
    with pytest.raises(ValueError, match=why):
        again(engine, one)


def test_a_letter_that_does_not_exist_is_answered_with_a_sentence(engine: Engine) -> None:
    for ask in (
        lambda: raw_of(engine, 99, None),
        lambda: again(engine, 99),
        lambda: quarantine(engine, 99, "", NOON),
    ):
        with pytest.raises(LookupError, match="there is no letter 99 in the journal"):
            ask()


def test_a_worker_that_stops_in_good_order_gives_its_letters_back_untried(engine: Engine) -> None:
    add_many(engine, SCHOOL, letters(b"a", b"b", b"c"), None)
    take(engine, "one", limit=2)
    take(engine, "two", limit=1)
    assert release(engine, SCHOOL, "one") == 2
    assert [one.attempts for one in take(engine, "three")] == [1, 1]


def test_asking_for_work_uses_the_index_of_waiting_letters(sqlite_engine: Engine) -> None:
    add_many(sqlite_engine, SCHOOL, letters(*(b"%d" % n for n in range(300))), None)
    with writing(sqlite_engine) as connection:
        connection.execute(update(letter).values(state="done"))
        plan = connection.execute(
            text(
                "explain query plan select id from letter where school_id = 's' and state in ('new', 'claimed')"
                " and (state = 'new' or claimed_until <= '2026') order by id limit 1"
            )
        ).all()
    assert "ix_letter_waiting" in str(plan)
