"""Derived rows equal rebuilt rows, whatever happened, on both databases and in one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from data.engine import reading, writing
from data.rebuild import rebuild
from data.store import Store
from data.tables import TABLES, deadline, matter
from procedure.words import Decision, Entry, EntryKind
from tests.support import memory
from tests.support.memory import MONDAY

REF = "SL-2026-0001-2"
FACTS: dict[EntryKind, dict[str, object]] = {
    EntryKind.LETTER_SENT: {"letter": "acknowledgement", "key": "ack:1", "message_id": "m"},
    EntryKind.LETTER_QUEUED: {"letter": "acknowledgement", "key": "ack:1", "to": "complainant"},
    EntryKind.LETTER_BOUNCED: {"letter": "acknowledgement", "key": "ack:1"},
    EntryKind.OUTCOME_GIVEN: {"stage": "stage2"},
    EntryKind.HEARING_SET: {"date": "2026-12-16"},
    EntryKind.EXTENDED: {"limit": "stage2_15", "to": "2027-01-20", "reason": "illness"},
    EntryKind.RECEIPT_CORRECTED: {"of": "complaint_received", "to": "2026-11-20"},
    EntryKind.REQUEST_NOT_MADE: {"of": "stage3_requested"},
    EntryKind.JUDGEMENT_OVERRULED: {"field": "target", "value": "headteacher"},
    EntryKind.NUDGED: {"deadline": "ack_3", "kind": "before", "due": "2026-11-26", "at": "2026-11-25T08:30:00+00:00"},
    EntryKind.DISCLOSED: {"person": "a.okafor"},
    EntryKind.RECUSED: {"person": "clerk"},
    EntryKind.CAMPAIGN_SUGGESTED: {"campaign": "C1", "size": 4},
    EntryKind.JUDGED: {"letter": 2, "flags": ["threat"], "safeguarding": True},
}
KINDS = [*FACTS, EntryKind.STAGE3_REQUESTED, EntryKind.STAGE4_REQUESTED, EntryKind.SUSPENDED, EntryKind.RESUMED,
         EntryKind.MEETING_HELD, EntryKind.HEARING_HELD, EntryKind.WITHDRAWN, EntryKind.REOPENED,
         EntryKind.LETTER_RELEASED, EntryKind.ACKNOWLEDGED, EntryKind.NOTICE_GIVEN]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[list[Entry]]:
    """What happened after an opening, in the groups in which it was kept; hours apart."""
    kinds = draw(st.lists(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3), max_size=5))
    at = MONDAY
    groups = []
    for group in kinds:
        entries = []
        for kind in group:
            at += timedelta(hours=draw(st.integers(0, 90)))
            entries.append(Entry(kind, at, "clerk", FACTS.get(kind, {})))
        groups.append(entries)
    return groups


def keep_all(store: Store, groups: Sequence[Sequence[Entry]]) -> None:
    with writing(store.engine) as connection:
        for table in reversed(TABLES.sorted_tables):
            connection.execute(delete(table))
    for group in [memory.opening(), *groups]:
        with store.begin() as desk:
            desk.keep(Decision(REF, tuple(group)), MONDAY)


def derived(store: Store) -> list[list[tuple[object, ...]]]:
    with reading(store.engine) as connection:
        return [
            [tuple(row) for row in connection.execute(select(t).order_by(*t.primary_key))] for t in (matter, deadline)
        ]


@given(groups=histories())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_derived_step_by_step_is_what_the_history_says(engine: Engine, groups: list[list[Entry]]) -> None:
    store = memory.store(engine)
    keep_all(store, groups)
    before = derived(store)
    assert rebuild(store, check=True) == []
    with writing(engine) as connection:
        connection.execute(delete(deadline))
        connection.execute(delete(matter))
    assert rebuild(store, check=False)  # everything is missing, and told
    assert derived(store) == before


@pytest.mark.postgres
@given(groups=histories())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_databases_give_the_same_answers(
    sqlite_engine: Engine, postgres_engine: Engine, groups: list[list[Entry]]
) -> None:
    here, there = memory.store(sqlite_engine), memory.store(postgres_engine)
    keep_all(here, groups)
    keep_all(there, groups)
    assert derived(here) == derived(there)
    with here.begin() as one, there.begin() as other:
        assert one.history(REF) == other.history(REF)
        assert [link.hash for link in one.links(REF)] == [link.hash for link in other.links(REF)]


def test_a_calendar_that_changed_moves_open_deadlines_and_says_which(engine: Engine) -> None:
    """Demand of schools that close for snow: every open limit is counted anew, old and new date told."""
    store = memory.store(engine)
    keep_all(store, [])
    with writing(engine) as connection:
        connection.execute(deadline.update().where(deadline.c.key == "ack_3").values(due=MONDAY.date()))
    (line,) = rebuild(store, check=False)
    assert line == f"{REF}: the deadline ack_3: due is 2026-11-23, the history says 2026-11-26"
    assert rebuild(store, check=True) == []


def test_a_history_under_an_edition_that_is_gone_is_told_and_left_alone(engine: Engine) -> None:
    store = memory.store(engine)
    keep_all(store, [])
    without = Store(engine, replace(store.rulebook, policies={}))
    (line,) = rebuild(without, check=False)
    assert line.startswith(f"{REF}: its history makes no case: no policy edition is called 'southlands-2023'")
    assert rebuild(store, check=True) == []


def test_every_case_is_reported_to_a_progress_bar(engine: Engine) -> None:
    store = memory.store(engine)
    keep_all(store, [])
    seen: list[str] = []
    rebuild(store, check=True, each=seen.append)
    assert seen == [REF]
