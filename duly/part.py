"""One part of the service in a process of its own: door, worker or clock. Started by the supervisor.

It says `{"ready": ...}` on standard output when it serves, stops on SIGTERM, and stops too when its standard
input closes, so that no part outlives a supervisor that was killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

from duly.app import App
from duly.logs import configure
from duly.settings import SettingsError, load

#: How long a worker that found nothing waits before it asks again, seconds: first, and at most.
IDLE_FIRST, IDLE_MOST = 0.05, 0.25


def main() -> int:
    """`python -m duly.part PART CONFIG`; exit code 0 after a drained stop, 2 for wrong settings."""
    part, config = sys.argv[1], sys.argv[2]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    try:
        settings = load(Path(config) if config else None)
        configure(settings.log_level)
        app = App(settings)
        kind = part.split("-")[0]
        {"door": _door, "worker": _worker, "clock": _clock}[kind](app, part, stop)
    except SettingsError as error:
        print(f"duly: {error}", file=sys.stderr)  # noqa: T201 - the supervisor shows it to the person at the terminal
        return 2
    return 0


def _watch(stop: threading.Event) -> None:
    # Straight from the descriptor: a buffered read in a daemon thread would break the interpreter's end.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def _ready(part: str, **facts: object) -> None:
    sys.stdout.write(json.dumps({"ready": part, **facts}) + "\n")
    sys.stdout.flush()


def _door(app: App, part: str, stop: threading.Event) -> None:
    async def serve() -> None:
        door = app.door
        await door.start()
        _ready(part, port=door.port, host=app.settings.smtp_host)
        await asyncio.to_thread(stop.wait)
        await door.stop(grace=2.0)
        await asyncio.to_thread(app.journal.close)

    asyncio.run(serve())


def _worker(app: App, part: str, stop: threading.Event) -> None:
    processor = app.processor(part)
    processor.reclaim()
    app.judge  # noqa: B018 - loads spaCy before the first letter needs it
    _ready(part)
    idle = IDLE_FIRST
    while not stop.is_set():
        idle = IDLE_FIRST if processor.tick(app.clock()) else min(idle * 2, IDLE_MOST)
        if idle > IDLE_FIRST:
            stop.wait(idle)


def _clock(app: App, part: str, stop: threading.Event) -> None:
    app.post.reclaim(app.clock())
    app.clockwork.start()
    _ready(part)
    stop.wait()
    app.clockwork.stop()


if __name__ == "__main__":
    sys.exit(main())
