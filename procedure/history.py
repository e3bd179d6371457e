"""A case is its history: `fold` derives what a case is now from what happened in it.

Nothing here is stored; the desk writes the result beside the entries in the same transaction, and
`duly rebuild` derives it again and finds no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from procedure.policy import Policy
from procedure.routing import route
from procedure.words import (
    Case,
    Entry,
    EntryKind,
    Flag,
    Request,
    Role,
    Stage,
    Status,
    Target,
    Topic,
)

#: Entries that end a case, and the outcome they leave behind (L17; L216-220).
ENDINGS = {EntryKind.RESOLVED: "resolved", EntryKind.WITHDRAWN: "withdrawn", EntryKind.CLOSED: "closed"}


@dataclass
class _Fold:
    """What is known so far while the entries are read once, oldest first."""

    case: Case
    policy: Policy
    #: Receipts in force, oldest first: a request that turns out not to have been made leaves again.
    receipts: list[EntryKind] = field(default_factory=list)
    base_stage: Stage = Stage.NONE
    target_unsure: bool = False

    def take(self, entry: Entry) -> None:
        change = CHANGES.get(entry.kind)
        if change is not None:
            change(self, entry)
        stage = next((s.to for s in self.policy.steps if s.entry is entry.kind and s.to is not None), None)
        if stage is not None and entry.kind not in self.receipt_kinds():
            self.base_stage = stage
            self.receipts.clear()

    def receipt_kinds(self) -> dict[EntryKind, Stage]:
        return {rule.receipt: rule.stage for rule in self.policy.stages if rule.receipt is not None}

    def result(self) -> Case:
        kinds = self.receipt_kinds()
        stage = kinds[self.receipts[-1]] if self.receipts else self.base_stage
        handler, told, withheld = self._people(stage)
        return replace(self.case, stage=stage, handler=handler, told=told, withheld=withheld)

    def _people(self, stage: Stage) -> tuple[Role, frozenset[Role], frozenset[Role]]:
        """Who handles, who is told, who must not see: the route of the target, then the stage's own person."""
        way = route(self.policy, self.case.target, self.case.topics)
        handler, told, withheld = way.handler, frozenset(way.told), frozenset(way.withheld)
        if self.target_unsure:
            # Nobody knows yet whom it is against: the clerk looks first, since a headteacher who reads a
            # complaint against the headteacher cannot unread it (L70, L104).
            return Role.CLERK, frozenset(), withheld | {Role.HEADTEACHER}
        if stage is Stage.THREE:
            # The chair was part of a headteacher case already, so the vice chair investigates (L124).
            head_case = self.case.target is Target.HEADTEACHER
            handler = Role.VICE_CHAIR if head_case or Role.CHAIR in withheld else Role.CHAIR
            handler = Role.CLERK if handler in withheld else handler
            told |= {Role.CLERK}
        elif stage in {Stage.FOUR, Stage.FINAL}:
            # The chair convenes the panel (L142), the clerk keeps its limits.
            handler = Role.CLERK if Role.CLERK not in withheld else handler
            told |= {Role.CHAIR}
        return handler, told - withheld, withheld


def fold(reference: str, entries: Sequence[Entry], policy: Policy) -> Case:
    """The case that these entries, in the order they were written, make.

    Raises ValueError when the first entry does not open a case.
    """
    if not entries or entries[0].kind is not EntryKind.CASE_OPENED:
        raise ValueError(f"the history of {reference} does not begin with the opening of a case")
    state = _opened(reference, entries[0], policy)
    for entry in entries[1:]:
        state.take(entry)
    return state.result()


def _opened(reference: str, entry: Entry, policy: Policy) -> _Fold:
    facts = entry.facts
    incident = facts.get("incident_date")
    sign = bool(facts.get("safeguarding"))
    case = Case(
        reference=reference,
        policy=policy.id,
        opened_at=entry.at,
        stage=Stage.NONE,
        status=Status.OPEN,
        topics=tuple(Topic(topic) for topic in facts.get("topics", ())),
        target=Target(facts.get("target", Target.NONE)),
        request=Request(facts.get("request", Request.NONE)),
        flags=tuple(Flag(flag) for flag in facts.get("flags", ())),
        handler=Role.CLERK,
        told=frozenset(),
        withheld=frozenset(),
        safeguarding=sign,
        held=sign,
        incident_date=date.fromisoformat(incident) if incident else None,
    )
    return _Fold(
        case=case,
        policy=policy,
        base_stage=Stage(facts.get("stage", Stage.NONE)),
        target_unsure=bool(facts.get("target_unsure")),
    )


def _receipt(state: _Fold, entry: Entry) -> None:
    state.receipts.append(entry.kind)


def _not_made(state: _Fold, entry: Entry) -> None:
    state.receipts = [kind for kind in state.receipts if kind != entry.facts.get("of")]


def _judged(state: _Fold, entry: Entry) -> None:
    """A later letter may add a topic, a flag, a sign; it never takes one away, nor changes the target."""
    case = state.case
    sign = bool(entry.facts.get("safeguarding"))
    flags = {*case.flags, *(Flag(flag) for flag in entry.facts.get("flags", ()))}
    state.case = replace(
        case,
        flags=tuple(sorted(flags)),
        safeguarding=case.safeguarding or sign,
        held=case.held or sign,
    )


def _overruled(state: _Fold, entry: Entry) -> None:
    """A person's word wins for good."""
    name, value = entry.facts.get("field"), entry.facts.get("value")
    items = value if isinstance(value, list) else str(value).split(",") if value else []
    if name == "target":
        state.case = replace(state.case, target=Target(str(value)))
        state.target_unsure = False
    elif name == "request":
        state.case = replace(state.case, request=Request(str(value)))
    elif name == "topics":
        state.case = replace(state.case, topics=tuple(Topic(item.strip()) for item in items))
    elif name == "flags":
        state.case = replace(state.case, flags=tuple(Flag(item.strip()) for item in items))
    elif name == "incident_date":
        state.case = replace(state.case, incident_date=date.fromisoformat(str(value)) if value else None)


def _ended(state: _Fold, entry: Entry) -> None:
    outcome = entry.facts.get("outcome") or ENDINGS[entry.kind]
    state.case = replace(state.case, status=Status.CLOSED, closed_at=entry.at, outcome=str(outcome))


def _reopened(state: _Fold, _entry: Entry) -> None:
    state.case = replace(state.case, status=Status.OPEN, closed_at=None, outcome=None)


def _status(status: Status) -> Callable[[_Fold, Entry], None]:
    def change(state: _Fold, _entry: Entry) -> None:
        if state.case.status is not Status.CLOSED:
            state.case = replace(state.case, status=status)

    return change


def _cleared(state: _Fold, _entry: Entry) -> None:
    state.case = replace(state.case, safeguarding=False)


def _confirmed(state: _Fold, _entry: Entry) -> None:
    topics = state.case.topics
    if Topic.SAFEGUARDING not in topics:
        topics = (*topics, Topic.SAFEGUARDING)
    state.case = replace(state.case, safeguarding=True, topics=topics)


def _released(state: _Fold, _entry: Entry) -> None:
    state.case = replace(state.case, held=False)


def _disclosed(state: _Fold, entry: Entry) -> None:
    person = str(entry.facts.get("person", ""))
    state.case = replace(state.case, disclosed_to=state.case.disclosed_to | {person})


def _recused(state: _Fold, entry: Entry) -> None:
    person = str(entry.facts.get("person") or entry.by)
    state.case = replace(state.case, recused=state.case.recused | {person})


def _campaign(state: _Fold, entry: Entry) -> None:
    state.case = replace(state.case, campaign=str(entry.facts.get("campaign")))


#: Entries that change what a case is; others only stand in its history.
CHANGES: dict[EntryKind, Callable[[_Fold, Entry], None]] = {
    EntryKind.CONCERN_RECEIVED: _receipt,
    EntryKind.COMPLAINT_RECEIVED: _receipt,
    EntryKind.STAGE3_REQUESTED: _receipt,
    EntryKind.STAGE4_REQUESTED: _receipt,
    EntryKind.REQUEST_NOT_MADE: _not_made,
    EntryKind.JUDGED: _judged,
    EntryKind.JUDGEMENT_OVERRULED: _overruled,
    EntryKind.RESOLVED: _ended,
    EntryKind.WITHDRAWN: _ended,
    EntryKind.CLOSED: _ended,
    EntryKind.REOPENED: _reopened,
    EntryKind.SUSPENDED: _status(Status.SUSPENDED),
    EntryKind.RESUMED: _status(Status.OPEN),
    EntryKind.SAFEGUARDING_CLEARED: _cleared,
    EntryKind.SAFEGUARDING_CONFIRMED: _confirmed,
    EntryKind.LETTER_RELEASED: _released,
    EntryKind.DISCLOSED: _disclosed,
    EntryKind.RECUSED: _recused,
    EntryKind.CAMPAIGN_SUGGESTED: _campaign,
}
