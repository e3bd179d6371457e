"""Every limit that runs in a case, with the counting that made its date. Pure, from the whole history.

Nothing is repaired: pause, resumption, extension, correction and bounce are entries, and the dates are derived
anew from all of them. The order in which entries were written does not matter, only when they happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from procedure.nudges import Nudge, next_nudge, nudges
from procedure.policy import LimitRule, Policy
from procedure.runs import CHANGES, History, Limit, Run, as_date
from procedure.school_days import SchoolCalendar
from procedure.words import Deadline, DeadlineState, Entry, EntryKind

__all__ = ["Nudge", "Uncounted", "deadlines", "next_nudge", "nudges", "uncounted"]

#: Entries that start and meet nothing but say whom, when and what a limit is about.
_TELLING = frozenset(
    {EntryKind.CASE_OPENED, EntryKind.JUDGEMENT_OVERRULED, EntryKind.LETTER_QUEUED, EntryKind.LETTER_HELD}
)
_ORDER = {kind: number for number, kind in enumerate(EntryKind)}


@dataclass(frozen=True)
class Uncounted:
    """A limit that runs although nobody can say until when: the calendar ends too soon.

    `name` is the limit's name and `key` its key in the case, as a deadline's; `reason` is one sentence for the
    clerk. Such a limit is no deadline yet, since a date is never guessed; it becomes one when the calendar grows.
    """

    name: str
    reason: str
    key: str


def deadlines(
    entries: Sequence[Entry], policy: Policy, calendar: SchoolCalendar, timezone: str = "Europe/London"
) -> tuple[Deadline, ...]:
    """The limits of a case, open, met or cancelled, in the order of the policy; dates are days in `timezone`.

    Never raises for a date that the calendar cannot count: such a limit is left out here and named by
    `uncounted`, so that a letter is taken in whatever the calendar lacks.
    """
    found = _derive(entries, policy, calendar, timezone)
    return tuple(item for item in found if isinstance(item, Deadline))


def uncounted(
    entries: Sequence[Entry], policy: Policy, calendar: SchoolCalendar, timezone: str = "Europe/London"
) -> tuple[Uncounted, ...]:
    """The limits that run now but cannot be counted, for an alert to the clerk; most often none."""
    found = _derive(entries, policy, calendar, timezone)
    return tuple(item for item in found if isinstance(item, Uncounted))


def _derive(
    entries: Sequence[Entry], policy: Policy, calendar: SchoolCalendar, timezone: str
) -> Iterator[Deadline | Uncounted]:
    kinds = {kind for rule in policy.limits for kind in (*rule.starts, *rule.met_by)} | CHANGES | _TELLING
    history = _history([entry for entry in entries if entry.kind in kinds])
    targets = _targets(history.entries)
    for rule in policy.limits:
        if rule.targets and not any(target in rule.targets for target in targets):
            continue
        limit = Limit(rule, history, calendar, timezone)
        elsewhere = bool(rule.targets) and targets[-1] not in rule.targets
        for run in limit.runs:
            # A limit of another target's stays visible, but nobody waits for it any more.
            run.not_made = run.not_made or elsewhere
            item = _deadline(limit, run)
            if item is not None:
                yield item


def _deadline(limit: Limit, run: Run) -> Deadline | Uncounted | None:
    """The run as a deadline; None where it is over and cannot be counted, so that nobody need know."""
    rule, state = limit.rule, limit.state(run)
    try:
        counted = limit.counted(run)
    except (ValueError, OverflowError) as error:
        waiting = state in {DeadlineState.OPEN, DeadlineState.SUSPENDED}
        return Uncounted(rule.name, _sentence(rule, error), run.key) if waiting else None
    return Deadline(
        key=run.key,
        name=rule.name,
        title=rule.title,
        clause=rule.clause,
        owner=rule.owner,
        start=run.start,
        start_event=run.kind.value,
        unit=rule.unit,
        length=rule.length,
        due=counted.date,
        counted=counted.counted,
        skipped=counted.skipped,
        state=state,
        met_on=limit.met_on(run),
        moved_from=tuple(run.moved),
    )


def _sentence(rule: LimitRule, error: Exception) -> str:
    return f"{rule.title} ({rule.name}, {rule.clause}) runs without a date: {error}"


def _history(entries: Sequence[Entry]) -> History:
    ordered = tuple(sorted(entries, key=_when))
    written: dict[str, tuple[Entry, ...]] = {}
    for entry in ordered:
        if entry.kind in {EntryKind.LETTER_QUEUED, EntryKind.LETTER_HELD}:
            key = str(entry.facts.get("key", ""))
            written[key] = (*written.get(key, ()), entry)
    told = [as_date(entry.facts.get("incident_date")) for entry in ordered if entry.kind is EntryKind.CASE_OPENED]
    said = [as_date(entry.facts.get("value")) for entry in _overruled(ordered, "incident_date")]
    return History(
        entries=ordered,
        written={key: tuple(entry.at for entry in several) for key, several in written.items()},
        incident=next(iter([*reversed(said), *told]), None),
        first_incident=next(iter(told), None),
    )


def _targets(ordered: Sequence[Entry]) -> list[str]:
    """Whom the case was said to be against, oldest word first; the last one holds."""
    told = [str(entry.facts.get("target", "none")) for entry in ordered if entry.kind is EntryKind.CASE_OPENED]
    return [*(told or ["none"]), *(str(entry.facts.get("value")) for entry in _overruled(ordered, "target"))]


def _overruled(ordered: Sequence[Entry], field: str) -> list[Entry]:
    return [e for e in ordered if e.kind is EntryKind.JUDGEMENT_OVERRULED and e.facts.get("field") == field]


def _when(entry: Entry) -> tuple[object, ...]:
    """When it happened; at one instant in the order of the vocabulary, and never by the order of writing."""
    return entry.at, _ORDER[entry.kind], entry.by, json.dumps(dict(entry.facts), sort_keys=True, default=str)
