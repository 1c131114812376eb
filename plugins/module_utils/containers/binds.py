# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a plugin that its containers mount, at places that outlive releases.

What containers write to lies in ``shared/binds/<path>``. It is there once: filled with what the first release brings,
or moved there from the release that serves, whose containers go on with it. A later release brings its files anew
where nobody has changed them. What is only read lies in ``shared/files/<digest>`` and is never changed.

Containers may write to these directories as whoever they like: root follows no link in them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import stat

from ..compose.rules import below
from ..errors import Problem, WindflowError
from ..files import nofollow, tree
from ..record.store import directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..compose import effective
    from .project import Containers

DIGITS = 32
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def digest(path: str) -> str:
    """Returns the digest of a file, or of a directory with everything in it; an empty text where there is nothing."""
    try:
        real = os.path.realpath(path)
        info = os.lstat(real)
    except OSError:
        return ""
    if stat.S_ISREG(info.st_mode):
        parts = [".", "f", stat.S_IMODE(info.st_mode), tree.file_digest(real)]
    elif stat.S_ISDIR(info.st_mode):
        found = tree.manifest(real)
        parts = [[name, *entry[: tree.DIGEST + 1]] for name, entry in sorted(found.items())]
    else:
        return ""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGITS]


class Binds:
    """The places of one switch. ``switch`` (``Containers``) runs the commands and collects what is told of them."""

    def __init__(self, switch: Containers) -> None:
        self.switch = switch
        self.shared_dir = switch.options.shared_dir
        self.root = os.path.join(self.shared_dir, "binds")

    def apply(self, places: effective.Places, undo: contextlib.ExitStack | None) -> None:
        """Everything that the model of ``places`` mounts is at its place."""
        for path, name in sorted(places.read.items()):
            self.keep(os.path.join(places.app, path), os.path.join(self.shared_dir, "files", name))
        self.adopt(undo)
        for path in places.written:
            self.fill(path, places.app, undo)
            self.check(os.path.join(self.root, path))

    def keep(self, source: str, target: str) -> None:
        """A copy that nobody changes, in root's own directory."""
        if not os.path.lexists(target):
            self.copy(os.path.realpath(source), target)

    def copy(self, source: str, target: str) -> None:
        """``source`` at ``target``, whole or not at all."""
        folders(os.path.dirname(target), self.shared_dir)
        draft = os.path.join(self.shared_dir, ".%s" % secrets.token_hex(8))
        try:
            if os.path.isdir(source):
                shutil.copytree(source, draft, symlinks=True)
            else:
                shutil.copy2(source, draft)
            nofollow.flush_filesystem(draft)
            os.rename(draft, target)
        except (OSError, shutil.Error) as error:
            discard(draft)
            raise WindflowError(
                Problem.plain("E4086", "%s could not be copied" % source, str(error), "free some space", path=target)
            ) from error

    # What was written before there was a place for it.

    def adopt(self, undo: contextlib.ExitStack | None) -> None:
        """Moves what the project's containers write to out of their release. They have it open, and go on with it; a
        link in its place is there for a container that is started again."""
        for source, path in self.mounted():
            target = os.path.join(self.root, path)
            if os.path.lexists(target) or os.path.islink(source):
                continue
            folders(os.path.dirname(target), self.shared_dir)
            move(source, target)
            self.switch.changes.append(target)
            if undo is not None:
                self.switch.on_failure(undo, back, source, target)

    def mounted(self) -> list[tuple[str, str]]:
        """[(source, path below app/)] of what containers may write to in a release, outermost first."""
        switch = self.switch
        releases = os.path.join(switch.options.install_dir, "releases")
        identities = [item["id"] for item in switch.containers()]
        if not identities:
            return []
        said = switch.docker("read the mounts", "inspect", "--format", "{{json .Mounts}}", *identities)
        found = set()
        for line in said.splitlines():
            for mount in json.loads(line) or ():
                source = os.path.normpath(mount.get("Source") or "/")
                if mount.get("Type") == "bind" and mount.get("RW") and below(source, releases):
                    release, _slash, within = os.path.relpath(source, releases).partition("/")
                    if within.startswith("app/") and release != switch.options.release:
                        found.add((source, within[len("app/") :]))
        return sorted(found, key=lambda item: (item[1], item[0]))

    # What a release brings.

    def fill(self, path: str, app: str, undo: contextlib.ExitStack | None) -> None:
        """The place has what the release brings, and what others have written stays."""
        source, target = os.path.join(app, path), os.path.join(self.root, path)
        if not os.path.lexists(target):
            if os.path.lexists(source):
                self.copy(os.path.realpath(source), target)
            else:
                folders(os.path.dirname(target), self.shared_dir)
                folders(target, self.shared_dir)
            self.switch.changes.append(target)
            return
        brought = shipped(source)
        before = self.shipped_before(path)
        for name in sorted({*brought, *before}):
            self.renew(target, name, brought.get(name), before.get(name), source, undo)

    def shipped_before(self, path: str) -> dict[str, str]:
        """{name: digest} of the files that the release which serves has brought to a place, "." for the place."""
        try:
            name = os.path.join(directory(self.switch.options.plugin), "%s.tree.json" % self.switch.previous)
            with open(name, encoding="utf-8") as stream:
                recorded = json.load(stream)
        except (OSError, ValueError):
            return {}
        return {
            os.path.relpath(name, path): entry[tree.DIGEST]
            for name, entry in recorded.items()
            if entry[tree.KIND] == "f" and below(name, path)
        }

    def renew(
        self,
        target: str,
        name: str,
        wanted: str | None,
        before: str | None,
        source: str,
        undo: contextlib.ExitStack | None,
    ) -> None:
        """One file: as the release brings it, unless somebody has changed it since the release before brought it."""
        if wanted == before:
            return
        with parent_of(target, name, make=before is None) as (folder, last):
            if folder is None:
                if wanted is not None:
                    self.warn(target, name)
                return
            found = content_digest(folder, last)
            if found == wanted:
                return
            if found != before:
                self.warn(target, name)
                return
            saved = read(folder, last)
            if undo is not None:
                self.switch.on_failure(undo, put_back, target, name, saved)
            new = read_file(os.path.join(source, name) if name != "." else source) if wanted is not None else None
            write(folder, last, new)
            self.switch.changes.append(os.path.normpath(os.path.join(target, name)))

    def warn(self, target: str, name: str) -> None:
        path = os.path.normpath(os.path.join(target, name))
        said = "%s was changed on the host and stays; the release brings another one, in its app/"
        self.switch.warnings.append(said % path)

    def check(self, path: str) -> None:
        """A container must not have made a link of a place: the engine would follow it."""
        if os.path.realpath(path) != os.path.join(os.path.realpath(self.root), os.path.relpath(path, self.root)):
            remedy = "remove the link"
            raise WindflowError(
                Problem.plain("E4086", "a container has put a link where a mounted file was", path, remedy)
            )

    def prune(self) -> None:
        """Copies that no release on the host mounts are gone."""
        used = ""
        releases = os.path.join(self.switch.options.install_dir, "releases")
        for release in os.listdir(releases) if os.path.isdir(releases) else ():
            for name in ("effective.json", "stack.json"):
                try:
                    with open(os.path.join(releases, release, name), encoding="utf-8") as stream:
                        used += stream.read()
                except OSError:
                    continue
        folder = os.path.join(self.shared_dir, "files")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name not in used:
                discard(os.path.join(folder, name))


def shipped(source: str) -> dict[str, str]:
    """{name: digest} of the files at ``source``, "." for itself."""
    real = os.path.realpath(source)
    if os.path.isfile(real):
        return {".": tree.file_digest(real)}
    if not os.path.isdir(real):
        return {}
    return {name: entry[tree.DIGEST] for name, entry in tree.manifest(real).items() if entry[tree.KIND] == "f"}


def folders(path: str, above: str) -> None:
    """Directories from ``above`` down to ``path``, which are root's."""
    if os.path.isdir(path) or path == above:
        return
    folders(os.path.dirname(path), above)
    os.mkdir(path)
    # Who is on the host and not in a container has nothing to look for here.
    os.chmod(path, 0o700 if os.path.dirname(path) == above else 0o755)


def discard(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def move(source: str, target: str) -> None:
    """By its name alone, so that who has it open keeps it; a link stays where it was."""
    try:
        os.rename(source, target)
    except OSError as error:
        got = "another file system" if error.errno == errno.EXDEV else str(error)
        remedy = "stop the application and move it yourself"
        raise WindflowError(
            Problem.plain("E4086", "%s could not be moved to %s" % (source, target), got, remedy)
        ) from None
    os.symlink(target, source)


def back(source: str, target: str) -> None:
    if os.path.islink(source):
        os.unlink(source)
        os.rename(target, source)


# Single files in directories that containers write to: by descriptors, through no link.


@contextlib.contextmanager
def parent_of(target: str, name: str, make: bool = False) -> Iterator[tuple[int | None, str]]:
    """(descriptor of the directory, last name) of a file below ``target``; (None, "") where a directory is missing and
    not to be made, or is a link."""
    path = os.path.normpath(os.path.join(target, name))
    descriptor, opened = None, []
    try:
        descriptor = nofollow.open_parent(target)
        opened.append(descriptor)
        for part in os.path.relpath(path, os.path.dirname(target)).split("/")[:-1]:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            descriptor = os.open(part, FOLDER, dir_fd=descriptor)
            opened.append(descriptor)
    except (OSError, WindflowError):
        descriptor = None
    try:
        yield descriptor, os.path.basename(path)
    finally:
        for item in opened:
            os.close(item)


def read(folder: int, name: str) -> tuple[bytes, int, int, int] | None:
    """(content, mode, owner, group) of a file; None where there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode):
            return None
        return stream.read(), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid


def read_file(path: str) -> tuple[bytes, int, int, int]:
    with open(path, "rb") as stream:
        return stream.read(), stat.S_IMODE(os.fstat(stream.fileno()).st_mode), 0, 0


def content_digest(folder: int, name: str) -> str | None:
    """Returns the digest of a file's content; None where there is none, an empty text for what is no file."""
    found = read(folder, name)
    if found:
        return hashlib.sha256(found[0]).hexdigest()
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return ""


def write(folder: int, name: str, content: tuple[bytes, int, int, int] | None) -> None:
    """Replaces a file whole, or takes it away where ``content`` is None."""
    if content is None:
        os.unlink(name, dir_fd=folder)
        return
    data, mode, uid, gid = content
    draft = ".%s" % secrets.token_hex(8)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        os.fchown(stream.fileno(), uid, gid)
        os.fchmod(stream.fileno(), mode)
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def put_back(target: str, name: str, saved: tuple[bytes, int, int, int] | None) -> None:
    with parent_of(target, name) as (folder, last):
        if folder is not None:
            write(folder, last, saved)
