"""Reading a policy file: TOML in, `Policy` out, or one sentence that says what is wrong and where.

The keys of each table are those of its dataclass in `procedure.policy`; `words`, a quotation of the policy at
the clause, may stand in every table and is held against the policy by a test, not by the program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import resources
from typing import TypeVar

from procedure.policy import LimitRule, Policy, Route, StageRule, StepRule, TopicRule
from procedure.toml_table import Table, parse
from procedure.words import EntryKind, Request, Role, Stage, Status, Target, Topic

UNITS = ("school_days", "calendar_days", "calendar_months", "clear_school_days_before")

#: "L138", "L216-220", "A6", several with ", " between: lines of the policy and readings of what it leaves open.
CLAUSE = re.compile(r"[LA]\d+(-\d+)?(, [LA]\d+(-\d+)?)*")
FACT = re.compile(r"[a-z_]+(:date)?")

Rule = TypeVar("Rule")


class PolicyError(ValueError):
    """A policy file that cannot be used: the place, the reason, what is known instead."""


def load(text: str, source: str) -> Policy:
    """The policy that the text describes; `source` is the file's name, for messages.

    Raises PolicyError with one sentence: place and reason.
    """
    file = parse(text, source, PolicyError)
    policy = Policy(
        id=file.text("id"),
        title=file.text("title"),
        applies_from=file.day("applies_from"),
        source=file.text("source"),
        stages=_each(file, "stage", "stage", _stage),
        limits=_each(file, "limit", "name", _limit),
        routes=_each(file, "route", "target", _route),
        topics=_each(file, "topic", "topic", _topic),
        steps=_each(file, "step", "name", _step),
    )
    file.done()
    _check_names(policy, file)
    _check_whole(policy, file)
    _check_ladder(policy, file)
    return policy


def load_named(policy_id: str) -> Policy:
    """A policy that comes with Duly, e.g. "southlands-2023".

    Raises PolicyError naming those there are.
    """
    folder = resources.files("procedure") / "policies"
    known = sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))
    if policy_id not in known:
        raise PolicyError(f"no policy is called {policy_id!r}; Duly comes with {', '.join(known)}")
    return load((folder / f"{policy_id}.toml").read_text(encoding="utf-8"), f"{policy_id}.toml")


def _each(file: Table, key: str, named: str, read: Callable[[Table], Rule]) -> tuple[Rule, ...]:
    rules = []
    for table in file.tables(key, named):
        if table.has("words"):
            table.text("words")
        rules.append(read(table))
        table.done()
    if not rules:
        raise file.refuse(f"a policy needs at least one [[{key}]]")
    return tuple(rules)


def _stage(table: Table) -> StageRule:
    return StageRule(
        stage=table.one("stage", Stage),
        title=table.text("title"),
        clause=_clause(table),
        request=table.maybe("request", Request),
        receipt=table.maybe("receipt", EntryKind),
    )


def _limit(table: Table) -> LimitRule:
    unit = table.text("unit")
    if unit not in UNITS:
        raise table.refuse(f"unit does not know {unit!r}; it knows {', '.join(UNITS)}")
    return LimitRule(
        name=table.text("name"),
        title=table.text("title"),
        clause=_clause(table),
        starts=table.many("starts", EntryKind, empty=False),
        met_by=table.many("met_by", EntryKind, empty=False),
        unit=unit,
        length=table.number("length", least=1),
        owner=table.one("owner", Role),
        escalate_to=table.one("escalate_to", Role),
        remind=table.numbers("remind"),
        nudge=table.flag("nudge", default=True),
        targets=table.many("targets", Target),
        met_where=table.pairs("met_where"),
        starts_where=table.pairs("starts_where"),
        extendable=table.flag("extendable", default=False),
    )


def _route(table: Table) -> Route:
    route = Route(
        target=table.one("target", Target),
        handler=table.one("handler", Role),
        told=table.many("told", Role),
        withheld=table.many("withheld", Role),
        clause=_clause(table),
        why=table.text("why"),
    )
    if both := {route.handler, *route.told} & set(route.withheld):
        raise table.refuse(f"{', '.join(sorted(both))} must not see the case, yet handles it or is told of it")
    return route


def _topic(table: Table) -> TopicRule:
    return TopicRule(
        topic=table.one("topic", Topic),
        here=table.flag("here", default=False),
        destination=table.text("destination"),
        body=table.text("body") if table.has("body") else None,
        told=table.many("told", Role),
        clause=_clause(table),
        handler=table.maybe("handler", Role),
        withheld=table.many("withheld", Role),
    )


def _step(table: Table) -> StepRule:
    return StepRule(
        name=table.text("name"),
        title=table.text("title"),
        clause=_clause(table),
        by=table.many("by", Role, empty=False),
        stages=table.many("stages", Stage, empty=False),
        statuses=table.many("statuses", Status, empty=False),
        entry=table.one("entry", EntryKind),
        to=table.maybe("to", Stage),
        needs=_facts(table, "needs"),
        after=table.many("after", EntryKind),
        targets=table.many("targets", Target),
        closes=table.flag("closes", default=False),
        takes=_facts(table, "takes"),
    )


def _clause(table: Table) -> str:
    clause = table.text("clause")
    if not CLAUSE.fullmatch(clause):
        raise table.refuse(f'clause must name lines or readings, such as "L138" or "L126, A7", not {clause!r}')
    return clause


def _facts(table: Table, key: str) -> tuple[str, ...]:
    facts = table.texts(key)
    for fact in facts:
        if not FACT.fullmatch(fact):
            raise table.refuse(f'{key} must hold names such as "reason" or "to:date", not {fact!r}')
    return facts


def _check_names(policy: Policy, file: Table) -> None:
    """Nothing twice: of two rules of one name, one would silently win."""
    _once(file, "stage", (rule.stage for rule in policy.stages))
    _once(file, "limit", (rule.name for rule in policy.limits))
    _once(file, "route", (rule.target for rule in policy.routes))
    _once(file, "topic", (rule.topic for rule in policy.topics))
    _once(file, "step", (rule.name for rule in policy.steps))
    _once(file, "receipt", (rule.receipt for rule in policy.stages if rule.receipt))
    _once(file, "request", (rule.request for rule in policy.stages if rule.request))


def _once(file: Table, kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise file.refuse(f"the {kind} {name} stands twice; keep one")
        seen.add(name)


def _check_whole(policy: Policy, file: Table) -> None:
    """Every target has its route and every topic its rule, so that no letter meets a hole."""
    for target in Target:
        if target not in {route.target for route in policy.routes}:
            raise file.refuse(f"no route says who handles a complaint against {target}; add a [[route]]")
    for topic in Topic:
        if topic not in {rule.topic for rule in policy.topics}:
            raise file.refuse(f"no rule says where the topic {topic} belongs; add a [[topic]]")


def _check_ladder(policy: Policy, file: Table) -> None:
    """Every step starts and ends at a stage of this policy, and every stage is reached by one."""
    stages = {rule.stage for rule in policy.stages}
    for step in policy.steps:
        for stage in step.stages:
            if stage not in stages | {Stage.NONE}:
                raise file.refuse(f"the step {step.name} starts at {stage}, which is no stage of this policy")
        if step.to is not None and step.to not in stages:
            raise file.refuse(f"the step {step.name} leads to {step.to}, which is no stage of this policy")
    reached = {Stage.NONE}
    while found := {s.to for s in policy.steps if s.to and reached & set(s.stages)} - reached:
        reached |= found
    for stage in sorted(stages - reached):
        raise file.refuse(f"no step leads to {stage}; add a [[step]] with to = {stage.value!r}")
