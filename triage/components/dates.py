"""The day of the incident: all candidates by `triage.days`, one chosen by the words around it, none in doubt."""

from __future__ import annotations

import re

from spacy.language import Language
from spacy.tokens import Doc, Span

from triage.days import Candidate, candidates
from triage.findings import DateFound, Findings

#: Below this a day is no incident; candidates closer than MARGIN to the best make the field unsure.
ENOUGH = 0.55
MARGIN = 0.15
_EVENT = re.compile(
    r"\b(?:happened|occurred|took place|incident|told|shouted|left|hit|gave|made|said|saw|came|refused|was|were"
    r"|had|did|spent|grab\w*|put|fell|sent|met|lost|read|kept|laughed|upheld|smacked|slapped|suspended|excluded|\w{3,}ed)\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:incident|happened|occurred|took place|it was on|on or about|last of which)\b", re.IGNORECASE
)
_PAPER = re.compile(
    r"\b(?:letter|e-?mail|emailed|wrote|written|write|received|response|reply|replied|acknowledge\w*|outcome|dated"
    r"|complaint (?:of|dated|on)|request on|complained|submitted|subject access request|findings|sent in|form"
    r"|discussed with|signed)\b",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"\b(?:rang|phoned|spoke|raised|reported|asked|told (?:the|your|my|mr|mrs|miss) \w+ (?:on|in))\b", re.IGNORECASE
)
_DEADLINE = re.compile(
    r"\b(?:by|before|until|till|due|deadline|within|no later than|from|since|date:?)\s*\W*$", re.IGNORECASE
)
#: A letter is the incident itself where it brings the decision that is complained of.
_DECISION = re.compile(
    r"\b(?:refus(?:ing|ed|al)|turned (?:us|him|her|me) down|suspended|excluded|barr(?:ed|ing)|banned|not allowed"
    r"|upheld|dismissed)\b",
    re.IGNORECASE,
)
_BIRTH = re.compile(r"\b(?:born|d\.?o\.?b|date of birth|birthday|aged)\b", re.IGNORECASE)
_AHEAD = re.compile(
    r"\b(?:will|going to|next|tomorrow|shall|booked|be held|meeting (?:on|is)|seeing|see (?:him|her|them) on"
    r"|appointment|arrang\w+|fair|until|collect\w* (?:on|at))\b",
    re.IGNORECASE,
)


@Language.factory("triage_dates")
class Dates:
    """Fills `doc.spans["dates"]`, `findings.dates` (best first) and `findings.incident_date`."""

    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        about = doc._.about
        doc.spans["dates"] = []
        if about.sent is None:
            return doc
        text = doc.text
        named = list(candidates(text, about.sent))
        findings.dates = sorted(
            (
                DateFound(c.day, c.start, c.end, _fit(text, c, about.sent.toordinal(), about.subject_length))
                for c in named
            ),
            key=lambda found: (-found.score, -found.day.toordinal()),
        )
        spans = [doc.char_span(c.start, c.end, label="date", alignment_mode="expand") for c in named]
        doc.spans["dates"] = [span for span in spans if isinstance(span, Span)]
        self._choose(findings)
        return doc

    @staticmethod
    def _choose(findings: Findings) -> None:
        fitting = [d for d in findings.dates if d.score >= ENOUGH]
        if not fitting:
            return
        best = fitting[0]
        rivals = [d for d in fitting if d.score >= best.score - MARGIN and d.day != best.day]
        findings.incident_date = best.day
        if rivals:
            findings.unsure.add("incident_date")


def _fit(text: str, found: Candidate, sent: int, subject_length: int) -> float:
    """How well a day fits as the day of the incident, by the sentence it stands in."""
    if found.day.toordinal() > sent or sent - found.day.toordinal() > 3 * 366:
        return 0.0
    start = max(text.rfind(stop, 0, found.start) for stop in (". ", "\n", "! ", "? ")) + 1
    ends = [i for i in (text.find(stop, found.end) for stop in (". ", "\n", "! ", "? ")) if i >= 0]
    end = min(ends, default=len(text))
    left, right = text[max(start, found.start - 60) : found.start], text[found.end : min(end, found.end + 70)]
    score = 0.6 if found.vague else 0.8
    if _EVENT.search(left + " " + right):
        score += 0.4
    if _STRONG.search(left + " " + right):
        score += 0.5
    score += _doubts(text, found, left, right)
    if found.start < subject_length:
        score -= 0.1
    return round(score, 3)


def _doubts(text: str, found: Candidate, left: str, right: str) -> float:
    doubt = 0.0
    decided = _DECISION.search(right[:40]) or _DECISION.search(left)
    if (_PAPER.search(left[-40:]) or _PAPER.search(right[:12])) and not decided:
        doubt -= 0.7
    elif _TALK.search(left[-30:]) or _TALK.search(right[:12]):
        doubt -= 0.5 if found.vague else 0.25
    if _DEADLINE.search(left[-16:]):
        doubt -= 0.9
    if _BIRTH.search(left[-30:]) or _BIRTH.search(right[:12]):
        doubt -= 2
    if _AHEAD.search(left[-30:]):
        doubt -= 0.6
    if found.vague and not _EVENT.search(left) and not text[found.start :].lower().startswith(("back", "last")):
        doubt -= 0.3
    lowered = text[found.start : found.end].lower()
    if lowered in {"today", "this morning", "this afternoon"} and not _EVENT.search(right[:40] + left[-40:]):
        doubt -= 0.5
    return doubt
