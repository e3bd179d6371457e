"""Find, or install as root on Debian, the real servers of the tests. `make test` runs it first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import postgres

QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> int:
    """0, unless CI asks for every test and no server could be had."""
    try:
        url = postgres.find()
    except postgres.Missing as missing:
        problem = _install() or _found_after_all()
        if problem is None:
            return 0
        say(f"PostgreSQL: {missing}. {problem} The tests that need it are skipped.")
        return 1 if os.environ.get("CI") == "true" else 0
    say(f"PostgreSQL: {url.rpartition('@')[2]}")
    return 0


def _install() -> str | None:
    """Install Debian's server; the reason when that is not ours to do or fails."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"Install it first (on Debian: apt-get install {postgres.PACKAGE})."
    say(f"PostgreSQL: none here, installing Debian's {postgres.PACKAGE}")
    for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "-y", postgres.PACKAGE]):
        done = subprocess.run(
            ["apt-get", *command], env=os.environ | QUIET, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}"
    return None


def _found_after_all() -> str | None:
    try:
        postgres.find()
    except postgres.Missing as missing:
        return str(missing)
    return None


if __name__ == "__main__":
    raise SystemExit(main())
