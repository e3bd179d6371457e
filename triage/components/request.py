"""The step a letter asks for: stage words first, then what the topic and the target make of it."""

from __future__ import annotations

from spacy.language import Language
from spacy.tokens import Doc

from procedure.words import Flag, Request, Target, Topic
from triage.findings import Findings

#: Ties go to the one that stands first.
_ORDER = (
    Request.WITHDRAW,
    Request.DFE,
    Request.STAGE4,
    Request.STAGE3,
    Request.FOLLOW_UP,
    Request.FORMAL,
    Request.INFORMAL,
)
#: A statutory appeal, an enquiry or a plain request about these alone asks for no step.
_ROUTED = frozenset({Topic.ADMISSIONS, Topic.SEND_ASSESSMENT, Topic.EXCLUSION, Topic.INFORMATION_REQUEST})


@Language.factory("triage_request")
class Asked:
    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        findings.request = self._stage_words(findings, doc) or self._by_default(findings)
        return doc

    @staticmethod
    def _stage_words(findings: Findings, doc: Doc) -> Request | None:
        if Topic.NOT_COMPLAINT in findings.topics:
            return Request.NONE
        scores = {request: findings.score(f"request:{request.value}") for request in _ORDER}
        if scores[Request.FOLLOW_UP] and not _made_before(findings, doc):
            scores[Request.FOLLOW_UP] = 0.0
        best = max(_ORDER, key=lambda request: (scores[request], -_ORDER.index(request)))
        if scores[best] < 0.5:
            return None
        ahead = sorted(scores.values())[-2]
        if 0 < scores[best] - ahead < 0.05:
            findings.unsure.add("request")
        return best

    @staticmethod
    def _by_default(findings: Findings) -> Request:
        topics = set(findings.topics)
        if Topic.SAFEGUARDING in topics:
            return Request.NONE if findings.target is Target.NONE else Request.INFORMAL
        aggrieved = len(findings.words("grievance")) > 0
        if topics == {Topic.EXCLUSION}:
            return Request.NONE if findings.score("review") >= 0.5 else Request.INFORMAL
        if topics <= _ROUTED and (not aggrieved or findings.target is Target.NONE):
            return Request.NONE
        if Flag.ON_BEHALF in findings.flags and Flag.LEGAL_ACTION in findings.flags:
            findings.unsure.add("request")
            return Request.NONE
        if not aggrieved:
            findings.unsure.add("request")
        return Request.INFORMAL


def _made_before(findings: Findings, doc: Doc) -> bool:
    """Chasing counts only for a complaint or a disclosure already made; ordinary emails are a new concern."""
    return Topic.SAFEGUARDING in findings.topics or "complaint" in doc.text.lower()
