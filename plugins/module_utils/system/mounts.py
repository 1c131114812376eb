# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted on a host, and questions about paths whose file system may not answer.

The kernel suspends a process that asks for a file of a network file system whose server is away, and no signal ends
that. So a child process asks, and the parent leaves it behind when its time is over. The table of mounts itself is read
from /proc, which never waits.
"""

from __future__ import annotations

import errno
import os
import pickle
import re
import select
import signal
import time

from ..files import turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


MOUNTINFO = "/proc/self/mountinfo"
# File systems behind which is another machine, or another process.
NETWORK = frozenset("9p afs autofs ceph cifs fuse glusterfs lustre ncpfs nfs nfs4 smb3 smbfs".split())
SECONDS = 5.0
# A directory is read in pieces; whatever is asked for is small.
_CHUNK = 1 << 16
# Mounts that did not answer: nobody waits for one of them twice. A process asks for one run only.
_silent: set[str] = set()


class NotAnswering(OSError):
    """A file system did not answer in time; the text names its mount."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.ETIMEDOUT, text)
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text,)


def unescaped(text: str) -> str:
    """A field of mountinfo or fstab as it is meant: blanks and backslashes are written in octal there."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def escaped(text: str) -> str:
    """A path as a field of mountinfo or fstab."""
    return re.sub(r"[\\\s#]", lambda found: "\\%03o" % ord(found.group()), text)


def parse(text: str) -> list[dict[str, Any]]:
    """The lines of proc(5)'s mountinfo: path, source, type, and options of the mount and of its file system."""
    found = []
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        fields, rest = left.split(), right.split()
        if len(fields) < 6 or len(rest) < 2:
            continue
        options = [*fields[5].split(","), *(rest[2].split(",") if len(rest) > 2 else ())]
        found.append(
            {
                "path": unescaped(fields[4]),
                "source": unescaped(rest[1]),
                "type": rest[0],
                "options": options,
                "device": fields[2],
            }
        )
    return found


def table() -> list[dict[str, Any]]:
    """What is mounted now, in the order of mounting."""
    with open(MOUNTINFO, encoding="utf-8", errors="surrogateescape") as stream:
        return parse(stream.read())


def is_network(mount: dict[str, Any]) -> bool:
    """Returns whether a mount may keep whoever touches it waiting. Those below /proc are the kernel's own."""
    kind = mount["type"].split(".")[0]
    return kind in NETWORK and not (mount["path"] + "/").startswith(("/proc/", "/sys/", "/dev/"))


def of_network(mounts: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The mounts that may keep somebody waiting; none on most hosts."""
    return [mount for mount in (table() if mounts is None else mounts) if is_network(mount)]


def at(path: str, mounts: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """What is mounted at exactly that path, the visible one last."""
    return [mount for mount in (table() if mounts is None else mounts) if mount["path"] == path]


def holder(path: str, mounts: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The mount among ``mounts`` that a path without links lies on; None where it lies on another."""
    found = [mount for mount in mounts if (path + "/").startswith(mount["path"].rstrip("/") + "/")]
    return max(found, key=lambda mount: len(mount["path"])) if found else None


def below(path: str, mounts: list[dict[str, Any]] | None = None) -> dict[str, Any] | None:
    """A network mount at ``path``, above it or below it: what is deleted there is deleted on another machine."""
    remote = of_network(mounts)
    inner = [mount for mount in remote if (mount["path"] + "/").startswith(path.rstrip("/") + "/")]
    return inner[0] if inner else holder(path, remote)


def named(mount: dict[str, Any]) -> str:
    """A mount in words."""
    return "%s mounted at %s" % (mount["source"], mount["path"])


def answer(path: str, question: Callable[..., Any], *arguments: Any, seconds: float = SECONDS) -> Any:
    """Returns ``question(*arguments)``, which may touch ``path``, links on the way included.

    A child asks where the host has any network mount. Raises NotAnswering after ``seconds``, and whatever the question
    raises.
    """
    remote = of_network()
    if not remote:
        return question(*arguments)
    mount = holder(path, remote)
    if mount and mount["path"] in _silent:
        raise NotAnswering(named(mount))
    try:
        return in_child(question, arguments, seconds)
    except NotAnswering:
        if mount:
            _silent.add(mount["path"])
        text = named(mount) if mount else "one of %s" % ", ".join(sorted(map(named, remote)))
        raise NotAnswering(text) from None


def forget(path: str) -> None:
    """Says that what is mounted at a path is another one now."""
    _silent.discard(path)


def lstat(path: str, remote: list[dict[str, Any]]) -> os.stat_result:
    """As os.lstat, of a path without links; ``remote`` is ``of_network()``. Raises NotAnswering."""
    return answer(path, os.lstat, path) if holder(path, remote) else os.lstat(path)


def in_child(question: Callable[..., Any], arguments: tuple[Any, ...], seconds: float) -> Any:
    """Returns what ``question(*arguments)`` returns in a process of its own; raises NotAnswering when time is over.

    That process is told to end and is not waited for: it may not be able to. It keeps nothing of ours open, because
    whoever started us waits for the end of what we print.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer_and_exit(question, arguments, writing)
    os.close(writing)
    deadline, data = time.monotonic() + seconds, b""
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([reading], [], [], left)[0]:
                os.killpg(child, signal.SIGKILL)
                raise NotAnswering("no answer within %g s" % seconds)
            chunk = os.read(reading, _CHUNK)
            if not chunk:
                break
            data += chunk
    except ProcessLookupError:
        raise NotAnswering("no answer within %g s" % seconds) from None
    finally:
        os.close(reading)
    os.waitpid(child, 0)
    if not data:
        raise OSError(errno.EIO, "the process that was asked ended without an answer")
    fine, result = pickle.loads(data)
    if fine:
        return result
    raise result


def _answer_and_exit(question: Callable[..., Any], arguments: tuple[Any, ...], writing: int) -> None:
    """Never returns."""
    try:
        turns.let_go(writing)
        try:
            result = (True, question(*arguments))
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-except
            result = (False, error)
        data = pickle.dumps(result)
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)
