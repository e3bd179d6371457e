"""Sentences: at full stops, and at line ends, since forms, notes and chat have no full stops."""

from __future__ import annotations

from spacy.language import Language
from spacy.tokens import Doc

from triage.findings import Findings

_STOPS = frozenset(".!?…")
_CLOSING = frozenset("\"')")


@Language.factory("triage_sentences")
class Sentences:
    """First in the line: starts the findings of a letter afresh and fills their sentences."""

    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        doc._.findings = Findings()
        begins, ended = True, False
        starts: list[int] = []
        for token in doc:
            text = token.text
            if begins or (ended and text not in _CLOSING and text[0] not in _STOPS):
                starts.append(token.i)
                begins = ended = False
            if "\n" in text:
                begins = True
            elif text[-1] in _STOPS and (len(text) == 1 or text[0] in _STOPS):
                ended = True
        doc._.findings.sentences = list(zip(starts, [*starts[1:], len(doc)], strict=True))
        return doc
