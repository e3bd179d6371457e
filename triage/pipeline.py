"""The spaCy pipeline of the first triage: blank English and our own components, rules only.

A trained model comes in between `triage_near` and `triage_topics` and adds hits of source "model"; nothing after
them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

#: In this order; each reads what those before it found.
COMPONENTS = (
    "triage_sentences",
    "triage_phrases",
    "triage_near",
    "triage_dates",
    "triage_topics",
    "triage_flags",
    "triage_target",
    "triage_request",
    "triage_decide",
)


def load() -> Language:
    """A spaCy Language whose Docs carry `doc.spans["evidence"]`, `doc.spans["dates"]`, `doc.cats`, `Doc._.judgement`.

    `Doc._.about` (triage.findings.About) says what is known besides the text; without it nothing is known.
    Raises triage.ruleset.RuleError for a rule file that cannot be read.
    """
    import spacy
    from spacy.tokens import Doc

    from triage.components import dates, decide, flags, near, phrases, request, sentences, target, topics
    from triage.findings import About

    _ = dates, decide, flags, near, phrases, request, sentences, target, topics  # importing registers them
    Doc.set_extension("about", default=About(), force=True)
    Doc.set_extension("findings", default=None, force=True)
    Doc.set_extension("judgement", default=None, force=True)
    nlp = spacy.blank("en")
    nlp.max_length = 10_000_000  # passages are cut before this (triage.passages)
    for component in COMPONENTS:
        nlp.add_pipe(component)
    return nlp
