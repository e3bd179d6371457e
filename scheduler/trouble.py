"""How the log speaks of an error of ours: its kind and its place, never its words, which may hold a name."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any

import structlog

log = structlog.get_logger()


def where(error: BaseException) -> str:
    """The kind of the error and the line that raised it, e.g. "KeyError at nudging.py:61"."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}"


def report(event: str, error: BaseException, **facts: Any) -> None:
    """Log that something of ours failed; `facts` are keys, references and numbers."""
    log.error(event, error=where(error), **facts)
