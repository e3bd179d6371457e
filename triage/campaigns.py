"""Campaigns: letters of different senders made from one template, found by near-duplicate sketches (L322-326).

Pure: no clock, no database. A sketch is a MinHash over three-word shingles of the letter's own words (greeting,
signature, disclaimers and form labels dropped). It only suggests; a person confirms. Letters that say the same in
words of their own are not found here.

Every shingle is hashed by blake2b to 64 bits and mixed once a permutation by a full 64-bit finaliser: weak mixing
(small multipliers modulo a large prime) lost a seventh of the pairs when it was measured.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Stored with each sketch; sketches of different schemes are never compared.
SCHEME = "minhash-1"
PERMUTATIONS = 128
BANDS, ROWS = 64, 2
SHINGLE = 3
#: A shorter letter never forms a campaign.
LEAST_WORDS = 20
#: Estimated Jaccard of two letters of one template. At .06 two campaigns with opposed demands merge (measured).
SIMILAR = 0.12
#: Letters of different senders, this one included, that make a campaign visible.
VISIBLE_AT = 4
WITHIN = timedelta(weeks=8)

_SEEDS: NDArray[np.uint64] = np.array(
    [int.from_bytes(blake2b(f"duly {i}".encode(), digest_size=8).digest(), "big") for i in range(PERMUTATIONS)],
    dtype=np.uint64,
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_GREETING = re.compile(
    r"^\W*(?:dear|hi|hello|hiya|good (?:morning|afternoon|evening)|to whom|fao|attn)\b", re.IGNORECASE
)
_CLOSING = re.compile(
    r"^\W*(?:(?:kind|best|warm|many|kindest|warmest)\s+(?:regards|wishes|thanks)|regards|yours\b.{0,14}"
    r"|sincerely|thanks|thank you|sent from my\b.*|--)\W*$",
    re.IGNORECASE,
)
_WRAPPER = re.compile(
    r"intended (?:solely|only)|intended recipient|this e-?mail (?:and|is|may)|disclaimer|views expressed|virus"
    r"|consider the environment|registered in (?:england|scotland|wales)|registered (?:office|charity)"
    r"|sent (?:via|through|from) (?:the|our|my)|unsubscribe|view (?:this|in) (?:email|browser)|^[-_=*\s]+$",
    re.IGNORECASE,
)
_FORM_LABEL = re.compile(r"^\s*[A-Z][\w /'-]{1,30}:\s*")


@dataclass(frozen=True)
class Sketch:
    """What a letter looks like. `signature` holds 128 numbers of 32 bits; empty where there is nothing to compare."""

    words: int
    signature: tuple[int, ...]
    scheme: str = SCHEME

    def as_json(self) -> dict[str, Any]:
        """A JSON value for keeping; `from_json` reads it back."""
        packed = np.array(self.signature, dtype="<u4").tobytes()
        return {"scheme": self.scheme, "words": self.words, "signature": base64.b64encode(packed).decode()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sketch:
        packed = np.frombuffer(base64.b64decode(value["signature"]), dtype="<u4")
        return cls(int(value["words"]), tuple(int(n) for n in packed), str(value["scheme"]))

    @property
    def bands(self) -> tuple[int, ...]:
        """Keys for an index: letters that share one may be alike (64 bands of 2 rows; signed 64-bit numbers)."""
        rows = [self.signature[i : i + ROWS] for i in range(0, len(self.signature), ROWS)]
        return tuple(
            int.from_bytes(blake2b(f"{band} {row}".encode(), digest_size=8).digest(), "big", signed=True)
            for band, row in enumerate(rows)
        )

    def likeness(self, other: Sketch) -> float:
        """Estimated Jaccard of the two letters' shingles, 0 to 1; 0 between schemes."""
        if self.scheme != other.scheme or not self.signature or not other.signature:
            return 0.0
        same = sum(a == b for a, b in zip(self.signature, other.signature, strict=True))
        return same / PERMUTATIONS


@dataclass(frozen=True)
class Seen:
    """A letter received before: its row, case, sender's address, time (aware), sketch, and campaign if in one."""

    letter_id: int
    reference: str | None
    sender: str
    sent: datetime
    sketch: Sketch
    campaign: str | None = None


@dataclass(frozen=True)
class Joined:
    """A campaign that a letter seems to belong to. `members` are the earlier letters, oldest first."""

    campaign: str
    members: tuple[Seen, ...]
    #: Mean likeness to the members, 0 to 1.
    score: float
    evidence: str


def sketch(text: str) -> Sketch:
    """The sketch of a letter's text. Any text has one; a short one joins nothing."""
    words = [word.lower() for line in _own_lines(text) for word in _WORD.findall(line.replace("’", "'"))]
    shingles = {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}
    if not shingles:
        return Sketch(len(words), ())
    hashes = np.frombuffer(
        b"".join(blake2b(s.encode("utf-8", "surrogatepass"), digest_size=8).digest() for s in sorted(shingles)),
        dtype=np.uint64,
    )
    return Sketch(len(words), tuple(int(n) for n in _least(hashes)))


def join(
    own: Sketch,
    sent: datetime,
    sender: str,
    recent: Sequence[Seen],
    *,
    visible_at: int = VISIBLE_AT,
    similar: float = SIMILAR,
    within: timedelta = WITHIN,
) -> Joined | None:
    """The campaign this letter seems to belong to, or None. `sent` is aware; `sender` an address.

    Visible when `visible_at` different senders (this one included) wrote alike within the time; one sender's
    repeats count once, and letters without a sender's address count together as one sender.
    """
    if own.words < LEAST_WORDS or not own.signature:
        return None
    writer = sender.strip().lower()
    near = [
        (seen, likeness)
        for seen in recent
        if seen.sketch.words >= LEAST_WORDS
        and abs(sent - seen.sent) <= within
        and (likeness := own.likeness(seen.sketch)) >= similar
    ]
    others = {seen.sender.strip().lower() for seen, _ in near} - {writer}
    if len(others) + 1 < visible_at:
        return None
    members = tuple(sorted((seen for seen, _ in near), key=lambda seen: (seen.sent, seen.letter_id)))
    score = sum(likeness for _, likeness in near) / len(near)
    return Joined(_name(members), members, round(score, 3), _why(members, others, score))


def _name(members: Sequence[Seen]) -> str:
    """The campaign most members are in already; else a new name, after the oldest letter."""
    known = Counter(seen.campaign for seen in members if seen.campaign)
    if known:
        return min(known, key=lambda name: (-known[name], name))
    return f"campaign-{min(seen.letter_id for seen in members)}"


def _why(members: Sequence[Seen], others: set[str], score: float) -> str:
    first = members[0].sent.date().isoformat()
    return (
        f"{len(members)} earlier letters of {len(others)} other senders since {first} share its wording "
        f"(about {score:.0%} of the three-word phrases)."
    )


def _own_lines(text: str) -> Iterator[str]:
    """The lines the letter itself consists of; what follows a closing formula near the end is signature."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if _CLOSING.match(line) and len(lines) - number <= 12:
            return
        short = len(line.split()) <= 8
        if (short and _GREETING.match(line)) or _WRAPPER.search(line):
            continue
        yield _FORM_LABEL.sub("", line)


def _least(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The least mixed hash a permutation, its upper 32 bits. In slices: a long letter must not fill memory."""
    least = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(hashes), 4096):
        mixed = hashes[start : start + 4096, None] ^ _SEEDS[None, :]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        least = np.minimum(least, (mixed ^ (mixed >> np.uint64(31))).min(axis=0))
    return least >> np.uint64(32)
