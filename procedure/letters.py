"""Letters to complainants, one function each, in plain English; nothing here sends anything.

Each names who answers and by when, where the procedure is published (L52, L388), and asks kindly for few
messages (L302). Letters to staff stand in `letters_staff`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procedure.policy import Policy, TopicRule
from procedure.school import Person, School
from procedure.wording import MissingFact, one_line, render
from procedure.words import Audience, Case, Deadline, DeadlineState, Letter, Role, Stage, Target, Topic

__all__ = ["LIMIT_OF", "MissingFact", "acknowledgement", "not_considered_anonymous", "redirection_draft"]

#: The limit by which a person hears, for each stage that an acknowledgement may answer (L92, L100, L126, L138).
LIMIT_OF = {
    Stage.ONE: "informal_15",
    Stage.TWO: "stage2_15",
    Stage.THREE: "stage3_20",
    Stage.FOUR: "cap_hearing_20",
}

#: Topics that may be redirected by a letter. A safeguarding matter never is: it goes to people (L238).
REDIRECTED = frozenset(
    {
        Topic.ADMISSIONS,
        Topic.SEND_ASSESSMENT,
        Topic.REORGANISATION,
        Topic.EXCLUSION,
        Topic.WHISTLEBLOWING,
        Topic.STAFF_GRIEVANCE,
        Topic.THIRD_PARTY,
        Topic.CURRICULUM_CONTENT,
        Topic.INFORMATION_REQUEST,
    }
)

_IN_WORDS = {
    Role.HEADTEACHER: "the headteacher",
    Role.CLERK: "the clerk to governors",
    Role.CHAIR: "the chair of governors",
    Role.VICE_CHAIR: "the vice chair of governors",
    Role.BUSINESS_MANAGER: "the strategic business manager",
    Role.OFFICE: "the school office",
    Role.GOVERNOR: "a governor",
    Role.STAFF: "a member of staff",
    # A family may share an inbox: no letter says that a matter was taken for one of child protection.
    Role.DSL: "a senior member of staff",
    Role.DEPUTY_DSL: "a senior member of staff",
}
#: Roles whose holder a letter names; their names are published by every school.
_NAMED = frozenset({Role.HEADTEACHER, Role.CLERK, Role.CHAIR, Role.VICE_CHAIR, Role.BUSINESS_MANAGER})


@dataclass(frozen=True)
class _Thread:
    """Where a letter goes and what it answers."""

    to: str
    in_reply_to: str | None
    references: tuple[str, ...]
    held: bool


def acknowledgement(
    school: School,
    case: Case,
    deadlines: Sequence[Deadline],
    stage: Stage,
    *,
    to: str,
    in_reply_to: str | None = None,
    references: tuple[str, ...] = (),
    held: bool = False,
    policy: Policy | None = None,
) -> Letter:
    """The acknowledgement of what was received at this stage: once in a case and stage, whatever else comes.

    The day comes from `deadlines`; where the calendar ended and there is none, the number of school days
    comes from `policy`; without either the letter points to the procedure. Nothing in it tells whom else the
    school told, or whom the complaint is against. Raises ValueError when `to` is no mail address.
    """
    due = _running(deadlines, LIMIT_OF.get(stage))
    facts = {
        "handler": _named(school, case, case.handler),
        "clerk": _named(school, case, Role.CLERK),
        "chair": _named(school, case, Role.CHAIR),
        "manager": _named(school, case, Role.BUSINESS_MANAGER) if case.target is Target.BOARD else None,
        "governor": case.target in {Target.CHAIR, Target.GOVERNOR, Target.BOARD},
        "due": due.due if due else None,
        "received": due.start if due else None,
        "days": due.length if due else _length(policy, LIMIT_OF.get(stage)),
    }
    key = f"ack:{case.reference}:{stage.value}"
    thread = _Thread(to, in_reply_to, references, held)
    return _letter(school, case, key, "acknowledgement", _variant(case, stage), facts, thread)


def not_considered_anonymous(
    school: School,
    case: Case,
    *,
    to: str,
    in_reply_to: str | None = None,
    references: tuple[str, ...] = (),
    held: bool = False,
) -> Letter:
    """Says that an anonymous complaint is not considered, and asks for a name (L48, L64).

    A child at risk may be told of without a name (L238). Raises ValueError when `to` is no mail address.
    """
    name = "not_considered_anonymous"
    thread = _Thread(to, in_reply_to, references, held)
    return _letter(school, case, f"anonymous:{case.reference}", name, name, {}, thread)


def redirection_draft(
    school: School,
    case: Case,
    topic_rule: TopicRule,
    *,
    to: str,
    in_reply_to: str | None = None,
    references: tuple[str, ...] = (),
) -> Letter:
    """A draft that points a topic outside this procedure to where it belongs (L230-L256): always held.

    A person reads and sends it. No topic refuses the case: what else the letter holds is dealt with here.
    Raises ValueError for child protection, which is never redirected by letter (L238), and for a topic that
    this procedure handles itself.
    """
    topic = topic_rule.topic
    if topic is Topic.SAFEGUARDING:
        raise ValueError("a child protection matter is never redirected by letter; the DSL deals with it (L238)")
    if topic_rule.here or topic not in REDIRECTED:
        raise ValueError(f"the topic {topic.value!r} is handled here; there is nowhere to redirect it to")
    bodies = {body.id: body for body in school.bodies}
    body = bodies.get(topic_rule.body) if topic_rule.body else None
    facts = {
        "topic": topic.value,
        "body": body,
        "la": bodies.get("la"),
        "authority": bodies.get("admissions"),
        "dfe": bodies.get("dfe"),
    }
    thread = _Thread(to, in_reply_to, references, held=True)
    key = f"redirect:{case.reference}:{topic.value}"
    return _letter(school, case, key, "redirection", "redirection", facts, thread)


def _variant(case: Case, stage: Stage) -> str:
    """Which wording: a stage has its own, and so has what the clerk receives instead of the headteacher."""
    if stage in {Stage.THREE, Stage.FOUR}:
        return f"acknowledgement_{stage.value}"
    if stage not in {Stage.ONE, Stage.TWO}:
        return "acknowledgement_received"
    if case.target is Target.HEADTEACHER and Role.CHAIR not in case.withheld:
        return "acknowledgement_head"  # L88, L104
    if case.handler is Role.CLERK or Role.HEADTEACHER in case.withheld:
        return "acknowledgement_clerk"  # L72, or nobody knows yet whom it is against
    return f"acknowledgement_{stage.value}"


def _running(deadlines: Sequence[Deadline], name: str | None) -> Deadline | None:
    """The latest open run of a limit."""
    found = [d for d in deadlines if d.name == name and d.state is DeadlineState.OPEN]
    return max(found, key=lambda deadline: deadline.start, default=None)


def _length(policy: Policy | None, name: str | None) -> int | None:
    limits = policy.limits if policy else ()
    return next((rule.length for rule in limits if rule.name == name), None)


def _named(school: School, case: Case, role: Role) -> str:
    """A role in words, with its holder's name where the school publishes it; never one that must not see."""
    if role in case.withheld:
        role = next((r for r in (Role.CLERK, Role.CHAIR) if r not in case.withheld), Role.GOVERNOR)
    holder = next((p for p in school.holders(role) if _may_be_named(p, case)), None)
    if role not in _NAMED or holder is None:
        return _IN_WORDS.get(role, "a member of staff")
    return f"{_IN_WORDS[role]} ({one_line(holder.name)})"


def _may_be_named(person: Person, case: Case) -> bool:
    return not (person.roles & case.withheld or person.id in case.recused)


def _letter(
    school: School,
    case: Case,
    key: str,
    name: str,
    wording: str,
    facts: Mapping[str, object],
    thread: _Thread,
) -> Letter:
    common = {
        "reference": case.reference,
        "school": one_line(school.name),
        "website": one_line(school.website),
    }
    said = render(wording, {**common, **facts})
    return Letter(
        key=key,
        name=name,
        audience=Audience.COMPLAINANT,
        to_addr=_address(thread.to),
        subject=said.subject,
        text=said.text,
        html=said.html,
        to_role=Role.COMPLAINANT,
        reference=case.reference,
        held=thread.held or case.held,
        in_reply_to=thread.in_reply_to,
        references=thread.references,
    )


def _address(addr: str) -> str:
    if "@" not in addr or one_line(addr) != addr:
        raise ValueError(f"{one_line(addr)!r} is not a mail address; a letter cannot go there")
    return addr
