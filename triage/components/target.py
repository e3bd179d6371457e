"""Whom a letter is against: who is named, who acts in it, who is named after "complaint about"."""

from __future__ import annotations

import re
from collections import defaultdict

from spacy.language import Language
from spacy.tokens import Doc

from procedure.words import Target, Topic
from triage import ruleset
from triage.findings import Findings, Mention

_CLASSES = {
    "staff": Target.STAFF,
    "titled": Target.STAFF,
    "head": Target.HEADTEACHER,
    "chair": Target.CHAIR,
    "governor": Target.GOVERNOR,
    "board": Target.BOARD,
    "outsider": Target.THIRD_PARTY,
}
_GREETINGS = frozenset({"dear", "to", "hello", "hi", "fao", "hiya"})
_CALLS = frozenset({"rang", "phoned", "called", "wants", "says", "tel", "ring"})
_TOLD = frozenset({"told", "asked", "emailed", "wrote", "rang", "phoned", "to", "with", "by", "from"})
_PAPERS = frozenset({"response", "outcome", "letter", "decision", "findings", "reply", "investigation", "answer"})
#: Rules that show an adult at the school doing harm.
_ACCUSES_STAFF = ("an adult at school", "an adult messages")


@Language.factory("triage_target")
class Against:
    def __init__(self, nlp: Language, name: str) -> None:  # noqa: ARG002 - spaCy hands both to a factory
        words = ruleset.read().words
        self.against = frozenset(words["against"])
        self.acts = frozenset(words["handling_by"])

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        scores = self._weigh(doc, findings)
        findings.target = self._by_topic(findings, scores) or self._best(findings, scores)
        return doc

    def _weigh(self, doc: Doc, findings: Findings) -> dict[Target, float]:
        aliases = _aliases(doc, findings)
        clients = _clients(doc, findings)
        scores: dict[Target, float] = defaultdict(float)
        taken: set[int] = set()
        for mention in sorted(findings.words(*_CLASSES), key=lambda m: (m.start - m.end, m.start)):
            if mention.start in taken or _is_frame(doc, findings, mention) or _is_writer(doc, mention, clients):
                continue
            taken.update(range(mention.start, mention.end))
            target = aliases.get(_name_after(doc, mention), _CLASSES[mention.word])
            scores[target] += self._weight(doc, mention)
        return _settled(findings, scores)

    def _weight(self, doc: Doc, mention: Mention) -> float:
        before = doc[max(0, mention.start - 4) : mention.start].text.lower()
        last = mention.end + (1 if mention.word == "titled" else 0)
        after = [token.lower_ for token in doc[last : last + 3]]
        weight = 0.8 if mention.word in {"titled", "outsider"} else 1.0
        if any(after_word in _PAPERS for after_word in after):
            return 0.15
        if any(before.endswith(lead) or f"{lead} " in f"{before} " for lead in self.against):
            weight += 2.5
        elif doc[mention.start - 1].lower_ in _TOLD if mention.start else False:
            weight -= 0.4
            if any(word in {"he", "she"} for word in [t.lower_ for t in doc[last : last + 9]]):
                weight += 1
        if any(after_word in self.acts for after_word in after):
            weight += 1.5
        if mention.start < 12 and mention.sentence == 0:
            weight += 0.5
        return weight

    @staticmethod
    def _by_topic(findings: Findings, scores: dict[Target, float]) -> Target | None:  # noqa: PLR0911 - a table of topics
        topics = set(findings.topics)
        handled = findings.score("handling") >= 0.5
        if Topic.NOT_COMPLAINT in topics:
            return Target.NONE
        if topics == {Topic.INFORMATION_REQUEST}:
            return Target.SCHOOL if findings.words("grievance") else Target.NONE
        if topics == {Topic.SAFEGUARDING}:
            return _accused(findings, scores)
        if topics & {Topic.CURRICULUM_CONTENT, Topic.THIRD_PARTY}:
            return Target.THIRD_PARTY
        if Topic.REORGANISATION in topics:
            return Target.THIRD_PARTY if scores[Target.THIRD_PARTY] else Target.BOARD
        if Topic.SEND_ASSESSMENT in topics and not handled and scores[Target.THIRD_PARTY]:
            return Target.THIRD_PARTY
        if topics == {Topic.ADMISSIONS}:
            return _of_a_place(findings, scores)
        if Topic.BARRING in topics:
            deciders = (Target.HEADTEACHER, Target.CHAIR, Target.BOARD)
            return max(deciders, key=lambda target: scores[target])
        if Topic.EXCLUSION in topics and not any(scores.values()):
            findings.unsure.add("target")
            return Target.HEADTEACHER
        return None

    @staticmethod
    def _best(findings: Findings, scores: dict[Target, float]) -> Target:
        ranked = sorted(scores.items(), key=lambda item: -item[1])
        if not ranked or ranked[0][1] < 0.7:
            if not findings.words("school"):
                findings.unsure.add("target")
            return Target.SCHOOL
        if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < 1:
            findings.unsure.add("target")
        return ranked[0][0]


def _settled(findings: Findings, scores: dict[Target, float]) -> dict[Target, float]:
    """What the stage and the topic say about who cannot be meant."""
    if max(findings.score("request:stage3"), findings.score("request:stage4")) >= 0.5:
        # The target stays the original one; chair and panel are named as those who decide.
        for decider in (Target.CHAIR, Target.BOARD, Target.GOVERNOR):
            scores[decider] *= 0.1
    if not {Topic.THIRD_PARTY, Topic.SEND_ASSESSMENT, Topic.ADMISSIONS, Topic.REORGANISATION}.intersection(
        findings.topics
    ):
        scores[Target.THIRD_PARTY] *= 0.3
    if scores[Target.HEADTEACHER] >= 3 and not findings.words("staff"):
        scores[Target.STAFF] *= 0.5  # the name beside the role is the head's own
    return scores


def _accused(findings: Findings, scores: dict[Target, float]) -> Target:
    """A welfare report accuses nobody at the school, unless one of its adults is named before the sign of harm."""
    signs = [h for h in findings.hits if h.label == "safeguarding" and "machinery" not in h.name]
    adults = findings.words("staff", "titled", "head")
    for sign in signs:
        if sign.name.startswith(_ACCUSES_STAFF):
            return Target.HEADTEACHER if scores[Target.HEADTEACHER] > scores[Target.STAFF] else Target.STAFF
    for adult in adults:
        begin, end = findings.sentences[adult.sentence]
        if any(adult.start <= sign.start and begin <= sign.start < end for sign in signs) and any(scores.values()):
            findings.unsure.add("target")
            return Target.HEADTEACHER if adult.word == "head" else Target.STAFF
    return Target.NONE


def _of_a_place(findings: Findings, scores: dict[Target, float]) -> Target:
    findings.unsure.add("target")
    if not findings.words("grievance") and findings.score("flag:legal_action") < 0.5:
        return Target.NONE
    return Target.THIRD_PARTY if scores[Target.THIRD_PARTY] else Target.SCHOOL


def _is_frame(doc: Doc, findings: Findings, mention: Mention) -> bool:
    """In the greeting or the signature line, where a name is an address and no accusation."""
    start, end = findings.sentences[mention.sentence]
    if end - start <= 9 and doc[start].lower_ in _GREETINGS:
        return True
    return mention.sentence > 1 and mention.sentence == len(findings.sentences) - 1 and end - start <= 7


def _is_writer(doc: Doc, mention: Mention, clients: set[str]) -> bool:
    """The caller of an office note, the client of a solicitor, "as a cover supervisor": who complains, not whom."""
    if mention.word == "titled":
        name = _name_after(doc, mention)
        after = {token.lower_ for token in doc[mention.end + 1 : mention.end + 3]}
        calls = doc._.about.channel == "phone" and bool(after & _CALLS)
        return calls or name in clients or name in {"and", "&"}
    return doc[max(0, mention.start - 2) : mention.start].text.lower() in {"as a", "as an", "am a", "'m a", "am the"}


def _clients(doc: Doc, findings: Findings) -> set[str]:
    """Names of those for whom somebody else writes or calls."""
    found: set[str] = set()
    for mention in findings.words("titled"):
        before = doc[max(0, mention.start - 4) : mention.start].text.lower()
        after = {token.lower_ for token in doc[mention.end + 1 : mention.end + 3]}
        if re.search(r"\b(?:client|constituent|behalf|act for|write for|writing for|for mr and|call)\b", before) or (
            doc._.about.channel == "phone" and after & _CALLS
        ):
            found.add(_name_after(doc, mention))
    return found


def _name_after(doc: Doc, mention: Mention) -> str:
    if mention.word == "titled" and mention.end < len(doc):
        return doc[mention.end].lower_
    return ""


def _aliases(doc: Doc, findings: Findings) -> dict[str, Target]:
    """Names that the letter itself gives a role: "the headteacher, Mrs Lomax", "Mr Oldroyd, your chair"."""
    named = [m for m in findings.words("titled") if _name_after(doc, m)]
    found: dict[str, Target] = {}
    for role in findings.words("head", "chair", "governor"):
        for person in named:
            gap = doc[role.end : person.start] if role.end <= person.start else doc[person.end + 1 : role.start]
            near = role.end <= person.start or person.end + 1 <= role.start
            if near and len(gap) <= 2 and all(t.text == "," or t.lower_ in {"the", "your", "our"} for t in gap):
                found[_name_after(doc, person)] = _CLASSES[role.word]
    return found
