"""The labels of the triage contract: their names never change, since outside tools rely on them."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    GENERAL = "general"
    ADMISSIONS = "admissions"
    SEND_ASSESSMENT = "send_assessment"
    REORGANISATION = "reorganisation"
    SAFEGUARDING = "safeguarding"
    EXCLUSION = "exclusion"
    WHISTLEBLOWING = "whistleblowing"
    STAFF_GRIEVANCE = "staff_grievance"
    THIRD_PARTY = "third_party"
    CURRICULUM_CONTENT = "curriculum_content"
    INFORMATION_REQUEST = "information_request"
    FLUENCY = "fluency"
    BARRING = "barring"
    NOT_COMPLAINT = "not_complaint"


class Target(StrEnum):
    STAFF = "staff"
    HEADTEACHER = "headteacher"
    CHAIR = "chair"
    GOVERNOR = "governor"
    BOARD = "board"
    SCHOOL = "school"
    THIRD_PARTY = "third_party"
    NONE = "none"


class Request(StrEnum):
    INFORMAL = "informal"
    FORMAL = "formal"
    STAGE3 = "stage3"
    STAGE4 = "stage4"
    DFE = "dfe"
    WITHDRAW = "withdraw"
    FOLLOW_UP = "follow_up"
    NONE = "none"


class Flag(StrEnum):
    ANONYMOUS = "anonymous"
    IMMEDIATE_RISK = "immediate_risk"
    LEGAL_ACTION = "legal_action"
    THREAT = "threat"
    ABUSE = "abuse"
    COVERT_RECORDING = "covert_recording"
    ON_BEHALF = "on_behalf"
    COMMUNICATION_DIFFICULTY = "communication_difficulty"
    INDEPENDENT_PANEL = "independent_panel"
    UNCONNECTED = "unconnected"
    FLUENCY_ACCENT_ONLY = "fluency_accent_only"
