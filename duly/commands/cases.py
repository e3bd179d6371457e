"""Commands that read what Duly remembers: cases, case, due, outbox, journal. Each asks who wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from duly.commands.steps import canonical
from duly.console import AsPerson, Config, Json, acting, console, emit, opened

if TYPE_CHECKING:
    from rich.table import Table

    from data.reads import CaseFile
    from procedure.words import Case, Deadline


def register(app: typer.Typer) -> None:
    """Add these commands."""
    panel = "Reading"
    for command in (cases, case, due, outbox, journal):
        app.command(rich_help_panel=panel)(command)


def cases(
    every: Annotated[bool, typer.Option("--all", help="Closed cases too.")] = False,
    as_person: AsPerson = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """The register of cases that you may see."""
    from data import reads

    with opened(config) as app:
        found = reads.cases(app.store, acting(app, as_person), open_only=not every)
    if as_json:
        emit(found)
    else:
        console().print(register_of(found))


def register_of(found: list[Case]) -> Table:
    """The register as a table: no names, no subjects."""
    from rich.table import Table

    table = Table(
        "case", "opened", "stage", "state", "about", "against", "handled by", "kept from", "signs", box=None
    )
    for one in found:
        signs = [*(["child at risk"] if one.safeguarding else []), *(["letters held"] if one.held else [])]
        table.add_row(
            one.reference,
            f"{one.opened_at:%a %d %b %Y}",
            stage_in_words(one.stage.value),
            one.outcome or one.status.value,
            ", ".join(topic.value.replace("_", " ") for topic in one.topics),
            one.target.value.replace("_", " "),
            one.handler.value.replace("_", " "),
            ", ".join(sorted(role.value.replace("_", " ") for role in one.withheld)) or "-",
            ", ".join([*signs, *(flag.value.replace("_", " ") for flag in one.flags)]) or "-",
        )
    return table


def stage_in_words(stage: str) -> str:
    """A stage as people say it: stage2 is two, none is outside."""
    return {"none": "outside", "stage1": "one", "stage2": "two", "stage3": "three", "stage4": "four"}.get(
        stage, stage
    )


def case(
    reference: Annotated[str, typer.Argument(help="The case, for example SL-2026-0042-7.")],
    text: Annotated[bool, typer.Option("--text", help="Show the letters' texts as well.")] = False,
    as_person: AsPerson = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """One case: what it is, its history, every deadline with how it was counted, who may see it."""
    from data import reads
    from procedure.access import may_see

    with opened(config) as app:
        viewer = acting(app, as_person)
        file = reads.case(app.store, viewer, canonical(app, reference))
        seers = [person.id for person in app.rulebook.school.people if may_see(person, file.case)]
    if as_json:
        emit({"may_see": seers, **vars(file)})
        return
    show_case(file, seers, text=text)


def show_case(file: CaseFile, seers: list[str], *, text: bool) -> None:
    """Print a case file."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.rule(f"[bold]{file.case.reference}[/]")
    out.print(register_of([file.case]))
    out.print(f"[bold]May see it:[/] {', '.join(seers) or 'nobody of school.toml'}")
    for one in file.letters_in:
        came = f"{one.received_at:%a %d %b %Y %H:%M} UTC by {one.door}"
        out.print(f"[bold]Letter {one.id}[/] {came}: {escape(one.subject or '')}")
        judged = one.judgement or {}
        for piece in judged.get("evidence", []):
            out.print(f"  [dim]{piece['label']}:[/] “{escape(piece['text'])}”")
        if text and one.text:
            out.print(escape(one.text))
    out.print(deadline_table([(file.case.reference, d) for d in file.deadlines]))
    history = Table("when (UTC)", "what", "by", "facts", box=None, title="history")
    for entry in file.entries:
        facts = ", ".join(
            f"{key}: {value}" for key, value in entry.facts.items() if value not in (None, [], "", False)
        )
        history.add_row(f"{entry.at:%d %b %Y %H:%M}", entry.kind.value.replace("_", " "), entry.by, escape(facts))
    out.print(history)
    letters = Table("letter of ours", "to", "state", "sent (UTC)", box=None)
    for letter in file.letters_out:
        to = letter.to_role or "complainant"
        letters.add_row(letter.name, to, letter.state, f"{letter.sent_at:%d %b %H:%M}" if letter.sent_at else "-")
    out.print(letters)


def deadline_table(lines: list[tuple[str, Deadline]]) -> Table:
    """Deadlines with how each was counted."""
    from rich.table import Table

    table = Table("case", "limit", "by", "state", "how it was counted", "line", box=None)
    for reference, one in lines:
        state = one.state.value + (f" {one.met_on:%d %b}" if one.met_on else "")
        table.add_row(reference, one.title, f"[bold]{one.due:%a %d %b %Y}[/]", state, counting(one), one.clause)
    return table


def counting(one: Deadline) -> str:
    """How a date came about, in a sentence: start, days, what was skipped and why."""
    from itertools import groupby

    start = f"{one.start_event.replace('_', ' ')} {one.start:%a %d %b}"
    days = f"{one.length} {one.unit.replace('_', ' ')}"
    skipped = []
    for why, group in groupby(one.skipped, key=lambda skip: "weekend" if skip.day.weekday() > 4 else skip.why):
        run = list(group)
        first, last = run[0].day, run[-1].day
        span = f"{first:%d %b}" if first == last else f"{first:%d %b}-{last:%d %b}"
        if why != "weekend":
            skipped.append(f"{span} {why}")
    weekend = sum(skip.day.weekday() > 4 for skip in one.skipped)
    if weekend:
        skipped.append(f"{weekend} weekend days")
    moved = "".join(f"; was {day:%a %d %b} ({why})" for day, why in one.moved_from)
    first_day = f", day 1 is {one.counted[0]:%a %d %b}" if one.counted else ""
    return f"{start}, {days}{first_day}" + (f"; skipped {', '.join(skipped)}" if skipped else "") + moved


def due(as_person: AsPerson = None, config: Config = None, as_json: Json = False) -> None:
    """Open deadlines of the cases that you may see, the nearest first, with how each was counted."""
    from data import reads

    with opened(config) as app:
        lines = reads.due_list(app.store, acting(app, as_person), app.clock())
    if as_json:
        emit([{"reference": one.case.reference, "overdue": one.overdue, **vars(one.deadline)} for one in lines])
    else:
        console().print(deadline_table([(one.case.reference, one.deadline) for one in lines]))
        late = sum(one.overdue for one in lines)
        if late:
            console().print(f"[bold red]{late} overdue.[/]")


def outbox(as_person: AsPerson = None, config: Config = None, as_json: Json = False) -> None:
    """Letters of ours: what was sent to whom, what waits, what was given up."""
    from rich.markup import escape
    from rich.table import Table

    from data import reads

    with opened(config) as app:
        found = reads.outbox_of(app.store, acting(app, as_person))
    if as_json:
        emit(found)
        return
    table = Table("case", "letter", "to", "state", "queued (UTC)", "sent (UTC)", "tries", "error", box=None)
    for one in found:
        table.add_row(
            one.reference or "-",
            one.name,
            one.to_role or "complainant",
            one.state,
            f"{one.created_at:%d %b %H:%M}",
            f"{one.sent_at:%d %b %H:%M}" if one.sent_at else "-",
            str(one.attempts),
            escape(one.last_error or ""),
        )
    console().print(table)


def journal(
    every: Annotated[bool, typer.Option("--all", help="Settled letters too.")] = False,
    as_person: AsPerson = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Letters that wait for a person: unplaced and quarantined ones, with their age."""
    from rich.markup import escape
    from rich.table import Table

    from data import reads

    with opened(config) as app:
        states = () if every else ("unplaced", "quarantined")
        found = reads.journal(app.store, acting(app, as_person), states)
        now = app.clock()
    if as_json:
        emit(found)
        return
    if not found:
        console().print("No letter waits for a person.")
        return
    table = Table("letter", "received (UTC)", "age", "door", "state", "why", "case", box=None)
    for one in found:
        age = now - one.received_at
        table.add_row(
            str(one.id),
            f"{one.received_at:%d %b %Y %H:%M}",
            f"{age.days} d" if age.days else f"{age.seconds // 3600} h",
            one.door,
            one.state,
            escape(one.reason or ""),
            one.reference or "-",
        )
    console().print(table)
