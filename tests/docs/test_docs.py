"""The check of the documents finds what is planted, and nothing in the project as it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs import check


def test_the_documents_say_what_is():
    assert check.findings() == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("docs", "README.md", "Makefile"):
        source = check.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("page", "text", "said"),
    [
        ("README.md", "[gone](docs/gone.md)", "links to docs/gone.md"),
        ("README.md", "`make tea`", "names make tea"),
        ("docs/why.md", "see /" + "root/secrets", "a path of one machine"),
        ("docs/why.md", "from py" + "pi.org", "a package registry's host"),
        ("docs/procedure.md", "and one more line", "differs from the policy file"),
        ("long.py", "x = 1\n" * 401, "has 401 lines"),
        ("deep.py", "def f():\n" + "    x = 1\n" * 51, "f has 52 lines"),
    ],
)
def test_a_planted_fault_is_found(copy: Path, page: str, text: str, said: str):
    with (copy / page).open("a", encoding="utf-8") as file:
        file.write(text)

    assert any(said in finding for finding in check.findings(copy))


def test_a_command_that_no_page_names_is_found(copy: Path):
    for page in check.pages(copy):
        page.write_text(page.read_text(encoding="utf-8").replace("duly doctor", "the doctor"), encoding="utf-8")

    assert any("duly doctor" in finding for finding in check.commands_are_documented(copy))
