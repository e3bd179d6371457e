"""Commands that read texts and need no database: parse, judge, limits, policy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from duly.console import Json, Refusal, console, emit, refusals


def register(app: typer.Typer) -> None:
    """Add these commands."""
    panel = "Texts and dates"
    app.command(rich_help_panel=panel)(parse)
    app.command(rich_help_panel=panel)(judge)
    app.command(rich_help_panel=panel)(limits)
    app.command(rich_help_panel=panel)(policy)


def parse(
    files: Annotated[list[Path], typer.Argument(help="Messages as .eml files; - reads one from standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a message, a line each.")] = False,
) -> None:
    """Read mail as Duly reads it: headers, new text apart from the quoted, attachments, kind of sender."""
    from intake.mime import read
    from intake.parse import as_record

    missing = 0
    for file in _progress(files, "Reading", quiet=as_json):
        try:
            raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            typer.secho(f"duly: {file} cannot be read: {error.strerror}", err=True, fg="red")
            missing += 1
            continue
        record = as_record(str(file), read(raw))
        if as_json:
            sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        else:
            _show_message(record)
    if missing:
        raise typer.Exit(1)


def _show_message(record: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.panel import Panel

    sender = record["from"] or {}
    names = ", ".join(f"{a['name']} ({a['type']}, {a['size']} octets)" for a in record["attachments"])
    lines = [
        f"[bold]From[/] {escape(sender.get('name') or '')} <{escape(sender.get('addr') or '')}>",
        (
            f"[bold]Sent[/] {record['date'] or 'not said'}   [bold]Kind[/] {record['class']}"
            f"   [bold]May be answered automatically[/] {'yes' if record['may_autorespond'] else 'no'}"
        ),
        *([f"[bold]Attachments[/] {escape(names)}"] if names else []),
        "",
        escape(record["reply_text"].strip()) or "[dim](no new text)[/]",
    ]
    console().print(Panel("\n".join(lines), title=escape(record["subject"] or "(no subject)")))


def judge(
    file: Annotated[Path | None, typer.Argument(help="JSON lines in (standard input when left out).")] = None,
    text: Annotated[str | None, typer.Option(help="Judge this one text and show why.")] = None,
) -> None:
    """Judge letters: JSON lines in, JSON lines out, as the triage contract says."""
    from triage.judge import Judge

    if text is not None:
        _show_judgement(next(iter(Judge().judge_many([{"id": "text", "body": text}]))))
        return
    failed = False
    for out in Judge().judge_many(_records(file)):
        failed = failed or "error" in out
        sys.stdout.write(json.dumps(out, ensure_ascii=False) + "\n")
    if failed:
        raise typer.Exit(1)


def _records(file: Path | None) -> Iterator[Any]:
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            yield {"id": None, "error": f"line {number} is not JSON: {error}"}


def _show_judgement(out: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for key in ("topics", "target", "request", "flags", "incident_date", "screen", "confidence", "unsure"):
        value = out[key]
        table.add_row(f"[bold]{key}[/]", ", ".join(value) if isinstance(value, list) else str(value))
    for piece in out["evidence"]:
        table.add_row(piece["label"], f"“{piece['text']}” ({piece['source']})")
    console().print(table)


def _lines(file: Path | None) -> Iterator[str]:
    """Lines of a file or of standard input; undecodable bytes become U+FFFD, never an error."""
    try:
        source = sys.stdin.buffer if file is None or str(file) == "-" else file.open("rb")
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}", 2) from None
    with source:
        for line in source:
            yield line.decode("utf-8", "replace")


def limits(
    calendar: Annotated[Path, typer.Option(help="The school's calendar, a TOML file.")],
    policy_file: Annotated[Path | None, typer.Option("--policy", help="A policy as TOML.")] = None,
    file: Annotated[Path | None, typer.Argument(help="JSON lines (standard input when left out).")] = None,
) -> None:
    """Count limits: {"id", "event_at", "rule"} in, {"id", "date", "counted", "skipped", "clause"} out."""
    from procedure import calendar_file
    from procedure import policy_file as policies
    from procedure.limits import answer

    with refusals():
        days = calendar_file.load(_text(calendar), calendar.name)
        rules = (
            policies.load(_text(policy_file), policy_file.name)
            if policy_file
            else policies.load_named("southlands-2023")
        )
    failed = False
    for line in _lines(file):
        if not line.strip():
            continue
        out = answer(line, days, rules)
        failed = failed or "error" in out
        sys.stdout.write(json.dumps(out, ensure_ascii=False) + "\n")
    if failed:
        raise typer.Exit(1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}", 2) from None
    except UnicodeDecodeError:
        raise Refusal(f"{file} is not UTF-8 text", 2) from None


def policy(
    name: Annotated[str, typer.Argument(help="A policy edition: its name, or a TOML file.")] = "southlands-2023",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/procedure.md.")] = False,
    as_json: Json = False,
) -> None:
    """Show a policy as Duly follows it: stages, limits, routes and steps, each with its line."""
    from procedure import pages
    from procedure import policy_file as policies

    with refusals():
        rules = (
            policies.load(_text(Path(name)), Path(name).name) if name.endswith(".toml") else policies.load_named(name)
        )
    if as_json:
        emit(rules)
    elif markdown:
        sys.stdout.write(pages.procedure_page(rules))
    else:
        from rich.markdown import Markdown

        console().print(Markdown(pages.procedure_page(rules)))


def _progress(items: list[Path], what: str, *, quiet: bool) -> Iterable[Path]:
    """The same items, with a progress bar on a terminal when there are many."""
    if quiet or len(items) < 20 or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, what, console=Console(stderr=True))
