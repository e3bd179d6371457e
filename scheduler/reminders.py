"""Letters about what lies about: numbers, references and what to do; never a name or a word of a letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from procedure.school import Person, School
from procedure.wording import day_in_words, one_line
from procedure.words import Audience, Letter, Role

#: References or numbers listed in one letter; the commands list all.
LISTED = 20


def waiting(school: School, person: Person, letter_ids: Sequence[int], today: date) -> Letter:
    """Letters that stand in no case, or could not be read, and have waited for more than a school day."""
    said = [
        (
            f"{_counted(len(letter_ids), 'letter')} still {_wait(letter_ids)} for a person: no rule could "
            "place them, or they could not be read. Nothing of them is lost, and no limit is kept by them."
        ),
        f"Numbers: {_listed(map(str, letter_ids))}",
        "List them with: duly journal --state unplaced --state quarantined",
    ]
    return _letter(school, person, "letters_waiting", today.isoformat(), "Letters wait for you", said)


def held(school: School, person: Person, references: Sequence[str], today: date) -> Letter:
    """Letters to senders that were held for a person, who has neither released nor cancelled them."""
    said = [
        (
            f"Letters to the sender in {_counted(len(references), 'case')} are held until a person releases them: "
            "somebody must read them first. Until then the sender hears nothing."
        ),
        f"Cases: {_listed(references)}",
        "Read a case with: duly case REFERENCE. Release its letters with: duly release REFERENCE",
    ]
    return _letter(school, person, "letters_held", today.isoformat(), "Held letters wait for you", said)


def calendar_ends(school: School, person: Person, last_known: date, today: date) -> Letter:
    """The school calendar ends soon: what would be counted past its end is not counted at all."""
    year, week, _ = today.isocalendar()
    said = [
        (
            f"The school calendar that limits are counted by ends on {day_in_words(last_known)}. No limit is counted "
            "past that day, since a date is never guessed."
        ),
        "Add the terms, half terms and INSET days of the next school year to calendar.toml, then run: duly doctor",
    ]
    occasion = f"{last_known.isoformat()}:{year}-W{week:02d}"
    return _letter(school, person, "calendar_ends", occasion, "The school calendar ends soon", said)


def _letter(school: School, person: Person, name: str, occasion: str, subject: str, said: Sequence[str]) -> Letter:
    sign = f"Duly, for {one_line(school.name)}"
    paragraphs = [*said, sign]
    body = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in paragraphs)
    return Letter(
        key=f"{name}:{occasion}:{person.id}",
        name=name,
        audience=Audience.STAFF,
        to_addr=one_line(person.email),
        subject=subject,
        text="\n\n".join(paragraphs) + "\n",
        html=f'<!doctype html>\n<html lang="en"><body>\n{body}</body></html>\n',
        to_role=next((role for role in (Role.CLERK, *sorted(person.roles)) if role in person.roles), None),
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _wait(things: Sequence[object]) -> str:
    return "waits" if len(things) == 1 else "wait"


def _listed(names: Iterable[str]) -> str:
    several = list(names)
    more = len(several) - LISTED
    return ", ".join(several[:LISTED]) + (f" and {more} more" if more > 0 else "")
