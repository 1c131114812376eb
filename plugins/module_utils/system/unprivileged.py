# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of others that root has done by an account without rights: the commands, and what they leave behind.

What an account has written does not become root's by a change of owner: a process of its own, or of the application
that has the same account, may hold a file open, or have another name for it. So it is copied, file by file.
"""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time

from ..errors import Problem, WindflowError
from ..files.nofollow import FLAGS
from . import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Deeper than any package goes, and far from the number of files that a process may have open.
_DEEPEST = 60
_CHUNK = 1 << 20
_SUBREAPER = 36
_GRACE = 5.0


def account(user: str) -> pwd.struct_passwd | None:
    """Returns the password entry to run as; None for who runs this. Raises WindflowError E4062."""
    if os.geteuid() != 0 or not user:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise _problem("an account to build with", "no account %s" % user, "create it first") from None
    if entry.pw_uid == 0:
        raise _problem("an account without rights to build with", user, "name another one")
    return entry


def _problem(expected: str, got: str, remedy: str) -> WindflowError:
    return WindflowError(Problem("E4062", expected, got, remedy))


def run(
    argv: list[str], settings: dict[str, str], cwd: str, timeout: float, entry: pwd.struct_passwd | None = None
) -> tuple[int | None, str]:
    """Exit code (None where the time was over) and output of a command; no process that it has begun stays."""

    def become() -> None:
        os.umask(0o022)
        if entry is not None:
            os.setgroups([entry.pw_gid])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)

    before = _children()
    _adopt_orphans(1)
    try:
        # A file and not a pipe: a child that outlives the command would keep a pipe open.
        with tempfile.TemporaryFile(dir=settings["TMPDIR"]) as output:
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=settings,
                start_new_session=True,
                preexec_fn=become,
            )
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end(process, before)
            output.seek(0)
            return status, output.read().decode("utf-8", "replace")
    finally:
        _adopt_orphans(0)


def _adopt_orphans(on: int) -> None:
    """Whether processes whose parent ended become ours, so that none escapes that leaves its session."""
    import ctypes  # pylint: disable=import-outside-toplevel

    ctypes.CDLL(None).prctl(_SUBREAPER, on, 0, 0, 0)


def _children() -> set[int]:
    own = os.getpid()
    return {pid for pid, _state, parent, _group in processes.alive() if parent == own}


def _end(process: subprocess.Popen[bytes], before: set[int]) -> None:
    """Ends the command's group, and then every process that became ours with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    deadline = time.monotonic() + _GRACE
    left = _children() - before
    while left and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        left = _children() - before


def take_over(source: str, target: str, skipped: Iterable[str] = ()) -> None:
    """Copies the directory ``source``, which an account has made, to the new directory ``target`` of our own.

    Every file is a new one, with mode 0755 or 0644 by its owner's execute bit and the time that it had. Links stay
    links, if they lead nowhere that the account could change; what is neither file, directory nor link is refused.
    ``skipped``: names in ``source`` itself that are left out. Raises OSError and WindflowError.
    """
    origin = os.open(source, FLAGS | os.O_DIRECTORY)
    try:
        os.mkdir(target, 0o755)
        os.chmod(target, 0o755)
        info = os.fstat(origin)
        # From here on nobody comes in by its name.
        os.fchown(origin, os.geteuid(), os.getegid())
        os.fchmod(origin, 0o700)
        place = os.open(target, FLAGS | os.O_DIRECTORY)
        try:
            _Copy(target, info).directory(origin, place, "", frozenset(skipped))
        finally:
            os.close(place)
    finally:
        os.close(origin)


class _Copy:
    def __init__(self, target: str, info: os.stat_result) -> None:
        self.target = target
        self.owner, self.group = info.st_uid, info.st_gid

    def directory(self, source: int, target: int, path: str, skipped: frozenset[str]) -> None:
        if path.count("/") > _DEEPEST:
            raise _problem("directories at most %d deep" % _DEEPEST, path[:200], "look at the package that makes them")
        for name in sorted(os.listdir(source)):
            if name in skipped:
                continue
            here = path + "/" + name
            info = os.stat(name, dir_fd=source, follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                os.mkdir(name, 0o755, dir_fd=target)
                below = os.open(name, FLAGS | os.O_DIRECTORY, dir_fd=source)
                try:
                    made = os.open(name, FLAGS | os.O_DIRECTORY, dir_fd=target)
                    try:
                        os.fchmod(made, 0o755)
                        self.directory(below, made, here, frozenset())
                    finally:
                        os.close(made)
                finally:
                    os.close(below)
            elif stat.S_ISLNK(info.st_mode):
                os.symlink(self.link(os.readlink(name, dir_fd=source), here), name, dir_fd=target)
            else:
                self.file(source, target, name, here)

    def file(self, source: int, target: int, name: str, path: str) -> None:
        with open(os.open(name, FLAGS | os.O_NONBLOCK, dir_fd=source), "rb") as before:
            info = os.fstat(before.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise _problem("files, directories and links", path, "look at the package that makes it")
            mode = 0o755 if info.st_mode & 0o100 else 0o644
            created = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=target)
            with open(created, "wb") as after:
                os.fchmod(created, mode)
                for chunk in iter(lambda: before.read(_CHUNK), b""):
                    after.write(chunk)
                after.flush()
                # Compiled files name the time of their source.
                os.utime(created, ns=(info.st_mtime_ns, info.st_mtime_ns))

    def link(self, pointed: str, path: str) -> str:
        """Returns the link's own text. What it leads to is inside the copy, or nothing that the account may write."""
        parts = [part for part in pointed.split("/") if part not in ("", ".")]
        there = os.path.normpath(os.path.join(self.target + os.path.dirname(path), pointed))
        inside = there == self.target or there.startswith(self.target + "/")
        # Behind a name, .. leads to wherever that name's own link leads.
        plain = ".." not in parts[parts.count("..") :]
        if not plain or not (inside or self.fixed(os.path.realpath(there))):
            got = "the link %s to %s" % (path.lstrip("/"), pointed)
            raise _problem("links to what the account cannot change", got, "look at the package that makes the link")
        return pointed

    def fixed(self, path: str) -> bool:
        """Returns whether the account can neither write nor exchange what is at ``path``."""
        exists = True
        while True:
            try:
                info = os.stat(path)
            except OSError:
                exists = False
            else:
                shared = info.st_mode & 0o002 or (info.st_mode & 0o020 and info.st_gid == self.group)
                # In a directory such as /tmp nobody exchanges what is another's, but everybody adds something.
                sticky = exists and stat.S_ISDIR(info.st_mode) and info.st_mode & stat.S_ISVTX
                if info.st_uid == self.owner or (shared and not sticky):
                    return False
                exists = True
            if path == "/":
                return True
            path = os.path.dirname(path)
