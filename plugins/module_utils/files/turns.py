# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work at a path that one process does at a time, if need be one that goes on when its task has ended.

A hidden file beside the path is locked by who works there. It goes when the work is done; what stays in it is why work
failed that nobody waited for.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import json
import os
import signal
import time

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAUSE = 0.05
_LONGEST = 1 << 20


class Turn:
    """The right to work at a path. ``failure`` is what the work before it ended with, if nobody waited for that."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self.lock = lock
        self.failure: WindflowError | None = None
        self.detached = False

    def detach(self, work: Callable[[], object]) -> None:
        """Has ``work`` done by a process of its own, which keeps the turn; returns at once."""
        self.detached = True
        if os.fork():
            return
        try:
            let_go(self.lock)
            # So that it ends what it has begun itself.
            signal.signal(signal.SIGTERM, _stop)
            try:
                work()
                forget(self.path)
            except WindflowError as error:
                os.write(self.lock, json.dumps([error.as_result()["problems"], error.outcome]).encode())
        finally:
            os._exit(0)


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def let_go(kept: int) -> None:
    """Frees a child from its parent: it gets a session of its own, and of what is open it keeps only ``kept``.

    Whoever started the parent waits for the end of what it prints, and so for who else may print there.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for number in [int(name) for name in os.listdir("/proc/self/fd")]:
        if number > 2 and number != kept:
            with contextlib.suppress(OSError):
                os.close(number)


@contextlib.contextmanager
def turn(path: str, seconds: float) -> Iterator[Turn]:
    """Waits until nobody works at ``path``, whose parent exists, and keeps others from it. Raises OSError: ETIMEDOUT
    where somebody works there for longer."""
    mine = Turn(path, _locked(lock_of(path), time.monotonic() + seconds))
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        mine.failure = _failure(os.pread(mine.lock, _LONGEST, 0))
        os.ftruncate(mine.lock, 0)
        yield mine
    finally:
        signal.signal(signal.SIGTERM, before)
        if not mine.detached:
            forget(path)
        os.close(mine.lock)


def _failure(left: bytes) -> WindflowError | None:
    """What the work before ended with; None where it could not write all of that, as on a full disk."""
    try:
        problems, outcome = json.loads(left)
    except ValueError:
        return None
    return WindflowError([Problem(**problem) for problem in problems], outcome)


def forget(path: str) -> None:
    """Removes what is left of work at ``path``, which has ended."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(lock_of(path))


def worked_at(directory: str) -> list[str]:
    """Returns the paths in ``directory`` at which work goes on, or has left why it failed."""
    places = glob.glob(os.path.join(glob.escape(directory), ".*.turn"))
    return [os.path.join(directory, os.path.basename(place)[1 : -len(".turn")]) for place in places]


def lock_of(path: str) -> str:
    """Returns the file that who works at ``path`` has open."""
    return os.path.join(os.path.dirname(path), ".%s.turn" % os.path.basename(path))


def _locked(place: str, deadline: float) -> int:
    """A descriptor of the file that lies at ``place``, which belongs to who runs this, with its lock."""
    while True:
        lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        with contextlib.ExitStack() as unless:
            unless.callback(os.close, lock)
            if os.fstat(lock).st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "belongs to another account", place)
            if _is_ours(place, lock):
                unless.pop_all()
                return lock
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, "another process works here", place)
        time.sleep(_PAUSE)


def _is_ours(place: str, lock: int) -> bool:
    """Takes the lock if it is free; returns whether it is that of the file at ``place``."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who had it before may have removed the file.
        return os.path.samestat(os.fstat(lock), os.lstat(place))
    except (BlockingIOError, FileNotFoundError):
        return False
