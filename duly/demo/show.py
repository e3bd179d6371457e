"""What the demo shows: each letter and its judgement, the register, the dates, the post, the nudges."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from duly.commands.cases import deadline_table, register_of
from duly.demo.letters import LETTERS, LONDON
from procedure.words import EntryKind

if TYPE_CHECKING:
    from rich.console import Console

    from data.reads import CaseFile, LetterIn, LetterOut
    from duly.demo.run import Demo

#: Letters that time sends, not another letter.
REMINDERS = {"nudge", "missed", "letters_waiting", "letters_held", "calendar_ends"}


def opening(console: Console, demo: Demo) -> None:
    """What is about to happen."""
    school = demo.app.rulebook.school
    console.print(
        Panel(
            f"[bold]{escape(school.name)}[/] is invented, and so is everybody who writes to it.\n"
            f"The SMTP door listens at 127.0.0.1:{demo.app.door.port}; a sink at 127.0.0.1:{demo.sink.port} stands "
            "for the world's mail.\nThe clock starts on Tuesday 20 October 2026 and runs to Wednesday 4 November:\n"
            "over the half term, and over the night when the clocks go back.",
            title="Duly: a letter comes in, its case opens, its acknowledgement goes out, the clerk is nudged",
        )
    )


def everything(console: Console, demo: Demo, seconds: float) -> bool:
    """All that came of the letters; True when nothing is lost and nothing differs on rebuild."""
    from data import reads

    store = demo.app.store
    people = demo.app.rulebook.school.people
    every = {line.id: line for person in people for line in reads.journal(store, person)}
    files = _files(demo)
    console.rule("[bold]1. Each letter, what it was judged to be and why, and what became of it")
    console.print(_letters([every[key] for key in sorted(every)], files))
    console.rule("[bold]2. The register of cases")
    console.print(register_of([file.case for file in files.values()]))
    console.rule("[bold]3. Every deadline, and how it was counted")
    console.print(deadline_table([(ref, d) for ref, file in files.items() for d in file.deadlines]))
    console.rule("[bold]4. What was sent to whom, and what deliberately was not")
    console.print(_post(demo, files))
    console.rule("[bold]5. Reminders, as they went out")
    console.print(_nudges(demo))
    return _summary(console, demo, len(every), files, seconds)


def _files(demo: Demo) -> dict[str, CaseFile]:
    """Every case, each read with the eyes of somebody who may see it."""
    from data import reads

    found: dict[str, CaseFile] = {}
    for person in demo.app.rulebook.school.people:
        for case in reads.cases(demo.app.store, person):
            if case.reference not in found:
                found[case.reference] = reads.case(demo.app.store, person, case.reference)
    return dict(sorted(found.items()))


def _letters(lines: list[LetterIn], files: dict[str, CaseFile]) -> Table:
    table = Table("the letter", "judged", "because it says", "what became of it", show_lines=True)
    for sent, line in zip(LETTERS, lines, strict=True):
        judged = dict(line.judgement or {})
        labels = [
            ", ".join(judged.get("topics", [])).replace("_", " "),
            f"against {judged.get('target', '?')}",
            f"asks for {judged.get('request', '?')}",
            *(f"[magenta]{flag.replace('_', ' ')}[/]" for flag in judged.get("flags", [])),
            *(["[bold red]a child may be at risk[/]"] if judged.get("screen") else []),
            *([f"[yellow]unsure: {', '.join(judged['unsure'])}[/]"] if judged.get("unsure") else []),
        ]
        came = f"{sent.at.astimezone(LONDON):%a %d %b %H:%M}"
        what = f"[bold]{escape(line.subject or '')}[/]\n{came}\n[dim]{sent.watch}[/]"
        table.add_row(what, "\n".join(labels), _evidence(judged), _fate(line, files))
    return table


def _evidence(judged: dict[str, object]) -> str:
    pieces: list[str] = []
    seen: set[str] = set()
    evidence = judged.get("evidence")
    for piece in evidence if isinstance(evidence, list) else []:
        text = " ".join(str(piece["text"]).split())
        if text.lower() not in seen and len(pieces) < 5:
            seen.add(text.lower())
            pieces.append(f"[dim]{piece['label']}[/] “{escape(text[:70])}”")
    return "\n".join(pieces)


def _fate(line: LetterIn, files: dict[str, CaseFile]) -> str:
    state = {"done": "in case", "duplicate": "the same again, noted in"}.get(line.state, line.state)
    out = [f"[bold]{state}[/] {line.reference or ''}", escape(line.reason or "")]
    file = files.get(line.reference or "")
    if file is not None and line.state == "done":
        out += [_unsent(entry.facts) for entry in file.entries if entry.kind is EntryKind.LETTER_NOT_SENT][:1]
    return "\n".join(part for part in out if part)


def _unsent(facts: object) -> str:
    reason = facts.get("reason") if isinstance(facts, dict) else None
    return f"[yellow]no acknowledgement: {reason}[/]" if reason else ""


def _post(demo: Demo, files: dict[str, CaseFile]) -> Table:
    table = Table("case", "to", "what", "state", "why not, or when", box=None)
    for reference, file in files.items():
        staff: Counter[tuple[str, str]] = Counter()
        for letter in file.letters_out:
            if letter.audience == "complainant":
                when = letter.sent_at.astimezone(LONDON).strftime("%a %d %b %H:%M") if letter.sent_at else ""
                why = when or "a person sends it" if letter.name == "redirection" else when
                why = why or "held for the safeguarding lead: duly release " + reference
                colour = "green" if letter.state == "sent" else "yellow"
                table.add_row(reference, "the writer", letter.name, f"[{colour}]{letter.state}[/]", why)
            elif letter.name not in REMINDERS:
                staff[letter.to_role or "staff", letter.name] += 1
        for (role, name), count in staff.items():
            table.add_row(
                reference, role.replace("_", " "), name, "[green]sent[/]", f"{count} x, no name and no text"
            )
        withheld = ", ".join(role.value.replace("_", " ") for role in sorted(file.case.withheld))
        if withheld:
            table.add_row(reference, withheld, "nothing", "[red]withheld[/]", "must not see this case")
    for letter in _outbox(demo):
        if letter.reference is None and letter.name not in REMINDERS:
            to = (letter.to_role or "").replace("_", " ")
            table.add_row("-", to, letter.name, f"[green]{letter.state}[/]", escape(letter.subject))
    return table


def _outbox(demo: Demo) -> list[LetterOut]:
    """Every letter of ours, each read with the eyes of somebody who may see it, in the order of sending."""
    from data import reads

    people = demo.app.rulebook.school.people
    every = {one.key: one for person in people for one in reads.outbox_of(demo.app.store, person)}
    return sorted(every.values(), key=lambda letter: letter.sent_at or letter.created_at)


def _nudges(demo: Demo) -> Table:
    table = Table("when", "to", "reminder", box=None)
    for one in _outbox(demo):
        if one.name in REMINDERS and one.sent_at is not None:
            when = one.sent_at.astimezone(LONDON)
            table.add_row(f"{when:%a %d %b %H:%M}", (one.to_role or "").replace("_", " "), escape(one.subject))
    return table


def _summary(console: Console, demo: Demo, kept: int, files: dict[str, CaseFile], seconds: float) -> bool:
    from data.rebuild import rebuild

    differences = rebuild(demo.app.store, check=True)
    well = kept == len(LETTERS) and not differences
    colour = "green" if well else "red"
    console.rule()
    console.print(
        f"[{colour}]{len(LETTERS)} letters went in over SMTP, {kept} are in the journal; {len(files)} cases opened; "
        f"{len(demo.sink.letters)} letters went out. Derived again from the histories: "
        f"{len(differences) or 'no'} differences.[/] {seconds:.1f} s"
    )
    for sentence in differences:
        console.print(f"[red]{escape(sentence)}[/]")
    return well
