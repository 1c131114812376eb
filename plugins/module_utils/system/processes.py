# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this host: those that there are, and programs of the system's that are asked something."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO

_GRACE = 10.0
_PAUSE = 0.05


def alive() -> Iterator[tuple[int, str, int, int]]:
    """(number, state, parent, group) of every process, as /proc has them; one that has ended meanwhile is left out.
    ``state`` is a letter, "Z" for one that waits to be reaped."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as stream:
                # The name before these fields may have blanks and brackets of its own.
                fields = stream.read().rpartition(b")")[2].split()
        except OSError:
            continue
        yield int(name), fields[0].decode("ascii"), int(fields[1]), int(fields[2])


def of_account(uid: int) -> set[int]:
    """Returns the processes of this system that have the rights of an account.

    A container may have an account of its own with that number.
    """
    found, ours = set(), os.readlink("/proc/self/ns/pid")
    for pid, state, _parent, _group in alive():
        with contextlib.suppress(OSError, StopIteration), open("/proc/%d/status" % pid, encoding="utf-8") as stream:
            uids = next(line for line in stream if line.startswith("Uid:")).split()[1:]
            if state != "Z" and str(uid) in uids and os.readlink("/proc/%d/ns/pid" % pid) == ours:
                found.add(pid)
    return found


def holding(path: str) -> set[int]:
    """Returns the other processes that have the file at ``path`` open."""
    if not os.path.lexists(path):
        return set()
    wanted = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return {pid for pid, _state, _parent, _group in alive() if pid != os.getpid() and wanted in _open_files(pid)}


def listens(pid: int) -> bool:
    """Returns whether a process takes connections at a socket, of TCP or of the host's own."""
    inodes = set()
    # Which field has the state, what it says of a socket that listens, and which field has the inode: proc(5).
    for name, state, listening, inode in (("unix", 3, "00010000", 6), ("tcp", 3, "0A", 9), ("tcp6", 3, "0A", 9)):
        with contextlib.suppress(OSError), open("/proc/%d/net/%s" % (pid, name), encoding="utf-8") as stream:
            fields = [line.split() for line in stream]
            inodes |= {one[inode] for one in fields if len(one) > inode and one[state] == listening}
    return bool(_open_files(pid) & {"socket:[%s]" % inode for inode in inodes})


def _open_files(pid: int) -> set[str]:
    """What a process has open, as the kernel calls it: to ask for a file takes for ever where its server is away."""
    directory, found = "/proc/%d/fd" % pid, set()
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                found.add(os.readlink(os.path.join(directory, name)))
    return found


def end(found: Callable[[], Iterable[int]]) -> set[int]:
    """Ends the processes that ``found`` returns, and returns those that stay. Each is told so, and killed where it is
    still there after ten seconds."""
    left = set(found())
    for sign in (signal.SIGTERM, signal.SIGKILL):
        told: set[int] = set()
        deadline = time.monotonic() + _GRACE
        while left and time.monotonic() < deadline:
            for pid in left - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            told |= left
            time.sleep(_PAUSE)
            left = set(found())
    return left


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Returns a stream of a program that was started with a pipe there."""
    if stream is None:
        raise ValueError("the program has no pipe there")
    return stream


def ask(argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """(exit code, what it said on both streams) of a program that reads nothing. Raises OSError and
    subprocess.TimeoutExpired. A program that outlives its time is told to end, with what it has started, and is not
    waited for: one that touches a file system that does not answer cannot end."""
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=seconds)[0]
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        pipe(process.stdout).close()
        raise
    return process.returncode, said.decode("utf-8", "replace")
