"""A school's policy as data: stages, limits, routes, topics, steps, each with the line it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from procedure.words import EntryKind, Request, Role, Stage, Status, Target, Topic


@dataclass(frozen=True)
class StageRule:
    stage: Stage
    title: str
    clause: str
    #: The request of a letter that starts this stage, and the receipt entry it writes.
    request: Request | None
    receipt: EntryKind | None


@dataclass(frozen=True)
class LimitRule:
    """A limit: what starts it, how long it is, what meets it, who owns it, when to remind."""

    name: str  # the name that rows, letters and reports use, e.g. "stage2_15"
    title: str
    clause: str
    starts: tuple[EntryKind, ...]
    met_by: tuple[EntryKind, ...]
    unit: str  # school_days | calendar_days | calendar_months | clear_school_days_before
    length: int
    owner: Role
    escalate_to: Role
    #: School days before the due day on which the owner is reminded; the due day itself is always one.
    remind: tuple[int, ...]
    #: Nudged and escalated; False for windows that are the complainant's (cap_request_10, three_month_limit).
    nudge: bool = True
    #: Only for cases of these targets (empty: all), and of these stages' letters (empty: all).
    targets: tuple[Target, ...] = ()
    #: For met_by entries that carry a fact: only where facts[key] == value, e.g. ("letter", "acknowledgement").
    met_where: tuple[tuple[str, str], ...] = ()
    #: For the entries that start it: only where facts[key] == value; an entry without the fact starts nothing.
    starts_where: tuple[tuple[str, str], ...] = ()
    #: Whether a written notice may move its date (L62, L100).
    extendable: bool = False


@dataclass(frozen=True)
class Route:
    """Who handles a complaint against whom, who is told, and who must not see it."""

    target: Target
    handler: Role
    told: tuple[Role, ...]
    withheld: tuple[Role, ...]
    clause: str
    why: str


@dataclass(frozen=True)
class TopicRule:
    """What becomes of a topic: handled here, or a redirection that a person sends."""

    topic: Topic
    here: bool
    destination: str  # in plain words
    body: str | None  # id of the outside body in school.toml, e.g. "la"
    told: tuple[Role, ...]
    clause: str
    #: Who handles a letter that is about nothing but such topics (None: whoever the target says).
    handler: Role | None = None
    #: Who must not see it whatever the target is.
    withheld: tuple[Role, ...] = ()


@dataclass(frozen=True)
class StepRule:
    """A step a person may take: by whom, from which stages, what it needs and where it leads."""

    name: str  # "hold-hearing"
    title: str
    clause: str
    by: tuple[Role, ...]
    stages: tuple[Stage, ...]
    statuses: tuple[Status, ...]
    entry: EntryKind
    #: Stage that the case enters, or None when it stays.
    to: Stage | None
    #: Facts that must be given (`--fact date=2026-11-30`), each "name" or "name:date".
    needs: tuple[str, ...]
    #: Entries that must stand in the history before, since the case entered its stage.
    after: tuple[EntryKind, ...] = ()
    #: Only for these targets (empty: all).
    targets: tuple[Target, ...] = ()
    closes: bool = False
    #: Facts that may be given, in the same form as `needs`.
    takes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    id: str  # "southlands-2023"
    title: str
    applies_from: date
    source: str
    stages: tuple[StageRule, ...]
    limits: tuple[LimitRule, ...]
    routes: tuple[Route, ...]
    topics: tuple[TopicRule, ...]
    steps: tuple[StepRule, ...]

    def limit(self, name: str) -> LimitRule:
        """The limit of that name.

        Raises KeyError with a sentence naming the limits there are.
        """
        for rule in self.limits:
            if rule.name == name:
                return rule
        known = ", ".join(rule.name for rule in self.limits)
        raise KeyError(f"no limit is called {name!r}; the policy {self.id} knows {known}")

    def route(self, target: Target) -> Route:
        return next(route for route in self.routes if route.target is target)

    def topic(self, topic: Topic) -> TopicRule:
        return next(rule for rule in self.topics if rule.topic is topic)
