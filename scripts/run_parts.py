# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of `make test`, two at a time, each with its output in a file: python scripts/run_parts.py LOGS [PART…]

A part that changes this machine never runs beside another one that does. Every part runs, whether or not the ones
before it passed. At the end stand the time of each part, the slowest tests of all, and for each part that failed the
end of its output and the command that repeats it. The exit code is 1 if one of them failed.
"""

from __future__ import annotations

import dataclasses
import heapq
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
SLOWEST = 20
TAIL = 150  # lines of a part that failed
DURATION = re.compile(r"^(\d+\.\d+)s (?:call|setup|teardown) +(.+)$", re.MULTILINE)


@dataclasses.dataclass
class Part:
    """A command that repeats one part, and whether it changes this machine: its packages, services, addresses."""

    command: str
    machine: bool = False
    seconds: float = 0.0
    code: int | None = None

    @property
    def name(self) -> str:
        """The last word of its command: a target of make, or a scenario."""
        return re.split(r"[ =]", self.command)[-1]


# The short ones first, then the long ones: what is left at the end is short again.
PARTS = (
    Part("make lint"),
    Part("make unit"),
    Part("make system", machine=True),
    Part("make molecule SCENARIO=compose"),
    Part("make molecule SCENARIO=swarm"),
    Part("make molecule SCENARIO=host"),
    Part("make molecule SCENARIO=default", machine=True),
    Part("make molecule SCENARIO=roles"),
    Part("make clean-clone"),
    Part("make integration", machine=True),
    Part("make molecule SCENARIO=dependencies"),
    Part("make molecule SCENARIO=elsewhere", machine=True),
    Part("make sanity"),
    Part("make build"),
)


class Runner:
    """Runs parts side by side."""

    def __init__(self, parts: list[Part], logs: Path) -> None:
        self.waiting, self.logs, self.total = parts, logs, len(parts)
        self.taken: list[Part] = []
        self.done: list[Part] = []
        self.running: list[subprocess.Popen] = []
        self.changed = threading.Condition()
        self.stopped = False

    def log(self, part: Part) -> Path:
        """The file with what a part printed."""
        return self.logs / f"{part.name}.log"

    def run(self) -> None:
        """Run all of them."""
        threads = [threading.Thread(target=self._work) for _unused in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self, *_signal: object) -> None:
        """End what runs, with its children, and begin nothing more."""
        self.stopped = True
        for process in list(self.running):
            os.killpg(process.pid, signal.SIGTERM)

    def _work(self) -> None:
        part = self._next()
        while part is not None:
            begun = time.monotonic()
            with self.log(part).open("wb") as output:
                process = subprocess.Popen(
                    part.command.split(),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self.running.append(process)
                if self.stopped:
                    self.stop()
                part.code = process.wait()
            part.seconds = time.monotonic() - begun
            with self.changed:
                self.running.remove(process)
                self.taken.remove(part)
                self.done.append(part)
                self.changed.notify_all()
            said = "passed" if part.code == 0 else "FAILED"
            print(f"   {len(self.done):2d}/{self.total} {part.command}: {said} in {part.seconds:.0f} s", flush=True)
            part = self._next()

    def _next(self) -> Part | None:
        """The first part that may run now; waits while none may, and is None when none is left."""
        with self.changed:
            while self.waiting and not self.stopped:
                busy = any(part.machine for part in self.taken)
                for part in self.waiting:
                    if not (busy and part.machine):
                        self.waiting.remove(part)
                        self.taken.append(part)
                        return part
                self.changed.wait()
        return None


def report(parts: list[Part], runner: Runner) -> int:
    """Print what came of them."""
    texts = {part.name: runner.log(part).read_text(encoding="utf-8", errors="replace") for part in parts}
    failed = [part for part in parts if part.code != 0]
    for part in failed:
        print(f"\n== The end of what {part.command} printed\n")
        print("\n".join(texts[part.name].splitlines()[-TAIL:]))
    slowest = heapq.nlargest(
        SLOWEST, ((float(took), test) for text in texts.values() for took, test in DURATION.findall(text))
    )
    if slowest:
        print(f"\n== The {len(slowest)} slowest tests\n")
        print("\n".join(f"   {took:6.1f} s  {test}" for took, test in slowest))
    print("\n== Parts\n")
    for part in sorted(parts, key=lambda part: -part.seconds):
        print(f"   {part.seconds:6.0f} s  {part.command}{'' if part.code == 0 else '  FAILED'}")
    for part in failed:
        print(f"\nerror: {part.command} failed.\n       Its whole output: {runner.log(part)}")
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    """Run the command line."""
    logs, names = Path(arguments[0]), set(arguments[1:])
    unknown = names - {part.name for part in PARTS}
    if unknown:
        print(f"error: there is no part {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    logs.mkdir(parents=True, exist_ok=True)
    parts = [part for part in PARTS if not names or part.name in names]
    runner = Runner(list(parts), logs)
    signal.signal(signal.SIGINT, runner.stop)
    signal.signal(signal.SIGTERM, runner.stop)
    runner.run()
    if runner.stopped:
        print("\nerror: the tests were interrupted", file=sys.stderr)
        return 1
    return report(parts, runner)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
