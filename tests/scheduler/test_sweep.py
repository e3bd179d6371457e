from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from data.engine import connect, writing
from data.rebuild import rebuild
from data.store import Store
from procedure.words import Entry, EntryKind, Stage
from scheduler.post import Post
from scheduler.sweep import PUSH, Sweep, sweep
from tests.scheduler.house import acknowledge, at, entries, history, mailer, open_case, outbox, rulebook, write
from tests.scheduler.sink import Sink

RECEIVED = at("Wed 2026-11-18 10:00")  # acknowledgement due on Monday 23 November
FRIDAY = at("Fri 2026-11-20 08:30")
MONDAY = at("Mon 2026-11-23 08:30")
TUESDAY = at("Tue 2026-11-24 08:30")


def about(store: Store, key: str = "ack_3") -> list[str]:
    """Kinds of the nudges that the history holds for that limit."""
    told = history(store, EntryKind.NUDGED)
    return [str(entry.facts["kind"]) for entry in told if entry.facts["deadline"] == key]


def test_a_monday_limit_is_nudged_on_friday_and_not_again_at_the_weekend(store: Store) -> None:
    open_case(store, RECEIVED)
    assert sweep(store, FRIDAY - timedelta(minutes=1)).nudged == 0
    assert sweep(store, FRIDAY).nudged == 1
    for hours in range(1, 72):
        sweep(store, FRIDAY + timedelta(hours=hours) - timedelta(minutes=1))
    assert about(store) == ["before"]
    (letter,) = outbox(store, "nudge")
    assert letter.to_addr == "j.farrow@southlands.example"
    assert letter.state == "queued"


def test_a_limit_is_nudged_before_on_and_after_and_then_never_again(store: Store) -> None:
    open_case(store, RECEIVED)
    for day in range(40):
        sweep(store, RECEIVED + timedelta(days=day))
    assert about(store) == ["before", "on", "after"]
    assert [row.to_addr for row in outbox(store, "missed") if ":ack_3:" in row.key] == ["d.pryce@southlands.example"]
    assert [e.facts["deadline"] for e in history(store, EntryKind.ESCALATED)].count("ack_3") == 1
    assert rebuild(store, check=True) == []


@pytest.mark.parametrize("change", ["Sun 2026-03-29", "Sun 2026-10-25"])
def test_a_sweep_each_half_hour_of_a_week_with_a_clock_change_nudges_once_each(store: Store, change: str) -> None:
    end = at(f"{change} 12:00") + timedelta(days=5)
    received = at(f"{change} 12:00") - timedelta(days=6)  # a Monday
    open_case(store, received)
    sweeping, now = Sweep(store), received
    while now < end:
        sweeping.run(now)
        now += timedelta(minutes=30)
    assert about(store) == ["before", "on", "after"]
    assert len({row.key for row in outbox(store)}) == len(outbox(store))


def test_a_fortnight_with_a_half_term_nudges_on_school_days_only(store: Store) -> None:
    open_case(store, at("Wed 2026-10-21 10:00"))
    now = at("Wed 2026-10-21 10:00")
    told = []
    while now < at("Wed 2026-11-04 10:00"):
        if sweep(store, now).nudged:
            told.append(now.date())
        now += timedelta(hours=1)
    # Day 1 is Thursday, day 2 Friday, half term is 26 to 30 October, day 3 is Monday 2 November.
    assert told == [date(2026, 10, 23), date(2026, 11, 2), date(2026, 11, 3)]


def test_what_came_due_while_the_service_was_down_is_nudged_once(store: Store) -> None:
    references = [f"SL-2026-{number:04d}-0" for number in range(50)]
    for reference in references:
        open_case(store, RECEIVED, reference=reference)
    back = at("Fri 2026-12-11 03:00")
    assert not sweep(store, back).awake, "the service came back at night: it waits for the school's hours"
    morning = at("Fri 2026-12-11 08:30")
    swept = sweep(store, morning)
    assert swept.failed == 0
    assert sweep(store, morning).nudged == 0
    acknowledgements = [row for row in outbox(store, "nudge") if ":ack_3:" in row.key]
    assert len(acknowledgements) == len(references)
    assert len([row for row in outbox(store, "missed") if ":ack_3:" in row.key]) == len(references)


def test_a_duty_met_in_time_is_never_nudged(store: Store) -> None:
    open_case(store, RECEIVED)
    acknowledge(store, RECEIVED + timedelta(hours=2))
    for day in range(8):
        sweep(store, RECEIVED + timedelta(days=day))
    assert about(store) == []
    assert [row for row in outbox(store) if ":ack_3:" in row.key] == []


def test_a_duty_met_after_the_first_reminder_is_not_reminded_of_again(store: Store) -> None:
    open_case(store, RECEIVED)
    sweep(store, FRIDAY)
    acknowledge(store, FRIDAY + timedelta(hours=2))
    sweep(store, MONDAY)
    sweep(store, TUESDAY)
    assert about(store) == ["before"]


def test_a_suspended_case_is_silent_and_reminded_of_by_its_new_date_when_it_resumes(store: Store) -> None:
    open_case(store, RECEIVED)
    write(store, RECEIVED, Entry(EntryKind.SUSPENDED, at("Thu 2026-11-19 09:00"), "head", {"reason": "proceedings"}))
    for moment in (FRIDAY, MONDAY, TUESDAY):
        assert sweep(store, moment).nudged == 0
    resumed = at("Wed 2026-12-02 09:00")
    write(store, resumed, Entry(EntryKind.RESUMED, resumed, "head", {}))
    for day in range(1, 6):
        sweep(store, resumed + timedelta(days=day))
    assert about(store)[0] == "before"


def test_a_closed_case_is_silent(store: Store) -> None:
    open_case(store, RECEIVED)
    write(store, RECEIVED, Entry(EntryKind.WITHDRAWN, RECEIVED + timedelta(hours=1), "clerk", {}))
    assert sweep(store, TUESDAY).nudged == 0


def test_two_sweeps_at_once_nudge_once(store: Store) -> None:
    references = [f"SL-2026-{number:04d}-0" for number in range(30)]
    for reference in references:
        open_case(store, RECEIVED, reference=reference)
    url = store.engine.url.render_as_string(hide_password=False)
    engines = [connect(url) for _ in range(2)]
    together = threading.Barrier(2)
    found: list[int] = []

    def run(other: Store) -> None:
        together.wait()
        found.append(sweep(other, FRIDAY).nudged)

    threads = [threading.Thread(target=run, args=(Store(engine, rulebook()),)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()
    assert sum(found) == len(references)
    assert len(outbox(store, "nudge")) == len(references)
    assert about(store) == []  # the reference of the tests was not among them
    for reference in references:
        assert len(history(store, EntryKind.NUDGED, reference=reference)) == 1


def test_a_case_that_cannot_be_decided_about_does_not_stop_the_others(store: Store) -> None:
    for number in range(12):
        open_case(store, RECEIVED, reference=f"SL-2026-{number:04d}-0")
    with writing(store.engine) as connection:
        connection.execute(text("update entry set facts = null where reference = 'SL-2026-0005-0' and seq = 1"))
    sweeping = Sweep(store)
    swept = sweeping.run(FRIDAY)
    assert (swept.nudged, swept.failed) == (11, 1)
    assert sweeping.run(FRIDAY + timedelta(minutes=1)).failed == 0, "it is left alone for an hour"
    assert sweeping.run(FRIDAY + PUSH).failed == 1


def test_a_nudge_that_cannot_be_written_whole_is_not_written_at_all(sqlite_engine: Engine) -> None:
    store = Store(sqlite_engine, rulebook())
    for number in range(5):
        open_case(store, RECEIVED, reference=f"SL-2026-{number:04d}-0")
    trigger = "create trigger no before insert on outbox when new.reference = 'SL-2026-0002-0' begin {} end"
    with writing(store.engine) as connection:
        connection.exec_driver_sql(trigger.format("select raise(abort, 'no');"))
    swept = sweep(store, FRIDAY)
    assert (swept.nudged, swept.failed) == (4, 1)
    assert history(store, EntryKind.NUDGED, reference="SL-2026-0002-0") == []
    assert len(outbox(store, "nudge")) == 4


def test_a_restart_forgets_nothing_and_repeats_nothing(store: Store) -> None:
    open_case(store, RECEIVED)
    assert Sweep(store).run(FRIDAY).nudged == 1
    again = Store(store.engine, rulebook())
    assert Sweep(again).run(FRIDAY + timedelta(minutes=1)).nudged == 0
    assert Sweep(again).run(MONDAY).nudged == 1


def test_a_closure_that_moves_a_limit_is_reminded_of_by_the_new_date(store: Store) -> None:
    open_case(store, RECEIVED)
    sweep(store, FRIDAY)
    snow = replace(rulebook(), calendar=rulebook().calendar.with_closure(date(2026, 11, 23), "snow"))  # the Monday
    after = Store(store.engine, snow)
    rebuild(after, check=False)
    assert sweep(after, MONDAY).awake is False, "a closed school writes no reminders"
    sweep(after, TUESDAY)
    due = [entry.facts["due"] for entry in history(after, EntryKind.NUDGED)]
    assert due == ["2026-11-23", "2026-11-24"]


@pytest.mark.requirement(70)
def test_a_nudge_reaches_the_clerks_mailbox_over_smtp(store: Store, relay: Sink) -> None:
    open_case(store, RECEIVED, Stage.TWO)
    sweep(store, FRIDAY)
    Post(store, mailer(relay)).deliver(FRIDAY)
    (taken,) = relay.taken
    message = taken.message
    assert taken.rcpt_to == "j.farrow@southlands.example"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body(("plain",))
    assert body is not None
    assert "Monday 23 November 2026" in body.get_content()


def test_the_entries_of_the_tests_open_a_case_whose_limit_is_the_monday() -> None:
    assert entries(RECEIVED)[0].kind is EntryKind.CASE_OPENED
