"""Who may see a case and who may act in it. Everything that shows a case asks here first.

Who sees a case; the first line that fits decides:

    | person                                    | sees it                                   | line      |
    |-------------------------------------------|-------------------------------------------|-----------|
    | holds any role withheld from the case     | never, whatever else they are             | L70, L72  |
    | recused                                   | never                                     | L54, L90  |
    | an entry disclosed it to them by name     | yes                                       | L84       |
    | holds the role that handles it            | yes                                       | L68-76    |
    | holds a role that is told of it           | yes                                       | L68-76    |
    | clerk                                     | yes, the clerk keeps the register         | L228      |
    | DSL, deputy DSL                           | when there is a safeguarding sign         | L238      |
    | office                                    | when nobody in particular is complained   | L228      |
    |                                           | of, and it is no safeguarding matter, no  |           |
    |                                           | disclosure and no grievance of a worker   |           |
    | anybody else: staff, governors, the chair | no                                        | L226, L55 |
    | while they do not handle it               |                                           |           |

The roles "governor" and "staff" alone never open a case: many hold them, and a complaint is not shared with
the entire board (L226). One governor or one member of staff sees what an entry disclosed to them by name.

Who may take a step: a person who sees the case, holds a role that the step names, and for whom the case is
theirs to act on: as its handler, as a role that is told, as clerk, as DSL, as office; a member of staff or a
governor only where it was disclosed to them. The outcome is for the handler alone; the clerk may record it.
"""

from __future__ import annotations

from procedure.policy import StepRule
from procedure.school import Person
from procedure.words import Case, EntryKind, NotAllowed, Role, Target, Topic

#: Roles that open no case by themselves, only by name.
BY_NAME_ONLY = frozenset({Role.GOVERNOR, Role.STAFF, Role.COMPLAINANT})
#: Roles that act by their office, not because the case is routed to them.
BY_OFFICE = frozenset({Role.CLERK, Role.DSL, Role.DEPUTY_DSL, Role.OFFICE})

#: What only the handler does; the clerk may record it (L114).
DECIDING = frozenset({EntryKind.OUTCOME_GIVEN})

SAFEGUARDERS = frozenset({Role.DSL, Role.DEPUTY_DSL})
#: Whom a complaint may be about for the office to see it: nobody in particular.
OFFICE_TARGETS = frozenset({Target.SCHOOL, Target.THIRD_PARTY, Target.NONE})
OFFICE_NEVER = frozenset({Topic.SAFEGUARDING, Topic.WHISTLEBLOWING, Topic.STAFF_GRIEVANCE})

#: The line that withholds a case from a role.
WITHHELD_BY = {
    Role.HEADTEACHER: "L70, L104",
    Role.CHAIR: "L72",
    Role.VICE_CHAIR: "L72",
    Role.GOVERNOR: "L72",
}


def may_see(person: Person, case: Case) -> bool:
    """Whether the person may know anything of the case, its existence included."""
    return why_not_see(person, case) is None


def why_not_see(person: Person, case: Case) -> NotAllowed | None:
    """Why the person may not see the case, with the line; None where they may."""
    barred = sorted(person.roles & case.withheld)
    if barred:
        # Whistleblowing withholds a case of any target from line management.
        clause = "L244" if Topic.WHISTLEBLOWING in case.topics else WITHHELD_BY.get(barred[0], "L72")
        return NotAllowed(f"the case is withheld from the {_words(barred[0])}", clause)
    if person.id in case.recused:
        return NotAllowed(f"{person.id} stepped back from this case", "L54, L90")
    if person.id in case.disclosed_to or _sees_by_role(person, case):
        return None
    if person.roles <= {Role.OFFICE}:
        return NotAllowed("the office does not see this case", "L55")
    return NotAllowed(f"nothing of this case was disclosed to {person.id}", "L226")


def _sees_by_role(person: Person, case: Case) -> bool:
    # The office handles what is about nobody, and lets go of it when a sign shows that a child may be at risk.
    named = ({case.handler} - {Role.OFFICE} | case.told) - BY_NAME_ONLY
    if person.roles & named or Role.CLERK in person.roles:
        return True
    if person.roles & SAFEGUARDERS and is_safeguarding(case):
        return True
    return Role.OFFICE in person.roles and _is_for_office(case)


def is_safeguarding(case: Case) -> bool:
    """A sign that nobody cleared, or a matter of child protection by its topic."""
    return case.safeguarding or Topic.SAFEGUARDING in case.topics


def _is_for_office(case: Case) -> bool:
    return case.target in OFFICE_TARGETS and not is_safeguarding(case) and not OFFICE_NEVER.intersection(case.topics)


def may_do(person: Person, step: StepRule, case: Case) -> NotAllowed | None:
    """Why the person may not take this step in this case; None where they may, as far as persons go.

    Stage, order and facts are judged by `procedure.steps`.
    """
    unseen = why_not_see(person, case)
    if unseen is not None:
        return unseen
    holds = person.roles & set(step.by)
    if not holds:
        return NotAllowed(f"{step.name} is for {_listed(step.by)}", step.clause)
    # Who is only told of a case does not decide it: the chair who met the complainant at stage two leaves
    # stage three to the vice chair (L124).
    theirs = {case.handler, Role.CLERK} if step.entry in DECIDING else {case.handler} | case.told | BY_OFFICE
    if person.id in case.disclosed_to:
        theirs |= BY_NAME_ONLY
    if not holds & theirs:
        return NotAllowed(f"the case is handled by the {_words(case.handler)}", step.clause)
    return None


def _listed(roles: tuple[Role, ...]) -> str:
    words = [_words(role) for role in roles]
    return "the " + (words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}")


def _words(role: Role) -> str:
    return "DSL" if role is Role.DSL else "deputy DSL" if role is Role.DEPUTY_DSL else role.value.replace("_", " ")
