"""The rules as data: TOML files in `rules/`, expanded to literal phrases.

A file holds `[words]` (classes: name -> phrases), `[[phrase]]` (label, name, weight, phrases) and `[[near]]`
(label, name, weight, all, none, span, ordered, unnegated, scope). Notation inside a phrase: `(a|b)` alternatives
(one may be empty), `[x y]` optional. `all` names one class a place, alternatives by `|`. A label is a topic, or
"screen", "flag:<flag>", "request:<step>", or a helper's name that only the components read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "rules"
#: Bump with every change of meaning: it is stored with each judgement.
VERSION = "rules-1"
_GROUP = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")


class RuleError(ValueError):
    """A rule file that cannot be read: the file, the rule, what is wrong."""


@dataclass(frozen=True)
class PhraseRule:
    label: str
    name: str
    weight: float
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class NearRule:
    """Classes that stand near each other: in one sentence within `span` tokens, or anywhere in the letter."""

    label: str
    name: str
    weight: float
    all: tuple[tuple[str, ...], ...]
    none: tuple[str, ...] = ()
    span: int = 12
    ordered: bool = False
    unnegated: bool = False
    scope: str = "sentence"


@dataclass(frozen=True)
class Rules:
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    phrases: tuple[PhraseRule, ...] = ()
    near: tuple[NearRule, ...] = ()


def expand(phrase: str) -> Iterator[str]:
    """All literal phrases of a notation; the innermost group first, spaces collapsed."""
    group = _GROUP.search(phrase)
    if group is None:
        yield " ".join(phrase.split())
        return
    choices = ["", group[2]] if group[1] is None else group[1].split("|")
    for choice in choices:
        yield from expand(phrase[: group.start()] + choice + phrase[group.end() :])


def spellings(phrase: str) -> Iterator[str]:
    """The phrase, and as people type it without apostrophes."""
    for literal in expand(phrase):
        yield literal
        if "'" in literal:
            yield literal.replace("'", "")


@cache
def read(folder: Path = FOLDER) -> Rules:
    """All rule files of a folder. Raises RuleError with file and rule."""
    words: dict[str, list[str]] = {}
    phrases: list[PhraseRule] = []
    near: list[NearRule] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise RuleError(f"{path.name} is not TOML: {error}. Correct the line it names.") from error
        for name, listed in table.get("words", {}).items():
            words.setdefault(name, []).extend(p for written in listed for p in spellings(written))
        phrases += [_phrase_rule(path.name, rule) for rule in table.get("phrase", [])]
        near += [_near_rule(path.name, rule) for rule in table.get("near", [])]
    found = Rules({k: tuple(dict.fromkeys(v)) for k, v in words.items()}, tuple(phrases), tuple(near))
    _check(found)
    return found


def _phrase_rule(source: str, rule: Mapping[str, Any]) -> PhraseRule:
    try:
        literals = tuple(dict.fromkeys(p for written in rule["phrases"] for p in spellings(written)))
        return PhraseRule(rule["label"], rule["name"], float(rule["weight"]), literals)
    except KeyError as error:
        raise RuleError(f"{source}: the phrase rule {rule.get('name', '?')!r} lacks {error}; add it.") from error


def _near_rule(source: str, rule: Mapping[str, Any]) -> NearRule:
    try:
        places = tuple(tuple(place.split("|")) for place in rule["all"])
        return NearRule(
            rule["label"],
            rule["name"],
            float(rule["weight"]),
            places,
            tuple(rule.get("none", ())),
            int(rule.get("span", 12)),
            bool(rule.get("ordered", False)),
            bool(rule.get("unnegated", False)),
            str(rule.get("scope", "sentence")),
        )
    except KeyError as error:
        raise RuleError(f"{source}: the near rule {rule.get('name', '?')!r} lacks {error}; add it.") from error


def _check(rules: Rules) -> None:
    for rule in rules.near:
        for name in (*(n for place in rule.all for n in place), *rule.none):
            if name not in rules.words:
                raise RuleError(f"The near rule {rule.name!r} names the class {name!r}, which no [words] defines.")
