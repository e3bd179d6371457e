from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure import plain

EASY = "We have your letter. The head will read it. She will write to you by Monday."
#: From the policy itself, L126: correct, and hard to read.
HARD = (
    "The complainant will also be provided with copies of minutes, subject to any necessary redactions under "
    "the Data Protection Act 2018 and the UK General Data Protection Regulation."
)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("the", 1),
        ("school", 1),
        ("complaint", 2),
        ("headteacher", 3),
        ("governor", 3),
        ("little", 2),
        ("asked", 1),
        ("wanted", 2),
        ("notes", 1),
        ("stages", 2),
        ("30", 1),
        ("we'll", 1),
    ],
)
def test_syllables_are_counted_as_they_are_spoken(word: str, count: int) -> None:
    assert plain.syllables(word) == count


def test_counts_of_a_short_text() -> None:
    measured = plain.measure(EASY)

    assert (measured.words, measured.sentences, measured.longest_sentence) == (16, 3, 7)


def test_the_reading_age_follows_the_flesch_kincaid_formula() -> None:
    # 10 words, 2 sentences, 10 syllables: 0.39 * 5 + 11.8 * 1 - 15.59 = -1.84; plus five years.
    assert plain.measure("The cat sat on it. The dog ate the fish.").reading_age == 3.2


def test_plain_words_read_younger_than_the_policys_own() -> None:
    assert plain.measure(EASY).reading_age < 10
    assert plain.measure(HARD).reading_age > 18


def test_addresses_and_case_numbers_are_not_read_as_prose() -> None:
    bare = plain.measure("We have it.")
    marked = plain.measure("We have it SL-2026-0042-3 https://southlands.example/complaints a@b.example.")

    assert marked == bare


def test_titles_and_initials_do_not_end_a_sentence() -> None:
    assert plain.measure("Mrs. P. Quill will write to you.").sentences == 1


def test_a_text_without_words_has_no_reading_age() -> None:
    assert plain.measure(" \n-- !") == plain.Measure(0, 0, 0, 0.0)


@given(st.text(max_size=300))
def test_any_text_can_be_measured(text: str) -> None:
    measured = plain.measure(text)

    assert measured.reading_age >= 0
    assert measured.longest_sentence <= measured.words
    assert isinstance(plain.problems(text), tuple)


@pytest.mark.requirement(8)
def test_a_plain_letter_has_no_problems_and_a_hard_one_says_which() -> None:
    assert plain.problems(EASY) == ()
    said = " ".join(plain.problems(HARD + " " + HARD[:-1]))
    assert "reading age" in said
    assert "too long" in said


@pytest.mark.requirement(8)
@pytest.mark.parametrize("code", ["ack_3", "L138", "stage2", "duly release", "{{ due }}", "deadbeefdeadbeef"])
def test_an_internal_code_is_named(code: str) -> None:
    assert any("internal code" in problem for problem in plain.problems(f"Please see {code}."))


@pytest.mark.requirement(8)
def test_the_case_number_is_the_one_code_that_may_stand() -> None:
    assert plain.problems("Your case number is SL-2026-0042-3.") == ()


@pytest.mark.requirement(8)
def test_a_long_letter_is_named() -> None:
    assert any("251 words" in problem for problem in plain.problems("Yes. " * 251))
