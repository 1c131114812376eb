# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An end within a given time, or when a signal asks for one, without half of a clean-up."""

from __future__ import annotations

import contextlib
import signal
import time

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SHIELD_SECONDS = 300


class Bounds:
    """Ends what runs inside with a WindflowError when the time is over or a signal wants an end.

    Inside ``shield`` that waits until the shield's end.
    """

    SIGNALS = (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def __init__(self, seconds: float) -> None:
        self.seconds, self.shields, self.pending = seconds, 0, 0
        self.before: list[tuple[int, Any]] = []

    def __enter__(self) -> Bounds:
        self.before = [(number, signal.signal(number, self._arrived)) for number in self.SIGNALS]
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(self, *_unused: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self.before:
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        """For clean-ups. They have a time of their own, so that nothing hangs for ever."""
        outermost, begun = not self.shields, time.monotonic()
        left = signal.setitimer(signal.ITIMER_REAL, SHIELD_SECONDS)[0] if outermost else 0
        self.shields += 1
        try:
            yield
        finally:
            self.shields -= 1
            if outermost:
                # A time that is over already stays so; 0 would be none at all.
                left = max(left - (time.monotonic() - begun), 0.001) if left else 0
                signal.setitimer(signal.ITIMER_REAL, left)
        if self.pending and not self.shields:
            self._end(self.pending)

    def _arrived(self, number: int, _frame: object) -> None:
        if self.shields and number != signal.SIGALRM:
            self.pending = self.pending or number
        else:
            self._end(number)

    def _end(self, number: int) -> None:
        self.pending = 0
        if number == signal.SIGALRM:
            remedy = "raise timeout, or see what the server waits for"
            said = "the backup or restore did not end within %d s" % self.seconds
            raise WindflowError(Problem.plain("E4098", said, "", remedy))
        raise WindflowError(
            Problem.plain("E4045", "the signal %d interrupted the backup or restore" % number, "", "run again")
        )
