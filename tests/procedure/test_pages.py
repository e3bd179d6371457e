"""The page docs/procedure.md as it is written from the policy."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from procedure.pages import procedure_page
from tests.support import matters

PAGE = procedure_page(matters.policy())
ROWS = [line for line in PAGE.splitlines() if line.startswith("|")]


def row_of(name: str) -> str:
    return next(row for row in ROWS if row.startswith(f"| `{name}` |"))


@pytest.mark.requirement(7)
def test_the_page_names_every_limit_step_stage_and_topic_with_its_line() -> None:
    policy = matters.policy()
    rules = [(rule.name, rule.clause) for rule in (*policy.limits, *policy.steps)]
    rules += [(rule.stage.value, rule.clause) for rule in policy.stages]
    rules += [(rule.topic.value, rule.clause) for rule in policy.topics]

    assert [name for name, clause in rules if not row_of(name).endswith(f"| {clause} |")] == []


def test_the_page_names_every_route_with_its_line() -> None:
    for route in matters.policy().routes:
        assert any(route.why in row and row.endswith(f"| {route.clause} |") for row in ROWS), route.target


def test_a_row_of_a_limit_reads_like_a_sentence() -> None:
    assert row_of("cap_notice_5_before") == (
        "| `cap_notice_5_before` | Notice of the hearing | 5 clear school days before | hearing set | notice given "
        "| clerk | chair | 3 before, 1 before, the day | L156, A2 |"
    )
    assert "the complainant's window" in row_of("cap_request_10")


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for table in re.findall(r"(?m)(?:^\|.*\n)+", PAGE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table.splitlines()[0]


def test_a_bar_in_a_title_does_not_break_the_table() -> None:
    policy = matters.policy()
    odd = replace(policy, stages=(replace(policy.stages[0], title="this | that"), *policy.stages[1:]))

    assert "this \\| that" in procedure_page(odd)


def test_the_same_policy_gives_the_same_page_and_it_ends_in_one_newline() -> None:
    assert procedure_page(matters.policy()) == PAGE
    assert PAGE.endswith("|\n")
    assert "\n\n\n" not in PAGE
