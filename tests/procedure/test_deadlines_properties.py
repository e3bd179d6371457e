"""What holds for every history: nothing depends on the order of writing, and no date is guessed (lesson 26)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from procedure import calendar_file, policy_file
from procedure.counting import CLEAR_BEFORE, SCHOOL_DAYS, local_day
from procedure.deadlines import deadlines, uncounted
from procedure.words import DeadlineState, Entry, EntryKind

K = EntryKind
POLICY = policy_file.load_named("southlands-2023")
CALENDAR = calendar_file.load(
    (Path(__file__).parents[2] / "procedure/calendars/southlands.toml").read_text(encoding="utf-8")
)
OPENED = datetime(2026, 9, 7, 9, tzinfo=UTC)  # a Monday
DAYS = st.dates(date(2026, 8, 1), date(2027, 5, 1)).map(str)
RECEIPTS = [K.CONCERN_RECEIVED, K.COMPLAINT_RECEIVED, K.STAGE3_REQUESTED, K.STAGE4_REQUESTED]
KEYS = st.sampled_from(["one", "two"])
FACTS: dict[EntryKind, dict[str, st.SearchStrategy[Any]]] = {
    **{kind: {"letter": st.integers(1, 3)} for kind in RECEIPTS},
    **{
        kind: {"letter": st.sampled_from(["acknowledgement", "notice"]), "key": KEYS}
        for kind in (K.LETTER_QUEUED, K.LETTER_SENT, K.LETTER_BOUNCED, K.LETTER_FAILED)
    },
    K.REQUEST_NOT_MADE: {"of": st.sampled_from([kind.value for kind in RECEIPTS])},
    K.RECEIPT_CORRECTED: {"of": st.sampled_from([kind.value for kind in RECEIPTS]), "to": DAYS},
    K.OUTCOME_GIVEN: {"stage": st.sampled_from(["stage2", "stage3"]), "delivered_on": DAYS | st.none()},
    K.EXTENDED: {"limit": st.sampled_from([rule.name for rule in POLICY.limits]), "to": DAYS, "reason": st.just("x")},
    K.JUDGEMENT_OVERRULED: {
        "field": st.sampled_from(["target", "incident_date"]),
        "value": st.sampled_from(["staff", "headteacher", "2026-09-01"]),
    },
    K.HEARING_SET: {"date": DAYS | st.just("soon")},
    **{
        kind: {}
        for kind in (
            K.ACKNOWLEDGED,
            K.DISCUSSED,
            K.MEETING_HELD,
            K.NOTICE_GIVEN,
            K.HEARING_HELD,
            K.PANEL_OUTCOME_GIVEN,
            K.SUSPENDED,
            K.RESUMED,
            K.RESOLVED,
            K.WITHDRAWN,
            K.CLOSED,
            K.REOPENED,
        )
    },
}


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(list(FACTS)))
    at = OPENED + timedelta(hours=draw(st.integers(0, 24 * 120)))
    return Entry(kind, at, "duly", draw(st.fixed_dictionaries(FACTS[kind])))


def opening(target: str) -> Entry:
    return Entry(K.CASE_OPENED, OPENED, "duly", {"target": target, "incident_date": "2026-09-03"})


HISTORIES = st.builds(
    lambda target, rest: (opening(target), *rest),
    st.sampled_from(["staff", "headteacher"]),
    st.lists(entries(), max_size=14),
)


@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_of_writing_does_not_matter(history: tuple[Entry, ...], random: Any) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    assert deadlines(shuffled, POLICY, CALENDAR) == deadlines(history, POLICY, CALENDAR)


@given(HISTORIES)
def test_a_replay_of_a_history_gives_the_same_limits(history: tuple[Entry, ...]) -> None:
    stored = [
        Entry(EntryKind(e.kind.value), datetime.fromisoformat(e.at.isoformat()), e.by, dict(e.facts)) for e in history
    ]

    assert deadlines(stored, POLICY, CALENDAR) == deadlines(history, POLICY, CALENDAR)


@given(HISTORIES)
def test_keys_are_unique_and_dates_explain_themselves(history: tuple[Entry, ...]) -> None:
    found = deadlines(history, POLICY, CALENDAR)

    assert len({item.key for item in found}) == len(found)
    for item in found:
        assert not set(item.counted) & {skipped.day for skipped in item.skipped}
        assert list(item.counted) == sorted(item.counted)
        assert (item.met_on is not None) == (item.state is DeadlineState.MET)
        if item.unit == SCHOOL_DAYS:
            assert CALENDAR.is_school_day(item.due)
            assert item.counted[-1] == item.due
        if item.unit == SCHOOL_DAYS and not item.moved_from:
            assert len(item.counted) == item.length


@given(HISTORIES, st.sampled_from(RECEIPTS), st.integers(0, 24 * 120))
def test_a_chaser_changes_no_limit(history: tuple[Entry, ...], kind: EntryKind, hours: int) -> None:
    first = Entry(kind, OPENED, "duly", {"letter": 1})
    calm = tuple(e for e in history if e.kind in {K.SUSPENDED, K.RESUMED, K.EXTENDED, K.LETTER_QUEUED, K.CASE_OPENED})
    chaser = Entry(kind, OPENED + timedelta(hours=hours), "duly", {"letter": 2})
    received = replace(chaser, kind=K.LETTER_RECEIVED)
    limits = {rule.name for rule in POLICY.limits if kind in rule.starts}

    def open_limits(*more: Entry) -> list[object]:
        return [item for item in deadlines((*calm, first, *more), POLICY, CALENDAR) if item.name in limits]

    assert open_limits(chaser) == open_limits() == open_limits(received)


@settings(deadline=None, max_examples=60)
@given(HISTORIES, st.lists(st.dates(date(2026, 9, 7), date(2027, 3, 25)), min_size=1, max_size=3))
def test_a_closure_never_brings_an_open_limit_forward(history: tuple[Entry, ...], closed: list[date]) -> None:
    closing = CALENDAR
    for day in closed:
        closing = closing.with_closure(day, "snow")
    before = {item.key: item for item in deadlines(history, POLICY, CALENDAR)}
    after = {item.key: item for item in deadlines(history, POLICY, closing)}

    assert set(after) == set(before)
    for key, item in before.items():
        # Notice is counted back from the hearing: there a closure asks for it earlier.
        if item.unit != CLEAR_BEFORE:
            assert after[key].due >= item.due


@given(HISTORIES, st.integers(0, 1300))
def test_no_history_raises_wherever_the_calendar_ends(history: tuple[Entry, ...], days: int) -> None:
    moved = [replace(entry, at=entry.at + timedelta(days=days)) for entry in history]
    running = {item.key for item in deadlines(moved, POLICY, CALENDAR)}
    left_out = {item.key for item in uncounted(moved, POLICY, CALENDAR)}

    assert not running & left_out


PAUSES = st.lists(st.integers(1, 24 * 100), min_size=2, max_size=6, unique=True).map(sorted)


@given(PAUSES)
def test_a_pause_takes_away_no_day_of_a_limit_and_adds_none(hours: list[int]) -> None:
    received = Entry(K.COMPLAINT_RECEIVED, OPENED, "duly", {})
    kinds = [K.SUSPENDED, K.RESUMED] * 3
    pauses = [Entry(kind, OPENED + timedelta(hours=at), "duly", {}) for kind, at in zip(kinds, hours, strict=False)]
    paused = pauses[: len(pauses) // 2 * 2]
    found = {item.key: item for item in deadlines((opening("staff"), received, *paused), POLICY, CALENDAR)}[
        "stage2_15"
    ]

    assert found.state is DeadlineState.OPEN
    assert len(found.counted) == 15
    for since, until in zip(paused[::2], paused[1::2], strict=True):
        assert not {day for day in found.counted if local_day(since.at) < day <= local_day(until.at)}
