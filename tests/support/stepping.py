"""Taking steps in a case of Southlands: the case grows by what people decide in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from procedure.deadlines import deadlines
from procedure.school import School
from procedure.steps import Possibility, advance, possible
from procedure.words import Case, Deadline, DeadlineState, Decision, Entry, NotAllowed, Stage, Target, Topic
from tests.support import matters

#: Where the notes of a complaint against staff are.
NOTES = {"notes": "paper: personnel file, head's office"}


class Matter:
    """A case of Southlands that people take steps in; its history grows by what they decide."""

    def __init__(self, entries: list[Entry], now: datetime, school: School | None = None) -> None:
        self.entries = entries
        self.now = now
        self.school = school or matters.school()

    @property
    def case(self) -> Case:
        return matters.case_of(self.entries)

    @property
    def last(self) -> Entry:
        return self.entries[-1]

    def step(self, name: str, who: str = "clerk", /, **facts: str) -> Decision:
        decision = self._advance(name, who, facts)
        self.entries = [*self.entries, *decision.entries]
        return decision

    def refused(self, name: str, who: str = "clerk", /, **facts: str) -> str:
        before = list(self.entries)
        with pytest.raises(NotAllowed) as answer:
            self._advance(name, who, facts)
        assert self.entries == before
        return str(answer.value)

    def wrong(self, name: str, who: str = "clerk", /, **facts: str) -> str:
        with pytest.raises(ValueError) as answer:
            self._advance(name, who, facts)
        return str(answer.value)

    def _advance(self, name: str, who: str, facts: Mapping[str, str]) -> Decision:
        person = self.school.person(who)
        assert person is not None
        rest = (matters.policy(), self.now, matters.calendar(), self.school)
        return advance(self.case, self.entries, name, facts, person, *rest)

    def possible(self, who: str = "clerk") -> dict[str, Possibility]:
        rest = (matters.policy(), self.now, matters.calendar(), self.school)
        found = possible(self.case, self.entries, matters.person(who), *rest)
        return {item.step.name: item for item in found}

    def due(self, name: str) -> date:
        return next(item.due for item in self._deadlines() if item.name == name)

    def state(self, name: str) -> DeadlineState:
        return next(item.state for item in self._deadlines() if item.name == name)

    def _deadlines(self) -> tuple[Deadline, ...]:
        return deadlines(self.entries, matters.policy(), matters.calendar())


def matter(
    stage: Stage = Stage.TWO,
    target: Target = Target.SCHOOL,
    *topics: Topic,
    flags: tuple[str, ...] = (),
    safeguarding: bool = False,
) -> Matter:
    """A case opened on Tuesday 2026-09-08; it is now Thursday 2026-09-10, eleven o'clock in London."""
    entries = matters.opening(stage, target, topics or (Topic.GENERAL,), flags, safeguarding=safeguarding)
    return Matter(entries, datetime(2026, 9, 10, 10, tzinfo=UTC))
