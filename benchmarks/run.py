# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the product beside its peers and compare with the bars. See README.md.

python benchmarks/run.py [--quick] [--only NAME]… [--tasks]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hosts
from cases import CASES, Bench
from process import BenchError, become_subreaper
from report import machine
from tools import ensure_pyinfra

LIMIT = 45 * 60  # seconds for everything
CACHE = hosts.ROOT / ".cache" / "bench"


def stop(number: int, frame: object) -> None:
    """End by exception, so that everything is taken down."""
    raise BenchError(f"stopped by {signal.Signals(number).name}")


def measure(names: list[str], quick: bool, tasks: bool) -> bool:
    """Print the rows of the named cases; whether every bar was kept."""
    kept = True
    with tempfile.TemporaryDirectory(prefix="windflow-bench-") as scratch:
        bench = Bench(Path(scratch), quick)
        for name in names:
            started = time.monotonic()
            print(f"\n{name}: {(CASES[name].__doc__ or '').strip()}", flush=True)
            try:
                rows = CASES[name](bench)
            except (BenchError, hosts.lab.LabError, subprocess.SubprocessError) as error:
                if str(error).startswith("stopped by"):
                    raise
                print(f"FAILED {error}", flush=True)
                kept = False
                rows = []
            finally:
                hosts.clean_up()
            for row in rows:
                print(row)
                kept = kept and row.kept
            if tasks:
                print(*bench.tables, sep="\n")
            bench.tables.clear()
            print(f"({time.monotonic() - started:.0f} s, load {os.getloadavg()[0]:.2f})", flush=True)
    return kept


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The product beside its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--only", action="append", choices=sorted(CASES), help="only this case; may be repeated")
    parser.add_argument("--tasks", action="store_true", help="where the time of our runs goes, task by task")
    options = parser.parse_args(arguments)
    names = [name for name in CASES if not options.only or name in options.only]

    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("error: another run of the benchmarks is under way; wait for its end.", file=sys.stderr)
            return 2
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, stop)
        signal.alarm(LIMIT)
        become_subreaper()
        print(machine())
        started = time.monotonic()
        try:
            if set(names) != {"parse"}:
                hosts.engine.find()
                ensure_pyinfra()
            kept = measure(names, options.quick, options.tasks)
        except (BenchError, hosts.lab.LabError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        print(f"\n{machine()}")
        print(f"{'every bar kept' if kept else 'NOT every bar kept'}, {time.monotonic() - started:.0f} s")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
