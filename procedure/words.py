"""The vocabulary of the house: what rooms hand to one another.

Every value is frozen. Datetimes are aware (UTC unless a header said otherwise); a `date` is a day in
Europe/London. The labels of a judgement stand in `labels` and are words of the house too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from procedure.labels import Flag as Flag  # noqa: PLC0414 - said anew on purpose: the labels are words of the house
from procedure.labels import Request as Request  # noqa: PLC0414
from procedure.labels import Target as Target  # noqa: PLC0414
from procedure.labels import Topic as Topic  # noqa: PLC0414


class Role(StrEnum):
    """Who somebody is to a case. One person may hold several."""

    COMPLAINANT = "complainant"
    STAFF = "staff"
    OFFICE = "office"
    HEADTEACHER = "headteacher"
    DSL = "dsl"
    DEPUTY_DSL = "deputy_dsl"
    CLERK = "clerk"
    CHAIR = "chair"
    VICE_CHAIR = "vice_chair"
    GOVERNOR = "governor"
    BUSINESS_MANAGER = "business_manager"


class Stage(StrEnum):
    """Where in the procedure a case stands; NONE is outside it (an enquiry, a redirected matter)."""

    NONE = "none"
    ONE = "stage1"
    TWO = "stage2"
    THREE = "stage3"
    FOUR = "stage4"
    FINAL = "final"


class Status(StrEnum):
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True)
class Evidence:
    """Why a label was given: the passage [start:end] of the judged text (subject, blank line, body)."""

    label: str
    start: int
    end: int
    text: str
    source: str  # "rule", "model", "structure"


@dataclass(frozen=True)
class Judgement:
    """What a message was judged to be: advice plus routing, never a refusal (the triage contract)."""

    topics: tuple[Topic, ...]
    target: Target
    request: Request
    flags: tuple[Flag, ...] = ()
    incident_date: date | None = None
    #: True: a person must look the same day because a child may be at risk.
    screen: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.0
    #: Field names ("topics", "target", "request", "flags", "incident_date") a person should settle.
    unsure: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    model: str = ""

    @property
    def safeguarding(self) -> bool:
        """Any sign that a child may be at risk: the topic, immediate risk, or the screen."""
        return self.screen or Topic.SAFEGUARDING in self.topics or Flag.IMMEDIATE_RISK in self.flags


@dataclass(frozen=True)
class Address:
    """A mail address; `addr` as written, compared without regard to case."""

    addr: str
    name: str = ""


@dataclass(frozen=True)
class Attachment:
    """A part kept with its letter: named by content, never opened or rendered."""

    name: str | None
    type: str
    size: int  # bytes, decoded
    digest: str  # sha256 of the decoded bytes, hex


@dataclass(frozen=True)
class Message:
    """A letter as read: headers, text, what is new in it and what sort of sender wrote it.

    Fields mean what the expected results of the shared mail set mean. Ids carry no angle brackets.
    """

    digest: str  # sha256 of the raw bytes, hex
    #: sha256 over Message-ID, From, Subject, Date and body: the same letter by another road has the same.
    content_digest: str
    subject: str = ""
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None  # with the zone of the header; None is never made up
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    reply_text: str = ""
    quoted: str = ""
    attachments: tuple[Attachment, ...] = ()
    is_auto_reply: bool = False
    is_bounce: bool = False
    bounce_temporary: bool = False
    #: human, auto_reply, bounce, delayed, dsn_success, feedback_report, mdn, loop, form
    kind: str = "human"
    failed: tuple[str, ...] = ()
    #: Message-IDs of ours that a report speaks of.
    reported_ids: tuple[str, ...] = ()
    status: str | None = None
    may_autorespond: bool = True
    #: What could not be read, a sentence each; the letter is still a letter.
    defects: tuple[str, ...] = ()

    @property
    def answer_to(self) -> Address | None:
        """Where an answer goes: Reply-To, else From."""
        return next((a for a in (*self.reply_to, self.sender) if a is not None and "@" in a.addr), None)


@dataclass(frozen=True)
class Envelope:
    """How a letter came: the door, who handed it in, for whom, when (UTC)."""

    door: str  # smtp, imap, mbox, phone, in_person, paper, chat
    received_at: datetime
    mail_from: str = ""
    rcpt_to: tuple[str, ...] = ()
    peer: str = ""


class EntryKind(StrEnum):
    """What can stand in the history of a case. The history is append-only; everything else is derived."""

    # letters
    CASE_OPENED = "case_opened"
    LETTER_RECEIVED = "letter_received"
    DUPLICATE_RECEIVED = "duplicate_received"
    JUDGED = "judged"
    JUDGEMENT_OVERRULED = "judgement_overruled"
    # receipts, from which limits run
    CONCERN_RECEIVED = "concern_received"
    COMPLAINT_RECEIVED = "complaint_received"
    STAGE3_REQUESTED = "stage3_requested"
    STAGE4_REQUESTED = "stage4_requested"
    REQUEST_NOT_MADE = "request_not_made"  # a person: the letter did not ask for that stage
    RECEIPT_CORRECTED = "receipt_corrected"
    # letters of ours
    LETTER_QUEUED = "letter_queued"
    LETTER_HELD = "letter_held"
    LETTER_RELEASED = "letter_released"
    LETTER_NOT_SENT = "letter_not_sent"  # deliberately; with the reason
    LETTER_SENT = "letter_sent"
    LETTER_BOUNCED = "letter_bounced"
    LETTER_FAILED = "letter_failed"  # given up
    ACKNOWLEDGED = "acknowledged"  # a person: by post, by telephone, in person
    # people
    ALERTED = "alerted"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    NUDGED = "nudged"
    ESCALATED = "escalated"
    DISCLOSED = "disclosed"
    RECUSED = "recused"
    NOTED = "noted"
    # steps of the procedure
    PASSED_TO_CHAIR = "passed_to_chair"
    MEETING_OFFERED = "meeting_offered"
    DISCUSSED = "discussed"
    MEETING_HELD = "meeting_held"
    OUTCOME_GIVEN = "outcome_given"
    HEARING_SET = "hearing_set"
    NOTICE_GIVEN = "notice_given"
    HEARING_HELD = "hearing_held"
    PANEL_OUTCOME_GIVEN = "panel_outcome_given"
    EXTENDED = "extended"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    DEVIATED = "deviated"
    SAFEGUARDING_CLEARED = "safeguarding_cleared"
    SAFEGUARDING_CONFIRMED = "safeguarding_confirmed"
    REDIRECTED = "redirected"
    CAMPAIGN_SUGGESTED = "campaign_suggested"
    COMMUNICATION_PLAN_MADE = "communication_plan_made"
    COMMUNICATION_PLAN_REVIEWED = "communication_plan_reviewed"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True)
class Entry:
    """One fact in the history of a case.

    `at` is when it happened (UTC), not when it was written. `by` is a person's id or "duly".
    `facts` holds JSON values only; no names or text of letters (those are found by letter id).
    """

    kind: EntryKind
    at: datetime
    by: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A matter, derived from its entries by `procedure.history.fold`; never edited."""

    reference: str
    policy: str
    opened_at: datetime
    stage: Stage
    status: Status
    topics: tuple[Topic, ...]
    target: Target
    request: Request
    flags: tuple[Flag, ...]
    handler: Role
    told: frozenset[Role]
    withheld: frozenset[Role]
    #: Ids of persons to whom an entry disclosed the case, and of those who recused themselves.
    disclosed_to: frozenset[str] = frozenset()
    recused: frozenset[str] = frozenset()
    safeguarding: bool = False
    #: Automatic letters to the sender wait until a person releases them.
    held: bool = False
    campaign: str | None = None
    incident_date: date | None = None
    closed_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A day that does not count, and why ("weekend", "half term: autumn", "INSET day", ...)."""

    day: date
    why: str


class DeadlineState(StrEnum):
    OPEN = "open"
    MET = "met"
    CANCELLED = "cancelled"  # closed, withdrawn, or no longer asked for
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Deadline:
    """A limit of the policy running (or met) in a case, with everything that explains its date."""

    #: Unique in the case and stable: "<limit name>" for the first run, "<limit name>.2" for the second.
    key: str
    name: str  # the limit's name in the policy, e.g. "ack_3"
    title: str
    clause: str  # "L138"
    owner: Role
    start: date  # the day of the event, Europe/London
    start_event: str
    unit: str
    length: int
    due: date
    counted: tuple[date, ...]
    skipped: tuple[Skipped, ...]
    state: DeadlineState = DeadlineState.OPEN
    met_on: date | None = None
    #: Older dates that stay visible: (date, why it moved).
    moved_from: tuple[tuple[date, str], ...] = ()

    @property
    def late(self) -> bool:
        """Met, but after its day."""
        return self.met_on is not None and self.met_on > self.due


class Audience(StrEnum):
    COMPLAINANT = "complainant"
    STAFF = "staff"


@dataclass(frozen=True)
class Letter:
    """A letter of ours, fully worded, on its way to the outbox.

    `key` makes a duty unique: two letters of one key are one letter. Staff letters hold reference, limit
    and clause only: no name, no child, no text, no quotation.
    """

    key: str
    name: str  # e.g. "acknowledgement"
    audience: Audience
    to_addr: str
    subject: str
    text: str
    html: str
    to_role: Role | None = None
    reference: str | None = None
    held: bool = False
    #: Threading: our answer to a letter names its Message-ID.
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    not_before: datetime | None = None
    urgent: bool = False


@dataclass(frozen=True)
class Decision:
    """What the procedure decided; the desk writes it whole, in one transaction, or not at all.

    Case row and deadlines are derived from the entries by the desk, so nothing can disagree with them.
    """

    reference: str | None
    entries: tuple[Entry, ...] = ()
    letters: tuple[Letter, ...] = ()
    #: Keys of queued or held letters to release or cancel.
    release: tuple[str, ...] = ()
    cancel: tuple[str, ...] = ()


@dataclass(eq=False)  # not frozen: Python writes the traceback into what is raised
class NotAllowed(Exception):  # noqa: N818 - the answer to a step, in the words of the procedure
    """A step that the policy does not allow now: the reason, and the policy's line."""

    reason: str
    clause: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.clause})"
