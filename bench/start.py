"""Starting: `duly --help` beside importing typer, the service until it serves, and what it weighs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.report import Table, spread
from tests.support.southlands_folder import found

ROUNDS = 7
DULY = [sys.executable, "-c", "from duly.cli import main; main()"]


def seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def pss(pid: int) -> float:
    """Proportional memory of a process, MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def served() -> tuple[float, float]:
    """Seconds until the service serves, and its memory in MB, all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        config = found(Path(folder), relay_port=9)
        began = time.perf_counter()
        service = subprocess.Popen([*DULY, "serve", "-c", str(config)], stderr=subprocess.PIPE, text=True)
        assert service.stderr is not None
        for line in service.stderr:
            if "Duly serves" in line:
                break
        took = time.perf_counter() - began
        time.sleep(1)
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(service.pid)], capture_output=True, text=True, check=True
        )
        memory = sum(pss(int(pid)) for pid in [service.pid, *listed.stdout.split()])
        service.terminate()
        service.wait(10)
        service.stderr.close()
    return took, memory


def run() -> Iterable[Table]:
    helps, typers = [], []
    for _ in range(ROUNDS):
        typers.append(seconds(sys.executable, "-c", "import typer"))
        helps.append(seconds(*DULY, "--help"))
    services = [served() for _ in range(3)]
    ratios = [one / two for one, two in zip(helps, typers, strict=True)]
    yield Table(
        "Starting",
        ("what", "figure", "aim"),
        (
            ("import typer, s", spread(typers, 2), ""),
            ("duly --help, s", spread(helps, 2), ""),
            ("ratio, pair by pair", spread(ratios, 1), "at most 3"),
            ("duly serve until it serves, s", spread([took for took, _ in services], 1), "under 3"),
            ("memory of all its processes (PSS), MB", spread([memory for _, memory in services]), "under 300"),
        ),
        facts={"help_ratio": ratios, "serve": services},
    )
