"""Which matter a letter belongs to: new, a reply, the same again, a robot's, a report on one of ours.

Two strangers' letters never join: a letter joins a case by a signed address or a Message-ID of ours (both
unguessable), or by reference *and* a sender who is known in that case. What almost fits goes to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from procedure import reference as references
from procedure.school import School
from procedure.words import Case, Envelope, Judgement, Message, Topic


class PlaceKind(StrEnum):
    NEW = "new"
    REPLY = "reply"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    UNPLACED = "unplaced"


@dataclass(frozen=True)
class Place:
    """Where a letter goes, and why in one sentence."""

    kind: PlaceKind
    reason: str
    reference: str | None = None
    duplicate_of: int | None = None
    #: Message-IDs of ours that did not arrive.
    failed_ids: tuple[str, ...] = ()


class Found(Protocol):
    """A letter or an outgoing letter that the memory knows."""

    @property
    def letter_id(self) -> int | None: ...
    @property
    def reference(self) -> str | None: ...


class Memory(Protocol):
    """What placing asks of the memory; the desk answers inside its transaction."""

    def find_content(self, message: Message) -> Found | None: ...
    def find_sent(self, message_ids: Collection[str]) -> Found | None: ...
    def find_received(self, message_ids: Collection[str]) -> Sequence[Found]: ...
    def matter(self, reference: str) -> Case | None: ...
    def correspondents(self, reference: str) -> frozenset[str]: ...


def place(
    message: Message,
    envelope: Envelope,
    judgement: Judgement,
    memory: Memory,
    school: School,
    secret: bytes,
) -> Place:
    """Decide where a letter goes. Never raises for anything a letter can hold."""
    same = memory.find_content(message)
    if same is not None:
        reason = f"the same letter as number {same.letter_id}"
        return Place(PlaceKind.DUPLICATE, reason, same.reference, same.letter_id)
    signed = _signed(message, envelope, school, secret)
    if message.is_bounce or message.kind in {"delayed", "dsn_success"}:
        return _bounce(message, memory, signed)
    if message.is_auto_reply or message.kind in {"mdn", "loop", "feedback_report"} or _own(message, school):
        return _automatic(message, judgement, signed)
    return _reply(message, memory, school, signed)


def _signed(message: Message, envelope: Envelope, school: School, secret: bytes) -> str | None:
    """The case named by a signed address of ours among the recipients."""
    for addr in (*envelope.rcpt_to, *(a.addr for a in (*message.to, *message.cc))):
        found = references.read_reply_address(addr, school.prefix, secret)
        if found is not None:
            return found
    return None


def _own(message: Message, school: School) -> bool:
    """Our own letter come back: answering it would be a duel with ourselves."""
    own = {address.lower() for address in (*school.addresses, school.sender)}
    return message.sender is not None and message.sender.addr.lower() in own


def _bounce(message: Message, memory: Memory, signed: str | None) -> Place:
    ids = (*message.reported_ids, *message.in_reply_to, *message.references)
    sent = memory.find_sent(ids) if ids else None
    reference = (sent.reference if sent else None) or signed
    failed = ids if message.is_bounce and not message.bounce_temporary else ()
    return Place(PlaceKind.BOUNCE, f"a delivery report ({message.kind})", reference, failed_ids=failed)


def _automatic(message: Message, judgement: Judgement, signed: str | None) -> Place:
    """A robot's letter opens and feeds nothing, unless it speaks of a child at risk: then a person looks."""
    if Topic.SAFEGUARDING in judgement.topics:
        reason = "an automatic answer by its form, yet it speaks of a child at risk"
        return Place(PlaceKind.UNPLACED, reason, signed)
    return Place(PlaceKind.AUTOMATIC, f"an automatic letter ({message.kind})", signed)


def _reply(message: Message, memory: Memory, school: School, signed: str | None) -> Place:
    if signed is not None and memory.matter(signed) is not None:
        return Place(PlaceKind.REPLY, "it came to the signed address of the case", signed)
    threads = (*message.in_reply_to, *reversed(message.references))
    sent = memory.find_sent(threads) if threads else None
    if sent is not None and sent.reference is not None:
        return Place(PlaceKind.REPLY, "it answers a letter of ours", sent.reference)
    named = [r for r in references.find(message.subject, school.prefix) if memory.matter(r) is not None]
    earlier = [f.reference for f in memory.find_received(threads) if f.reference] if threads else []
    candidates = list(dict.fromkeys([*named, *earlier]))
    sender = message.sender.addr.lower() if message.sender else ""
    known = [r for r in candidates if sender and sender in memory.correspondents(r)]
    if len(known) == 1:
        reason = "it names the case or answers a letter in it, and its sender is known there"
        return Place(PlaceKind.REPLY, reason, known[0])
    if known:
        return Place(PlaceKind.UNPLACED, f"it names several cases of its sender: {', '.join(known)}", None)
    if candidates:
        return Place(PlaceKind.UNPLACED, f"it names {candidates[0]}, where its sender is not known", None)
    return Place(PlaceKind.NEW, "it names no case")
