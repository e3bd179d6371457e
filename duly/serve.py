"""`duly serve`: one supervisor over the parts (door, workers, clock), each in a process of its own.

A part that dies is started again, with a growing pause; the others go on. SIGTERM or Ctrl-C stops all parts,
lets them drain, and kills what is left after five seconds: the journal and the leases make even that lose
nothing.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

GRACE = 5.0  # seconds from SIGTERM to the end of the last part
PAUSE_FIRST, PAUSE_MOST = 0.5, 30.0
#: A part that ran this long before it died starts again without a pause.
STEADY = 60.0

Say = Callable[[str], None]


@dataclass
class Part:
    """A process of the service, and what the supervisor knows of it."""

    name: str
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = PAUSE_FIRST
    again_at: float = 0.0
    ready: threading.Event = field(default_factory=threading.Event)
    facts: dict[str, object] = field(default_factory=dict)


class Supervisor:
    """Starts, watches and stops the parts. `config` is the path of duly.toml, or "" for none."""

    def __init__(self, config: str, say: Say) -> None:
        self.config = config
        self.say = say
        self.parts = [Part("door"), Part("worker-1"), Part("clock")]
        self.stopping = False
        self.open = False  # the door has seen settings and database and listens
        self.announced = False

    def run(self) -> int:
        """Serve until told to stop; 0 after an orderly stop, 2 when a part refuses its settings at the start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        began = time.monotonic()
        for part in self.parts:
            self._start(part)
        refused = 0
        while not (self.stopping or refused):
            time.sleep(0.05)
            refused = self._tend()
            if not self.open and self.parts[0].ready.is_set():
                self._opened()
            if not self.announced and all(part.ready.is_set() for part in self.parts):
                self.announced = True
                self._announce(time.monotonic() - began)
        self._stop()
        return refused

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True  # a plain flag: an event's lock may be the one this signal broke into

    def _opened(self) -> None:
        """The door listens: the others may begin, and the further workers start."""
        self.open = True
        for part in self.parts[1:]:
            _tell(part)
        for number in range(2, int(str(self.parts[0].facts["workers"])) + 1):
            self.parts.append(Part(f"worker-{number}"))
            self._start(self.parts[-1])

    def _start(self, part: Part) -> None:
        part.process = subprocess.Popen(  # noqa: S603 - our own module, under this very interpreter
            [sys.executable, "-m", "duly.part", part.name, self.config],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops the parts in order
        )
        part.started = time.monotonic()
        part.again_at = 0.0
        threading.Thread(target=self._listen, args=(part, part.process), daemon=True).start()
        if self.open:
            _tell(part)

    def _listen(self, part: Part, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                part.facts = json.loads(line)
                part.ready.set()

    def _tend(self) -> int:
        """Look after parts that ended; 2 when one refuses to start because of its settings, else 0."""
        now = time.monotonic()
        for part in self.parts:
            process = part.process
            if process is not None and process.poll() is not None:
                _close(process)
                part.process = None
                if process.returncode == 2 and not self.announced:
                    return 2
                part.pause = PAUSE_FIRST if now - part.started > STEADY else min(part.pause * 2, PAUSE_MOST)
                part.again_at = now + part.pause
                self.say(f"{part.name} ended with {process.returncode}; starting it again in {part.pause:g} s")
            if part.process is None and now >= part.again_at:
                self._start(part)
        return 0

    def _announce(self, seconds: float) -> None:
        facts = self.parts[0].facts
        self.say(
            f"Duly serves: letters for the school are taken at {facts.get('host')}:{facts.get('port')} "
            f"(SMTP). Started in {seconds:.1f} s; stop with Ctrl-C."
        )

    def _stop(self) -> None:
        ends = time.monotonic() + GRACE
        running = [part.process for part in self.parts if part.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(max(0.05, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        if self.open:
            self.say("Duly has stopped; nothing that came in is lost.")


def _tell(part: Part) -> None:
    """Tell a part that it may begin; one that has just died is found by the next look."""
    if part.process is not None and part.process.stdin is not None:
        with suppress(BrokenPipeError):
            part.process.stdin.write("go\n")
            part.process.stdin.flush()


def _close(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def say(line: str) -> None:
    """A line for the person at the terminal, or the service's log."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(Supervisor(sys.argv[1], say).run())
