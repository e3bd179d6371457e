"""The steps a person may take in a case: what is possible now, and what taking one decides.

The table of steps is the policy file's; who may act is `procedure.access`; the policy's other conditions are
`procedure.step_guards`; the form of facts is `procedure.step_facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from procedure import step_facts
from procedure.access import SAFEGUARDERS, may_do, may_see, why_not_see
from procedure.deadlines import deadlines
from procedure.policy import Policy, StepRule
from procedure.routing import alert_addressees, withheld_from
from procedure.school import Person, School
from procedure.school_days import SchoolCalendar
from procedure.step_guards import Moment, notice_refusal, refusal
from procedure.words import (
    Case,
    Deadline,
    DeadlineState,
    Decision,
    Entry,
    EntryKind,
    Flag,
    NotAllowed,
    Role,
    Stage,
    Target,
    Topic,
)

#: The governing board, which as a whole is never told of a complaint (L226).
BOARD = (Role.CHAIR, Role.VICE_CHAIR, Role.GOVERNOR)

#: What a close without an outcome is called.
NOT_CONSIDERED = "not considered - anonymous"


@dataclass(frozen=True)
class Possibility:
    """A step of the policy, and why it may not be taken now (None: it may)."""

    step: StepRule
    refusal: NotAllowed | None

    @property
    def allowed(self) -> bool:
        return self.refusal is None


def possible(
    case: Case,
    entries: Sequence[Entry],
    person: Person,
    policy: Policy,
    now: datetime,
    calendar: SchoolCalendar,
    school: School,
) -> list[Possibility]:
    """Every step of the policy for a complaint against such a target, allowed or refused with the line."""
    moment = Moment(case, entries, policy, calendar, school, now)
    steps = [step for step in policy.steps if not step.targets or case.target in step.targets]
    return [Possibility(step, why_not(step, moment, person)) for step in steps]


def advance(
    case: Case,
    entries: Sequence[Entry],
    step_name: str,
    facts: Mapping[str, str],
    person: Person,
    policy: Policy,
    now: datetime,
    calendar: SchoolCalendar,
    school: School,
) -> Decision:
    """What it means that the person takes the step now (UTC): one entry, at the time when it happened.

    Facts are texts, days "YYYY-MM-DD"; `on` is the day on which the thing happened, today where it is not
    given. Raises NotAllowed with reason and line for what the policy does not allow, and ValueError with one
    sentence for a step that is not known and for a fact that is missing or wrong.
    """
    step = find(policy, step_name)
    moment = Moment(case, entries, policy, calendar, school, now)
    refused = why_not(step, moment, person)
    if refused is not None:
        raise refused
    given = step_facts.read(step, facts)
    at = step_facts.happened_at(given, case, entries, now, school.timezone)
    given.pop("on", None)
    make = MAKERS.get(step_name, _plain)
    made = make(moment, person, given, moment.day_of(at))
    return Decision(case.reference, (Entry(step.entry, at, person.id, {"step": step.name, **made}),))


def find(policy: Policy, name: str) -> StepRule:
    """The step of that name.

    Raises ValueError naming the steps there are.
    """
    for step in policy.steps:
        if step.name == name:
            return step
    raise ValueError(f"no step is called {name!r}; there are {', '.join(step.name for step in policy.steps)}")


def why_not(step: StepRule, moment: Moment, person: Person) -> NotAllowed | None:
    """Why the person may not take the step now, before any fact is known; None where they may."""
    case = moment.case
    barred = _person_refused(step, moment, person)
    if barred is not None:
        return barred
    if case.status not in step.statuses:
        return NotAllowed(f"the case is {case.status}", step.clause)
    if case.stage not in step.stages:
        return NotAllowed(f"{step.name} is no step of {_stage(case.stage)}", step.clause)
    if step.targets and case.target not in step.targets:
        return NotAllowed(f"{step.name} is not for a complaint against {_words(case.target)}", step.clause)
    for kind in step.after:
        if not moment.stands(kind):
            return NotAllowed(f"{step.name} comes after: {_words(kind)}", step.clause)
    return refusal(step, moment)


def _person_refused(step: StepRule, moment: Moment, person: Person) -> NotAllowed | None:
    case = moment.case
    # Where the case is withheld from every DSL, those alerted in their place answer for the sign (L238).
    if set(step.by) == SAFEGUARDERS and person in alert_addressees(moment.school, case):
        return why_not_see(person, case)
    return may_do(person, step, case)


# --- What a step writes -------------------------------------------------------------------------------
# A maker takes the checked facts and the day on which it happened, and answers the facts of the entry.

Facts = dict[str, Any]


def _plain(_moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    return dict(given)


def _acknowledged(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    spoken = given["how"] != "letter"
    if moment.case.stage is Stage.FOUR and spoken and Flag.COMMUNICATION_DIFFICULTY not in moment.case.flags:
        raise NotAllowed("a request for the panel is acknowledged in writing", "L138")
    return dict(given)


def _noted(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    personal = moment.case.target in {Target.STAFF, Target.HEADTEACHER}
    if personal and moment.case.stage is Stage.TWO and given["notes"] == "digital":
        raise NotAllowed(
            "notes of a complaint against staff or headteacher are hard copies in personnel files; "
            'give notes as "paper: " and the place',
            "L110",
        )
    return dict(given)


def _discussed_with_staff(moment: Moment, person: Person, given: dict[str, str], on: date) -> Facts:
    return {**_noted(moment, person, given, on), "with": "staff"}


def _met_in_absence(moment: Moment, person: Person, given: dict[str, str], on: date) -> Facts:
    return {**_noted(moment, person, given, on), "absent": True}


def _outcome(moment: Moment, _person: Person, given: dict[str, str], on: date) -> Facts:
    delivered = given.get("delivered_on")
    if delivered is not None and not on <= date.fromisoformat(delivered) <= moment.today:
        raise ValueError(f"delivered_on must lie between {on} and {moment.today}, as {delivered} does not")
    return {**given, "stage": moment.case.stage.value}


def _hearing(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    hearing = date.fromisoformat(given["date"])
    if hearing <= moment.today:
        raise ValueError(f"date must be a day to come; {hearing} is not")
    late = notice_refusal(moment, hearing, moment.today)
    if late is not None:
        raise late
    return dict(given)


def _notice(moment: Moment, _person: Person, given: dict[str, str], on: date) -> Facts:
    assert moment.hearing is not None, "the step comes after hearing_set"
    # Recorded today, but given on `on`: what counts is when it was given.
    late = notice_refusal(moment, moment.hearing, on)
    if late is not None:
        raise late
    return {**given, "date": moment.hearing.isoformat()}


def _heard(moment: Moment, _person: Person, given: dict[str, str], on: date) -> Facts:
    if moment.hearing is not None and on < moment.hearing:
        raise NotAllowed(f"the hearing is set for {moment.hearing}", "L160")
    return dict(given)


def _extended(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    name, to = given["limit"], date.fromisoformat(given["to"])
    deadline = _running(moment, name)
    if moment.today > deadline.due:
        raise NotAllowed(f"{name} passed on {deadline.due}; a date moves only before it has passed", "L100")
    if to <= deadline.due:
        raise ValueError(f"to must be later than {deadline.due}, the date of {name} now; {to} is not")
    return {**given, "from": deadline.due.isoformat()}


def _running(moment: Moment, name: str) -> Deadline:
    extendable = [rule.name for rule in moment.policy.limits if rule.extendable]
    if name not in {rule.name for rule in moment.policy.limits}:
        raise ValueError(f"no limit is called {name!r}; those that may be moved are {', '.join(extendable)}")
    if name not in extendable:
        raise NotAllowed(f"{name} cannot be moved", moment.policy.limit(name).clause)
    every = deadlines(moment.entries, moment.policy, moment.calendar, moment.school.timezone)
    running = [item for item in every if item.name == name and item.state is DeadlineState.OPEN]
    if not running:
        raise ValueError(f"{name} is not running in this case")
    return running[-1]


def _of_receipt(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    if given["of"] not in moment.receipts:
        raise ValueError(f"of must be one of {', '.join(dict.fromkeys(moment.receipts))}, not {given['of']!r}")
    if "to" in given and date.fromisoformat(given["to"]) > moment.today:
        raise ValueError(f"to must not be a day to come: {given['to']} is after {moment.today}")
    return dict(given)


def _overruled(moment: Moment, person: Person, given: dict[str, str], _on: date) -> Facts:
    name = given["field"]
    value = step_facts.overruling(name, given.get("value", ""))
    case = moment.case
    acting = person.roles & {case.handler, Role.CLERK, *case.told}
    if name not in {"topics", "flags"} and not acting:
        raise NotAllowed(f"{_words(name)} is for the clerk, or who handles the case, to say", "L72")
    before = {"topics": case.topics, "flags": case.flags}.get(name, ())
    lost = {Topic.SAFEGUARDING.value, Flag.IMMEDIATE_RISK.value} & set(before) - set(value or ())
    if lost and person not in alert_addressees(moment.school, case):
        raise NotAllowed(f"only the DSL takes {_words(min(lost))} away", "L238")
    return {"field": name, "value": value}


def _redirected(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    topic = Topic(given["topic"])
    if topic not in moment.case.topics:
        raise ValueError(f"topic must be one of this case: {', '.join(moment.case.topics)}, not {topic}")
    rule = moment.policy.topic(topic)
    if rule.here:
        raise NotAllowed(f"{_words(topic)} belongs in this procedure", rule.clause)
    return {**given, "body": rule.body}


def _disclosed(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    case, other = moment.case, _known(moment, given["person"])
    if withheld_from(other, case.withheld) or other.id in case.recused:
        refused = why_not_see(other, case)
        assert refused is not None
        raise refused
    if may_see(other, case):
        raise ValueError(f"{other.id} sees this case already")
    board = [p for p in moment.school.people if p.roles & set(BOARD)]
    if len(board) > 1 and other in board and all(p == other or may_see(p, case) for p in board):
        raise NotAllowed("with this the entire governing board would know the case", "L226")
    return dict(given)


def _recused(moment: Moment, person: Person, given: dict[str, str], _on: date) -> Facts:
    other = _known(moment, given.get("person", person.id))
    if other != person and not person.roles & {Role.CLERK, moment.case.handler}:
        raise NotAllowed("only the clerk, or who handles the case, takes another out of it", "L54")
    if other.id in moment.case.recused:
        raise ValueError(f"{other.id} stepped back from this case already")
    return {**given, "person": other.id}


def _deviated(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    return {**given, "decider": _known(moment, given["decider"]).id}


def _known(moment: Moment, person_id: str) -> Person:
    found = moment.school.person(person_id)
    if found is None:
        raise ValueError(f"nobody at the school is called {person_id!r}; there are {_people(moment.school)}")
    return found


def _closed(moment: Moment, _person: Person, given: dict[str, str], _on: date) -> Facts:
    """The outcome in one word: the last finding, or what became of a matter that was not examined."""
    findings = [e.facts["finding"] for e in moment.in_stage if "finding" in e.facts]
    if findings:
        return {**given, "outcome": findings[-1]}
    if Flag.ANONYMOUS in moment.case.flags:
        return {**given, "outcome": NOT_CONSIDERED}
    redirected = any(e.kind is EntryKind.REDIRECTED for e in moment.entries)
    return {**given, "outcome": "redirected" if redirected else "closed"}


MAKERS: dict[str, Callable[[Moment, Person, dict[str, str], date], Facts]] = {
    "acknowledge": _acknowledged,
    "discuss": _noted,
    "discuss-with-staff": _discussed_with_staff,
    "meet": _noted,
    "meet-chair": _noted,
    "meet-in-absence": _met_in_absence,
    "give-outcome": _outcome,
    "give-panel-outcome": _outcome,
    "set-hearing": _hearing,
    "give-notice": _notice,
    "hold-hearing": _heard,
    "extend": _extended,
    "not-requested": _of_receipt,
    "correct-receipt": _of_receipt,
    "overrule": _overruled,
    "redirect": _redirected,
    "disclose": _disclosed,
    "recuse": _recused,
    "deviate": _deviated,
    "close": _closed,
}


def _people(school: School) -> str:
    return ", ".join(person.id for person in school.people)


def _stage(stage: Stage) -> str:
    return "the time before the procedure" if stage is Stage.NONE else stage.value.replace("stage", "stage ")


def _words(label: str) -> str:
    return str(label).replace("_", " ")
