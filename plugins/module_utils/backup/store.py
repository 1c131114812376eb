# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of an application's backups: ``<label>.dump``, and ``<label>.json`` with what is known of it.

The document is written first, so that a dump under its final name is always a whole backup. Everything else that
has such names is left by a run that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import stat

from ..database.programs import CHUNK
from ..errors import Problem, WindflowError
from ..files import atomic
from ..record.store import STATE_DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

FORMAT = 1
LABEL = r"[A-Za-z0-9._-]{1,128}"
# What a backup's document must have to be one.
SHAPE: dict[str, type | tuple[type, ...]] = {
    "database": str,
    "time": str,
    "sha256": str,
    "verified": str,
    "size": int,
    "bytes": int,
    "large_objects": int,
    "rows": dict,
    "owner": str,
    "encoding": str,
    "collate": str,
    "ctype": str,
    "provider": str,
    "locale": str,
    "rules": str,
    "connection_limit": int,
    "acl": (list, type(None)),
    "settings": list,
    "comment": (str, type(None)),
}


def directory_of(plugin: str) -> str:
    """Returns where a plugin's backups lie. Raises WindflowError (E4099) for what is no plugin's name."""
    if plugin in ("", ".", "..") or "/" in plugin:
        remedy = "give the name, not a path"
        raise WindflowError(Problem("E4099", "a plugin's name", ascii(plugin), remedy, path="plugin"))
    return os.path.join(STATE_DIR, plugin, "backups", "database")


class Store:
    """The backups of the database ``name`` in a directory that may have others' as well."""

    def __init__(self, directory: str, name: str) -> None:
        self.directory, self.name = directory, name

    def path(self, label: str, suffix: str) -> str:
        return os.path.join(self.directory, label + suffix)

    @contextlib.contextmanager
    def locked(self, make: bool) -> Iterator[None]:
        """The directory to ourselves; ``make``: it is made if it is not there, and goes again if it stays empty.

        Raises WindflowError (E4056, E4069).
        """
        made = not os.path.lexists(self.directory)
        if made:
            if not make:
                yield
                return
            os.makedirs(self.directory, mode=0o700)
            os.chmod(self.directory, 0o700)
        state = os.lstat(self.directory)
        remedy = "name another directory, or correct its owner and mode"
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o022:
            said = "other users can write to the directory of the backups"
            raise WindflowError(Problem.plain("E4056", said, "", remedy, file=self.directory))
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                problem = Problem.plain(
                    "E4069", "another run backs up or restores here", "", "wait for it", file=self.directory
                )
                raise WindflowError(problem) from error
            yield
        finally:
            os.close(handle)
            if made:
                with contextlib.suppress(OSError):
                    # Only an empty one goes.
                    os.rmdir(self.directory)

    def names(self) -> list[str]:
        return sorted(os.listdir(self.directory)) if os.path.isdir(self.directory) else []

    def leftovers(self) -> list[str]:
        """Names of what runs that were killed have left. Under the lock nobody else can be at work on them."""
        names = self.names()
        left = [name for name in names if re.fullmatch(LABEL + r"\.dump\.partial", name)]
        left += [name for name in names if re.fullmatch(r"\." + LABEL + r"\.json\.[0-9a-f]{12}", name)]
        for name in names:
            base, suffix = os.path.splitext(name)
            if suffix == ".json" and base + ".dump" not in names and re.fullmatch(LABEL, base):
                left += [name] if self.read(base) else []
        return left

    def read(self, label: str) -> dict[str, Any] | None:
        """A backup's JSON document; None where there is none, or one that is none of ours."""
        try:
            with open(self.path(label, ".json"), encoding="utf-8") as stream:
                found = json.load(stream)
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            return None
        return found if all(isinstance(found.get(key, ...), kind) for key, kind in SHAPE.items()) else None

    def intact(self, label: str) -> dict[str, Any]:
        """Returns the document of a backup that is as it was made.

        Raises WindflowError: E4096 and E4097 for one that is not, E4059 for another database's.
        """
        dump = self.path(label, ".dump")
        if not os.path.lexists(dump):
            remedy = "use the label of an existing backup: %s" % (", ".join(self.backups()) or "there is none")
            raise WindflowError(
                Problem.plain("E4096", "there is no such backup of %s" % self.name, "", remedy, file=dump)
            )
        record = self.read(label)
        if record and record["database"] != self.name:
            raise self.foreign(label, record)
        if not record:
            got = "no readable %s" % (label + ".json")
        elif os.lstat(dump).st_size != record["size"]:
            got = "%d bytes instead of %d" % (os.lstat(dump).st_size, record["size"])
        elif digest(dump) != record["sha256"]:
            got = "another SHA-256 than when it was made"
        else:
            return record
        remedy = "use another label; state absent removes this one"
        raise WindflowError(Problem.plain("E4097", "the backup is damaged", got, remedy, file=dump))

    def foreign(self, label: str, record: dict[str, Any]) -> WindflowError:
        said = "the label belongs to a backup of %s" % record["database"]
        return WindflowError(
            Problem.plain("E4059", said, "", "use another label or directory", file=self.path(label, ".dump"))
        )

    def backups(self) -> list[str]:
        """Labels of this database's backups, the oldest first."""
        found = []
        for name in self.names():
            label, suffix = os.path.splitext(name)
            record = self.read(label) if suffix == ".dump" else None
            if record and record["database"] == self.name:
                found.append((record["time"], label))
        return [label for _time, label in sorted(found)]

    def delete(self, label: str) -> None:
        """The dump goes first: a JSON file alone is no backup."""
        atomic.remove(self.path(label, ".dump"))
        atomic.remove(self.path(label, ".json"))

    def exists(self, label: str) -> bool:
        """Returns whether there is a backup or a part of one under that label."""
        return any(os.path.lexists(self.path(label, suffix)) for suffix in (".dump", ".json"))

    def write(self, label: str, record: dict[str, Any]) -> None:
        """A backup's JSON document, whole or not at all."""
        data = json.dumps(record, indent=1, sort_keys=True).encode("utf-8")
        atomic.write(self.path(label, ".json"), data, 0o600, os.geteuid(), os.getegid())

    def settle(self) -> None:
        """What was renamed stays so, whatever happens to the machine."""
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def digest(path: str) -> str:
    """Returns the SHA-256 of a file."""
    found = hashlib.sha256()
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            found.update(chunk)
    return found.hexdigest()
