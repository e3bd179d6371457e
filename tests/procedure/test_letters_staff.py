from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from procedure import letters_staff
from procedure.words import Letter, Role, Target, Topic
from tests.procedure.letters import CHAIR, CLERK, DSL, NOW, REF, SCHOOL, STAFF, case, deadline

STAFF_LETTERS: list[Callable[..., Letter]] = [
    value
    for name, value in vars(letters_staff).items()
    if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == letters_staff.__name__
    if inspect.signature(value).return_annotation == "Letter"
]


def test_every_staff_letter_is_among_those_tried_here() -> None:
    made = {letter.name for letter in STAFF.values()}
    functions = {function.__name__ for function in STAFF_LETTERS} - {"case_alert"}

    assert made == functions | set(letters_staff.CASE_ALERTS)


@pytest.mark.parametrize("function", STAFF_LETTERS, ids=lambda f: f.__name__)
def test_no_staff_letter_takes_what_could_leak(function: Callable[..., Letter]) -> None:
    taken = set(inspect.signature(function).parameters)

    assert not taken & {"message", "judgement", "sender", "to", "subject", "text", "evidence", "child", "arrival"}


def test_what_a_case_says_of_its_matter_stays_out_of_the_alert_about_it() -> None:
    telling = replace(
        case(Target.HEADTEACHER, Role.CLERK),
        topics=(Topic.WHISTLEBLOWING, Topic.EXCLUSION),
        outcome="apology to Ana",
        campaign="crossing",
    )
    for name in letters_staff.CASE_ALERTS:
        letter = letters_staff.case_alert(SCHOOL, telling, CLERK, role=Role.CLERK, name=name, letter_id=8)
        said = f"{letter.subject} {letter.text} {letter.html}".lower()

        assert not re.search(r"whistle|exclu|apology|ana\b|crossing|headteacher", said)


@pytest.mark.parametrize("name", sorted(STAFF))
def test_a_staff_letter_names_no_person(name: str) -> None:
    letter = STAFF[name]

    for person in SCHOOL.people:
        assert person.name not in letter.text
    assert letter.to_addr == CLERK.email
    assert letter.to_role is Role.CLERK


@pytest.mark.parametrize("name", sorted(STAFF))
def test_a_staff_letter_says_what_to_do_as_a_command(name: str) -> None:
    letter = STAFF[name]
    commands = re.findall(r"^    (duly [a-z]+(?: \S+)?)$", letter.text, re.MULTILINE)

    assert commands
    assert all(f"<code>{command}</code>" in letter.html for command in commands)


@pytest.mark.parametrize("name", [name for name in sorted(STAFF) if not name.startswith("safeguarding")])
def test_only_a_safeguarding_alert_speaks_of_a_child_at_risk(name: str) -> None:
    if name != "held":  # whoever releases must think of it
        assert "child" not in STAFF[name].text


def test_no_subject_to_staff_speaks_of_a_child() -> None:
    for letter in STAFF.values():
        assert not re.search(r"child|safeguard|risk", letter.subject, re.IGNORECASE)


@pytest.mark.requirement(111)
def test_a_safeguarding_alert_is_urgent_and_one_for_each_letter_and_person() -> None:
    make = letters_staff.safeguarding_alert
    later = datetime(2026, 10, 23, 9, 0, tzinfo=UTC)  # Friday
    first = make(SCHOOL, REF, DSL, letter_id=7, immediate=True, now=NOW)

    assert first.urgent
    assert first.to_role is Role.DSL
    assert not first.held
    assert "15:05 on Thursday 22 October 2026" in first.text
    assert "01632 960002" in first.text
    assert make(SCHOOL, REF, DSL, letter_id=7, immediate=True, now=later).key == first.key
    assert make(SCHOOL, REF, DSL, letter_id=8, immediate=True, now=NOW).key != first.key
    assert make(SCHOOL, REF, CHAIR, letter_id=7, immediate=True, now=NOW).key != first.key


def test_a_safeguarding_alert_without_a_case_points_to_the_journal() -> None:
    letter = STAFF["safeguarding, no case"]

    assert letter.reference is None
    assert "duly journal" in letter.text
    assert "duly release" not in letter.text


@pytest.mark.parametrize("kind", ["before", "on", "after"])
def test_a_nudge_names_limit_clause_and_day_and_explains_the_counting(kind: str) -> None:
    letter = STAFF[f"nudge {kind}"]

    assert "stage2_15 (L100)" in letter.subject
    assert "Monday 30 November 2026" in letter.text
    assert "Start: Thursday 22 October 2026 (complaint received)" in letter.text
    assert "Monday 26 October 2026, half term: autumn" in letter.text


def test_two_reminders_of_one_limit_are_two_letters_and_a_repeated_tick_is_none() -> None:
    due = deadline("stage2_15")
    five, two = datetime(2026, 11, 23, 8, 30, tzinfo=UTC), datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
    first = letters_staff.nudge(SCHOOL, REF, due, "before", CLERK, at=five)

    assert letters_staff.nudge(SCHOOL, REF, due, "before", CLERK, at=five).key == first.key
    assert letters_staff.nudge(SCHOOL, REF, due, "before", CLERK, at=two).key != first.key
    assert letters_staff.nudge(SCHOOL, REF, due, "on", CLERK, at=five).key != first.key


def test_a_limit_that_moved_is_reminded_of_anew() -> None:
    old, new = deadline("stage2_15"), deadline("stage2_15", due=date(2026, 12, 1))

    assert (
        letters_staff.nudge(SCHOOL, REF, old, "on", CLERK).key
        != letters_staff.nudge(SCHOOL, REF, new, "on", CLERK).key
    )
    assert letters_staff.missed(SCHOOL, REF, old, CHAIR).key != letters_staff.missed(SCHOOL, REF, new, CHAIR).key


def test_what_cannot_wait_for_a_digest_is_urgent() -> None:
    urgent = {name for name, letter in STAFF.items() if letter.urgent}

    assert urgent == {
        "safeguarding",
        "safeguarding, no case",
        "missed",
        "gave up",
        "gave up, no case",
        "bounce",
        "bounce, no case",
    }


@pytest.mark.requirement(70)
@pytest.mark.parametrize("name", ["gave up", "bounce"])
def test_a_letter_that_did_not_arrive_meets_no_limit_and_says_what_to_do(name: str) -> None:
    text = STAFF[name].text

    assert re.search(r"limit is (not )?met", text)
    assert f"duly ack {REF}" in text


def test_a_limit_without_a_date_says_where_the_calendar_ends() -> None:
    text = STAFF["uncounted"].text

    assert "ends on Tuesday 20 July 2027" in text
    assert "calendar.toml" in text


def test_an_unknown_alert_about_a_case_is_refused() -> None:
    with pytest.raises(ValueError, match="there are handler_alert"):
        letters_staff.case_alert(SCHOOL, case(), CLERK, role=Role.CLERK, name="gossip")
    with pytest.raises(ValueError, match="number of the letter"):
        letters_staff.case_alert(SCHOOL, case(), CLERK, role=Role.CLERK, name="more_received")
