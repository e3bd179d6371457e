"""Long texts in passages: cut at paragraphs, judged apart, put together without losing a sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from procedure.words import Flag, Judgement, Request, Target, Topic

T = TypeVar("T")

#: Characters of a passage: some 3,000 words. Bounds memory, whatever the length of the letter.
PASSAGE = 16_000
#: Characters read at most; what lies behind is not judged, and a person is told so (`unsure`, `screen`).
READ = 4_000_000
FIELDS = ("flags", "incident_date", "request", "target", "topics")


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Passages [start:end] that cover the first READ characters, each cut where a paragraph, line or word ends."""
    start, stop = 0, min(len(text), READ)
    while start < stop:
        end = min(start + PASSAGE, stop)
        if end < stop:
            end = _break(text, start + PASSAGE // 2, end)
        yield start, end
        start = end
    if not text:
        yield 0, 0


def _break(text: str, earliest: int, latest: int) -> int:
    for mark in ("\n\n", "\n", ". ", " "):
        place = text.rfind(mark, earliest, latest)
        if place >= 0:
            return place + len(mark)
    return latest


def together(parts: Sequence[Judgement]) -> Judgement:
    """One judgement of the passages of one letter: signs add up.

    Target and request come from the first passage that has one.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    topics = _topics(parts)
    target = _first_said((p.target for p in parts), Target.SCHOOL, Target.NONE)
    request = _first_said((p.request for p in parts), Request.INFORMAL, Request.NONE)
    flags = {flag for part in parts for flag in part.flags}
    if any(Flag.ANONYMOUS not in part.flags for part in parts):
        flags.discard(Flag.ANONYMOUS)
    days = [p.incident_date for p in parts if p.incident_date]
    unsure = {name for part in parts for name in part.unsure} | ({"incident_date"} if len(set(days)) > 1 else set())
    labels = {topic for part in parts for topic in part.scores}
    return replace(
        first,
        topics=topics,
        target=target,
        request=request,
        flags=tuple(flag for flag in Flag if flag in flags),
        incident_date=days[0] if days else None,
        screen=any(part.screen for part in parts),
        scores={label: max(part.scores.get(label, 0.0) for part in parts) for label in sorted(labels)},
        confidence=min(part.confidence for part in parts),
        unsure=tuple(sorted(unsure)),
        evidence=tuple(piece for part in parts for piece in part.evidence),
    )


def _topics(parts: Sequence[Judgement]) -> tuple[Topic, ...]:
    found = dict.fromkeys(topic for part in parts for topic in part.topics)
    real = [topic for topic in found if topic is not Topic.NOT_COMPLAINT]
    # A passage without any sign says "general" for want of better: it does not count beside one with signs.
    said = [t for t in real if t is not Topic.GENERAL or any(_meant(p) for p in parts)]
    return tuple(said or real or found)


def _meant(part: Judgement) -> bool:
    return Topic.GENERAL in part.topics and part.scores.get(Topic.GENERAL.value, 0.0) >= 0.5


def _first_said(values: Iterable[T], *empty: T) -> T:
    listed = list(values)
    return next((value for value in listed if value not in empty), next(v for v in listed))
