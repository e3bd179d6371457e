"""How plain a letter is: an approximate reading age, and what makes it hard (policy L53, "simple to understand").

The age is the Flesch-Kincaid grade (Kincaid and others, 1975: sentence length and syllables) plus five, the
usual step from a US grade to an age. It ranks drafts well enough to catch a hard sentence; it is no promise
about one reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: About the age for which public letters are written.
READING_AGE = 14.0
LONGEST_SENTENCE = 25  # words
LONGEST_LETTER = 250  # words
_GRADE_TO_AGE = 5

_NOT_PROSE = re.compile(r"https?://\S+|\S+@\S+|\b[A-Z]{2,4}-\d{4}-\d{4,9}-\d\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d[\d.,:]*")
_SENTENCE_END = re.compile(r"[.!?:](?=\s|$)|\n\s*\n|\n(?=\s*[-•]\s)")
_ABBREVIATION = re.compile(r"\b(Mr|Mrs|Ms|Miss|Mx|Dr|Rev|St|e\.g|i\.e|[A-Z])\.")
#: What belongs to the machine: limit names, policy lines, commands, stage keys, template marks, digests.
_CODE = re.compile(
    r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b|\bL\d{1,3}\b|\bstage[1-4]\b|\bduly\s[a-z]+|\{[{%]|[%}]\}|\b[0-9a-f]{12,}\b"
)


@dataclass(frozen=True)
class Measure:
    """Counts of a text; `reading_age` in years, 0.0 where there are no words."""

    words: int
    sentences: int
    longest_sentence: int  # words
    reading_age: float


def measure(text: str) -> Measure:
    """Measure the prose of a text: web and mail addresses and case numbers are left out."""
    sentences = [words for part in _sentences(text) if (words := _WORD.findall(part))]
    total = sum(len(words) for words in sentences)
    if not total:
        return Measure(0, 0, 0, 0.0)
    spoken = sum(syllables(word) for words in sentences for word in words)
    grade = 0.39 * total / len(sentences) + 11.8 * spoken / total - 15.59
    longest = max(len(words) for words in sentences)
    return Measure(total, len(sentences), longest, round(max(grade + _GRADE_TO_AGE, 0.0), 1))


def problems(text: str) -> tuple[str, ...]:
    """What keeps a letter from being plain, a sentence each; nothing when it is plain."""
    found = measure(text)
    out = []
    if found.reading_age > READING_AGE:
        out.append(f"The reading age is {found.reading_age}; keep it at or below {READING_AGE}.")
    if found.words > LONGEST_LETTER:
        out.append(f"The letter has {found.words} words; keep it at or below {LONGEST_LETTER}.")
    for part in _sentences(text):
        count = len(_WORD.findall(part))
        if count > LONGEST_SENTENCE:
            out.append(f"A sentence of {count} words is too long: {' '.join(part.split())[:60]!r}.")
    codes = dict.fromkeys(_CODE.findall(re.sub(r"https?://\S+|\S+@\S+", " ", text)))
    out.extend(f"{code!r} is an internal code; say it in words." for code in codes)
    return tuple(out)


def syllables(word: str) -> int:
    """Syllables of an English word, by its groups of vowels; at least one. A number counts as one."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", plain))
    silent_e = plain.endswith("e") and not re.search(r"[^aeiouy]le$", plain)
    silent_ed = plain.endswith("ed") and not re.search(r"[td]ed$", plain)
    silent_es = plain.endswith("es") and not re.search(r"([cgsxz]|sh|ch)es$", plain)
    return max(groups - (silent_e or silent_ed or silent_es), 1)


def _sentences(text: str) -> list[str]:
    prose = _ABBREVIATION.sub(r"\1", _NOT_PROSE.sub(" ", text))
    return _SENTENCE_END.split(prose)
