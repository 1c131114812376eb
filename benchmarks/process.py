# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command with a time limit and measure what it used."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TICK = 0.05  # seconds between samples of memory


class BenchError(Exception):
    """A benchmark could not be carried out; the message says at which command and shows its output."""


@dataclass(frozen=True)
class Used:
    """What one command used."""

    seconds: float  # wall clock
    cpu: float  # seconds, user and system, of the command and everything that it started
    peak_mb: float  # of the largest single process
    sum_mb: float  # of all processes at one moment; pages that several share count once. 0 if not asked for
    output: str
    code: int


def become_subreaper() -> None:
    """Let background processes of commands (SSH masters) fall to us, so that their CPU time is counted and they
    can be ended."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """Process ids below ``root``."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            except OSError:
                continue
            children.setdefault(int(fields.split()[1]), []).append(int(entry))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _proportional(pid: int) -> int:
    """Bytes of memory of a process, each shared page divided by the number of processes that share it."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as stream:
            return next(int(line.split()[1]) * 1024 for line in stream if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def _end(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _reap(ours: set[int]) -> None:
    """End and wait for what a command left in the background; ``ours`` is what ran before it."""
    end = time.monotonic() + 5
    asked: set[int] = set()
    while left := set(descendants(os.getpid())) - ours:
        late = time.monotonic() > end
        for pid in left if late else left - asked:
            try:
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
            except ProcessLookupError:
                pass
        asked |= left
        for pid in left:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        time.sleep(0.01)


def run(
    command: list[str],
    timeout: float,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    accept: tuple[int, ...] = (0,),
    memory: bool = False,
) -> Used:
    """Run ``command`` to its end and return what it used.

    Ends everything that it left behind. ``memory`` samples the memory of all processes, which costs CPU time,
    so such a run is not for timing. Raises ``BenchError`` on another exit code than ``accept`` and after
    ``timeout`` seconds. Not for use from several threads: CPU time is taken from the sum of all children.
    """
    ours = set(descendants(os.getpid()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        late = threading.Event()

        def limit() -> None:
            late.set()
            _end([*descendants(child.pid), child.pid])

        timer = threading.Timer(timeout, limit)
        timer.start()
        most = 0
        try:
            if memory:
                while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    most = max(most, sum(map(_proportional, [child.pid, *descendants(child.pid)])))
                    time.sleep(TICK)
            _unused, status, used = os.wait4(child.pid, 0)
        except BaseException:
            limit()
            child.wait()
            raise
        finally:
            timer.cancel()
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        _reap(ours)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if late.is_set():
        raise BenchError(f"{' '.join(command)[:200]} took longer than {timeout:.0f} s:\n{text[-2000:]}")
    if child.returncode not in accept:
        raise BenchError(f"{' '.join(command)[:200]} failed with exit code {child.returncode}:\n{text[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(seconds, cpu, used.ru_maxrss / 1024, most / 2**20, text, child.returncode)
