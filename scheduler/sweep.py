"""The sweep: which deadlines are due a nudge, and giving each of them once.

It asks the store one question, whose cost follows what is due. What came due while the service was down is
answered by the same question. A deadline is read, decided about and kept in one transaction, so that of two
sweeps at once the second finds the nudge in the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from data.due import DueNudge, due
from data.store import Store
from scheduler.nudging import decide, in_hours
from scheduler.trouble import report

#: Deadlines asked for at once.
PAGE = 200
#: Deadlines decided about in one transaction: one commit for several, and nobody waits long for the store.
TOGETHER = 10
#: How long a deadline is left alone that could not be decided about, so that the others go on.
PUSH = timedelta(hours=1)


@dataclass
class Swept:
    """What a sweep did.

    Deadlines nudged, letters written, deadlines about which nothing was to be said, and those that could not
    be decided about.
    """

    nudged: int = 0
    letters: int = 0
    passed: int = 0
    failed: int = 0
    #: False when it is not the school's hours: what is due waits for them.
    awake: bool = True


@dataclass
class Sweep:
    """Sweeps one school; remembers which deadlines to leave alone for a while. One thread at a time."""

    store: Store
    _pushed: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def run(self, now: datetime) -> Swept:
        """Nudge what is due at `now` (UTC), in the school's hours; outside them nothing is asked.

        Raises only what the database raises when it cannot be reached.
        """
        swept = Swept(awake=in_hours(self.store.rulebook, now))
        self._pushed = {key: until for key, until in self._pushed.items() if until > now}
        while swept.awake:
            asked = PAGE + len(self._pushed)
            found = due(self.store.engine, self.store.school_id, now, asked)
            ripe = [one for one in found if (one.reference, one.key) not in self._pushed]
            for start in range(0, len(ripe), TOGETHER):
                self._nudge(ripe[start : start + TOGETHER], now, swept)
            if len(found) < asked:
                break
        return swept

    def _nudge(self, together: Sequence[DueNudge], now: datetime, swept: Swept) -> None:
        """Give these nudges in one transaction; one that fails takes none of the others with it."""
        told = Swept()
        with self.store.begin() as desk:
            for one in together:
                try:
                    with desk.savepoint():
                        entries = desk.history(one.reference)
                        decision = decide(one.reference, entries, one.key, self.store.rulebook, now)
                        if decision is not None:
                            desk.keep(decision, now)
                except Exception as error:  # noqa: BLE001 - whatever is wrong with a case, the others go on
                    report("deadline not nudged", error, case=one.reference, deadline=one.key)
                    told.failed += 1
                    self._push(one, now)
                    continue
                if decision is None:
                    told.passed += 1
                    self._push(one, now)
                else:
                    told.nudged += 1
                    told.letters += len(decision.letters)
        swept.nudged += told.nudged
        swept.letters += told.letters
        swept.passed += told.passed
        swept.failed += told.failed

    def _push(self, one: DueNudge, now: datetime) -> None:
        self._pushed[one.reference, one.key] = now + PUSH


def sweep(store: Store, now: datetime) -> Swept:
    """One sweep at `now` (UTC) that remembers nothing: for a command, a demo, a test."""
    return Sweep(store).run(now)
