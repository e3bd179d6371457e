"""What the components of the pipeline hand to one another on a Doc."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from procedure.words import Evidence, Flag, Request, Target, Topic


@dataclass(frozen=True)
class About:
    """What is known of a letter besides its text. `sent` is a day in Europe/London, or not known."""

    sent: date | None = None
    channel: str = "email"
    from_name: str = ""
    from_addr: str = ""
    #: Characters of the subject at the start of the text; after them stands a blank line.
    subject_length: int = 0


@dataclass(frozen=True)
class Hit:
    """A rule that fired on the tokens [start:end]."""

    label: str
    name: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True)
class Mention:
    """A word of a class (see rules/words.toml) on the tokens [start:end] of sentence number `sentence`."""

    word: str
    start: int
    end: int
    sentence: int


@dataclass(frozen=True)
class DateFound:
    """A day named in the text [start:end] (characters), and how well it fits as the day of the incident."""

    day: date
    start: int
    end: int
    score: float


@dataclass
class Findings:
    """Filled component by component; `decide` makes the Judgement of it."""

    hits: list[Hit] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    dates: list[DateFound] = field(default_factory=list)
    topics: tuple[Topic, ...] = ()
    screen: bool = False
    target: Target = Target.NONE
    request: Request = Request.NONE
    flags: tuple[Flag, ...] = ()
    incident_date: date | None = None
    unsure: set[str] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)

    def score(self, label: str) -> float:
        """Chance that the label is right: one minus the chance that every rule that fired is wrong."""
        miss = 1.0
        seen: set[str] = set()
        for hit in self.hits:
            if hit.label == label and hit.name not in seen:
                seen.add(hit.name)
                miss *= 1.0 - hit.weight
        return 1.0 - miss

    def words(self, *classes: str) -> list[Mention]:
        return [m for m in self.mentions if m.word in classes]
