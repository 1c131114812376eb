# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single files and links in root's own directories, replaced whole and put back whole.

``paths`` is for trees that somebody else may write to; here no directory on the way is anybody
else's, and what matters is that every change can be undone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from dataclasses import dataclass

from ..errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Saved:
    """A file or link as it was: ``data`` of a file, ``target`` of a link, both None where there was none."""

    data: bytes | None = None
    target: str | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0


def save(path: str) -> Saved:
    """Returns what is at ``path`` now."""
    try:
        state = os.lstat(path)
    except FileNotFoundError:
        return Saved()
    if stat.S_ISLNK(state.st_mode):
        return Saved(target=os.readlink(path))
    with open(path, "rb") as stream:
        return Saved(stream.read(), None, stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid)


def restore(path: str, saved: Saved) -> None:
    """Makes ``path`` again what it was."""
    if saved.target is not None:
        link(path, saved.target)
    elif saved.data is not None:
        write(path, saved.data, saved.mode, saved.uid, saved.gid)
    else:
        remove(path)


def write(path: str, data: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
    """A new file in the place of whatever is there: the old or the new content, never half."""
    with _beside(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            os.fchown(stream.fileno(), uid, gid)
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, path)


def link(path: str, target: str) -> None:
    """A symbolic link in the place of whatever is there."""
    with _beside(path) as temporary:
        os.symlink(target, temporary)
        os.rename(temporary, path)


@contextlib.contextmanager
def _beside(path: str) -> Iterator[str]:
    folder, name = os.path.split(path)
    # A leading dot keeps it out of the patterns by which Supervisor and nginx include files.
    temporary = os.path.join(folder, ".%s.%s" % (name, secrets.token_hex(6)))
    try:
        yield temporary
    except BaseException as error:
        if isinstance(error, OSError) and not error.filename:
            # A write that fails, as on a full disk, does not say of which file.
            error.filename = path
        remove(temporary)
        raise


def make_directory(path: str, mode: int = 0o755) -> None:
    """A directory with that mode, and those above it, whatever the umask. What is there stays as it is."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(path))
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
        os.chmod(path, mode)


def remove(path: str) -> bool:
    """Returns whether there was something to remove."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def back_up(path: str, data: bytes, directory: str) -> str:
    """Keeps a file's content ``data`` in ``directory`` (0700) under its name and the time. Returns where."""
    make_directory(directory, 0o700)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    copy = os.path.join(directory, "%s.%s.%s" % (os.path.basename(path), stamp, secrets.token_hex(2)))
    write(copy, data, 0o600)
    return copy


def problem(error: OSError) -> Problem:
    """E4046 for what the system refused: no space, no directory, a directory in the way."""
    remedy = "correct it on the host, then run again"
    return Problem.plain(
        "E4046", "the host refused the change", error.strerror or str(error), remedy, error.filename or ""
    )
