"""Reading a TOML file strictly: every refusal is one sentence with file, line, table and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

E = TypeVar("E", bound=StrEnum)


def parse(text: str, source: str, error: type[ValueError]) -> Table:
    """The whole file as a table.

    Raises `error` when the text is not TOML, with the line where it stops being so.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise error(f"{source}: not a TOML file: {wrong}") from None
    return Table(data, source, error, text)


class Table:
    """One table of a file; each key is asked for by name, and `done` refuses the keys nobody asked for."""

    def __init__(self, data: dict[str, Any], where: str, error: type[ValueError], text: str = "") -> None:
        self._data = data
        self._where = where
        self._error = error
        self._text = text
        self._asked: set[str] = set()

    def refuse(self, sentence: str) -> ValueError:
        """The error to raise, with the place in front."""
        return self._error(f"{self._where}: {sentence}")

    def has(self, key: str) -> bool:
        return key in self._data

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(f"{key} must be text, not {value!r}")
        return value

    def texts(self, key: str, *, empty: bool = True) -> tuple[str, ...]:
        """A list of texts; a key that is not there is an empty list."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refuse(f"{key} must be a list of texts, not {value!r}")
        if not value and not empty:
            raise self.refuse(f"{key} must name at least one")
        if len(set(value)) < len(value):
            raise self.refuse(f"{key} names one thing twice: {', '.join(value)}")
        return tuple(value)

    def number(self, key: str, *, least: int) -> int:
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.refuse(f"{key} must be a whole number of at least {least}, not {value!r}")
        return value

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers, none negative."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(type(item) is int and item >= 0 for item in value):
            raise self.refuse(f"{key} must be a list of whole numbers, not {value!r}")
        return tuple(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.refuse(f"{key} must be true or false, not {value!r}")
        return value

    def day(self, key: str) -> date:
        value = self._get(key)
        if type(value) is not date:
            raise self.refuse(f"{key} must be a day such as 2026-09-07 without quotation marks, not {value!r}")
        return value

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A small table of texts, such as `{ letter = "acknowledgement" }`."""
        value = self._get(key, {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self.refuse(f'{key} must be a table such as {{ letter = "acknowledgement" }}, not {value!r}')
        return tuple(value.items())

    def one(self, key: str, kind: type[E]) -> E:
        return self._word(key, self.text(key), kind)

    def maybe(self, key: str, kind: type[E]) -> E | None:
        return self.one(key, kind) if key in self._data else None

    def many(self, key: str, kind: type[E], *, empty: bool = True) -> tuple[E, ...]:
        return tuple(self._word(key, item, kind) for item in self.texts(key, empty=empty))

    def tables(self, key: str, named: str) -> Iterator[Table]:
        """The tables `[[key]]`, each knowing its line; `named` is the key that a reader knows it by."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refuse(f"{key} must be written as [[{key}]] tables")
        lines = [n for n, line in enumerate(self._text.splitlines(), 1) if _heads(line, key)]
        for index, item in enumerate(value):
            # Tables written in another way than [[key]] are told by their number.
            line = f"line {lines[index]}" if len(lines) == len(value) else f"number {index + 1}"
            yield Table(item, f"{self._where}, {line}, {key} {item.get(named, '?')!s}", self._error)

    def done(self) -> None:
        """Refuse the keys that nobody asked for: a misspelt key must not be a setting silently lost."""
        unknown = sorted(self._data.keys() - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise self.refuse(f"unknown key {', '.join(unknown)}; known are {known}")

    def _get(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        value = self._data.get(key, default)
        if value is None:
            raise self.refuse(f"{key} is missing")
        return value

    def _word(self, key: str, value: str, kind: type[E]) -> E:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(kind)
            raise self.refuse(f"{key} does not know {value!r}; it knows {known}") from None


def _heads(line: str, key: str) -> bool:
    return line.split("#", maxsplit=1)[0].replace(" ", "").rstrip() == f"[[{key}]]"
