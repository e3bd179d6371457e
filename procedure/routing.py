"""Who handles a complaint, who is told, who must not see it (L68-76, L230-256)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from procedure.policy import Policy, Route, TopicRule
from procedure.school import Person, School
from procedure.words import Case, Role, Target, Topic

T = TypeVar("T")

#: Who stands in where a role is vacant or must not see the case. The clerk stands beside every line of
#: command (L72, L88); where the clerk is missing, the chair.
STANDS_IN: dict[Role, tuple[Role, ...]] = {
    Role.HEADTEACHER: (Role.CLERK, Role.CHAIR, Role.VICE_CHAIR),
    Role.CLERK: (Role.CHAIR, Role.VICE_CHAIR, Role.BUSINESS_MANAGER),
    Role.CHAIR: (Role.VICE_CHAIR, Role.CLERK),  # L124
    Role.VICE_CHAIR: (Role.CLERK, Role.CHAIR),  # the chair was part of it, or the vice chair would not be asked
    Role.DSL: (Role.DEPUTY_DSL, Role.CHAIR, Role.CLERK),
    Role.DEPUTY_DSL: (Role.DSL, Role.CHAIR, Role.CLERK),
    Role.BUSINESS_MANAGER: (Role.CLERK,),
    Role.OFFICE: (Role.CLERK, Role.HEADTEACHER),
    Role.GOVERNOR: (Role.CLERK,),
    Role.STAFF: (Role.HEADTEACHER, Role.CLERK),
}

#: After those, anybody who is left, in this order: somebody must know.
ANYBODY = (
    Role.CLERK,
    Role.CHAIR,
    Role.VICE_CHAIR,
    Role.HEADTEACHER,
    Role.BUSINESS_MANAGER,
    Role.DSL,
    Role.DEPUTY_DSL,
    Role.OFFICE,
    Role.GOVERNOR,
    Role.STAFF,
)

#: Roles that many hold: a letter to such a role goes to one of them, since a complaint is never shared with
#: the entire governing board (L226).
ONE_OF_MANY = frozenset({Role.GOVERNOR, Role.STAFF})

#: A complaint against the clerk is not in the policy; the safe reading: the chair has it, the clerk does not
#: see it. No label says "clerk" (a judgement calls the clerk a member of staff), so a person must say so.
AGAINST_CLERK = Route(
    target=Target.STAFF,
    handler=Role.CHAIR,
    told=(),
    withheld=(Role.CLERK,),
    clause="L72",
    why="a complaint against the clerk goes to the chair (our reading; the policy is silent)",
)


def route(policy: Policy, target: Target, topics: Iterable[Topic], against: Role | None = None) -> Route:
    """Who handles a case against `target` about `topics`; `against` is the role-holder, where a person said so.

    What the target withholds and what any topic withholds is withheld; nobody is told of what they must not
    see. A matter about nothing but topics that belong elsewhere goes to the handler whom the first of them
    names, in the order of the policy file; every other goes to the handler of its target.
    """
    base = AGAINST_CLERK if against is Role.CLERK else policy.route(target)
    wanted = set(topics)
    rules = [rule for rule in policy.topics if rule.topic in wanted]
    withheld = _joined(base.withheld, *(rule.withheld for rule in rules))
    told = _joined(base.told, *(rule.told for rule in rules))
    handler = _handler(base, rules, frozenset(withheld))
    return Route(
        target=target,
        handler=handler,
        told=tuple(role for role in told if role not in withheld),
        withheld=withheld,
        clause=", ".join(_joined(base.clause.split(", "), *(r.clause.split(", ") for r in rules if not r.here))),
        why=_why(base, rules, handler),
    )


def _handler(base: Route, rules: list[TopicRule], withheld: frozenset[Role]) -> Role:
    named = [rule.handler for rule in rules if rule.handler is not None]
    elsewhere = bool(rules) and not any(rule.here for rule in rules)
    # The office keeps what has no other handler; a disclosure or a grievance is not for it.
    first = [*named, base.handler] if elsewhere or base.handler is Role.OFFICE else [base.handler, *named]
    candidates = (*first, *STANDS_IN[base.handler], *ANYBODY)
    return next((role for role in candidates if role not in withheld), Role.CLERK)


def _why(base: Route, rules: list[TopicRule], handler: Role) -> str:
    if handler is base.handler:
        return base.why
    rule = next((rule for rule in rules if rule.handler is handler), None)
    if rule is not None:
        return f"{rule.topic.value.replace('_', ' ')} goes to {rule.destination}"
    return f"{base.why}; who must not see it is passed over"


def withheld_from(person: Person, withheld: frozenset[Role]) -> frozenset[Role]:
    """The roles of the person that must not see the case; one is enough to withhold it from the person."""
    return person.roles & withheld


def addressees(school: School, role: Role, withheld: frozenset[Role]) -> tuple[Person, ...]:
    """Who gets what is for that role: its holders, else who stands in, else anybody left.

    Nobody with a withheld role is among them, whatever else they are. Empty only where everybody is withheld.
    """
    for candidate in (role, *STANDS_IN.get(role, ()), *ANYBODY):
        free = tuple(person for person in school.holders(candidate) if not withheld_from(person, withheld))
        if free:
            return free[:1] if candidate in ONE_OF_MANY else free
    return ()


def alert_addressees(school: School, case: Case | None) -> tuple[Person, ...]:
    """Who is told at once that a child may be at risk: the designated lead and every deputy (L238).

    Never a person from whom the case is withheld or who stepped back from it; where none of them remains,
    the chair and the clerk, and after them anybody left. Without a case nobody is passed over.
    """
    withheld = case.withheld if case else frozenset()
    recused = case.recused if case else frozenset()

    def free(*roles: Role) -> tuple[Person, ...]:
        return tuple(
            person
            for person in school.people
            if person.roles & set(roles) and not withheld_from(person, withheld) and person.id not in recused
        )

    groups = ((Role.DSL, Role.DEPUTY_DSL), (Role.CHAIR, Role.CLERK), *((role,) for role in ANYBODY))
    return next((people for roles in groups if (people := free(*roles))), ())


def _joined(*groups: Iterable[T]) -> tuple[T, ...]:
    """The groups one after another, each thing once."""
    return tuple(dict.fromkeys(item for group in groups for item in group))
