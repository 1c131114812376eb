# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds on what any input may cost: seconds, memory, and the number of findings that are shown.

The time and memory bounds ride on SIGALRM. CPython runs signal handlers between byte codes, and the
``re`` module looks for signals while it matches, so that even ``(a+)+$`` can be stopped.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Literal

from ..errors import Problem, WindflowError

SECONDS = 3.0
MEGABYTES = 160
MAX_PROBLEMS = 100
UNCHANGED = "Nothing was changed."

_TICK = 0.02
_PAGE_MEGABYTES = os.sysconf("SC_PAGE_SIZE") / 1048576.0


class _Exceeded(BaseException):
    """Raised by the signal handler. Not an ``Exception``, so that no library swallows it on the way."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class time_limit:  # pylint: disable=invalid-name
    """``with time_limit(3, "validating the configuration"):`` ends in a ``WindflowError`` instead of a hang.

    ``seconds`` is wall time. ``megabytes`` is how much the process may grow since the outermost limit began
    (only where /proc exists). The limits nest: the stricter one wins. Endless recursion and memory errors
    become coded errors too.

    Python delivers signals to the main thread only; in another one the time is judged at the end.
    """

    _active: list[time_limit] = []
    base: float

    def __init__(self, seconds: float, what: str, file: str = "", megabytes: float = MEGABYTES) -> None:
        self.seconds = seconds
        self.what = what
        self.file = file
        self.megabytes = megabytes

    def __enter__(self) -> time_limit:
        self.start = time.monotonic()
        self.signals = threading.current_thread() is threading.main_thread()
        self.outermost = not (self.signals and time_limit._active)
        self.base = _resident_megabytes() if self.outermost else time_limit._active[0].base
        if self.signals:
            time_limit._active.append(self)
            if self.outermost:
                self.handler = signal.signal(signal.SIGALRM, _on_tick)
                self.timer = signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
                self.unraisable, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def _unraisable(self, found: sys.UnraisableHookArgs) -> None:
        """What a finalizer or an extension could not raise. At the end of an endless recursion that is the recursion
        itself, which is told as E1018."""
        if found.exc_type is not RecursionError:
            self.unraisable(found)

    def __exit__(self, kind: object, error: object, trace: object) -> Literal[False]:
        self._leave()
        if isinstance(error, _Exceeded):
            raise WindflowError(error.problem) from None
        if isinstance(error, RecursionError):
            raise WindflowError(self._problem("E1018", "nesting that ends", "an endless recursion")) from None
        if isinstance(error, MemoryError):
            raise WindflowError(self._too_big()) from None
        if error is None and not self.signals:
            problem = self.exceeded()
            if problem:
                raise WindflowError(problem)
        return False

    def _leave(self) -> None:
        if not self.signals:
            return
        if self.outermost:
            sys.unraisablehook = self.unraisable
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.handler if self.handler is not None else signal.SIG_DFL)
            remaining, interval = self.timer
            if remaining:  # someone else's timer ran before: it goes on with what it has left
                left = remaining - (time.monotonic() - self.start)
                signal.setitimer(signal.ITIMER_REAL, max(left, 0.000001), interval)
                self.timer = (0.0, 0.0)
        if self in time_limit._active:
            time_limit._active.remove(self)

    def exceeded(self) -> Problem | None:
        if time.monotonic() - self.start > self.seconds:
            return self._problem(
                "E1017",
                "at most %g s for %s" % (self.seconds, self.what),
                "no end after %g s" % self.seconds,
                "look for patterns with nested repetition such as (a+)+ and for very large values",
            )
        if self.base and _resident_megabytes() - self.base > self.megabytes:
            return self._too_big()
        return None

    def _too_big(self) -> Problem:
        return self._problem(
            "E1018", "at most %g MB for %s" % (self.megabytes, self.what), "more", "make the input smaller"
        )

    def _problem(self, code: str, expected: str, got: str, remedy: str = "") -> Problem:
        remedy = remedy or "look for a $ref that leads back to itself and for very deep values"
        return Problem(code=code, expected=expected, got=got, remedy=remedy, file=self.file)


def _on_tick(_signum: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename == __file__:
        return  # a limit is being entered or left, and must do that to its end
    for limit in time_limit._active:
        problem = limit.exceeded()
        if problem:
            raise _Exceeded(problem)


def _resident_megabytes() -> float:
    """Returns what this process holds in memory now; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE_MEGABYTES
    except (OSError, ValueError, IndexError):
        return 0.0


def fail_if_any(problems: list[Problem], outcome: str = UNCHANGED) -> None:
    """Raise one ``WindflowError`` with the first hundred findings and the number of the others."""
    if not problems:
        return
    if len(problems) > MAX_PROBLEMS:
        problems = sorted(problems, key=lambda p: (p.file, p.line, p.column, p.path, p.code))
        outcome = "And %d more. %s" % (len(problems) - MAX_PROBLEMS, outcome)
    raise WindflowError(problems[:MAX_PROBLEMS], outcome)
