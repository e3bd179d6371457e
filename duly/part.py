"""One part of the service in a process of its own: door, worker or clock. Started by the supervisor.

The door looks at settings and database first and says what is wrong with them; the others load their modules
meanwhile and wait for the supervisor's word. A part says `{"ready": ...}` on standard output when it serves,
stops on SIGTERM, and stops too when its standard input closes, so that none outlives a killed supervisor.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path

from duly.app import App
from duly.logs import configure
from duly.settings import SettingsError, load

#: How long a worker that found nothing waits before it asks again, seconds: first, and at most.
IDLE_FIRST, IDLE_MOST = 0.05, 0.25
#: What a part loads while the door looks at the database.
HEAVY = {"door": (), "worker": ("duly.campaigns", "intake.process"), "clock": ("data.leader", "scheduler.post")}
FIRST_LETTER = b"Subject: Reading\r\n\r\nA teacher was rude to my son. I want to complain.\r\n"


def main() -> int:
    """`python -m duly.part PART CONFIG`; exit code 0 after a drained stop, 2 for wrong settings, 1 to try again."""
    part, config = sys.argv[1], sys.argv[2]
    kind = part.split("-")[0]
    go, stop = threading.Event(), threading.Event()
    _listen(go, stop)
    for module in HEAVY[kind]:
        import_module(module)
    if kind != "door":
        go.wait()
    return 0 if stop.is_set() else _serve(kind, part, config, stop)


def _serve(kind: str, part: str, config: str, stop: threading.Event) -> int:
    from data.store import UNAVAILABLE

    try:
        settings = load(Path(config) if config else None)
        configure(settings.log_level)
        app = App(settings)
        {"door": _door, "worker": _worker, "clock": _clock}[kind](app, part, stop)
    except SettingsError as error:
        return _say(str(error), 2)
    except UNAVAILABLE as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        return _say(f"{part}: the database does not answer ({reason}); duly doctor says what to do", 1)
    return 0


def _say(sentence: str, code: int) -> int:
    print(f"duly: {sentence}", file=sys.stderr)  # noqa: T201 - the supervisor shows it to the person at the terminal
    return code


def _listen(go: threading.Event, stop: threading.Event) -> None:
    """Hear the supervisor and SIGTERM in a thread: a handler could wait for the very lock it broke into."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def listen() -> None:
        # Straight from the descriptor: a buffered read in a daemon thread would break the interpreter's end.
        word = sys.stdin.fileno()
        while heard not in select.select([word, heard], [], [])[0] and os.read(word, 1024):
            go.set()
        stop.set()
        go.set()

    threading.Thread(target=listen, daemon=True).start()


def _ready(part: str, **facts: object) -> None:
    sys.stdout.write(json.dumps({"ready": part, **facts}) + "\n")
    sys.stdout.flush()


def _door(app: App, part: str, stop: threading.Event) -> None:
    settings = app.settings
    _ = app.rulebook  # a contradiction in a file is told before anything listens
    app.ready_database()

    async def serve() -> None:
        door = app.door
        try:
            await door.start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            where = f"{settings.smtp_host}:{settings.smtp_port}"
            raise SettingsError(f"smtp_port = {settings.smtp_port}: cannot listen at {where}: {reason}") from None
        _ready(part, port=door.port, host=settings.smtp_host, workers=settings.workers)
        await asyncio.to_thread(stop.wait)
        await door.stop(grace=2.0)
        await asyncio.to_thread(app.journal.close)

    asyncio.run(serve())


def _worker(app: App, part: str, stop: threading.Event) -> None:
    from intake.mime import read

    processor = app.processor(part)
    processor.reclaim()
    _ready(part)
    app.judge(read(FIRST_LETTER), app.clock())  # loads spaCy now: the first letter need not wait for it
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
