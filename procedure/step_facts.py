"""The facts of a step, as a person gives them: text in, JSON values out, or one sentence that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from procedure.policy import StepRule
from procedure.words import Case, Entry, Flag, Request, Target, Topic

#: Facts with a closed list of values, for every step or for one ("suspend.reason").
CHOICES: dict[str, tuple[str, ...]] = {
    "how": ("letter", "phone", "in_person"),
    "finding": ("upheld", "partly_upheld", "not_upheld"),
    "route": ("informal", "formal", "panel"),  # L219
    "why": ("refused", "unable"),  # L106
    "ground": ("manner", "perverse", "unreasonable", "other"),  # L128; any ground is accepted (L66)
    "field": ("topics", "target", "request", "flags", "incident_date"),
    "topic": tuple(Topic),
    "suspend.reason": ("social_services", "legal_proceedings", "police_or_lado"),  # L267, L271, L206
    "safeguarding-cleared.reason": ("no_concern", "handed_over"),
}

#: Where notes are kept: with the school's ICT system, or the place of the paper (L86, L110).
NOTES = re.compile(r"digital|paper:\s*\S.*")

#: Characters of a free text: a history holds reasons, not letters.
LONGEST = 300


def read(step: StepRule, given: Mapping[str, str]) -> dict[str, str]:
    """The facts of the step, trimmed and checked one by one; days as "YYYY-MM-DD".

    Raises ValueError with one sentence for a fact that is missing, unknown or not of its form.
    """
    forms = {fact.partition(":")[0]: fact.partition(":")[2] for fact in (*step.needs, *step.takes)}
    unknown = sorted(given.keys() - forms.keys())
    if unknown:
        known = ", ".join(forms) or "none"
        raise ValueError(f"{step.name} knows no fact called {', '.join(unknown)}; its facts are: {known}")
    facts = {name: given[name].strip() for name in forms if given.get(name, "").strip()}
    for name in (fact.partition(":")[0] for fact in step.needs):
        if name not in facts:
            raise ValueError(f"{step.name} needs the fact {name}{_hint(step, name, forms[name])}")
    return {name: _value(step, name, forms[name], text) for name, text in facts.items()}


def choices(step: StepRule, name: str) -> tuple[str, ...]:
    """The values that this fact of the step may have; empty when it is free."""
    return CHOICES.get(f"{step.name}.{name}", CHOICES.get(name, ()))


def _hint(step: StepRule, name: str, form: str) -> str:
    if form == "date":
        return ", a day such as 2026-11-30"
    allowed = choices(step, name)
    return f": one of {', '.join(allowed)}" if allowed else ""


def _value(step: StepRule, name: str, form: str, text: str) -> str:
    if form == "date":
        return day(name, text).isoformat()
    allowed = choices(step, name)
    if allowed and text not in allowed:
        raise ValueError(f"{name} of {step.name} must be one of {', '.join(allowed)}, not {text!r}")
    if len(text) > LONGEST:
        raise ValueError(f"{name} of {step.name} is longer than {LONGEST} characters; keep the text elsewhere")
    if name == "notes" and not NOTES.fullmatch(text):
        raise ValueError('notes must say where the notes are kept: "digital", or "paper: " and the place')
    return text


def day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} must be a day such as 2026-11-30, not {text!r}") from None


def happened_at(facts: Mapping[str, str], case: Case, past: Sequence[Entry], now: datetime, zone: str) -> datetime:
    """When the step happened (UTC): now, or noon of the day that `on` names.

    After what else happened that day, since it was entered after it: an acknowledgement by post of a letter
    that came in the afternoon answers that letter.

    Raises ValueError for a day to come, or before the case was opened.
    """
    if "on" not in facts:
        return now
    on, here = day("on", facts["on"]), ZoneInfo(zone)
    today = now.astimezone(here).date()
    if on > today:
        raise ValueError(f"on must not be a day to come: {on} is after {today}")
    opened = case.opened_at.astimezone(here).date()
    if on < opened:
        raise ValueError(f"on must not be before the case was opened on {opened}, as {on} is")
    if on == today:
        return now
    noon = datetime.combine(on, time(12), here).astimezone(UTC)
    same_day = [entry.at for entry in past if entry.at.astimezone(here).date() == on and entry.at >= noon]
    return max(same_day) + timedelta(microseconds=1) if same_day else noon


def overruling(field: str, text: str) -> str | list[str] | None:
    """The value that takes the place of a judged one, as `procedure.history.fold` reads it.

    Raises ValueError for a label that the triage contract does not know.
    """
    labels = [item.strip() for item in text.split(",") if item.strip()]
    if field == "incident_date":
        return day("value", text).isoformat() if text else None
    if field == "flags":
        return [_label(Flag, item) for item in labels]
    if not labels:
        raise ValueError(f"overrule needs the fact value for {field}")
    if field == "topics":
        return [_label(Topic, item) for item in labels]
    return _label(Target if field == "target" else Request, text)


def _label(kind: type[Flag | Topic | Target | Request], text: str) -> str:
    try:
        return kind(text).value
    except ValueError:
        raise ValueError(f"value must be one of {', '.join(kind)}, not {text!r}") from None
