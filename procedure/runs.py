"""One limit of the policy through the history of a case: each run, what moved it, what met or ended it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from procedure import counting
from procedure.policy import LimitRule
from procedure.school_days import Counted, SchoolCalendar, Span
from procedure.words import DeadlineState, Entry, EntryKind, Skipped

#: Each receipt asks for an answer of its own, even while an earlier one still waits for its answer.
RECEIPTS = frozenset(
    {
        EntryKind.CONCERN_RECEIVED,
        EntryKind.COMPLAINT_RECEIVED,
        EntryKind.STAGE3_REQUESTED,
        EntryKind.STAGE4_REQUESTED,
    }
)
#: Entries that change runs of every limit, or of the one they name.
CHANGES = frozenset(
    {
        EntryKind.LETTER_BOUNCED,
        EntryKind.LETTER_FAILED,
        EntryKind.REQUEST_NOT_MADE,
        EntryKind.RECEIPT_CORRECTED,
        EntryKind.EXTENDED,
        EntryKind.SUSPENDED,
        EntryKind.RESUMED,
        EntryKind.RESOLVED,
        EntryKind.WITHDRAWN,
        EntryKind.CLOSED,
        EntryKind.REOPENED,
    }
)
#: An outcome without a recorded delivery counts as received two school days after it was sent (A5).
POST_DAYS = 2


@dataclass
class Run:
    """A limit running from one event; `key` is the limit's name, with a number from the second run on."""

    key: str
    kind: EntryKind
    opened_at: datetime
    start: date
    posted: bool = False
    #: The day of the extension and the date it promised.
    extended: tuple[date, date] | None = None
    meetings: list[Entry] = field(default_factory=list)
    not_made: bool = False
    ended: bool = False
    #: Ended, and the same receipt came again: reopening the case does not revive it.
    superseded: bool = False
    moved: list[tuple[date, str]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.not_made or self.ended or self.superseded

    @property
    def active(self) -> bool:
        return not self.meetings and not self.over


@dataclass(frozen=True)
class History:
    """What the whole history says, needed by more than one limit."""

    entries: tuple[Entry, ...]
    #: When a letter of ours was last written (queued or held), by its key.
    written: Mapping[str, tuple[datetime, ...]]
    incident: date | None
    first_incident: date | None


class Limit:
    """Reads a history once, oldest entry first, for one rule.

    A pause runs from the day of suspension to the day of resumption. Time a case is closed is no pause.
    """

    def __init__(self, rule: LimitRule, history: History, calendar: SchoolCalendar, timezone: str) -> None:
        self.rule = rule
        self.history = history
        self.calendar = calendar
        self.timezone = timezone
        self.runs: list[Run] = []
        self.pauses: list[Span] = []
        self.paused_since: date | None = None
        kinds = {*rule.starts, *rule.met_by, *CHANGES}
        mine = [entry for entry in history.entries if entry.kind in kinds]
        # What starts a limit is read before what meets it, where both happened at the same instant.
        for entry in sorted(mine, key=lambda entry: (entry.at, entry.kind not in rule.starts)):
            self._take(entry)

    def counted(self, run: Run) -> Counted:
        """The day of a run and how it was counted. ValueError (BeyondCalendar) where it cannot be."""
        met = self.met_on(run)
        pauses = [pause for pause in self.pauses if met is None or pause.start <= met]
        rule = self.rule
        if run.posted:
            way = self.calendar.add(run.start, POST_DAYS)
            rest = counting.count(rule.unit, rule.length, way.date, self.calendar, pauses)
            posted = sorted(
                (*way.skipped, *(Skipped(day, "in the post") for day in way.counted)), key=lambda s: s.day
            )
            counted = Counted(rest.date, rest.counted, (*posted, *rest.skipped))
        else:
            counted = counting.count(rule.unit, rule.length, run.start, self.calendar, pauses)
        if run.extended is None:
            return counted
        day, to = run.extended
        later = counting.extend(rule.unit, run.start, max(day, run.start), to, self.calendar, pauses)
        return max(counted, later, key=lambda result: result.date)

    def met_on(self, run: Run) -> date | None:
        first = min((entry.at for entry in run.meetings), default=None)
        return None if first is None else self._day(first)

    def state(self, run: Run) -> DeadlineState:
        if run.meetings:
            return DeadlineState.MET
        if run.over:
            return DeadlineState.CANCELLED
        return DeadlineState.OPEN if self.paused_since is None else DeadlineState.SUSPENDED

    def _take(self, entry: Entry) -> None:
        if entry.kind in self.rule.starts and _carries(entry, self.rule.starts_where, absent=False):
            self._start(entry)
        if entry.kind in self.rule.met_by and _carries(
            entry, self.rule.met_where, absent=entry.kind is not EntryKind.LETTER_SENT
        ):
            self._meet(entry)
        if entry.kind in CHANGES:
            self._change(entry)

    def _change(self, entry: Entry) -> None:
        match entry.kind:
            case EntryKind.LETTER_BOUNCED | EntryKind.LETTER_FAILED:
                self._undo_letter(entry)
            case EntryKind.REQUEST_NOT_MADE:
                self._not_made(entry)
            case EntryKind.RECEIPT_CORRECTED:
                self._correct(entry)
            case EntryKind.EXTENDED:
                self._extend(entry)
            case EntryKind.SUSPENDED:
                self.paused_since = self.paused_since or self._day(entry.at)
            case EntryKind.RESUMED:
                self._resume(entry)
            case EntryKind.RESOLVED | EntryKind.WITHDRAWN | EntryKind.CLOSED:
                self._end(ended=True)
            case EntryKind.REOPENED:
                self._end(ended=False)

    def _start(self, entry: Entry) -> None:
        start = self._start_day(entry)
        if start is None:
            return
        for run in self.runs:
            if not run.active:
                continue
            if self.rule.unit == counting.CLEAR_BEFORE:
                self._move(run, f"the hearing was moved to {start}", start=start)
                return
            if run.kind is entry.kind or not {run.kind, entry.kind} <= RECEIPTS:
                return  # a chaser changes nothing; of two receipts the earlier counts (A7)
        for run in self.runs:
            run.superseded = run.superseded or (run.ended and run.kind is entry.kind)
        number = len(self.runs) + 1
        key = self.rule.name if number == 1 else f"{self.rule.name}.{number}"
        posted = entry.kind is EntryKind.OUTCOME_GIVEN and as_date(entry.facts.get("delivered_on")) is None
        run = Run(key, entry.kind, entry.at, start, posted)
        self.runs.append(run)
        earlier = self.history.first_incident
        if entry.kind is EntryKind.CASE_OPENED and earlier is not None and earlier != start:
            run.start = earlier
            self._move(run, f"the incident was on {start}", start=start)

    def _start_day(self, entry: Entry) -> date | None:
        if self.rule.unit == counting.CLEAR_BEFORE:
            return as_date(entry.facts.get("date"))
        if entry.kind is EntryKind.CASE_OPENED:
            return self.history.incident  # undated is in time until somebody says (L60)
        delivered = as_date(entry.facts.get("delivered_on")) if entry.kind is EntryKind.OUTCOME_GIVEN else None
        return delivered or self._day(entry.at)

    def _meet(self, entry: Entry) -> None:
        key = str(entry.facts.get("key", ""))
        written = max((at for at in self.history.written.get(key, ()) if at <= entry.at), default=None)
        for run in self.runs:
            # A letter written before the request cannot be the answer to it, whenever it went out.
            early = entry.kind is EntryKind.LETTER_SENT and written is not None and written < run.opened_at
            if entry.at >= run.opened_at and not early and not run.not_made and not run.superseded:
                run.meetings.append(entry)

    def _undo_letter(self, entry: Entry) -> None:
        """A letter that bounced was never received: what it met is open again (demand 70)."""
        for run in self.runs:
            run.meetings = [
                met
                for met in run.meetings
                if met.kind is not EntryKind.LETTER_SENT or met.facts.get("key") != entry.facts.get("key")
            ]

    def _not_made(self, entry: Entry) -> None:
        kind = entry.facts.get("of")
        for run in self.runs:
            run.meetings = [met for met in run.meetings if met.kind != kind]
            run.not_made = run.not_made or (run.kind == kind and run.active)

    def _correct(self, entry: Entry) -> None:
        to = as_date(entry.facts.get("to"))
        runs = [run for run in self.runs if run.kind == entry.facts.get("of") and not run.not_made]
        if to is None or not runs or self.rule.unit == counting.CLEAR_BEFORE:
            return
        self._move(runs[-1], f"the receipt was corrected to {to}", start=to, posted=False)

    def _extend(self, entry: Entry) -> None:
        """A new date counts only when it was given before the old one had passed (L100)."""
        to, day = as_date(entry.facts.get("to")), self._day(entry.at)
        wanted = str(entry.facts.get("limit", ""))
        runs = [run for run in self.runs if run.active and wanted in {run.key, self.rule.name}]
        if to is None or not runs or not self.rule.extendable or self.rule.unit == counting.CLEAR_BEFORE:
            return
        run = runs[-1]
        old = self._due(run)
        if old is None or to <= old or min(day, self.paused_since or day) > old:
            return
        reason = str(entry.facts.get("reason") or "no reason given")
        self._move(run, f"extended to {to}: {reason}", extended=(day, to))

    def _resume(self, entry: Entry) -> None:
        since, self.paused_since = self.paused_since, None
        if since is None:
            return
        active = [run for run in self.runs if run.active]
        before = [(run, self._due(run)) for run in active]
        self.pauses.append(Span(since, self._day(entry.at)))
        for run, old in before:
            self._moved(run, old, f"suspended from {since} to {self.pauses[-1].end}")

    def _end(self, *, ended: bool) -> None:
        for run in self.runs:
            run.ended = ended

    def _move(self, run: Run, why: str, **changes: object) -> None:
        """Change a run; an old date that changed stays visible with the reason."""
        old = self._due(run)
        for name, value in changes.items():
            setattr(run, name, value)
        self._moved(run, old, why)

    def _moved(self, run: Run, old: date | None, why: str) -> None:
        if old is not None and self._due(run) != old:
            run.moved.append((old, why))

    def _due(self, run: Run) -> date | None:
        try:
            return self.counted(run).date
        except (ValueError, OverflowError):
            return None

    def _day(self, at: datetime) -> date:
        return counting.local_day(at, self.timezone)


def as_date(value: object) -> date | None:
    """A fact as a day ("2026-11-30"), or None where it is none: a bad fact never stops the intake."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _carries(entry: Entry, where: Sequence[tuple[str, str]], *, absent: bool) -> bool:
    """Whether the entry's facts are those wanted; pairs of one key are alternatives.

    `absent` is the answer for a fact that the entry does not carry.
    """
    for key in {key for key, _ in where}:
        value = entry.facts.get(key)
        if value is None:
            if not absent:
                return False
        elif str(value) not in {wanted for name, wanted in where if name == key}:
            return False
    return True
