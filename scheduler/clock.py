"""The clock: a few recurring ticks, and nothing else. What a tick does stands in the store, not in a job.

APScheduler keeps its jobs in memory. A deadline as a job would be lost when the service was down as it came
due; a tick that is late only asks its question later (`misfire_grace_time=None`, `coalesce=True`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from data.store import Store
from scheduler.housekeeping import Housekeeping
from scheduler.post import Post
from scheduler.sweep import Sweep
from scheduler.trouble import report

log = structlog.get_logger()

POST_EVERY = timedelta(seconds=1)
SWEEP_EVERY = timedelta(seconds=30)
DRAIN = 4.0  # seconds; the supervisor allows five


class Leads(Protocol):
    """Who says whether this service lets time pass, where several share one database."""

    def try_lead(self) -> bool: ...
    def release(self) -> None: ...


class Alone:
    """One service, which always leads."""

    def try_lead(self) -> bool:
        return True

    def release(self) -> None:
        """Nobody waits to lead."""


class Clockwork:
    """Runs post, sweep and housekeeping of one school at their intervals, each in one thread at a time.

    `clock` gives the time that ticks work by (UTC); the intervals are real time. Every service delivers (a
    letter is claimed by one), the leader alone sweeps and keeps house.
    """

    def __init__(
        self,
        store: Store,
        post: Post,
        clock: Callable[[], datetime],
        leader: Leads | None = None,
        *,
        post_every: timedelta = POST_EVERY,
        sweep_every: timedelta = SWEEP_EVERY,
    ) -> None:
        self._post = post
        self._clock = clock
        self._leader = leader or Alone()
        self._sweep = Sweep(store)
        self._house = Housekeeping(store)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # A thread for each tick: a slow relay does not hold up the sweep.
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add(self._deliver, "post", post_every)
        self._add(self._pass_time, "time", sweep_every)

    def start(self) -> None:
        """Begin to tick, at once and then at the intervals."""
        self._scheduler.start(paused=True)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time - job.trigger.interval)
        self._scheduler.resume()

    def stop(self, drain: float = DRAIN) -> None:
        """Let the tick in hand end, for at most `drain` seconds, and tick no more.

        What is still under way then is left to its lease and its transaction.
        """
        self._post.stop()
        ended = threading.Thread(target=self._scheduler.shutdown, daemon=True)
        ended.start()
        ended.join(drain)
        if not ended.is_alive():
            self._post.close()
        self._leader.release()

    def _add(self, tick: Callable[[], None], name: str, every: timedelta) -> None:
        self._scheduler.add_job(tick, "interval", seconds=every.total_seconds(), id=name)

    def _deliver(self) -> None:
        self._safely("post", lambda: self._post.deliver(self._clock()))

    def _pass_time(self) -> None:
        """Sweep and keep house, one after the other: the leader may be asked by one thread only."""

        def tick() -> None:
            if self._leader.try_lead():
                swept = self._sweep.run(self._clock())
                if swept.nudged or swept.failed:
                    log.info("swept", nudged=swept.nudged, letters=swept.letters, failed=swept.failed)
                self._house.run(self._clock())

        self._safely("time", tick)

    def _safely(self, name: str, tick: Callable[[], object]) -> None:
        try:
            tick()
        except Exception as error:  # noqa: BLE001 - the next tick asks the same question again
            report("tick failed", error, tick=name)
