"""`python -m bench [NAME...] [--json FILE]`: run all benches, or those named, and print their tables.

A bench is a module of this package with a function `run() -> Iterable[Table]`. A new file is found by itself.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import bench
from bench.report import Table, machine

Run = Callable[[], Iterable[Table]]


def benches() -> dict[str, Run]:
    found: dict[str, Run] = {}
    for module in sorted(pkgutil.iter_modules(bench.__path__), key=lambda one: one.name):
        if module.name.startswith("_"):
            continue
        run = getattr(importlib.import_module(f"bench.{module.name}"), "run", None)
        if run is not None:
            found[module.name] = run
    return found


def main() -> int:
    known = benches()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Duly side by side with others.")
    parser.add_argument("name", nargs="*", help=f"which benches; all when none is named: {', '.join(known)}")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    given = parser.parse_args()
    unknown = [name for name in given.name if name not in known]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; there are {', '.join(known)}")
    tables = [machine()]
    print(tables[0].markdown(), flush=True)
    for name in given.name or known:
        begun = time.perf_counter()
        for table in known[name]():
            tables.append(table)
            print(table.markdown(), flush=True)
        print(f"({name}: {time.perf_counter() - begun:.0f} s)\n", flush=True)
    if given.json:
        given.json.write_text(json.dumps([table.as_json() for table in tables], indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
