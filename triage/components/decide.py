"""The judgement: what the other components found, as one frozen value with its evidence."""

from __future__ import annotations

from collections import Counter

from spacy.language import Language
from spacy.tokens import Doc

from procedure.words import Evidence, Flag, Judgement, Target, Topic
from triage import ruleset
from triage.findings import Findings, Hit

#: Passages kept as evidence a label: enough to show why, few enough to read.
SHOWN = 4


@Language.factory("triage_decide")
class Decide:
    """Fills `Doc._.judgement`.

    Evidence labels: a topic or a flag by its name, "screen", "request:formal", "incident_date".
    """

    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        if Topic.NOT_COMPLAINT in findings.topics:
            findings.incident_date = None
            findings.unsure.discard("incident_date")
        elif Flag.IMMEDIATE_RISK in findings.flags and findings.incident_date is None:
            findings.incident_date = doc._.about.sent
        if "topics" in findings.unsure and findings.topics == (Topic.GENERAL,) and not findings.words("grievance"):
            findings.unsure.add("request")
            if findings.target is not Target.STAFF:  # a teacher named by title stays one
                findings.unsure.add("target")
        if findings.screen and Topic.SAFEGUARDING not in findings.topics:
            findings.unsure.add("topics")
        best = max(doc.cats.values(), default=0.0)
        doc._.judgement = Judgement(
            topics=findings.topics,
            target=findings.target if findings.topics else Target.NONE,
            request=findings.request,
            flags=findings.flags,
            incident_date=findings.incident_date,
            screen=findings.screen,
            scores=dict(doc.cats),
            confidence=round(max(0.05, best - 0.1 * len(findings.unsure)), 3),
            unsure=tuple(sorted(findings.unsure)),
            evidence=_evidence(doc, findings),
            model=ruleset.VERSION,
        )
        return doc


def _evidence(doc: Doc, findings: Findings) -> tuple[Evidence, ...]:
    given = {t.value for t in findings.topics} | {f"flag:{f.value}" for f in findings.flags}
    given |= {f"request:{findings.request.value}"} | ({"screen"} if findings.screen else set())
    # A safeguarding sign is shown even where it was too weak for the topic.
    given.add(Topic.SAFEGUARDING.value)
    shown: Counter[str] = Counter()
    found: list[Evidence] = []
    for hit in sorted(findings.hits, key=_strongest):
        if hit.label in given and shown[hit.label] < SHOWN:
            shown[hit.label] += 1
            span = doc[hit.start : hit.end]
            found.append(_piece(hit.label.removeprefix("flag:"), span.start_char, span.end_char, doc.text))
    for day in findings.dates:
        if day.day == findings.incident_date:
            found.append(_piece("incident_date", day.start, day.end, doc.text))
            break
    return tuple(found)


def _strongest(hit: Hit) -> tuple[float, int, int]:
    return -hit.weight, hit.start, hit.end


def _piece(label: str, start: int, end: int, text: str) -> Evidence:
    return Evidence(label, start, end, text[start:end], "rule")
