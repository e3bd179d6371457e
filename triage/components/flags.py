"""Flags: rule hits, less what is only reported or quoted, plus what the letter's frame shows."""

from __future__ import annotations

import re

from spacy.language import Language
from spacy.tokens import Doc

from procedure.words import Flag, Topic
from triage.findings import Findings, Hit

FLAG_AT = 0.5
_NOBODY = re.compile(
    r"^(?:web visitor|visitor|no name|unknown|anon\w*|a?\s*(?:concerned )?(?:parent|colleague|friend|mum|dad)"
    r"(?: at the school)?|me|\w|guest|website)?$",
    re.IGNORECASE,
)
_FOR_OTHERS = re.compile(
    r"\b(?:solicitors?|llp|mp|cllr|councillor|advocate|advocacy|legal|law centre|chambers)\b", re.IGNORECASE
)
_KIN = re.compile(
    r"\b(?:mum|mam|dad|mother|father|nan|gran|grandad|grandma|carer) (?:of|to) [A-Z]"
    r"|\b\w+'?s (?:mum|mam|dad|nan|gran)\b"
    r"|\bmy name is\b|\bname:\s*\S",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"^[\W_]*(?:[A-Z][\w'.-]*(?:\s+|,\s*|$)){1,4}(?:\(.*\))?\W*$")


@Language.factory("triage_flags")
class Flags:
    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        findings: Findings = doc._.findings
        findings.hits = [h for h in findings.hits if not _only_reported(doc, h)]
        doc.spans["evidence"] = [s for s in doc.spans["evidence"] if _kept(findings, s.start, s.label_)]
        flags = {flag for flag in Flag if findings.score(f"flag:{flag.value}") >= FLAG_AT}
        if Flag.IMMEDIATE_RISK in flags and not findings.screen:
            flags.discard(Flag.IMMEDIATE_RISK)
            findings.unsure.add("flags")
        if Flag.FLUENCY_ACCENT_ONLY in flags and (
            Topic.FLUENCY not in findings.topics or findings.score("substance") >= FLAG_AT
        ):
            flags.discard(Flag.FLUENCY_ACCENT_ONLY)
        flags |= self._from_frame(doc, findings)
        findings.flags = tuple(flag for flag in Flag if flag in flags)
        return doc

    @staticmethod
    def _from_frame(doc: Doc, findings: Findings) -> set[Flag]:
        about = doc._.about
        if about.channel == "phone" or Topic.NOT_COMPLAINT in findings.topics:
            return set()
        found: set[Flag] = set()
        if _FOR_OTHERS.search(about.from_name):
            found.add(Flag.ON_BEHALF)
        if (about.from_name or about.from_addr or about.channel in {"chat", "web_form"}) and not _named(doc):
            found.add(Flag.ANONYMOUS)
            findings.unsure.add("flags")
        return found


def _kept(findings: Findings, start: int, label: str) -> bool:
    return any(h.start == start and h.label == label for h in findings.hits)


def _named(doc: Doc) -> bool:
    """Whether anything identifies the writer: a display name, a signature line, "mum of Kit"."""
    name = doc._.about.from_name.strip()
    if not _NOBODY.match(name):
        return True
    body = doc.text[doc._.about.subject_length :].strip()
    lines = body.splitlines()
    last = lines[-1].strip() if lines else ""
    tail = re.split(r"[.!?]\s+", last)[-1]
    signed = len(lines) + len(re.split(r"[.!?]\s+", last)) > 2 and _SIGNED.match(tail) is not None
    return signed or _KIN.search(body) is not None


def _only_reported(doc: Doc, hit: Hit) -> bool:
    """Threats and insults that the letter only tells of, and difficulties that are a child's."""
    if hit.label not in {"flag:threat", "flag:abuse", "flag:communication_difficulty"}:
        return False
    findings: Findings = doc._.findings
    start, _ = next(((a, b) for a, b in findings.sentences if a <= hit.start < b), (0, len(doc)))
    before = doc[start : hit.start].text.lower()
    mentions = [m for m in findings.mentions if start <= m.start < hit.start]
    if hit.label == "flag:communication_difficulty":
        return any(m.word == "child" and hit.start - m.end <= 6 for m in mentions)
    if before.count('"') % 2:
        return True
    if any(m.word in {"reported", "peer"} for m in mentions):
        return True
    # "He called my daughter a ...": the insult is what is complained of.
    return hit.label == "flag:abuse" and re.search(r"\bcall(?:ed|s|ing)?\b[^.]{0,40}$", before) is not None
