"""A clock that stands where it is put, and can be let run from there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class MovingClock:
    """Tells a moment of the demo's choosing (UTC)."""

    def __init__(self, start: datetime) -> None:
        self._base = start.astimezone(UTC)
        self._since: float | None = None

    def __call__(self) -> datetime:
        if self._since is None:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def move_to(self, moment: datetime) -> None:
        """Move forward to a moment; a moment that is past moves nothing."""
        self._base = max(self._base, moment.astimezone(UTC))

    def run(self) -> None:
        """Go on at the machine's own pace."""
        self._since = time.monotonic()
