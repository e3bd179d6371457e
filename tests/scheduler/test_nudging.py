from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procedure.deadlines import deadlines, nudges
from procedure.words import Decision, Entry, EntryKind, Role, Stage, Target
from scheduler.nudging import decide, in_hours
from tests.scheduler.house import LONDON, at, entries, rulebook
from tests.scheduler.letters import REFERENCE

BOOK = rulebook()


def asked(past: tuple[Entry, ...], now: datetime, key: str = "ack_3") -> Decision | None:
    return decide(REFERENCE, past, key, BOOK, now)


def people(decision: Decision | None) -> list[tuple[str, str]]:
    assert decision is not None
    return [(letter.name, letter.to_addr.partition("@")[0]) for letter in decision.letters]


def given_over(past: tuple[Entry, ...], key: str, until: datetime) -> list[tuple[str, str]]:
    """Every nudge given when somebody looks each half hour: local time and kind."""
    now, told = past[0].at, []
    while now < until:
        decision = asked(past, now, key) if in_hours(BOOK, now) else None
        if decision is not None:
            told.append((f"{now.astimezone(LONDON):%a %Y-%m-%d %H:%M}", str(decision.entries[0].facts["kind"])))
            past = (*past, *decision.entries)
        now += timedelta(minutes=30)
    return told


@pytest.mark.parametrize(
    ("stage", "key", "received", "expected"),
    [
        # Received on a Wednesday: the third school day is Monday, the school day before it is Friday.
        (
            Stage.FOUR,
            "ack_3",
            "Wed 2026-11-18 10:00",
            [
                ("Fri 2026-11-20 08:30", "before"),
                ("Mon 2026-11-23 08:30", "on"),
                ("Tue 2026-11-24 08:30", "after"),
            ],
        ),
        # Across the end of summer time (Sunday 25 October 2026) and a half term that follows it.
        (
            Stage.FOUR,
            "ack_3",
            "Thu 2026-10-22 16:00",
            [
                ("Mon 2026-11-02 08:30", "before"),
                ("Tue 2026-11-03 08:30", "on"),
                ("Wed 2026-11-04 08:30", "after"),
            ],
        ),
        # Across the beginning of summer time (Sunday 29 March 2026) and the Easter holiday.
        (
            Stage.FOUR,
            "ack_3",
            "Thu 2026-03-26 09:00",
            [
                ("Mon 2026-04-13 08:30", "before"),
                ("Tue 2026-04-14 08:30", "on"),
                ("Wed 2026-04-15 08:30", "after"),
            ],
        ),
    ],
)
def test_a_limit_is_nudged_before_on_and_after_its_day_in_school_hours(
    stage: Stage, key: str, received: str, expected: list[tuple[str, str]]
) -> None:
    past = entries(at(received), stage)
    assert given_over(past, key, at(expected[-1][0]) + timedelta(days=4)) == expected


def test_a_missed_limit_goes_to_the_owner_and_to_the_person_above() -> None:
    past = entries(at("Mon 2026-11-09 10:00"))
    decision = asked(past, at("Fri 2026-11-13 08:30"))
    assert decision is not None
    assert people(decision) == [("nudge", "j.farrow"), ("missed", "d.pryce")]
    assert [entry.kind for entry in decision.entries] == [EntryKind.NUDGED, EntryKind.ESCALATED]
    assert decision.entries[1].facts["role"] == "chair"
    assert decision.entries[1].facts["persons"] == ["chair"]


@pytest.mark.requirement(71)
def test_a_hearing_not_held_in_twenty_school_days_is_escalated() -> None:
    past = entries(at("Tue 2026-09-08 10:00"))
    missed = asked(past, at("Thu 2026-10-08 09:00"), "cap_hearing_20")
    assert people(missed) == [("nudge", "j.farrow"), ("missed", "d.pryce")]


def test_letters_to_staff_name_the_limit_and_no_person() -> None:
    decision = asked(entries(at("Mon 2026-11-09 10:00")), at("Fri 2026-11-13 08:30"))
    assert decision is not None
    for letter in decision.letters:
        assert REFERENCE in letter.text
        assert "L138" in letter.text
        assert letter.to_addr not in letter.text


def test_a_nudge_is_given_once_however_often_it_is_asked_for() -> None:
    past = entries(at("Wed 2026-11-18 10:00"))
    first = asked(past, at("Fri 2026-11-20 08:30"))
    assert first is not None
    past = (*past, *first.entries)
    assert asked(past, at("Fri 2026-11-20 08:30")) is None
    assert asked(past, at("Fri 2026-11-20 16:00")) is None
    assert asked(past, at("Thu 2026-11-19 08:30")) is None, "a clock put back says nothing twice"


def test_of_nudges_missed_while_the_service_was_down_only_the_latest_is_given() -> None:
    past = entries(at("Wed 2026-11-18 10:00"))
    decision = asked(past, at("Thu 2026-11-26 09:00"))
    assert decision is not None
    assert decision.entries[0].facts["kind"] == "after"
    assert asked((*past, *decision.entries), at("Thu 2026-12-03 09:00")) is None


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (EntryKind.ACKNOWLEDGED, {"how": "telephone"}),
        (EntryKind.LETTER_SENT, {"letter": "acknowledgement", "key": f"ack:{REFERENCE}:stage4", "message_id": "x@y"}),
        (EntryKind.WITHDRAWN, {}),
        (EntryKind.CLOSED, {}),
        (EntryKind.SUSPENDED, {"reason": "proceedings"}),
    ],
)
def test_nothing_is_said_about_a_duty_that_is_met_a_case_that_is_closed_or_suspended(
    kind: EntryKind, facts: dict[str, str]
) -> None:
    queued = Entry(
        EntryKind.LETTER_QUEUED,
        at("Wed 2026-11-18 10:00"),
        "duly",
        {"letter": "acknowledgement", "key": f"ack:{REFERENCE}:stage4", "to": "complainant"},
    )
    past = (*entries(at("Wed 2026-11-18 10:00")), queued, Entry(kind, at("Thu 2026-11-19 10:00"), "clerk", facts))
    assert asked(past, at("Fri 2026-11-20 08:30")) is None


@pytest.mark.requirement(70)
def test_a_bounced_acknowledgement_is_nudged_again() -> None:
    key = f"ack:{REFERENCE}:stage4"
    facts = {"letter": "acknowledgement", "key": key}
    sent = at("Wed 2026-11-18 10:01")
    past = (
        *entries(at("Wed 2026-11-18 10:00")),
        Entry(EntryKind.LETTER_QUEUED, at("Wed 2026-11-18 10:00"), "duly", facts | {"to": "complainant"}),
        Entry(EntryKind.LETTER_SENT, sent, "duly", facts | {"message_id": "a@b"}),
    )
    assert asked(past, at("Fri 2026-11-20 08:30")) is None
    past = (*past, Entry(EntryKind.LETTER_BOUNCED, at("Wed 2026-11-18 10:05"), "duly", facts))
    assert people(asked(past, at("Fri 2026-11-20 08:30"))) == [("nudge", "j.farrow")]


@pytest.mark.requirement(21)
def test_nobody_from_whom_the_case_is_withheld_hears_of_its_limits() -> None:
    past = entries(at("Mon 2026-09-07 10:00"), Stage.ONE, Target.HEADTEACHER)
    decision = asked(past, at("Mon 2026-11-30 09:00"), "informal_15")
    told = people(decision)
    assert ("missed", "m.castell") not in told, "the headteacher must not see a complaint against the headteacher"
    assert told == [("nudge", "j.farrow"), ("missed", "d.pryce")]


@pytest.mark.requirement(22)
def test_a_case_against_the_chair_is_escalated_past_the_chair() -> None:
    past = entries(at("Mon 2026-11-09 10:00"), Stage.FOUR, Target.CHAIR)
    told = people(asked(past, at("Fri 2026-11-13 08:30")))
    assert ("missed", "d.pryce") not in told
    assert told[0] == ("nudge", "j.farrow")


def test_who_stepped_back_hears_nothing_and_who_stands_in_does() -> None:
    recused = Entry(EntryKind.RECUSED, at("Mon 2026-11-09 11:00"), "clerk", {"person": "clerk"})
    past = (*entries(at("Mon 2026-11-09 10:00")), recused)
    told = people(asked(past, at("Wed 2026-11-11 08:30")))
    assert told == [("nudge", "d.pryce")]


def test_a_missed_limit_stays_with_its_owner_where_nobody_stands_above() -> None:
    few = tuple(p for p in BOOK.school.people if p.roles & {Role.CLERK, Role.OFFICE, Role.GOVERNOR})
    book = replace(BOOK, school=replace(BOOK.school, people=few))
    decision = decide(REFERENCE, entries(at("Mon 2026-11-09 10:00")), "ack_3", book, at("Fri 2026-11-13 08:30"))
    assert people(decision) == [("nudge", "j.farrow")], "office and governors do not hear of it instead"


@pytest.mark.parametrize(
    ("moment", "awake"),
    [
        ("Mon 2026-11-23 08:29", False),
        ("Mon 2026-11-23 08:30", True),
        ("Mon 2026-11-23 16:29", True),
        ("Mon 2026-11-23 16:30", False),
        ("Sat 2026-11-21 12:00", False),
        ("Wed 2026-10-28 12:00", False),  # half term
        ("Fri 2026-10-23 08:30", True),  # summer time: 07:30 UTC
        ("Mon 2026-11-02 08:30", True),  # winter time: 08:30 UTC
        ("Mon 2040-01-02 12:00", True),  # past the calendar's end weekdays stand in
        ("Sun 2040-01-01 12:00", False),
    ],
)
def test_staff_are_written_to_in_the_hours_of_a_school_day(moment: str, awake: bool) -> None:
    assert in_hours(BOOK, at(moment)) is awake


def test_an_unknown_case_or_deadline_says_nothing() -> None:
    assert asked((), at("Fri 2026-11-20 08:30")) is None
    assert asked(entries(at("Wed 2026-11-18 10:00")), at("Fri 2026-11-20 08:30"), "no_such_limit") is None


@settings(max_examples=40, deadline=None)
@given(
    opened=st.integers(0, 60 * 24 * 90),
    looks=st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=12),
)
def test_whenever_somebody_looks_no_letter_is_written_twice_and_none_outside_hours(
    opened: int, looks: list[int]
) -> None:
    """Also when the clock goes backwards between two looks."""
    start = at("Tue 2026-09-01 08:30") + timedelta(minutes=opened)
    past = entries(start)
    found = {d.key: d for d in deadlines(past, BOOK.policy("southlands-2023"), BOOK.calendar)}
    rule = BOOK.policy("southlands-2023").limit("ack_3")
    planned = {n.at for n in nudges(found["ack_3"], rule, BOOK.calendar, BOOK.school.hours)}
    keys: list[str] = []
    for minutes in looks:
        now = start + timedelta(minutes=minutes)
        decision = asked(past, now)
        if decision is None:
            continue
        keys += [letter.key for letter in decision.letters]
        assert datetime.fromisoformat(str(decision.entries[0].facts["at"])) in {t for t in planned if t <= now}
        past = (*past, *decision.entries)
    assert len(keys) == len(set(keys))
