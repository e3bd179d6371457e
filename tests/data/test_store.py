from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from data import tables
from data.engine import connect, reading
from data.store import AlreadyHere, Desk, Store
from procedure.words import (
    Address,
    Attachment,
    Audience,
    DeadlineState,
    Decision,
    Entry,
    EntryKind,
    Role,
    Stage,
    Status,
)
from tests.support import memory
from tests.support.memory import MONDAY

REF = "SL-2026-0001-2"


@pytest.fixture
def store(engine: Engine) -> Store:
    return memory.store(engine)


def rows(engine: Engine, table: str) -> list[dict[str, object]]:
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(tables.TABLES.tables[table])).mappings()]


def keep(store: Store, *entries: Entry, now: datetime = MONDAY, reference: str = REF, **more: object) -> None:
    with store.begin() as desk:
        desk.keep(Decision(reference, entries, **more), now)


def test_a_kept_case_is_its_entries_its_row_and_its_deadlines(store: Store) -> None:
    keep(store, *memory.opening())
    with store.begin() as desk:
        case = desk.matter(REF)
        assert desk.history(REF) == memory.opening()
    assert case is not None
    assert (case.stage, case.status, case.handler) == (Stage.TWO, Status.OPEN, Role.HEADTEACHER)
    due = {str(row["key"]): row for row in rows(store.engine, "deadline")}
    assert due["ack_3"]["due"] == date(2026, 11, 26)  # Thursday, three school days after Monday
    assert due["ack_3"]["state"] == DeadlineState.OPEN.value


def test_a_decision_is_kept_whole_or_not_at_all(store: Store) -> None:
    def broken() -> None:
        with store.begin() as desk:
            desk.keep(Decision(REF, memory.opening(), (memory.letter("ack:1"),)), MONDAY)
            desk.next_serial(2026)
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="power"):
        broken()
    kept = {name: rows(store.engine, name) for name in ("entry", "matter", "deadline", "outbox", "serial")}
    assert not any(kept.values())


def test_a_bad_letter_is_undone_at_its_savepoint_and_the_next_one_stays(store: Store) -> None:
    def one(desk: Desk, reference: str, fail: bool) -> None:
        with desk.savepoint():
            desk.keep(Decision(reference, memory.opening()), MONDAY)
            desk.keep(Decision(reference, (Entry(EntryKind.NOTED, MONDAY, "clerk", {"text": "x"}),)), MONDAY)
            if fail:
                raise RuntimeError("cannot be settled")

    with store.begin() as desk:
        with pytest.raises(RuntimeError):
            one(desk, "SL-2026-0002-9", fail=True)
        assert desk.history("SL-2026-0002-9") == ()
        one(desk, REF, fail=False)
    assert [row["reference"] for row in rows(store.engine, "matter")] == [REF]
    assert len(rows(store.engine, "entry")) == 3


def test_entries_without_a_case_are_refused(store: Store) -> None:
    note = Entry(EntryKind.NOTED, MONDAY, "clerk", {"text": "x"})
    with pytest.raises(ValueError, match="does not begin with the opening"):
        keep(store, note)
    with pytest.raises(ValueError, match="needs the reference"), store.begin() as desk:
        desk.keep(Decision(None, (note,)), MONDAY)
    assert rows(store.engine, "entry") == []


def test_a_case_cannot_be_opened_twice_under_one_reference(store: Store) -> None:
    keep(store, *memory.opening())
    with pytest.raises(ValueError, match="was opened before"):
        keep(store, *memory.opening())
    assert [row["seq"] for row in rows(store.engine, "entry")] == [1, 2]
    assert len(rows(store.engine, "matter")) == 1


def test_what_a_person_typed_comes_back_the_same_from_either_database(store: Store) -> None:
    facts = {"text": "Café \x00 \U0001f600", "n": 1.5, "big": 10**30, "tiny": 1e-300, "list": (1, "a", None)}
    keep(store, *memory.opening(), Entry(EntryKind.NOTED, MONDAY, "clerk", facts))
    with store.begin() as desk:
        last = desk.history(REF)[-1]
    assert last.facts == facts | {"text": "Café \ufffd \U0001f600", "list": [1, "a", None]}


def test_one_duty_is_one_letter(store: Store) -> None:
    first = memory.letter("ack:1")
    keep(store, *memory.opening(), letters=(first,))
    keep(store, now=MONDAY + timedelta(hours=1), letters=(replace(first, text="again"),))
    (row,) = rows(store.engine, "outbox")
    assert (row["text"], row["created_at"], row["state"]) == (first.text, MONDAY, "queued")
    assert str(row["message_id"]).endswith("@southlands.example")


def test_a_held_letter_waits_until_it_is_released_and_a_cancelled_one_never_goes(store: Store) -> None:
    later = MONDAY + timedelta(days=1)
    letters = (
        memory.letter("a", held=True),
        memory.letter("b", held=True, not_before=later),
        memory.letter("c", held=True),
        memory.letter("d"),
    )
    keep(store, *memory.opening(), letters=letters)
    keep(store, now=MONDAY + timedelta(hours=2), release=("a", "b"), cancel=("c", "d"))
    state = {str(row["key"]): (row["state"], row["next_at"]) for row in rows(store.engine, "outbox")}
    assert state["a"] == ("queued", MONDAY + timedelta(hours=2))
    assert state["b"] == ("queued", later)
    assert state["c"][0] == state["d"][0] == "cancelled"


def test_letters_without_a_case_are_kept_too(store: Store) -> None:
    alert = memory.letter("unplaced:1", None, audience=Audience.STAFF, to_role=Role.CLERK)
    with store.begin() as desk:
        desk.keep(Decision(None, (), (alert,)), MONDAY)
    (row,) = rows(store.engine, "outbox")
    assert (row["reference"], row["to_role"]) == (None, "clerk")


def test_references_have_no_gaps_when_transactions_fail_and_workers_race(store: Store) -> None:
    taken: list[int] = []

    def work(fails: bool) -> None:
        mine = Store(connect(store.engine.url.render_as_string(hide_password=False)), store.rulebook)
        for turn in range(6):
            try:
                with mine.begin() as desk:
                    number = desk.next_serial(2026)
                    if fails and turn % 2:
                        raise RuntimeError  # noqa: TRY301 - the transaction is what fails
            except RuntimeError:
                continue
            taken.append(number)
        mine.engine.dispose()

    workers = [threading.Thread(target=work, args=(n == 0,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == list(range(1, 16))


def test_two_processes_that_write_in_one_case_take_turns(store: Store) -> None:
    keep(store, *memory.opening())

    def work(name: str) -> None:
        mine = Store(connect(store.engine.url.render_as_string(hide_password=False)), store.rulebook)
        for turn in range(5):
            keep(mine, Entry(EntryKind.NOTED, MONDAY, name, {"text": str(turn)}))
        mine.engine.dispose()

    workers = [threading.Thread(target=work, args=(name,)) for name in ("clerk", "chair")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with store.begin() as desk:
        history = desk.history(REF)
    assert len(history) == 12
    assert [e.facts["text"] for e in history if e.by == "chair"] == ["0", "1", "2", "3", "4"]


def test_a_remembered_letter_carries_what_it_was_read_and_judged_to_be(store: Store) -> None:
    letter_id = memory.journalled(store.engine)
    part = Attachment("plan.pdf", "application/pdf", 3, "0" * 64)
    message = memory.message(attachments=(part,), subject="Half \udc80")
    with store.begin() as desk:
        desk.remember(letter_id, message, memory.judgement(), state="done", reference=REF, now=MONDAY)
    (row,) = rows(store.engine, "letter")
    assert (row["state"], row["reference"], row["subject"]) == ("done", REF, "Half \ufffd")
    assert row["facts"]["text"] == message.text  # type: ignore[index]
    assert row["judgement"]["target"] == "staff"  # type: ignore[index]
    assert row["processed_at"] == MONDAY
    assert [r["name"] for r in rows(store.engine, "attachment")] == ["plan.pdf"]


def test_the_same_content_under_another_number_is_told_to_the_caller(store: Store) -> None:
    first, second = (memory.journalled(store.engine, 1), memory.journalled(store.engine, 1))
    message = memory.message(1)
    with store.begin() as desk:
        desk.remember(first, message, None, state="done", reference=REF, now=MONDAY)
        desk.remember(first, message, None, state="done", reference=REF, now=MONDAY)  # itself again is itself
        with pytest.raises(AlreadyHere) as caught, desk.savepoint():
            desk.remember(second, message, None, state="done", now=MONDAY)
        assert (caught.value.letter_id, caught.value.reference) == (first, REF)
        desk.remember(second, message, None, state="duplicate", duplicate_of=first, now=MONDAY)
    assert [row["state"] for row in rows(store.engine, "letter")] == ["done", "duplicate"]


def test_a_letter_that_the_journal_does_not_hold_cannot_be_remembered(store: Store) -> None:
    with pytest.raises(LookupError, match="no letter 7"), store.begin() as desk:
        desk.quarantine(7, "unreadable", MONDAY)


def test_a_letter_is_found_by_its_bytes_and_by_its_content_once_it_is_settled(store: Store) -> None:
    waiting = memory.journalled(store.engine, 1)
    with store.begin() as desk:
        assert desk.find_content(memory.message(1)) is None  # it is not its own duplicate
        desk.remember(waiting, memory.message(1), None, state="done", reference=REF, now=MONDAY)
        by_bytes = desk.find_content(memory.message(1, content_digest="other"))
        by_content = desk.find_content(memory.message(1, digest="other"))
        neither = desk.find_content(memory.message(2))
    assert by_bytes is not None
    assert by_bytes == by_content
    assert (by_bytes.letter_id, by_bytes.reference, neither) == (waiting, REF, None)


def test_threads_are_found_by_our_message_ids_and_by_theirs(store: Store) -> None:
    letter_id = memory.journalled(store.engine, 1)
    keep(store, *memory.opening(), letters=(memory.letter("ack:1"),))
    ours = str(rows(store.engine, "outbox")[0]["message_id"])
    with store.begin() as desk:
        desk.remember(letter_id, memory.message(1), None, state="done", reference=REF, now=MONDAY)
        sent = desk.find_sent(("nobody@example.org", ours))
        received = desk.find_received(("letter-1@example.org", "nobody@example.org"))
        assert desk.find_sent(()) is None
        assert desk.find_received(["x"] * 3 + [f"{n}@example.org" for n in range(2_000)]) == []
    assert sent is not None
    assert (sent.reference, sent.key) == (REF, "ack:1")
    assert [found.letter_id for found in received] == [letter_id]


def test_correspondents_are_those_who_wrote_and_those_who_are_answered_in_lower_case(store: Store) -> None:
    letter_id = memory.journalled(store.engine, 1)
    staff = memory.letter("alert", audience=Audience.STAFF, to_addr="clerk@southlands.example")
    answer = memory.letter("ack:1", to_addr="Father@Example.org")
    keep(store, *memory.opening(), letters=(staff, answer))
    writer = memory.message(1, sender=Address("Mother@Example.org"))
    with store.begin() as desk:
        desk.remember(letter_id, writer, None, state="done", reference=REF, now=MONDAY)
        desk.add_party(REF, Role.COMPLAINANT.value, "Gran", "Gran@Example.org")
        desk.add_party(REF, Role.COMPLAINANT.value, "Gran", "GRAN@example.org")
        found = desk.correspondents(REF)
    assert found == {"mother@example.org", "father@example.org", "gran@example.org"}
    assert len(rows(store.engine, "party")) == 1


def test_automatic_letters_are_counted_by_address_in_any_case_but_not_held_ones(store: Store) -> None:
    letters = (
        memory.letter("a", to_addr="Mary@Example.org"),
        memory.letter("b", to_addr="mary@example.org", held=True),
        memory.letter("c", to_addr="mary@example.org", audience=Audience.STAFF),
        memory.letter("d", to_addr="other@example.org"),
    )
    keep(store, *memory.opening(), letters=letters)
    with store.begin() as desk:
        assert desk.automatic_letters_to("MARY@example.org", MONDAY) == 1
        assert desk.automatic_letters_total(MONDAY) == 2
        assert desk.automatic_letters_total(MONDAY + timedelta(seconds=1)) == 0


def test_sketches_come_back_as_they_were_given(store: Store) -> None:
    letter_id = memory.journalled(store.engine)
    with store.begin() as desk:
        desk.add_sketch(letter_id, "a@example.org", MONDAY, {"bands": [1, 2]}, campaign="C1")
        (seen,) = desk.sketches_since(MONDAY)
        assert desk.sketches_since(MONDAY + timedelta(seconds=1)) == []
    assert (seen.sketch, seen.campaign, seen.sender) == ({"bands": [1, 2]}, "C1", "a@example.org")


def test_rows_of_another_school_are_never_touched_nor_seen(store: Store) -> None:
    book = store.rulebook
    other = Store(store.engine, replace(book, school=replace(book.school, id="northlands")))
    for one in (store, other):
        keep(one, *memory.opening(), letters=(memory.letter("ack:1"),))
    keep(other, Entry(EntryKind.NOTED, MONDAY, "clerk", {"text": "x"}), cancel=("ack:1",))
    with store.begin() as desk:
        assert len(desk.history(REF)) == 2
    with reading(store.engine) as connection:
        states = connection.execute(select(tables.outbox.c.school_id, tables.outbox.c.state)).all()
        cases = connection.execute(select(func.count()).select_from(tables.matter)).scalar_one()
    assert dict(states) == {"southlands": "queued", "northlands": "cancelled"}  # type: ignore[arg-type]
    assert cases == 2
