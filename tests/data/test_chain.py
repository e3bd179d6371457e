from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, update

from data.chain import breaks, forge, genesis
from data.engine import writing
from data.rebuild import rebuild
from data.store import Store
from data.tables import entry, matter
from data.types import clean, clean_json, dumps
from procedure.words import Decision, Entry, EntryKind
from tests.support import memory
from tests.support.memory import MONDAY

REF = "SL-2026-0001-2"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def store(engine: Engine) -> Store:
    store = memory.store(engine)
    with store.begin() as desk:
        note = Entry(EntryKind.NOTED, MONDAY, "clerk", {"text": "a call"})
        desk.keep(Decision(REF, (*memory.opening(), note)), MONDAY)
    return store


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"facts": {"text": "another call"}}, "the facts of entry 3 were changed"),
        ({"by": "chair"}, "entry 3 was changed"),
        ({"kind": "closed"}, "entry 3 was changed"),
        ({"at": MONDAY + timedelta(microseconds=1)}, "entry 3 was changed"),
        ({"prev_hash": "0" * 64}, "the chain breaks before entry 3"),
        ({"seq": 4}, "entry 3 is missing"),
    ],
)
def test_an_entry_that_was_changed_shows(store: Store, values: dict[str, Any], sentence: str) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(entry).where(entry.c.seq == 3).values(**values))
    assert any(f"{REF}: {sentence}" in line for line in rebuild(store, check=True))


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_an_entry_that_was_taken_out_shows_also_at_the_end(store: Store, seq: int) -> None:
    with writing(store.engine) as connection:
        connection.execute(delete(entry).where(entry.c.seq == seq))
    assert rebuild(store, check=True)


def test_facts_may_be_erased_and_the_chain_still_holds(store: Store) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(entry).where(entry.c.seq == 3).values(facts=None))
    assert rebuild(store, check=True) == []


def test_a_derived_row_that_was_changed_shows_and_is_put_right(store: Store) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(matter).values(stage="stage4"))
    (line,) = rebuild(store, check=True)
    assert line == f"{REF}: stage is 'stage4', the history says 'stage2'"
    assert rebuild(store, check=False) == [line]
    assert rebuild(store, check=True) == []


def test_a_case_row_without_a_history_shows_and_goes(store: Store) -> None:
    with writing(store.engine) as connection:
        connection.execute(delete(entry))
    assert "no history" in rebuild(store, check=False)[0]
    assert rebuild(store, check=True) == []


def test_histories_of_two_cases_cannot_be_swapped() -> None:
    link = forge(genesis("southlands", REF), 1, "noted", MONDAY, "clerk", {})
    assert breaks("southlands", REF, [link]) == []
    assert breaks("southlands", "SL-2026-0002-9", [link])
    assert breaks("northlands", REF, [link])


@given(facts=st.dictionaries(st.text(), JSON, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_facts_survive_cleaning_and_json_with_the_same_digest(facts: dict[str, Any]) -> None:
    import json

    kept = clean_json(facts)
    link = forge("", 1, "noted", MONDAY, "clerk", kept)
    again = forge("", 1, "noted", MONDAY, "clerk", json.loads(dumps(kept)))
    assert again.hash == link.hash


@given(st.text(alphabet=st.characters() | st.just("\x00") | st.characters(categories=["Cs"])))
def test_clean_text_can_be_written_and_clean_again_is_the_same(text: str) -> None:
    done = clean(text)
    done.encode()
    assert "\x00" not in done
    assert clean(done) == done
