"""Text as written to text as judged, with the way back to the original offsets.

Letters hide words, on purpose or by accident of their editor: zero-width characters, soft hyphens, Cyrillic
letters that look Latin, full-width letters, combining marks. Rules must see through all of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: A longer run without a space is no word; it is blanked (same length), since tokenisers slow down on it.
LONGEST_WORD = 120
_LONG_RUN = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_WORD = re.compile(r"[^\W\d_]+")

#: Look-alikes of Latin letters, folded only in a word that also holds Latin letters.
_LOOKS_LATIN = str.maketrans(
    "асеорхуіјѕԁһӏАВЕКМНОРСТХУІЈЅοανικρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɡı",
    "aceopxyijsdhlABEKMHOPCTXYIJSoavikptuxABEZHIKMNOPTYXgi",
)
_PLAIN = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‛": "'",
        "ʼ": "'",
        "´": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "\u00a0": " ",
        "\u2028": "\n",
        "\u2029": "\n",
        "\r": "\n",
    }
)
#: The commonest words of English; a text in another tongue holds few of them.
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the a an and or but of to in on at is are was were be been it he she they we you i my our your his her their"
        " for with that this not no have has had do did does me him them who what when where which if so as by from"
        " about please can could will would there school child mr mrs miss dear thank thanks hi hello its am im u ur",
    )
)


@dataclass(frozen=True)
class Clean:
    """`text` is what is judged; `back[i]` is where its character i stood in the original (None: the same)."""

    text: str
    back: Sequence[int] | None
    #: Share of the characters that could not be read as words at all.
    blanked: float

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original text of a passage of the clean one."""
        if self.back is None or start >= end:
            return start, end
        return self.back[start], self.back[end - 1] + 1


def clean(original: str) -> Clean:
    """Fold look-alikes, drop what has no width, blank what is no word. Offsets stay recoverable."""
    text = original.translate(_PLAIN)
    back: Sequence[int] | None = None
    if not text.isascii():
        text, back = _visible(text)
        text = _WORD.sub(_fold_word, text)
    text = _CONTROL.sub(" ", text)
    unreadable = 0

    def blank(run: re.Match[str]) -> str:
        nonlocal unreadable
        if "://" not in run.group()[:12]:
            unreadable += len(run.group())
        return " " * len(run.group())

    text = _LONG_RUN.sub(blank, text)
    return Clean(text, back, unreadable / max(len(text), 1))


def _visible(text: str) -> tuple[str, list[int]]:
    kept: list[str] = []
    back: list[int] = []
    for place, char in enumerate(text):
        if char.isascii():
            kept.append(char)
            back.append(place)
            continue
        if unicodedata.category(char) in {"Cf", "Mn", "Cs", "Co", "Cn"}:
            continue
        folded = unicodedata.normalize("NFKD", char)
        folded = "".join(c for c in folded if unicodedata.category(c) != "Mn") or char
        kept.append(folded[0] if len(folded) == 1 else char)
        back.append(place)
    return "".join(kept), back


def _fold_word(word: re.Match[str]) -> str:
    letters = word.group()
    if letters.isascii():
        return letters
    folded = letters.translate(_LOOKS_LATIN)
    mixed = any(c.isascii() for c in letters)
    return folded if mixed or folded.lower() in _ENGLISH else letters


def unreadable(text: Clean) -> bool:
    """Nobody here could read it: another language, or no words at all. An empty text is readable."""
    words = [w.lower() for w in _WORD.findall(text.text[:20_000])]
    if text.blanked > 0.3:
        return True
    if not words:
        return sum(not c.isspace() for c in text.text) > 20
    common = sum(w in _ENGLISH for w in words) / len(words)
    return common < (0.04 if len(words) < 25 else 0.12) and len(words) >= 6
