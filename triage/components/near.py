"""Word classes that stand near each other: who did what to whom, in one sentence or in one letter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span

from triage import ruleset
from triage.findings import Findings, Hit, Mention
from triage.ruleset import NearRule

_NEGATIONS = frozenset({"not", "n't", "nt", "never", "didn't", "didnt"})
ByWord = Mapping[str, Sequence[Mention]]


@Language.factory("triage_near")
class Near:
    """Adds the hits of `[[near]]` rules. A rule is asked only in sentences that hold its rarest class."""

    def __init__(self, nlp: Language, name: str) -> None:  # noqa: ARG002 - spaCy hands both to a factory
        near = ruleset.read().near
        self.letter_rules = [rule for rule in near if rule.scope == "letter"]
        self.sentence_rules = [rule for rule in near if rule.scope == "sentence"]

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        sentences: dict[int, dict[str, list[Mention]]] = defaultdict(lambda: defaultdict(list))
        whole: dict[str, list[Mention]] = defaultdict(list)
        for mention in findings.mentions:
            sentences[mention.sentence][mention.word].append(mention)
            whole[mention.word].append(mention)
        before = len(findings.hits)
        for by_word in sentences.values():
            self._ask(self.sentence_rules, by_word, doc)
        self._ask(self.letter_rules, whole, doc)
        doc.spans["evidence"].extend([Span(doc, h.start, h.end, label=h.label) for h in findings.hits[before:]])
        return doc

    @staticmethod
    def _ask(rules: Sequence[NearRule], by_word: ByWord, doc: Doc) -> None:
        for rule in rules:
            if not all(any(n in by_word for n in place) for place in rule.all):
                continue
            if any(n in by_word for n in rule.none):
                continue
            found = _within(rule, by_word) if rule.scope == "sentence" else _anywhere(rule, by_word)
            if found is None or (rule.unnegated and _negated(doc, found)):
                continue
            doc._.findings.hits.append(Hit(rule.label, rule.name, rule.weight, *_edges(found)))


def _edges(found: Sequence[Mention]) -> tuple[int, int]:
    return min(m.start for m in found), max(m.end for m in found)


def _anywhere(rule: NearRule, by_word: ByWord) -> list[Mention] | None:
    """In a letter: the evidence is the most telling word, the one of the last class."""
    return [next(m for n in rule.all[-1] for m in by_word.get(n, ()))]


def _within(rule: NearRule, by_word: ByWord) -> list[Mention] | None:
    """The first choice of mentions, one a place, not overlapping, inside `span` tokens (and in order)."""
    places = [sorted((m for n in place for m in by_word.get(n, ())), key=_start) for place in rule.all]
    for first in places[0]:
        chosen = _choose(rule, places[1:], [first])
        if chosen is not None:
            return chosen
    return None


def _choose(rule: NearRule, places: Sequence[Sequence[Mention]], chosen: list[Mention]) -> list[Mention] | None:
    if not places:
        return chosen
    for mention in places[0]:
        if rule.ordered and mention.start < chosen[-1].end:
            continue
        if any(mention.start < other.end and other.start < mention.end for other in chosen):
            continue
        start, end = _edges([*chosen, mention])
        if end - start > rule.span:
            continue
        found = _choose(rule, places[1:], [*chosen, mention])
        if found is not None:
            return found
    return None


def _start(mention: Mention) -> int:
    return mention.start


def _negated(doc: Doc, found: Sequence[Mention]) -> bool:
    """A "not" or "never" within the three tokens before the deed (the second place)."""
    deed = found[1].start
    return any(doc[i].lower_ in _NEGATIONS for i in range(max(0, deed - 3), deed))
