"""The page docs/procedure.md, written from the policy: every rule with the line it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from procedure.policy import LimitRule, Policy, StepRule
from procedure.words import Role

UNITS = {
    "school_days": ("school day", "school days"),
    "calendar_days": ("calendar day", "calendar days"),
    "calendar_months": ("calendar month", "calendar months"),
    "clear_school_days_before": ("clear school day before", "clear school days before"),
}
ABBREVIATIONS = {Role.DSL: "DSL", Role.DEPUTY_DSL: "deputy DSL"}


def procedure_page(policy: Policy) -> str:
    """The page as Markdown, ending in a newline; the same policy gives the same page."""
    parts = [
        _head(policy),
        _stages(policy),
        _limits(policy),
        _routes(policy),
        _topics(policy),
        _steps(policy),
    ]
    return "\n\n".join(parts) + "\n"


def _head(policy: Policy) -> str:
    return f"""# The procedure

<!-- `duly policy --markdown` writes this page from procedure/policies/{policy.id}.toml; change that file. -->

{policy.title} (`{policy.id}`), for cases opened from {policy.applies_from.day} {policy.applies_from:%B %Y}.

The last column of each table names lines of the policy (L138) and, where the policy leaves something open, the
reading that Duly takes (A7)."""


def _stages(policy: Policy) -> str:
    rows = [
        (f"`{rule.stage}`", rule.title, _or_dash(rule.request), _or_dash(rule.receipt), rule.clause)
        for rule in policy.stages
    ]
    return _section(
        "Stages",
        "A letter that asks for a stage enters the receipt in the history, and the stage's limits run from there.",
        ("stage", "what it is", "asked for by", "receipt", "line"),
        rows,
    )


def _limits(policy: Policy) -> str:
    return _section(
        "Limits",
        "Day 1 is the first school day after the day of the event. The owner is reminded before the day and on it; "
        "when the day has passed, the matter goes to the person in the next column. The days of the reminders are "
        "the school's own: the policy gives none.",
        ("limit", "what it is", "length", "starts with", "met by", "owner", "then", "reminders", "line"),
        [_limit(rule) for rule in policy.limits],
    )


def _limit(rule: LimitRule) -> tuple[str, ...]:
    one, more = UNITS[rule.unit]
    title = rule.title + (f" (only against: {_words(rule.targets)})" if rule.targets else "")
    return (
        f"`{rule.name}`",
        title,
        f"{rule.length} {one if rule.length == 1 else more}",
        _kinds(rule.starts, rule.starts_where),
        _kinds(rule.met_by, rule.met_where),
        _role(rule.owner) if rule.nudge else "the complainant's window",
        _role(rule.escalate_to) if rule.nudge else "-",
        _reminders(rule),
        rule.clause,
    )


def _reminders(rule: LimitRule) -> str:
    if not rule.nudge:
        return "none"
    before = [f"{days} before" for days in rule.remind]
    return ", ".join([*before, "the day"])


def _routes(policy: Policy) -> str:
    rows = [
        (_word(r.target), _role(r.handler), _roles(r.told), _roles(r.withheld), r.why, r.clause)
        for r in policy.routes
    ]
    return _section(
        "Routes",
        "Who handles a complaint, by whom it is against. Who holds a withheld role sees nothing of the case, "
        "whatever else they are.",
        ("against", "handled by", "told", "withheld from", "why", "line"),
        rows,
    )


def _topics(policy: Policy) -> str:
    rows = [
        (
            f"`{rule.topic}`",
            "this procedure" if rule.here else "elsewhere",
            rule.destination,
            _role(rule.handler) if rule.handler else "-",
            _roles(rule.told),
            _roles(rule.withheld),
            rule.clause,
        )
        for rule in policy.topics
    ]
    return _section(
        "Topics",
        "What belongs elsewhere is directed there in a letter that a person sends; the rest of the same letter goes "
        "on here. The handler is for a letter that is about nothing else.",
        ("topic", "belongs", "where", "handler", "told", "withheld from", "line"),
        rows,
    )


def _steps(policy: Policy) -> str:
    return _section(
        "Steps",
        "What a person may do with `duly step REF STEP`, and when. Facts in brackets may be left out; `on` is the "
        "day on which the thing happened, today where it is not given.",
        ("step", "what it is", "by", "at", "while", "after", "facts", "leads to", "line"),
        [_step(rule, len(policy.stages) + 1) for rule in policy.steps],
    )


def _step(rule: StepRule, all_stages: int) -> tuple[str, ...]:
    takes = [f"[{fact.partition(':')[0]}]" for fact in rule.takes]
    leads = "the end of the case" if rule.closes else _word(rule.to) if rule.to else "-"
    return (
        f"`{rule.name}`",
        rule.title + (f" (only against: {_words(rule.targets)})" if rule.targets else ""),
        _roles(rule.by),
        "every stage" if len(rule.stages) == all_stages else _words(rule.stages),
        _words(rule.statuses),
        _words(rule.after) or "-",
        ", ".join([*(fact.partition(":")[0] for fact in rule.needs), *takes]) or "-",
        leads,
        rule.clause,
    )


def _section(title: str, text: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return f"## {title}\n\n{text}\n\n" + "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kinds(kinds: Iterable[str], where: tuple[tuple[str, str], ...]) -> str:
    condition = " and ".join(f"{key} is {_word(value)}" for key, value in where)
    return _words(kinds) + (f" ({condition})" if condition else "")


def _words(labels: Iterable[str]) -> str:
    return ", ".join(_word(label) for label in labels)


def _word(label: str) -> str:
    return str(label).replace("_", " ")


def _roles(roles: Iterable[Role]) -> str:
    return ", ".join(_role(role) for role in roles) or "-"


def _role(role: Role) -> str:
    return ABBREVIATIONS.get(role, _word(role))


def _or_dash(label: str | None) -> str:
    return _word(label) if label else "-"
