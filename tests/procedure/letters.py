"""The cast of the letter tests, and every letter that the house can write, to them and by them."""

from __future__ import annotations

import typing
from datetime import UTC, date, datetime

from procedure import letters, letters_staff
from procedure.policy import LimitRule, TopicRule
from procedure.school import Body, Person, School
from procedure.words import Case, Deadline, Letter, Request, Role, Skipped, Stage, Status, Target, Topic

REF = "SL-2026-0042-3"
RECEIVED = date(2026, 10, 22)  # Thursday
DUE = date(2026, 11, 30)  # Monday
NOW = datetime(2026, 10, 22, 14, 5, tzinfo=UTC)  # Thursday, 15:05 in London
TO = "sender@letters.example"

HEAD = Person("head", "Ms R. Adeyemi", "head@southlands.example", frozenset({Role.HEADTEACHER}))
CLERK = Person("clerk", "Mr T. Bell", "clerk@southlands.example", frozenset({Role.CLERK}))
CHAIR = Person("chair", "Dr A. Quill", "chair@southlands.example", frozenset({Role.CHAIR}))
VICE = Person("vice", "Mrs P. Oake", "vice@southlands.example", frozenset({Role.VICE_CHAIR}))
DSL = Person("dsl", "Mx L. Fenn", "dsl@southlands.example", frozenset({Role.DSL, Role.STAFF}))
MANAGER = Person("sbm", "Mr V. Ito", "sbm@southlands.example", frozenset({Role.BUSINESS_MANAGER}))

CHECKED = date(2026, 9, 1)
SCHOOL = School(
    id="southlands",
    name="Southlands School",
    prefix="SL",
    addresses=("complaints@southlands.example",),
    sender="complaints@southlands.example",
    website="https://southlands.example/complaints",
    policy="southlands-2023",
    people=(HEAD, CLERK, CHAIR, VICE, DSL, MANAGER),
    bodies=(
        Body("la", "Example County Council", "education@council.example", CHECKED),
        Body("admissions", "Example Admissions Service", "places@council.example", CHECKED),
        Body("dfe", "Department for Education", "dfe.example/contact", CHECKED),
        Body("lado", "Example LADO", "01632 960001", CHECKED),
        Body("mash", "Example MASH", "01632 960002", CHECKED),
    ),
)


def case(
    target: Target = Target.STAFF,
    handler: Role = Role.HEADTEACHER,
    withheld: frozenset[Role] = frozenset(),
    stage: Stage = Stage.TWO,
) -> Case:
    return Case(
        reference=REF,
        policy="southlands-2023",
        opened_at=NOW,
        stage=stage,
        status=Status.OPEN,
        topics=(Topic.GENERAL,),
        target=target,
        request=Request.FORMAL,
        flags=(),
        handler=handler,
        told=frozenset(),
        withheld=withheld,
    )


HEAD_CASE = case(Target.HEADTEACHER, Role.CLERK, frozenset({Role.HEADTEACHER}))
BOARD_CASE = case(Target.BOARD, Role.CLERK, frozenset({Role.CHAIR, Role.VICE_CHAIR, Role.GOVERNOR}))


def deadline(name: str, length: int = 15, due: date = DUE) -> Deadline:
    return Deadline(
        key=name,
        name=name,
        title="Outcome",
        clause="L100",
        owner=Role.CLERK,
        start=RECEIVED,
        start_event="complaint_received",
        unit="school_days",
        length=length,
        due=due,
        counted=(date(2026, 10, 23), due),
        skipped=(Skipped(date(2026, 10, 24), "weekend"), Skipped(date(2026, 10, 26), "half term: autumn")),
    )


DUES = (
    deadline("ack_3", 3, date(2026, 10, 27)),
    *(deadline(name, 20 if "20" in name else 15) for name in letters.LIMIT_OF.values()),
)
LIMIT = LimitRule("ack_3", "Acknowledgement", "L138", (), (), "school_days", 3, Role.CLERK, Role.CHAIR, (1,))


def topic_rule(topic: Topic, here: bool = False) -> TopicRule:
    return TopicRule(topic, here, "elsewhere", None, (), "L230")


def acknowledge(
    stage: Stage, of: Case | None = None, dues: tuple[Deadline, ...] = DUES, **more: typing.Any
) -> Letter:
    return letters.acknowledgement(more.pop("school", SCHOOL), of or case(stage=stage), dues, stage, to=TO, **more)


def to_complainants(school: School = SCHOOL) -> dict[str, Letter]:
    """Every letter to a complainant, by what it is about."""
    stages = {
        "received": (Stage.NONE, case(handler=Role.OFFICE)),
        "stage one": (Stage.ONE, case()),
        "stage two": (Stage.TWO, case()),
        "headteacher": (Stage.TWO, HEAD_CASE),
        "headteacher, informal": (Stage.ONE, HEAD_CASE),
        "board": (Stage.TWO, BOARD_CASE),
        "target unsure": (Stage.ONE, case(Target.STAFF, Role.CLERK, frozenset({Role.HEADTEACHER}))),
        "stage three": (Stage.THREE, case(handler=Role.CHAIR)),
        "stage four": (Stage.FOUR, case(handler=Role.CLERK)),
    }
    out = {}
    for name, (stage, of) in stages.items():
        out[name] = acknowledge(stage, of, school=school)
        out[f"{name}, no date"] = acknowledge(stage, of, (), school=school)
    out["anonymous"] = letters.not_considered_anonymous(school, case(), to=TO)
    for topic in sorted(letters.REDIRECTED):
        out[topic.value] = letters.redirection_draft(school, case(), topic_rule(topic), to=TO)
    return out


def to_staff(school: School = SCHOOL, person: Person = CLERK) -> dict[str, Letter]:
    """Every letter to staff, by what it is about."""
    make = letters_staff
    due = deadline("stage2_15")
    out = {
        "safeguarding": make.safeguarding_alert(school, REF, person, letter_id=7, immediate=True, now=NOW),
        "safeguarding, no case": make.safeguarding_alert(school, None, person, letter_id=7, immediate=False, now=NOW),
        "unplaced": make.unplaced_alert(school, person, letter_id=7, reason="it could not be read"),
        "campaign": make.campaign_alert(school, "c-7", person),
        "held": make.held_notice(school, REF, person, letter="acknowledgement", key=f"ack:{REF}:stage2"),
        "not acknowledged": make.not_acknowledged(school, REF, person, reason="its sender asks for none"),
        "missed": make.missed(school, REF, due, person),
        "gave up": make.gave_up(school, REF, person, letter="acknowledgement", key=f"ack:{REF}:stage2"),
        "gave up, no case": make.gave_up(school, None, person, letter="unplaced_alert", key="unplaced:7:clerk"),
        "bounce": make.bounce_notice(school, REF, person, message_id="duly.abc@southlands.example"),
        "bounce, no case": make.bounce_notice(school, None, person, message_id="duly.abc@southlands.example"),
        "uncounted": make.uncounted(school, REF, person, limit=LIMIT, last_known=date(2027, 7, 20)),
    }
    for name in make.CASE_ALERTS:
        out[name] = make.case_alert(school, case(), person, role=Role.CLERK, name=name, letter_id=8, deadlines=(due,))
    kinds: tuple[typing.Literal["before", "on", "after"], ...] = ("before", "on", "after")
    for kind in kinds:
        out[f"nudge {kind}"] = make.nudge(school, REF, due, kind, person, at=NOW)
        out[f"nudge {kind}, ack"] = make.nudge(school, REF, deadline("ack_3", 3), kind, person)
    return out


def every_letter(school: School = SCHOOL, person: Person = CLERK) -> dict[str, Letter]:
    return to_complainants(school) | {f"staff: {name}": one for name, one in to_staff(school, person).items()}


COMPLAINANT = to_complainants()
STAFF = to_staff()
EVERY = every_letter()
