from __future__ import annotations

from datetime import datetime, timedelta

from data.letters import Received, add_many
from data.store import Store
from procedure.words import Envelope, Message, Role
from scheduler.housekeeping import Housekeeping
from tests.scheduler.house import at, letter, open_case, outbox, queue, rulebook

FRIDAY = at("Fri 2026-11-20 10:00")
MONDAY = at("Mon 2026-11-23 09:00")
TUESDAY = at("Tue 2026-11-24 09:00")
CLERK, DSL = "j.farrow@southlands.example", "o.trask@southlands.example"


def quarantined(store: Store, received: datetime) -> int:
    raw = f"Subject: {received.isoformat()}\r\n\r\nhelp\r\n".encode()
    (number,) = add_many(store.engine, store.school_id, [Received(raw, Envelope("smtp", received))], None)
    with store.begin() as desk:
        desk.quarantine(number, "it could not be read", received)
    return number


def told(store: Store, name: str) -> list[str]:
    return [row.to_addr for row in outbox(store, name)]


def test_a_letter_set_aside_on_friday_is_brought_up_on_tuesday_and_each_school_day_after(store: Store) -> None:
    number = quarantined(store, FRIDAY)
    for moment in (FRIDAY, MONDAY):
        Housekeeping(store).run(moment)
    assert told(store, "letters_waiting") == []
    Housekeeping(store).run(TUESDAY)
    assert sorted(told(store, "letters_waiting")) == [CLERK, DSL]
    assert f"Numbers: {number}\n" in outbox(store, "letters_waiting")[0].text
    assert "help" not in outbox(store, "letters_waiting")[0].text

    for hours in range(1, 7):
        Housekeeping(store).run(TUESDAY + timedelta(hours=hours))
    assert len(told(store, "letters_waiting")) == 2, "once a day, also after a restart"
    Housekeeping(store).run(TUESDAY + timedelta(days=1))
    assert len(told(store, "letters_waiting")) == 4


def test_a_letter_that_was_seen_to_is_not_brought_up(store: Store) -> None:
    number = quarantined(store, FRIDAY)
    with store.begin() as desk:
        desk.remember(number, Message("d", "c"), None, state="automatic", now=MONDAY)
    assert Housekeeping(store).run(TUESDAY) == 0


def test_held_letters_are_brought_up_to_those_who_may_see_the_case(store: Store) -> None:
    reference = open_case(store, FRIDAY)
    queue(store, FRIDAY, letter(held=True))
    Housekeeping(store).run(MONDAY)
    assert told(store, "letters_held") == []
    Housekeeping(store).run(TUESDAY)
    assert told(store, "letters_held") == [CLERK], "the DSL does not see a case without a safeguarding sign"
    assert reference in outbox(store, "letters_held")[0].text


def test_nothing_is_brought_up_at_night_at_the_weekend_or_in_the_holidays(store: Store) -> None:
    quarantined(store, at("Mon 2026-10-19 10:00"))
    for moment in ("Tue 2026-10-20 20:00", "Sat 2026-10-24 10:00", "Wed 2026-10-28 10:00"):
        assert Housekeeping(store).run(at(moment)) == 0


def test_the_clerk_hears_once_a_week_that_the_calendar_ends(store: Store) -> None:
    end = rulebook().calendar.last_known
    calendar = rulebook().calendar
    now = datetime.combine(end, MONDAY.timetz()) - timedelta(days=75)
    house = Housekeeping(store)
    while now.date() < end:
        house.run(now)
        now += timedelta(days=1)
    weeks = [row.key for row in outbox(store, "calendar_ends")]
    days = [end - timedelta(days=n) for n in range(1, 61) if calendar.is_school_day(end - timedelta(days=n))]
    assert len(weeks) == len(set(weeks)) == len({day.isocalendar()[:2] for day in days})
    assert set(told(store, "calendar_ends")) == {p.email for p in rulebook().school.holders(Role.CLERK)}
