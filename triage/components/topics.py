"""Topics from rule scores, and the screen, which no topic can take away. Fills `doc.cats`."""

from __future__ import annotations

from spacy.language import Language
from spacy.tokens import Doc

from procedure.words import Topic
from triage.findings import About, Findings

TOPIC_AT = 0.5
#: The screen's bar: low on purpose.
SCREEN_AT = 0.3
#: Topics in which the school's own conduct is `general` as well (labels.md, "The school's own conduct").
_WITH_CONDUCT = frozenset({Topic.ADMISSIONS, Topic.SEND_ASSESSMENT, Topic.EXCLUSION, Topic.SAFEGUARDING})
_ROBOTS = ("mailer-daemon@", "postmaster@", "noreply@", "no-reply@", "donotreply@", "bounce")


@Language.factory("triage_topics")
class Topics:
    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        grievances = {doc[m.start : m.end].text.lower() for m in findings.words("grievance")}
        scores = self._scores(findings, doc._.about, len(grievances))
        findings.screen = findings.score("screen") >= SCREEN_AT or scores[Topic.SAFEGUARDING] >= SCREEN_AT
        routed: list[Topic] = [t for t, score in scores.items() if score >= TOPIC_AT and t is not Topic.NOT_COMPLAINT]
        if routed or findings.screen or _asks_for_a_step(findings):
            scores[Topic.NOT_COMPLAINT] *= 0.3
        scores[Topic.GENERAL] = _general(findings, routed, scores, len(grievances))
        chosen = [t for t, score in scores.items() if score >= TOPIC_AT]
        if not chosen:
            chosen = [Topic.GENERAL]
            findings.unsure.add("topics")
        if any(0.35 <= score < 0.6 for score in scores.values()):
            findings.unsure.add("topics")
        findings.topics = tuple(sorted(chosen, key=lambda topic: -scores[topic]))
        doc.cats = {topic.value: round(score, 3) for topic, score in scores.items()}
        return doc

    @staticmethod
    def _scores(findings: Findings, about: About, grievances: int) -> dict[Topic, float]:
        scores: dict[Topic, float] = {}
        for topic in Topic:
            if topic is not Topic.GENERAL:
                scores[topic] = findings.score(topic.value)
        staff = findings.words("staff", "titled", "head")
        if not staff or (findings.score("fluency_doubt") and not findings.score("substance")):
            scores[Topic.FLUENCY] *= 0.3
        if not grievances and not any(h.label == "third_party" for h in findings.hits[:1]):
            scores[Topic.THIRD_PARTY] *= 0.6
        if about.from_addr.lower().startswith(_ROBOTS):
            scores[Topic.NOT_COMPLAINT] = 0.95
        elif scores[Topic.NOT_COMPLAINT] < 0.9:
            scores[Topic.NOT_COMPLAINT] *= 0.5 ** min(grievances, 3)
        return scores


def _asks_for_a_step(findings: Findings) -> bool:
    """Who names a stage of the procedure writes no ordinary letter, whatever else the words say."""
    return any(hit.label.startswith("request:") and hit.weight >= 0.5 for hit in findings.hits)


def _general(findings: Findings, routed: list[Topic], scores: dict[Topic, float], grievances: int) -> float:
    """A routed letter is general as well only where the school's own handling is complained of."""
    if routed:
        conduct = findings.score("handling") if _WITH_CONDUCT.intersection(routed) else 0.0
        return conduct if conduct >= TOPIC_AT else 0.1
    if scores[Topic.NOT_COMPLAINT] >= TOPIC_AT:
        return 0.2
    return min(0.95, 0.3 + 0.25 * grievances)
