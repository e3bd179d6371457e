"""The hash chain of a history: each entry names the one before, so that no entry can be changed unseen.

An entry's hash covers the digest of its facts, not the facts: an erasure may blank them and the chain still holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.types import canonical


@dataclass(frozen=True)
class Link:
    """An entry as it is stored; `facts` is None where they were erased."""

    seq: int
    kind: str
    at: datetime
    by: str
    facts: Mapping[str, Any] | None
    facts_digest: str
    prev_hash: str
    hash: str


def genesis(school_id: str, reference: str) -> str:
    """What the first entry of a case names as the one before it: the case itself."""
    return _sha256(canonical([school_id, reference]))


def digest_of(facts: Mapping[str, Any]) -> str:
    return _sha256(canonical(facts))


def hash_of(prev_hash: str, seq: int, kind: str, at: datetime, by: str, facts_digest: str) -> str:
    """The hash of an entry, over everything that it says."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return _sha256(canonical([prev_hash, seq, kind, moment, by, facts_digest]))


def forge(prev_hash: str, seq: int, kind: str, at: datetime, by: str, facts: Mapping[str, Any]) -> Link:
    """The next link after the one with that hash."""
    digest = digest_of(facts)
    return Link(seq, kind, at, by, facts, digest, prev_hash, hash_of(prev_hash, seq, kind, at, by, digest))


def breaks(school_id: str, reference: str, links: Sequence[Link]) -> list[str]:
    """A sentence for each place where the chain does not hold; none when it holds."""
    found = []
    before = genesis(school_id, reference)
    for expected, link in enumerate(links, start=1):
        if link.seq != expected:
            found.append(f"{reference}: entry {expected} is missing; entry {link.seq} stands in its place")
            break
        if link.prev_hash != before:
            found.append(f"{reference}: the chain breaks before entry {link.seq}")
        if link.facts is not None and digest_of(link.facts) != link.facts_digest:
            found.append(f"{reference}: the facts of entry {link.seq} were changed")
        if link.hash != hash_of(link.prev_hash, link.seq, link.kind, link.at, link.by, link.facts_digest):
            found.append(f"{reference}: entry {link.seq} was changed")
        before = link.hash
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
