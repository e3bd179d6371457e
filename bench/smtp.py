"""The SMTP door beside aiosmtpd with a handler that drops the letter, and beside one commit a letter."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Table, spread

CLIENTS = (1, 8, 32)
RECEIVERS = {
    "drop": "aiosmtpd, letter dropped",
    "single": "Duly's door, one commit a letter",
    "duly": "Duly: door, journal, SQLite",
}
ROUNDS = 3
TRACED = {1: 50, 8: 240, 32: 480}
LETTERS = {1: 200, 8: 500, 32: 600}
OCTETS = 5_000
WARM_UP = 100
LARGE = 5_000_000


class Receiver:
    """A receiver under load, in its own process."""

    def __init__(self, kind: str, folder: str, trace: Path | None = None) -> None:
        command = [sys.executable, "-m", "bench.smtp_receiver", kind, folder]
        if trace is not None:
            strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
            command = [*strace, *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def load(self, clients: int, letters: int, octets: int = OCTETS) -> dict[str, float]:
        """One cell of the ladder. Raises CalledProcessError when a letter is refused."""
        numbers = [str(one) for one in (self.port, clients, letters, octets)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.smtp_load", *numbers], stdout=subprocess.PIPE, text=True, check=True
        )
        seen: dict[str, float] = json.loads(done.stdout)
        return seen

    @contextmanager
    def beside(self, octets: int) -> Iterator[None]:
        """One more client, sending letters of that size without a pause."""
        numbers = [str(one) for one in (self.port, 1, 0, octets)]
        other = subprocess.Popen(
            [sys.executable, "-m", "bench.smtp_load", *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout is not None
        other.stdout.readline()
        try:
            yield
        finally:
            other.communicate("\n")

    def count(self) -> dict[str, int]:
        """Commits so far and letters in the journal; nothing for the dropping one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        told: dict[str, int] = json.loads(self.process.stdout.readline())
        return told

    def stop(self) -> None:
        self.process.communicate(timeout=30)


@contextmanager
def receiver(kind: str, trace: Path | None = None) -> Iterator[Receiver]:
    with tempfile.TemporaryDirectory(prefix="duly-bench-") as folder:
        running = Receiver(kind, folder, trace)
        try:
            yield running
        finally:
            running.stop()


def ladder() -> Iterator[Table]:
    """Rates of all receivers at 1, 8 and 32 clients, interleaved; what was accepted is counted afterwards."""
    rate: dict[tuple[str, int], list[float]] = defaultdict(list)
    times: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    commits: dict[int, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        running = {kind: stack.enter_context(receiver(kind)) for kind in RECEIVERS}
        for one in running.values():
            one.load(8, WARM_UP)
        for _ in range(ROUNDS):
            for clients in CLIENTS:
                before = running["duly"].count()["commits"]
                for kind, one in running.items():
                    seen = one.load(clients, LETTERS[clients])
                    rate[kind, clients].append(seen["rate"])
                    times[kind, clients].append((seen["p50"], seen["p99"]))
                commits[clients].append((running["duly"].count()["commits"] - before) / LETTERS[clients])
        told = {kind: one.count() for kind, one in running.items()}
    accepted = WARM_UP + ROUNDS * sum(LETTERS.values())
    for kind in ("single", "duly"):
        if told[kind]["kept"] != accepted:
            raise RuntimeError(f"{kind}: {accepted} letters were accepted, {told[kind]['kept']} are in the journal")
    yield _rates(rate)
    yield _ratios(rate)
    yield _times(times)
    yield syncs(commits)


def _rates(rate: dict[tuple[str, int], list[float]]) -> Table:
    rows = tuple((name, *(spread(rate[kind, n]) for n in CLIENTS)) for kind, name in RECEIVERS.items())
    facts = {f"{kind}.{n}": median(rate[kind, n]) for kind in RECEIVERS for n in CLIENTS}
    note = f"5 KB letters, one connection a client, {ROUNDS} interleaved rounds; median [least..most]."
    return Table("SMTP: letters a second", ("receiver", *_heads()), rows, note, facts)


def _ratios(rate: dict[tuple[str, int], list[float]]) -> Table:
    """Paired: each round's figure over the same round's."""
    rows: list[tuple[str, ...]] = []
    facts: dict[str, float] = {}
    for other, name in (("drop", "Duly / aiosmtpd dropping"), ("single", "Duly / one commit a letter")):
        cells = {n: [a / b for a, b in zip(rate["duly", n], rate[other, n], strict=True)] for n in CLIENTS}
        rows.append((name, *(spread(cells[n], 2) for n in CLIENTS)))
        facts |= {f"duly/{other}.{n}": median(cells[n]) for n in CLIENTS}
    return Table("SMTP: ratios of one round", ("ratio", *_heads()), tuple(rows), "Aim: 0.6 at 8 and 32.", facts)


def _times(times: dict[tuple[str, int], list[tuple[float, float]]]) -> Table:
    def cell(kind: str, n: int) -> str:
        return " / ".join(f"{median(one[i] for one in times[kind, n]):.1f}" for i in (0, 1))

    rows = tuple((name, *(cell(kind, n) for n in CLIENTS)) for kind, name in RECEIVERS.items())
    return Table("SMTP: p50 / p99 of a letter, ms", ("receiver", *_heads()), rows)


def _heads() -> tuple[str, ...]:
    return tuple(f"{n} client{'s' if n > 1 else ''}" for n in CLIENTS)


def syncs(commits: dict[int, list[float]]) -> Table:
    """Commits a letter as the journal counted them, and fsyncs as the kernel does where strace is installed."""
    fsyncs = _fsyncs() if shutil.which("strace") else dict.fromkeys(CLIENTS, "strace is not installed")
    rows = (
        ("commits a letter", *(spread(commits[n], 2) for n in CLIENTS)),
        ("fsyncs a letter (strace, a run of its own)", *(fsyncs[n] for n in CLIENTS)),
    )
    facts: dict[str, Any] = {f"commits.{n}": median(commits[n]) for n in CLIENTS}
    facts |= {f"fsyncs.{n}": fsyncs[n] for n in CLIENTS}
    note = "Aims: 1.1 / 0.5 / 0.15. Fewer than one with one client would mean a 250 before the disk has it."
    return Table("SMTP: commits and fsyncs a letter", ("count", *_heads()), rows, note, facts)


def _fsyncs() -> dict[int, str]:
    with tempfile.TemporaryDirectory(prefix="duly-trace-") as folder:
        trace = Path(folder) / "trace"
        found: dict[int, str] = {}
        try:
            with receiver("duly", trace) as running:
                for clients in CLIENTS:
                    before = _count(trace)
                    running.load(clients, TRACED[clients])
                    found[clients] = f"{(_count(trace) - before) / TRACED[clients]:.2f}"
        except (OSError, ValueError) as error:  # a container may forbid ptrace
            return dict.fromkeys(CLIENTS, f"not counted ({type(error).__name__})")
    return found


def _count(trace: Path) -> int:
    return sum("sync(" in line for line in trace.read_text(encoding="utf-8").splitlines())


def beside() -> Table:
    """Small letters from one client, alone and beside one that sends 5 MB letters without a pause."""
    figures: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with ExitStack() as stack:
        running = {kind: stack.enter_context(receiver(kind)) for kind in ("drop", "duly")}
        for _ in range(ROUNDS):
            for kind, one in running.items():
                alone = one.load(1, 150)
                with one.beside(LARGE):
                    with_large = one.load(1, 150)
                figures[kind].append((alone["p50"], with_large["p50"], with_large["p99"]))
    rows: list[tuple[str, ...]] = []
    facts: dict[str, float] = {}
    for kind, cells in figures.items():
        ratios = [large / alone for alone, large, _ in cells]
        shown = [spread([cell[i] for cell in cells], 1) for i in range(3)]
        rows.append((RECEIVERS[kind], *shown, spread(ratios, 1)))
        facts[f"beside/{kind}"] = median(ratios)
    heads = ("receiver", "alone p50 ms", "beside p50 ms", "beside p99 ms", "p50 ratio")
    return Table("SMTP: small letters beside 5 MB ones", heads, tuple(rows), "Aim: ratio at most 15.", facts)


def run() -> Iterator[Table]:
    yield from ladder()
    yield beside()
    yield Table("SMTP: not compared", ("peer", "why"), (("Postfix to Maildir", "not part of this bench yet"),))
