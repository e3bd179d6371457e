"""A service in one process that kills itself (SIGKILL) at a named point; run by test_kill.py, never imported.

`python doomed.py CONFIG POINT SECONDS`: door, worker and post on the settings of CONFIG; prints the door's port.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path

from duly.app import App
from duly.settings import load


def probe_for(point: str):
    def probe(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return probe


def main() -> None:
    config, point, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    app = App(load(config), probe=probe_for(point))
    app.ready_database()
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(app.door.start(), loop).result(10)
    sys.stdout.write(f"{app.door.port}\n")
    sys.stdout.flush()
    processor = app.processor("worker-1")
    processor.reclaim()
    app.post.reclaim(app.clock())
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        busy = processor.work(app.clock()) + app.post.deliver(app.clock()).sent
        if not busy:
            time.sleep(0.05)


main()
