"""Commands by which people act in a case: step, ack, release, note. Each loads, decides, keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duly.console import AsPerson, Config, Json, Refusal, acting, console, emit, opened

if TYPE_CHECKING:
    from duly.app import App
    from procedure.school import Person
    from procedure.steps import Possibility
    from procedure.words import Case, Decision, Entry

Reference = Annotated[str, typer.Argument(help="The case, for example SL-2026-0042-7.")]
Decide = Callable[["App", "Person", "Case", "tuple[Entry, ...]"], "Decision"]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    panel = "Acting in a case"
    for command in (step, ack, release, note):
        app.command(rich_help_panel=panel)(command)


def act(config: Path | None, person_id: str | None, reference: str, decide: Decide) -> Decision:
    """Load the case, let `decide` decide, keep the decision, all in one transaction."""
    with opened(config) as app:
        person = acting(app, person_id)
        name = canonical(app, reference)
        with app.store.begin() as desk:
            past = desk.history(name)
            case = desk.matter(name)
            if case is None:
                raise LookupError(f"there is no case {name}; list them with: duly cases")
            decision = decide(app, person, case, past)
            desk.keep(decision, app.clock())
    return decision


def canonical(app: App, reference: str) -> str:
    """The reference as it is stored, from what a person typed.

    Raises Refusal when it is none: a wrong digit is caught by the check digit.
    """
    from procedure.reference import find

    found = find(reference, app.rulebook.school.prefix)
    if len(found) != 1:
        example = f"{app.rulebook.school.prefix}-2026-0042-7"
        raise Refusal(
            f"{reference!r} is no reference of this school (one looks like {example}; a digit may be wrong)", 2
        )
    return found[0]


def step(
    reference: Reference,
    name: Annotated[str | None, typer.Argument(help="The step to take; left out: what may be done next.")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", "-f", help="name=value; repeat for several.")] = None,
    as_person: AsPerson = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take a step of the procedure, or see which are allowed now and why the others are not."""
    if name is None:
        _show_steps(reference, as_person, config, as_json=as_json)
        return
    facts = dict(_fact(one) for one in fact or [])
    wanted = name

    def decide(app: App, person: Person, case: Case, past: tuple[Entry, ...]) -> Decision:
        from procedure.steps import advance

        book = app.rulebook
        policy = book.policy(case.policy)
        return advance(case, past, wanted, facts, person, policy, app.clock(), book.calendar, book.school)

    decision = act(config, as_person, reference, decide)
    if as_json:
        emit([{"kind": e.kind, "at": e.at, "by": e.by, "facts": e.facts} for e in decision.entries])
    else:
        typer.echo(f"Kept: {', '.join(e.kind.value.replace('_', ' ') for e in decision.entries)}.")


def _fact(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise Refusal(f"--fact {text!r} is not of the form name=value", 2)
    return name.strip(), value.strip()


def _show_steps(reference: str, as_person: str | None, config: Path | None, *, as_json: bool) -> None:
    from procedure.access import why_not_see
    from procedure.steps import possible

    with opened(config) as app:
        person, book = acting(app, as_person), app.rulebook
        with app.store.begin() as desk:
            name = canonical(app, reference)
            past, case = desk.history(name), desk.matter(name)
        if case is None:
            raise LookupError(f"there is no case {name}; list them with: duly cases")
        unseen = why_not_see(person, case)
        if unseen is not None:
            raise unseen
        every = possible(case, past, person, book.policy(case.policy), app.clock(), book.calendar, book.school)
    if as_json:
        emit(
            [
                {
                    "step": one.step.name,
                    "title": one.step.title,
                    "clause": one.step.clause,
                    "allowed": one.allowed,
                    "why_not": one.refusal.reason if one.refusal else None,
                    "facts": [*one.step.needs],
                }
                for one in every
            ]
        )
    else:
        _print_steps(name, every)


def _print_steps(name: str, every: list[Possibility]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("step", "what it is", "needs", "line", title=f"{name}: what may be done now", box=None)
    for one in every:
        if one.allowed:
            needs = ", ".join(fact.partition(":")[0] for fact in one.step.needs)
            table.add_row(f"[green]{one.step.name}[/]", escape(one.step.title), needs, one.step.clause)
    console().print(table)
    refused = Table("step", "not now, because", "line", box=None, title="what may not, and why")
    for one in every:
        if one.refusal is not None:
            refused.add_row(f"[dim]{one.step.name}[/]", escape(one.refusal.reason), one.refusal.clause)
    console().print(refused)


def ack(
    reference: Reference,
    how: Annotated[str, typer.Option(help="letter, phone or in_person.")] = "letter",
    on: Annotated[str | None, typer.Option(help="The day it was done, YYYY-MM-DD; today when left out.")] = None,
    as_person: AsPerson = None,
    config: Config = None,
) -> None:
    """Record that a person acknowledged the complaint: by post, by telephone or in person."""
    facts = [f"how={how}", *([f"on={on}"] if on else [])]
    step(reference, "acknowledge", facts, as_person, config)


def release(
    reference: Reference,
    letter: Annotated[list[str] | None, typer.Option("--letter", help="Only the held letter with this key.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what waits; release nothing.")] = False,
    as_person: AsPerson = None,
    config: Config = None,
) -> None:
    """Let go the letters to the sender that wait for a person: held for a child's safety, or drafted."""
    from procedure import releasing

    with opened(config) as app:
        from data import reads

        file = reads.case(app.store, acting(app, as_person), canonical(app, reference))
    waiting = [one for one in file.letters_out if one.state == "held"]
    if show:
        for one in waiting:
            console().rule(f"{one.key}  to {one.to_addr}")
            console().print(one.text, markup=False)
        return
    held = [releasing.Held(one.key, one.name) for one in waiting]

    def decide(app: App, person: Person, case: Case, _past: tuple[Entry, ...]) -> Decision:
        return releasing.release(case, held, person, app.clock(), app.rulebook.school, letter or ())

    decision = act(config, as_person, reference, decide)
    typer.echo(f"Released: {', '.join(decision.release)}. It goes out with the next post.")


def note(
    reference: Reference,
    text: Annotated[str, typer.Argument(help="A brief note of a meeting or call (L86).")] = "",
    paper: Annotated[str | None, typer.Option(help="Where the paper lies, instead of the words (L110).")] = None,
    as_person: AsPerson = None,
    config: Config = None,
) -> None:
    """Add a brief note to the history of a case."""
    from procedure import releasing

    def decide(app: App, person: Person, case: Case, _past: tuple[Entry, ...]) -> Decision:
        return releasing.note(case, text, person, app.clock(), paper=paper)

    act(config, as_person, reference, decide)
    typer.echo("Noted.")
