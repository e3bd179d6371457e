"""Literal phrases: thousands of them in one PhraseMatcher, found in one pass over the tokens."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span

from triage import ruleset
from triage.findings import Hit, Mention
from triage.ruleset import PhraseRule


class _Patterns:
    """Makes pattern Docs. The tokenizer takes the pieces between spaces one by one, so each is tokenised once."""

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp
        self.pieces: dict[str, list[str]] = {}

    def of(self, phrases: Iterable[str]) -> list[Doc]:
        return [Doc(self.nlp.vocab, words=[w for p in phrase.split() for w in self._piece(p)]) for phrase in phrases]

    def _piece(self, piece: str) -> list[str]:
        known = self.pieces.get(piece)
        if known is None:
            known = self.pieces[piece] = [token.text for token in self.nlp.make_doc(piece)]
        return known


@Language.factory("triage_phrases")
class Phrases:
    """Fills `findings.hits` (phrase rules) and `findings.mentions` (word classes).

    A phrase of the class "mask" ("a shot in the dark") hides the words and one-word rules inside it.
    """

    def __init__(self, nlp: Language, name: str) -> None:  # noqa: ARG002 - spaCy hands both to a factory
        rules = ruleset.read()
        patterns = _Patterns(nlp)
        self.matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        self.rules: dict[int, PhraseRule] = {}
        self.words: dict[int, str] = {}
        for number, rule in enumerate(rules.phrases):
            key = f"rule {number}"
            self.matcher.add(key, patterns.of(rule.phrases))
            self.rules[nlp.vocab.strings[key]] = rule
        for word, listed in rules.words.items():
            key = f"word {word}"
            self.matcher.add(key, patterns.of(listed))
            self.words[nlp.vocab.strings[key]] = word

    def __call__(self, doc: Doc) -> Doc:
        findings = doc._.findings
        starts = [start for start, _ in findings.sentences]
        matches: list[tuple[int, int, int]] = self.matcher(doc)
        masked: set[int] = set()
        for key, start, end in matches:
            if self.words.get(key) == "mask":
                masked.update(range(start, end))
        for key, start, end in matches:
            hidden = end - 1 in masked
            rule = self.rules.get(key)
            if rule is not None:
                if not hidden:
                    findings.hits.append(Hit(rule.label, rule.name, rule.weight, start, end))
                continue
            word = self.words[key]
            if not hidden or word in {"staff", "mask", "grievance"}:
                findings.mentions.append(Mention(word, start, end, bisect_right(starts, start) - 1))
        doc.spans["evidence"] = [Span(doc, h.start, h.end, label=h.label) for h in findings.hits]
        return doc
