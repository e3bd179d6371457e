"""What the documents promise, held against the project: run by `make check`, one line for each finding."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES, MOST_IN_FUNCTION = 400, 50
#: Hosts of package registries, put together here so that this file names none.
HOSTS = [
    ".".join(parts.split()) for parts in ("pypi org", "pythonhosted org", "npmjs org", "npmjs com", "deb debian org")
]
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|farm|root)/")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def tracked(root: Path) -> list[Path]:
    """Files that git holds, or every file where there is no repository (a copy under test)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file()]


def pages(root: Path) -> list[Path]:
    return [*root.glob("*.md"), *(root / "docs").rglob("*.md")]


def commands_are_documented(root: Path) -> Iterator[str]:
    import typer

    from duly.cli import app

    said = "\n".join(page.read_text(encoding="utf-8") for page in pages(root))
    for name, command in typer.main.get_command(app).commands.items():
        if not re.search(rf"duly {name}\b(?!-)", said):
            yield f"the command duly {name} is named in no document"
        if not (command.help or "").strip():
            yield f"the command duly {name} has no help"


def procedure_page_is_current(root: Path) -> Iterator[str]:
    from procedure.pages import procedure_page
    from procedure.policy_file import load_named

    page = root / "docs" / "procedure.md"
    if not page.is_file() or page.read_text(encoding="utf-8") != procedure_page(load_named("southlands-2023")):
        yield "docs/procedure.md differs from the policy file; write it anew with: make docs"


def links_resolve(root: Path) -> Iterator[str]:
    for page in pages(root):
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            if not (page.parent / link).exists():
                yield f"{page.relative_to(root)} links to {link}, which is not there"


def make_targets_exist(root: Path) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in pages(root):
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8")):
            if target not in targets:
                yield f"{page.relative_to(root)} names make {target}, which is no target"


def nothing_of_one_machine(root: Path) -> Iterator[str]:
    for path in tracked(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and MACHINE_PATH.search(text):
            yield f"{path.relative_to(root)} holds a path of one machine"
        if any(host in text for host in HOSTS):
            yield f"{path.relative_to(root)} names a package registry's host"


def sizes(root: Path) -> Iterator[str]:
    for path in tracked(root):
        if path.suffix != ".py":
            continue
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MOST_LINES:
            yield f"{path.relative_to(root)} has {text.count(chr(10))} lines; at most {MOST_LINES}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MOST_IN_FUNCTION:
                    yield f"{path.relative_to(root)}:{node.lineno} {node.name} has {length} lines"


CHECKS = (
    commands_are_documented,
    procedure_page_is_current,
    links_resolve,
    make_targets_exist,
    nothing_of_one_machine,
    sizes,
)


def findings(root: Path = ROOT) -> list[str]:
    """Everything that is not as the documents say, a sentence each."""
    return [finding for check in CHECKS for finding in check(root)]


def main() -> int:
    found = findings()
    for finding in found:
        sys.stdout.write(f"docs: {finding}\n")
    if not found:
        sys.stdout.write(f"docs: {len(CHECKS)} checks, nothing to mend\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
