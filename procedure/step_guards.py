"""What must be so before a step: the policy's own conditions, each with its line.

A guard is a function of the moment that answers None, or why not. Conditions that a table can say (stage,
status, role, target, what must come before) stand in the policy file; here stand the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from procedure.policy import Policy, StepRule
from procedure.school import School
from procedure.school_days import CalendarError, SchoolCalendar
from procedure.words import Case, Entry, EntryKind, Flag, NotAllowed, Stage, Target, Topic

#: Looking into the matter, and telling what was found: not while a child may be at risk (L238), nor while it
#: could prejudice the police or the LADO (L206).
INVESTIGATION = frozenset(
    {
        EntryKind.DISCUSSED,
        EntryKind.MEETING_OFFERED,
        EntryKind.MEETING_HELD,
        EntryKind.OUTCOME_GIVEN,
        EntryKind.HEARING_SET,
        EntryKind.NOTICE_GIVEN,
        EntryKind.HEARING_HELD,
        EntryKind.PANEL_OUTCOME_GIVEN,
    }
)

#: "dates" (L106) are more than one.
OFFERS_BEFORE_ABSENCE = 2

#: Clear school days of notice (L156, A2).
NOTICE = 5

#: What the DSL says of a safeguarding sign.
SETTLED = (EntryKind.SAFEGUARDING_CONFIRMED, EntryKind.SAFEGUARDING_CLEARED)

#: Entries that answer a complaint.
ANSWERS = (EntryKind.OUTCOME_GIVEN, EntryKind.PANEL_OUTCOME_GIVEN, EntryKind.RESOLVED)


@dataclass(frozen=True)
class Moment:
    """A case as it stands now, and all that decides what may be done in it."""

    case: Case
    entries: Sequence[Entry]
    policy: Policy
    calendar: SchoolCalendar
    school: School
    now: datetime

    @property
    def today(self) -> date:
        return self.day_of(self.now)

    def day_of(self, at: datetime) -> date:
        """The day of an event, where the school is."""
        return at.astimezone(ZoneInfo(self.school.timezone)).date()

    @property
    def receipts(self) -> tuple[EntryKind, ...]:
        """The receipts that stand, oldest first: one that a person took back is gone."""
        kinds = {rule.receipt for rule in self.policy.stages if rule.receipt is not None}
        standing: list[EntryKind] = []
        for entry in self.entries:
            if entry.kind in kinds:
                standing.append(entry.kind)
            elif entry.kind is EntryKind.REQUEST_NOT_MADE:
                standing = [kind for kind in standing if kind != entry.facts.get("of")]
        return tuple(standing)

    @property
    def in_stage(self) -> Sequence[Entry]:
        """The entries since the case entered its stage, the one that moved it there included."""
        enters = {rule.receipt for rule in self.policy.stages if rule.stage is self.case.stage}
        enters |= {step.entry for step in self.policy.steps if step.to is self.case.stage}
        starts = [n for n, entry in enumerate(self.entries) if entry.kind in enters]
        return self.entries[starts[-1] if starts else 0 :]

    def stands(self, kind: EntryKind) -> bool:
        return any(entry.kind is kind for entry in self.in_stage)

    @property
    def hearing(self) -> date | None:
        """The day last set for the panel's hearing."""
        days = [entry.facts["date"] for entry in self.entries if entry.kind is EntryKind.HEARING_SET]
        return date.fromisoformat(days[-1]) if days else None


def refusal(step: StepRule, moment: Moment) -> NotAllowed | None:
    """Why the policy's own conditions do not allow this step now; None where they do."""
    if step.entry in INVESTIGATION and moment.case.safeguarding:
        return NotAllowed(
            "a child may be at risk; the DSL clears the sign before the procedure goes on", "L238, L206"
        )
    guard = GUARDS.get(step.name)
    return guard(moment) if guard else None


def _not_passed_yet(moment: Moment) -> NotAllowed | None:
    if moment.stands(EntryKind.PASSED_TO_CHAIR):
        return NotAllowed("the complaint was passed to the chair already", "L104")
    return None


def _dates_were_offered(moment: Moment) -> NotAllowed | None:
    offers = sum(entry.kind is EntryKind.MEETING_OFFERED for entry in moment.in_stage)
    if offers < OFFERS_BEFORE_ABSENCE:
        return NotAllowed(
            f"a meeting in absence needs {OFFERS_BEFORE_ABSENCE} recorded offers of dates; there are {offers}", "L106"
        )
    return None


def _ready_for_outcome(moment: Moment) -> NotAllowed | None:
    case = moment.case
    if case.stage is not Stage.TWO:
        return None
    if case.target is Target.HEADTEACHER:
        return NotAllowed("a complaint against the headteacher moves from the meeting to stage three", "L104")
    if case.target is Target.STAFF and not moment.stands(EntryKind.DISCUSSED):
        return NotAllowed("the headteacher first discusses the issue with the member of staff", "L112")
    return None


def notice_refusal(moment: Moment, hearing: date, given: date) -> NotAllowed | None:
    """Why notice given that day is too late for a hearing on `hearing`; None where it is in time."""
    try:
        last = moment.calendar.last_day_for_notice(hearing, NOTICE).date
    except CalendarError as unknown:
        return NotAllowed(f"the notice of a hearing on {hearing} cannot be counted: {unknown}", "L156")
    if given <= last:
        return None
    return NotAllowed(f"five clear days' notice of a hearing on {hearing} had to be given by {last}", "L156, A2")


def _heard_on_its_day(moment: Moment) -> NotAllowed | None:
    kinds = [entry.kind for entry in moment.in_stage]
    last_set = len(kinds) - 1 - kinds[::-1].index(EntryKind.HEARING_SET)
    if EntryKind.NOTICE_GIVEN not in kinds[last_set:]:
        return NotAllowed("no notice was given of the day that is now set", "L156")
    if moment.hearing is not None and moment.today < moment.hearing:
        return NotAllowed(f"the hearing is set for {moment.hearing}", "L160")
    return None


def _sign_settled(moment: Moment) -> NotAllowed | None:
    settled = [entry.kind for entry in moment.entries if entry.kind in SETTLED]
    if moment.case.safeguarding and settled[-1:] != [EntryKind.SAFEGUARDING_CONFIRMED]:
        return NotAllowed("the DSL first confirms or clears the safeguarding sign", "L238")
    return None


def _answered(moment: Moment) -> NotAllowed | None:
    """An outcome, a resolution or a redirection stands (L58, L216-220); some matters need none."""
    unsettled = _sign_settled(moment)
    if unsettled is not None:
        return unsettled
    case = moment.case
    if Flag.ANONYMOUS in case.flags or set(case.topics) == {Topic.NOT_COMPLAINT}:
        return None
    here = [topic for topic in case.topics if moment.policy.topic(topic).here]
    if (here or case.stage is not Stage.NONE) and not any(moment.stands(kind) for kind in ANSWERS):
        return NotAllowed("the complaint has no answer yet at this stage", "L58, L216")
    for topic in case.topics:
        if topic not in {*here, Topic.NOT_COMPLAINT} and not _sent_on(moment, topic):
            place = moment.policy.topic(topic)
            return NotAllowed(f"the part about {_words(topic)} was not yet directed elsewhere", place.clause)
    return None


def _sent_on(moment: Moment, topic: Topic) -> bool:
    if topic is Topic.SAFEGUARDING and any(entry.kind in SETTLED for entry in moment.entries):
        return True
    directed = {e.facts.get("topic") for e in moment.entries if e.kind is EntryKind.REDIRECTED}
    return topic.value in directed


def _has_receipt(moment: Moment) -> NotAllowed | None:
    return None if moment.receipts else NotAllowed("no request for a stage stands in the history", "L96")


def _has_sign(moment: Moment) -> NotAllowed | None:
    return None if moment.case.safeguarding else NotAllowed("no safeguarding sign stands", "L238")


def _was_alerted(moment: Moment) -> NotAllowed | None:
    if any(e.kind is EntryKind.ALERTED and e.facts.get("kind") == "safeguarding" for e in moment.entries):
        return None
    return NotAllowed("no safeguarding alert was sent in this case", "L238")


def _belongs_elsewhere(moment: Moment) -> NotAllowed | None:
    if any(not moment.policy.topic(topic).here for topic in moment.case.topics):
        return None
    return NotAllowed("every part of this case belongs in this procedure", "L15")


def _words(topic: Topic) -> str:
    return topic.value.replace("_", " ")


GUARDS: dict[str, Callable[[Moment], NotAllowed | None]] = {
    "pass-to-chair": _not_passed_yet,
    "meet-in-absence": _dates_were_offered,
    "give-outcome": _ready_for_outcome,
    "hold-hearing": _heard_on_its_day,
    "resolve": _sign_settled,
    "close": _answered,
    "not-requested": _has_receipt,
    "correct-receipt": _has_receipt,
    "safeguarding-cleared": _has_sign,
    "acknowledge-alert": _was_alerted,
    "redirect": _belongs_elsewhere,
}
