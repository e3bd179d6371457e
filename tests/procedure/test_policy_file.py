"""The Southlands policy as it ships, held against the policy's own text; and files that are refused."""

from __future__ import annotations

import os
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedure import policy_file
from procedure.policy_file import PolicyError
from procedure.words import EntryKind, Role, Target, Topic
from tests.support import matters

TEXT = resources.files("procedure").joinpath("policies", "southlands-2023.toml").read_text("utf-8")
POLICY_TEXT = Path(__file__).parents[2] / "../shared/policy.txt"
KINDS = ("stage", "limit", "route", "topic", "step")
RULES = [(kind, table) for kind in KINDS for table in tomllib.loads(TEXT)[kind]]


def name_of(rule: tuple[str, dict[str, Any]]) -> str:
    kind, table = rule
    return f"{kind}-{table.get('name') or table.get(kind) or table.get('target')}"


def lines_of(clause: str) -> list[int]:
    """The numbers of the policy's lines that a clause names: "L216-220, A11" is 216 to 220."""
    spans = re.findall(r"L(\d+)(?:-(\d+))?", clause)
    return [n for first, last in spans for n in range(int(first), int(last or first) + 1)]


def policy_lines() -> list[str]:
    if not POLICY_TEXT.is_file():
        reason = f"the policy's text is not beside the checkout: {POLICY_TEXT}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return POLICY_TEXT.read_text("utf-8").splitlines()


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_every_rule_quotes_the_policy_at_the_line_that_it_names(rule: tuple[str, dict[str, Any]]) -> None:
    _, table = rule
    lines = policy_lines()
    numbers = lines_of(table["clause"])

    assert numbers
    assert all(0 < n <= len(lines) and lines[n - 1].strip() for n in numbers), "a clause names an empty line"
    assert any(table["words"] in lines[n - 1] for n in numbers), f"{table['words']!r} is not on {table['clause']}"


def test_the_words_are_left_out_of_the_rules() -> None:
    assert not hasattr(matters.policy().limit("ack_3"), "words")


LENGTHS = {
    "ack_3": (3, "school_days"),
    "informal_15": (15, "school_days"),
    "stage2_15": (15, "school_days"),
    "head_meeting_15": (15, "calendar_days"),
    "stage3_20": (20, "school_days"),
    "cap_request_10": (10, "school_days"),
    "cap_hearing_20": (20, "school_days"),
    "cap_notice_5_before": (5, "clear_school_days_before"),
    "cap_outcome_15": (15, "school_days"),
    "three_month_limit": (3, "calendar_months"),
    "comms_plan_6_months": (6, "calendar_months"),
}


@pytest.mark.requirement(41)
@pytest.mark.requirement(36)
@pytest.mark.requirement(62)
@pytest.mark.requirement(69)
@pytest.mark.requirement(71)
@pytest.mark.requirement(85)
def test_the_limits_are_those_of_the_policy_and_as_long() -> None:
    limits = {rule.name: (rule.length, rule.unit) for rule in matters.policy().limits}

    assert limits == LENGTHS


def test_an_acknowledgement_is_owed_at_every_receipt() -> None:
    receipts = {rule.receipt for rule in matters.policy().stages if rule.receipt}

    assert set(matters.policy().limit("ack_3").starts) == receipts


@pytest.mark.requirement(67)
def test_the_window_for_a_panel_starts_with_the_outcome_of_stage_three_alone() -> None:
    rule = matters.policy().limit("cap_request_10")

    assert (rule.starts, rule.starts_where) == ((EntryKind.OUTCOME_GIVEN,), (("stage", "stage3"),))
    assert not rule.nudge


@pytest.mark.requirement(46)
def test_the_chairs_meeting_is_owed_only_where_the_headteacher_is_complained_of() -> None:
    assert matters.policy().limit("head_meeting_15").targets == (Target.HEADTEACHER,)


@pytest.mark.requirement(110)
def test_no_topic_is_without_a_place() -> None:
    assert {rule.topic for rule in matters.policy().topics} == set(Topic)


def test_every_body_that_the_policy_names_is_in_the_school_file() -> None:
    named = {rule.body for rule in matters.policy().topics if rule.body}

    assert {body for body in named if matters.school().body(body) is None} == set()


def test_no_step_is_taken_by_a_complainant() -> None:
    assert not [step.name for step in matters.policy().steps if Role.COMPLAINANT in step.by]


def test_a_policy_that_does_not_come_with_duly_is_refused_with_those_that_do() -> None:
    with pytest.raises(PolicyError, match="no policy is called 'northlands'; Duly comes with southlands-2023"):
        policy_file.load_named("northlands")


#: What a person might write wrongly: the text before, the text after, what the refusal must say.
WRONG = {
    "not toml": ("id =", "id", "not a TOML file"),
    "unknown key": ('owner = "clerk"\n', 'owner = "clerk"\nonwer = "clerk"\n', "limit ack_3: unknown key onwer"),
    "unknown top key": ("applies_from =", 'author = "x"\napplies_from =', "unknown key author"),
    "unknown role": ('owner = "clerk"', 'owner = "clark"', "owner does not know 'clark'; it knows complainant"),
    "unknown stage": ('stages = ["none"]', 'stages = ["stage0"]', "stages does not know 'stage0'"),
    "unknown target": ('target = "board"', 'target = "bord"', "target does not know 'bord'"),
    "unknown topic": ('topic = "fluency"', 'topic = "french"', "topic does not know 'french'"),
    "unknown entry": ('entry = "discussed"', 'entry = "talked"', "entry does not know 'talked'"),
    "unknown start": ('starts = ["hearing_held"]', 'starts = ["heard"]', "starts does not know 'heard'"),
    "no start": ('starts = ["hearing_held"]', "starts = []", "starts must name at least one"),
    "start missing": ('starts = ["hearing_held"]', "", "starts must name at least one"),
    "no met_by": ('met_by = ["panel_outcome_given"]', "met_by = []", "met_by must name at least one"),
    "length below one": ("length = 3\n", "length = -3\n", "length must be a whole number of at least 1, not -3"),
    "length no number": ("length = 3\n", 'length = "3"\n', "length must be a whole number"),
    "unknown unit": ('unit = "clear_school_days_before"', 'unit = "weeks"', "unit does not know 'weeks'"),
    "clause of no form": ('clause = "L92"', 'clause = "page 3"', "clause must name lines or readings"),
    "limit twice": ('name = "stage2_15"', 'name = "ack_3"', "the limit ack_3 stands twice"),
    "step twice": ('name = "meet-chair"', 'name = "meet"', "the step meet stands twice"),
    "route twice": ('target = "board"', 'target = "chair"', "the route chair stands twice"),
    "told and withheld": ('told = ["business_manager"]', 'told = ["chair"]', "chair must not see the case"),
    "day as text": ("applies_from = 2023-09-01", 'applies_from = "2023-09-01"', "applies_from must be a day"),
    "fact of no form": ('needs = ["date:date"]', 'needs = ["date:month"]', "needs must hold names"),
    "stage out of reach": ('to = "final"\n', "", "no step leads to final"),
    "stage gone": ('stage = "final"', 'stage = "none"', "leads to final, which is no stage of this policy"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_policy_is_refused_with_place_and_reason(wrong: tuple[str, str, str]) -> None:
    before, after, reason = wrong
    assert before in TEXT

    with pytest.raises(PolicyError, match=re.escape(reason)) as refused:
        policy_file.load(TEXT.replace(before, after, 1), "mine.toml")

    assert str(refused.value).startswith("mine.toml")
    assert "\n" not in str(refused.value)


def without(table: str) -> str:
    """The file with one of its tables taken out."""
    blocks = re.split(r"(?m)^(?=\[\[)", TEXT)
    return "".join(block for block in blocks if f'\n{table}"' not in block)


def test_a_target_without_a_route_is_refused() -> None:
    with pytest.raises(PolicyError, match="no route says who handles a complaint against board"):
        policy_file.load(without('target = "board'), "mine.toml")


def test_a_topic_without_a_rule_is_refused() -> None:
    with pytest.raises(PolicyError, match="no rule says where the topic safeguarding belongs"):
        policy_file.load(without('topic = "safeguarding'), "mine.toml")


def test_a_stage_reached_only_from_itself_is_out_of_reach() -> None:
    text = TEXT.replace('stages = ["stage3"]\nstatuses', 'stages = ["stage4"]\nstatuses', 1)

    with pytest.raises(PolicyError, match="no step leads to"):
        policy_file.load(text, "mine.toml")


def test_a_refusal_names_the_line_of_the_table() -> None:
    line = TEXT.splitlines().index('name = "cap_hearing_20"')  # the [[limit]] above it, counted from 1

    with pytest.raises(PolicyError, match=f"mine.toml, line {line}, limit cap_hearing_20: length"):
        policy_file.load(
            TEXT.replace(
                'length = 20\nowner = "clerk"\nescalate_to = "chair"\nremind = [10, 5]',
                'length = 0\nowner = "clerk"\nescalate_to = "chair"\nremind = [10, 5]',
            ),
            "mine.toml",
        )


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(PolicyError, match=r"mine\.toml"):
        policy_file.load(text, "mine.toml")


@given(st.integers(0, TEXT.count("\n") - 1))
def test_a_file_with_a_line_lost_is_read_or_refused_and_never_fails(number: int) -> None:
    lines = TEXT.splitlines()
    del lines[number]

    try:
        read = policy_file.load("\n".join(lines), "mine.toml")
    except PolicyError as error:
        said = str(error)
    else:
        said = f"mine.toml is {read.id}"

    assert said.startswith("mine.toml")
