# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``paths.plan`` found, done: directories, files and links brought to what they should be.

Everything that is likely to fail (no room, no permission) happens before the first visible change:
directories are made and files written whole beside their destination, then all are renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time

from ..errors import Problem, WindflowError
from .nofollow import FLAGS, open_parent, reason, remove
from .paths import rewritten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .paths import Step, Wanted


def apply(steps: list[Step], backup_dir: str = "") -> list[dict[str, str]]:
    """Does what ``plan`` found; returns the copies that were kept: [{path, backup}].

    Directories are made and files are written beside their destination first; if that fails, all
    of it is taken back and the host is as before. Then attributes are set and files renamed into
    place. Raises WindflowError; its outcome tells which entries had been changed.
    """
    steps = [step for step in steps if step["changes"]]
    work = _Work()
    done = []
    try:
        try:
            for step in steps:
                work.stage(step)
            backups = [
                _keep(step["wanted"]["path"], step["before"], backup_dir)
                for step in steps
                if step["before"] is not None and _to_keep(step["wanted"], step["before"])
            ]
        except BaseException:
            work.undo()
            raise
        for step in steps:
            work.commit(step)
            done.append(step["wanted"]["path"])
        work.flush()
    except OSError as error:
        outcome = "These were changed before: %s." % ", ".join(done) if done else "Nothing was changed."
        place = steps[len(done)]["wanted"]["path"] if len(done) < len(steps) else ""
        remedy = "correct it on the host"
        problem = Problem.plain(
            "E4015", "the files of this step could not be written", reason(error), remedy, path=place
        )
        raise WindflowError(problem, outcome) from error
    finally:
        work.close()
    return backups


class _Work:
    """Open parent directories, and what was staged in them and can still be taken back."""

    def __init__(self) -> None:
        self.parents: dict[str, int] = {}
        self.made: list[tuple[int, str]] = []
        self.staged: dict[str, tuple[int, str]] = {}

    def parent(self, path: str) -> int:
        directory = os.path.dirname(path)
        if directory not in self.parents:
            self.parents[directory] = open_parent(path)
        return self.parents[directory]

    def stage(self, step: Step) -> None:
        wanted, actual = step["wanted"], step["actual"]
        path = wanted["path"]
        if wanted["state"] == "absent":
            return
        name = os.path.basename(path)
        parent = self.parent(path)
        if wanted["state"] == "directory":
            if actual["state"] == "absent":
                os.mkdir(name, 0o700, dir_fd=parent)
                self.made.append((parent, name))
                descriptor = os.open(name, FLAGS | os.O_DIRECTORY, dir_fd=parent)
                try:
                    _attributes(step, descriptor)
                finally:
                    os.close(descriptor)
            return
        if not rewritten(step):
            return
        temporary = ".windflow-%s" % os.urandom(8).hex()
        if wanted["state"] == "link":
            os.symlink(wanted["target"], temporary, dir_fd=parent)
            self.staged[path] = (parent, temporary)
            if wanted["uid"] is not None or wanted["gid"] is not None:
                os.chown(temporary, *_owner(step), dir_fd=parent, follow_symlinks=False)
            return
        content = wanted["data"]
        if content is None:
            raise ValueError("%s without content: a plan that predicts cannot be applied" % path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=parent)
        self.staged[path] = (parent, temporary)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            _attributes(step, descriptor)
            os.fsync(descriptor)

    def commit(self, step: Step) -> None:
        wanted, actual = step["wanted"], step["actual"]
        name = os.path.basename(wanted["path"])
        if wanted["path"] in self.staged:
            parent, temporary = self.staged[wanted["path"]]
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            del self.staged[wanted["path"]]
        elif wanted["state"] == "absent":
            remove(wanted["path"])
        elif wanted["state"] == "link":
            os.chown(name, *_owner(step), dir_fd=self.parent(wanted["path"]), follow_symlinks=False)
        elif actual["state"] != "absent":
            kind = os.O_DIRECTORY if wanted["state"] == "directory" else os.O_NONBLOCK
            descriptor = os.open(name, FLAGS | kind, dir_fd=self.parent(wanted["path"]))
            try:
                info = os.fstat(descriptor)
                if wanted["state"] == "file" and (info.st_nlink != 1 or not stat.S_ISREG(info.st_mode)):
                    raise OSError(errno.EEXIST, "it was replaced meanwhile", wanted["path"])
                _attributes(step, descriptor)
            finally:
                os.close(descriptor)

    def undo(self) -> None:
        self._discard()
        for parent, name in reversed(self.made):
            _quietly(os.rmdir, name, parent)

    def flush(self) -> None:
        for descriptor in self.parents.values():
            os.fsync(descriptor)

    def close(self) -> None:
        self._discard()
        for descriptor in self.parents.values():
            os.close(descriptor)
        self.parents = {}

    def _discard(self) -> None:
        for parent, temporary in self.staged.values():
            _quietly(os.unlink, temporary, parent)
        self.staged = {}


def _owner(step: Step) -> tuple[int, int]:
    """(uid, gid) for a new or changed path; -1 leaves what the system gave it."""
    wanted, actual = step["wanted"], step["actual"]
    same = wanted["state"] == actual["state"]
    uid, gid = (actual["uid"], actual["gid"]) if same else (-1, -1)
    return uid if wanted["uid"] is None else wanted["uid"], gid if wanted["gid"] is None else wanted["gid"]


def _mode(step: Step) -> int:
    wanted, actual = step["wanted"], step["actual"]
    if wanted["mode"] is not None:
        return wanted["mode"]
    if wanted["state"] == actual["state"]:
        return actual["mode"] & 0o770 if wanted["secret"] else actual["mode"]
    if wanted["state"] == "directory":
        return 0o755
    return 0o600 if wanted["secret"] else 0o644


def _attributes(step: Step, descriptor: int) -> None:
    """Owner first: a change of owner clears setuid bits that the mode may ask for."""
    os.fchown(descriptor, *_owner(step))
    os.fchmod(descriptor, _mode(step))


def _to_keep(wanted: Wanted, before: bytes) -> bool:
    """Returns whether the present file is somebody's edit: it goes, and is not what we last wrote."""
    return wanted["backup"] and hashlib.sha256(before).hexdigest() != wanted["recorded"]


def _keep(path: str, content: bytes, backup_dir: str) -> dict[str, str]:
    """Copies a file to ``backup_dir``, which is made (0700) if only itself is missing; the copy is 0600."""
    try:
        os.mkdir(backup_dir, 0o700)
    except FileExistsError:
        pass
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = "%s.%s.%s" % (path[1:].replace("/", "_")[-180:], stamp, os.urandom(4).hex())
    backup = os.path.join(backup_dir, name)
    descriptor = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as copy:
        copy.write(content)
        copy.flush()
        os.fsync(descriptor)
    return {"path": path, "backup": backup}


def _quietly(remove: Callable[..., None], name: str, parent: int) -> None:
    try:
        remove(name, dir_fd=parent)
    except OSError:
        pass
