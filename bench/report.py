"""What a bench hands back, and how it is printed: Markdown tables that docs/performance.md takes as they are."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

PACKAGES = ("aiosmtpd", "sqlalchemy", "sqlmodel", "psycopg", "apscheduler", "aiosmtplib", "spacy", "typer")


@dataclass(frozen=True)
class Table:
    """One table of figures. `facts` holds the same figures for programs: plain JSON values by name."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        head = [f"### {self.title}", "", _line(self.columns), "|" + "---|" * len(self.columns)]
        return "\n".join([*head, *map(_line, self.rows), *(["", self.note] if self.note else [])]) + "\n"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def spread(values: Sequence[float], digits: int = 0) -> str:
    """`median [least..most]`"""
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} [{low:.{digits}f}..{high:.{digits}f}]"


def machine() -> Table:
    """The machine, the versions, and what its disk does with an fsync just now."""
    rows = [
        ("processors", f"{os.cpu_count()}, {_cpu()}"),
        ("load before", ", ".join(f"{one:.2f}" for one in os.getloadavg())),
        ("system", platform.platform()),
        ("Python, SQLite", f"{platform.python_version()}, {sqlite3.sqlite_version}"),
        ("packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)),
        ("4 KB append + fdatasync", f"{_fdatasyncs():.0f} a second"),
    ]
    return Table("The machine", ("what", "value"), tuple(rows), facts=dict(rows))


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _fdatasyncs(times: int = 200) -> float:
    with tempfile.TemporaryFile(buffering=0) as file:
        begun = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        return times / (time.perf_counter() - begun)
