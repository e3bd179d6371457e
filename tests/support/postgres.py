"""A PostgreSQL server for the tests: the one that is named, that runs here, or a throw-away cluster."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

NAMED = "DULY_TEST_POSTGRES"
PACKAGE = "postgresql"  # Debian's name for the newest server it has
HERE = "postgresql://postgres@127.0.0.1:5432/postgres"


@dataclass(eq=False)  # not frozen: Python writes the traceback into an exception
class Missing(Exception):  # noqa: N818 - an answer, not a mistake
    """No server could be had: the sentence says why and what to install."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def find() -> str:
    """The libpq address of a server that makes databases for us, started if need be. Raises Missing."""
    named = os.environ.get(NAMED)
    if named:
        url = named.replace("postgresql+psycopg://", "postgresql://")
        problem = _refuses(url)
        if problem:
            raise Missing(f"{NAMED} names a server that does not answer: {problem}")
        return url
    if _refuses(HERE) is None:
        return HERE
    return start()


def binaries() -> Path | None:
    """The folder of Debian's newest server binaries, or of those on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _refuses(url: str) -> str | None:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]
    return None


def start() -> str:
    """The address of a throw-away cluster that ends with this process. Raises Missing."""
    folder = binaries()
    if folder is None:
        raise Missing(f"no PostgreSQL server was found; install the package {PACKAGE}, or set {NAMED}")
    home = Path(tempfile.mkdtemp(prefix="duly-postgres-"))
    port = _free_port()
    atexit.register(_stop, folder, home)
    _as_server(home, [folder / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "--no-sync"])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} -c fsync=off"
    start = [folder / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", options, "start"]
    _as_server(home, start)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _as_server(home: Path, command: list[str | Path]) -> None:
    """PostgreSQL refuses to run as root, so root hands it to Debian's own user."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        shutil.chown(home, user="postgres")
        words = ["runuser", "-u", "postgres", "--", *words]
    done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Missing(f"{words[-1]} of PostgreSQL failed: {(done.stderr or done.stdout).strip()[-400:]}")


def _stop(folder: Path, home: Path) -> None:
    with suppress(Missing):  # it never started
        _as_server(home, [folder / "pg_ctl", "-D", home / "data", "-m", "immediate", "-w", "stop"])
    shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
