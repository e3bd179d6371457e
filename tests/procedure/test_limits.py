"""`duly limits` answers every line: a day with its counting, or one sentence (calendar.md)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure import calendar_file, policy_file
from procedure.limits import answer

POLICY = policy_file.load_named("southlands-2023")
CALENDAR = calendar_file.load(
    (Path(__file__).parents[2] / "procedure/calendars/southlands.toml").read_text(encoding="utf-8")
)
#: The rules that calendar.md names.
RULES = (
    "ack_3",
    "informal_15",
    "stage2_15",
    "stage3_20",
    "cap_request_10",
    "cap_hearing_20",
    "cap_notice_5_before",
    "cap_outcome_15",
    "three_month_limit",
    "comms_plan_6_months",
)


def ask(rule: object, event_at: object, **more: Any) -> dict[str, Any]:
    return answer(json.dumps({"id": "a", "event_at": event_at, "rule": rule, **more}), CALENDAR, POLICY)


@pytest.mark.parametrize(
    ("rule", "event_at", "expected"),
    [
        ("ack_3", "2026-11-07T10:00:00Z", "2026-11-11"),  # Saturday -> Wednesday
        ("ack_3", "2026-09-10T23:30:00Z", "2026-09-16"),  # already Friday in London -> Wednesday
        ("ack_3", "2026-09-10T22:30:00Z", "2026-09-15"),  # still Thursday -> Tuesday
        ("ack_3", "2026-10-24T23:30:00Z", "2026-11-04"),  # the night the clocks go back, half term -> Wednesday
        ("ack_3", "2027-03-28T23:30:00Z", "2027-04-14"),  # the night they go forward, Easter -> Wednesday
        ("ack_3", "2026-08-31T09:00:00+01:00", "2026-09-07"),  # bank holiday Monday, INSET -> Monday
        ("informal_15", "2026-11-02T10:00:00Z", "2026-11-23"),
        ("stage2_15", "2026-11-16T10:00:00Z", "2026-12-08"),  # over the INSET day of Friday 27 November
        ("stage3_20", "2026-11-02T10:00:00Z", "2026-12-01"),
        ("cap_request_10", "2027-04-23T10:00:00Z", "2027-05-10"),  # over the bank holiday of Monday 3 May
        ("cap_hearing_20", "2026-12-01T10:00:00Z", "2027-01-13"),  # over Christmas and an INSET day
        ("cap_outcome_15", "2026-10-12T10:00:00Z", "2026-11-09"),  # over half term
        ("three_month_limit", "2026-11-30T10:00:00Z", "2027-02-28"),  # no 30 February
        ("three_month_limit", "2027-11-30T10:00:00Z", "2028-02-29"),  # a leap year
        ("three_month_limit", "2026-03-31T23:30:00Z", "2026-07-01"),  # already April in London
        ("comms_plan_6_months", "2026-08-31T10:00:00Z", "2027-02-28"),
    ],
)
def test_a_limit_falls_on_the_day_that_the_policy_gives(rule: str, event_at: str, expected: str) -> None:
    found = ask(rule, event_at)

    assert found["date"] == expected
    assert found["id"] == "a"
    assert set(found) == {"id", "date", "counted", "skipped", "clause"}


def test_an_answer_shows_its_counting() -> None:
    assert ask("ack_3", "2026-11-06T10:00:00Z") == {  # a Friday
        "id": "a",
        "date": "2026-11-11",
        "counted": ["2026-11-09", "2026-11-10", "2026-11-11"],
        "skipped": [{"date": "2026-11-07", "why": "Saturday"}, {"date": "2026-11-08", "why": "Sunday"}],
        "clause": "L138, A6",
    }


@pytest.mark.parametrize(
    ("hearing", "by", "last_school_day"),
    [
        ("2026-11-19T14:00:00Z", "2026-11-11", "2026-11-11"),  # Thursday: notice by Wednesday
        ("2026-11-23T14:00:00Z", "2026-11-15", "2026-11-13"),  # Monday: by Sunday, so by Friday
        ("2026-11-06T14:00:00Z", "2026-10-22", "2026-10-22"),  # Friday after half term: by the Thursday before it
        ("2026-11-21T14:00:00Z", "2026-11-15", "2026-11-13"),  # a hearing on a Saturday
    ],
)
def test_notice_names_the_last_school_day_too(hearing: str, by: str, last_school_day: str) -> None:
    found = ask("cap_notice_5_before", hearing)

    assert (found["date"], found["last_school_day"]) == (by, last_school_day)
    assert len(found["counted"]) == 5


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_the_table_can_be_asked(rule: str) -> None:
    assert "date" in ask(rule, "2026-11-16T10:00:00Z")


@pytest.mark.parametrize(
    ("line", "given_id", "said"),
    [
        ('{"id": 7, "event_at": "2029-07-18T10:00:00Z", "rule": "ack_3"}', 7, "the last day it knows is 2029-07-20"),
        ('{"id": 7, "event_at": "2024-07-18T10:00:00Z", "rule": "ack_3"}', 7, "the first day it knows is 2024-08-01"),
        ('{"id": 7, "event_at": "2031-07-18T10:00:00Z", "rule": "ack_3"}', 7, "the last day it knows is 2029-07-20"),
        (
            '{"id": 7, "event_at": "2024-09-06T10:00:00Z", "rule": "cap_notice_5_before"}',
            7,
            "the first day it knows is 2024-08-01",
        ),
        ('{"id": "a", "event_at": "2026-11-02T10:00:00", "rule": "ack_3"}', "a", "has no zone"),
        ('{"id": "a", "event_at": "2026-11-02", "rule": "ack_3"}', "a", "has no zone"),
        ('{"id": "a", "event_at": "2026-02-30T10:00:00Z", "rule": "ack_3"}', "a", "is no ISO time"),
        ('{"id": "a", "event_at": "2026-11-02T25:00:00Z", "rule": "ack_3"}', "a", "is no ISO time"),
        ('{"id": "a", "event_at": "", "rule": "ack_3"}', "a", "is no ISO time"),
        ('{"id": "a", "event_at": "9999-12-31T23:30:00-05:00", "rule": "ack_3"}', "a", "outside the years"),
        ('{"id": "a", "event_at": "9999-12-31T10:00:00Z", "rule": "three_month_limit"}', "a", "year"),
        ('{"id": "a", "event_at": 1793613600, "rule": "ack_3"}', "a", "event_at must be a text in quotes"),
        ('{"id": "a", "event_at": null, "rule": "ack_3"}', "a", "event_at must be a text in quotes"),
        ('{"id": "a", "rule": "ack_3"}', "a", "the line has no event_at"),
        ('{"id": "a", "event_at": "2026-11-02T10:00:00Z"}', "a", "the line has no rule"),
        ('{"id": "a", "event_at": "2026-11-02T10:00:00Z", "rule": "ack_4"}', "a", "no limit is called 'ack_4'"),
        ('{"id": "a", "event_at": "2026-11-02T10:00:00Z", "rule": ["ack_3"]}', "a", "rule must be a text"),
        ('{"id": "a", "event_at": "2026-11-02T10:00:00Z", "rule": 1e999}', "a", "rule must be a text"),
        ('{"id": [1], "event_at": "x", "rule": "ack_3"}', None, "is no ISO time"),
        ('{"id": true, "event_at": "x", "rule": "ack_3"}', None, "is no ISO time"),
        ('{"id": NaN}', None, "NaN is no JSON number"),
        ('{"id": ' + "9" * 5000 + "}", None, "not JSON"),
        ("[" * 100_000, None, "nested too deeply"),
        ('"ack_3"', None, "no object"),
        ("[]", None, "no object"),
        ("null", None, "no object"),
        ("", None, "not JSON"),
        ("{'id': 1}", None, "not JSON"),
        ("\ufffd\x00", None, "not JSON"),
    ],
    ids=range(29),
)
def test_a_line_that_cannot_be_answered_gives_one_sentence(line: str, given_id: object, said: str) -> None:
    found = answer(line, CALENDAR, POLICY)

    assert set(found) == {"id", "error"}
    assert found["id"] == given_id
    assert said in found["error"]
    assert "\n" not in found["error"]


def test_a_line_of_a_megabyte_gets_a_short_answer() -> None:
    found = ask("x" * 1_000_000, "2026-11-02T10:00:00Z")

    assert len(found["error"]) < 400


def test_a_number_of_thousands_of_digits_gets_a_short_answer() -> None:
    assert len(ask(int("9" * 4000), "2026-11-02T10:00:00Z")["error"]) < 400


def test_an_id_that_cannot_be_written_loses_what_is_broken() -> None:
    found = answer('{"id": "a\\ud800", "event_at": "x", "rule": "ack_3"}', CALENDAR, POLICY)

    assert json.dumps(found, ensure_ascii=False).encode()
    assert found["id"] == "a?"


LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.text() | st.recursive(LEAVES, st.lists, max_leaves=4).map(json.dumps))
def test_no_line_raises(line: str) -> None:
    assert "error" in answer(line, CALENDAR, POLICY)


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
MOMENTS = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())


@given(
    st.fixed_dictionaries(
        {},
        optional={"id": JSON_VALUES, "event_at": MOMENTS | JSON_VALUES, "rule": st.sampled_from(RULES) | JSON_VALUES},
    )
)
def test_every_object_is_answered_and_the_answer_can_be_written(asked: dict[str, Any]) -> None:
    found = answer(json.dumps(asked), CALENDAR, POLICY)

    assert ("date" in found) != ("error" in found)
    assert json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


@given(
    st.integers(int(datetime(2024, 9, 2, tzinfo=UTC).timestamp()), int(datetime(2029, 3, 1, tzinfo=UTC).timestamp())),
    st.timezones(),
    st.sampled_from(["ack_3", "informal_15", "stage2_15", "stage3_20", "cap_request_10"]),
)
def test_no_limit_in_school_days_falls_on_another_day(seconds: int, zone: tzinfo, rule: str) -> None:
    found = ask(rule, datetime.fromtimestamp(seconds, zone).isoformat())

    assert CALENDAR.is_school_day(date.fromisoformat(found["date"]))
    assert len(found["counted"]) == POLICY.limit(rule).length
