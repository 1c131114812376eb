# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths on a host, reached without following a link that somebody else may have planted.

A path is opened directory by directory; a link on the way is followed only if root or the caller
owns it. What the last component names is never followed.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import stat

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# How everything is opened: to read, never through a link.
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_LINKS = 40
# How often a directory is emptied into which somebody writes meanwhile.
_ATTEMPTS = 10


def open_parent(path: str) -> int:
    """A descriptor of the directory that holds ``path``; the caller closes it. Raises OSError, and
    WindflowError for a link on the way that an unprivileged user made."""
    pending = path.split("/")[-2::-1]
    links = 0
    descriptor = os.open("/", FLAGS | os.O_DIRECTORY)
    try:
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            try:
                following = os.open(part, FLAGS | os.O_DIRECTORY, dir_fd=descriptor)
            except OSError as error:
                info = os.stat(part, dir_fd=descriptor, follow_symlinks=False)
                if error.errno not in (errno.ELOOP, errno.ENOTDIR) or not stat.S_ISLNK(info.st_mode):
                    raise
                links += 1
                if info.st_uid not in (0, os.geteuid()) or _is_others(os.fstat(descriptor)):
                    raise WindflowError(
                        Problem.plain(
                            "E4014",
                            "the path goes over a link that another user may have made",
                            "the link %s of user %d" % (part, info.st_uid),
                            "remove the link",
                            path=path,
                        )
                    ) from error
                if links > _MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path) from error
                target = os.readlink(part, dir_fd=descriptor)
                pending += target.split("/")[::-1]
                if not target.startswith("/"):
                    continue
                following = os.open("/", FLAGS | os.O_DIRECTORY)
            os.close(descriptor)
            descriptor = following
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_others(info: os.stat_result) -> bool:
    """Returns whether somebody else could have put what is in a directory there."""
    everybody = info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX
    return bool(info.st_uid not in (0, os.geteuid()) or everybody)


def leads_to_directory(path: str) -> bool:
    """Returns whether ``path`` is a directory or a link that is followed to one. Raises as ``open_parent`` does."""
    try:
        os.close(open_parent(path + "/."))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove(path: str) -> bool:
    """Removes what is at ``path``, a directory with all that is in it. Returns whether anything was there.

    Whoever can write to it may plant links and move things meanwhile, and nest them as deep as he likes: nothing is
    reached but through descriptors, and what lies deeper is moved up before it is removed. A mount is emptied but
    stays, and what is mounted further down is not touched. Raises OSError, and as ``open_parent`` does.
    """
    try:
        parent = open_parent(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return _remove(parent, os.path.basename(path))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def _remove(parent: int, name: str) -> bool:
    try:
        top = os.open(name, FLAGS | os.O_DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        os.unlink(name, dir_fd=parent)
        return True
    try:
        for _attempt in range(_ATTEMPTS):
            _empty(top)
            try:
                os.rmdir(name, dir_fd=parent)
                return True
            except OSError as error:
                if error.errno == errno.EBUSY and not os.listdir(top):
                    return True
                if error.errno != errno.ENOTEMPTY:
                    raise
        raise OSError(errno.ENOTEMPTY, "another process writes to it")
    finally:
        os.close(top)


def _empty(top: int) -> None:
    """Removes everything in a directory, without going deeper than one step."""
    device = os.fstat(top).st_dev
    pending = os.listdir(top)
    while pending:
        name = pending.pop()
        try:
            below = os.open(name, FLAGS | os.O_DIRECTORY, dir_fd=top)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.ENOENT, errno.ENXIO):
                raise
            _unlink(name, top)
            continue
        try:
            if os.fstat(below).st_dev != device:
                raise OSError(errno.EBUSY, "%s in it is mounted there" % name)
            for item in os.listdir(below):
                if _unlink(item, below):
                    continue
                moved = ".windflow-%s" % os.urandom(8).hex()
                try:
                    os.rename(item, moved, src_dir_fd=below, dst_dir_fd=top)
                except OSError as error:
                    said = "%s in it is mounted there" % item if error.errno == errno.EBUSY else error.strerror
                    raise OSError(error.errno, said) from error
                pending.append(moved)
        finally:
            os.close(below)
        try:
            os.rmdir(name, dir_fd=top)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise


def _unlink(name: str, directory: int) -> bool:
    """Returns whether it was no directory, and is gone."""
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except IsADirectoryError:
        return False
    return True


def look(path: str) -> dict[str, Any]:
    """Returns what is at ``path``: state (absent, directory, file, link or other) and, unless absent, mode (int), uid,
    gid, owner and group (names, or numbers as text), links (their count); sha256 of a file, target of a link. Raises as
    ``open_parent`` does; without a parent there is nothing."""
    try:
        parent = open_parent(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"state": "absent"}
    try:
        return _look(parent, os.path.basename(path))
    finally:
        os.close(parent)


def inspect(path: str) -> dict[str, Any]:
    """Returns what is at ``path``, as drift compares it: state (absent, directory, file, link, other) and, unless
    absent, owner, group and mode (text); sha256 of a file, target of a link. Raises OSError and WindflowError."""
    found = look(path)
    names = ("state", "owner", "group", "sha256", "target")
    kept: dict[str, Any] = {key: found[key] for key in names if key in found}
    if "mode" in found and found["state"] != "link":
        kept["mode"] = "%04o" % found["mode"]
    return kept


def _look(parent: int, name: str) -> dict[str, Any]:
    try:
        info = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return {"state": "absent"}
    actual = {
        "state": "other",
        "mode": stat.S_IMODE(info.st_mode),
        "uid": info.st_uid,
        "gid": info.st_gid,
        "owner": name_of(pwd.getpwuid, info.st_uid),
        "group": name_of(grp.getgrgid, info.st_gid),
        "links": info.st_nlink,
    }
    if stat.S_ISDIR(info.st_mode):
        actual["state"] = "directory"
    elif stat.S_ISLNK(info.st_mode):
        actual.update(state="link", target=os.readlink(name, dir_fd=parent))
    elif stat.S_ISREG(info.st_mode):
        with open(os.open(name, FLAGS | os.O_NONBLOCK, dir_fd=parent), "rb") as source:
            digest = hashlib.sha256()
            for chunk in iter(lambda: source.read(1 << 20), b""):
                digest.update(chunk)
        actual.update(state="file", sha256=digest.hexdigest())
    return actual


def read_file(path: str) -> bytes:
    """Returns the content of the file at ``path``. Raises as ``open_parent`` does."""
    parent = open_parent(path)
    try:
        with open(os.open(os.path.basename(path), FLAGS | os.O_NONBLOCK, dir_fd=parent), "rb") as source:
            return source.read()
    finally:
        os.close(parent)


def flush_filesystem(path: str) -> None:
    """Everything written to the file system of ``path`` reaches the disk before this returns.

    For trees of many files: one call instead of an fsync for each file. Not sync(2), which waits
    for every file system of the host and so hangs where an NFS server does not answer.
    """
    # Not at the top: looking at files needs no ctypes, and every run does that.
    import ctypes  # pylint: disable=import-outside-toplevel

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)


def name_of(lookup: Callable[[int], Sequence[Any]], number: int) -> str:
    """Name of an account or a group by ``pwd.getpwuid`` or ``grp.getgrgid``, or its number where it has none."""
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def reason(error: OSError) -> str:
    """An OSError in words: the file, where it is known, and why."""
    return "%s: %s" % (error.filename, error.strerror) if error.filename else str(error.strerror)
