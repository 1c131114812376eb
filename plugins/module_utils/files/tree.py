# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory tree as data: what it holds, and what differs from what was recorded.

``manifest`` and ``drift`` run on targets: owner, times and inode numbers count there, because they
tell without reading a file that it did not change. ``source_digest`` runs on the controller and
looks at content only, so that two checkouts of one commit have one digest.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
from fnmatch import translate

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

# Entry of a manifest: [kind, mode, digest, size, mtime_ns, ctime_ns, inode, uid, gid].
# kind is f, d or l (o: anything else); digest is the content's sha256, or the target of a link.
KIND, MODE, DIGEST, SIZE, MTIME, CTIME, INODE, UID, GID = range(9)

# No part of an application's source, unless it says so.
IGNORED = ("__pycache__", "*.py[co]", ".venv", ".DS_Store", ".git", ".hg", ".svn", "*~", ".*.sw[a-p]", "#*#", ".#*")

_CHUNK = 1 << 20
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def manifest(root: str, exclude: Iterable[str] = ()) -> dict[str, list[Any]]:
    """Every entry below ``root``, and ``root`` itself as ``.``: relative path -> entry, sorted.

    ``exclude``: a pattern without a slash matches a base name at any depth, one with a slash a
    relative path; what lies below an excluded directory is excluded too. Raises OSError.
    """
    return {relpath: entry(path, info) for relpath, path, info in _walk(root, matcher(exclude))}


def entry(path: str, info: os.stat_result) -> list[Any]:
    """Returns the manifest's entry of one path; ``info`` is its lstat."""
    kind = _kind(info.st_mode)
    if kind == "f":
        digest = file_digest(path)
    else:
        digest = os.readlink(path) if kind == "l" else ""
    return [kind, stat.S_IMODE(info.st_mode), digest, *_signature(info)]


def drift(root: str, recorded: dict[str, Any], exclude: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Returns what differs from ``recorded`` (a manifest, perhaps read back from JSON), sorted by path.

    Each finding is {path, attribute, expected, found}; attribute is content, mode, owner, missing,
    added or kind. A file whose stat is the recorded one is not read. One whose stat differs is
    read, so that a changed time alone is no drift. Of a directory that is missing or was added,
    only the directory is named. Raises OSError for what cannot be read.
    """
    excluded = matcher(exclude)
    findings = []
    seen = set()
    added = set()
    replaced = set()
    try:
        found = list(_walk(root, excluded))
    except FileNotFoundError:
        if os.path.lexists(root):
            raise
        return [_finding(".", "missing", "a directory", "nothing")]
    except NotADirectoryError:
        return [_finding(".", "kind", "d", _kind(os.lstat(root).st_mode))]
    for relpath, path, info in found:
        seen.add(relpath)
        was = recorded.get(relpath)
        if was is None:
            if _parent(relpath) not in added and _parent(relpath) not in replaced:
                findings.append(_finding(relpath, "added", "nothing", _kind(info.st_mode)))
            added.add(relpath)
            continue
        kind = _kind(info.st_mode)
        if kind != was[KIND]:
            findings.append(_finding(relpath, "kind", was[KIND], kind))
            replaced.add(relpath)
            continue
        signature = _signature(info)
        mode = stat.S_IMODE(info.st_mode)
        if mode == was[MODE] and signature == list(was[SIZE:]):
            continue
        if kind != "d":
            digest = file_digest(path) if kind == "f" else os.readlink(path)
            if digest != was[DIGEST]:
                findings.append(_finding(relpath, "content", was[DIGEST], digest))
        if mode != was[MODE] and kind != "l":
            findings.append(_finding(relpath, "mode", "%04o" % was[MODE], "%04o" % mode))
        if (info.st_uid, info.st_gid) != (was[UID], was[GID]):
            owner = "%d:%d" % (info.st_uid, info.st_gid)
            findings.append(_finding(relpath, "owner", "%d:%d" % (was[UID], was[GID]), owner))
    missing = {relpath for relpath in recorded if relpath not in seen and not _below(relpath, excluded)}
    for relpath in missing:
        if _parent(relpath) not in missing and _parent(relpath) not in replaced:
            findings.append(_finding(relpath, "missing", recorded[relpath][KIND], "nothing"))
    return sorted(findings, key=lambda finding: (finding["path"], finding["attribute"]))


def source_digest(
    root: str, excluded: Callable[[str, str, bool], bool] | None = None
) -> tuple[str, list[tuple[str, int, str]]]:
    """Digest and listing of an application's source directory. ``excluded`` is asked for each (relative path, base
    name, whether it is a directory); without it, it is ``IGNORED`` that is left out.

    Returns (sha256 hex, [(relative path, mode, sha256 hex)]) sorted by path; mode is 0o755 where
    the owner may execute, else 0o644. A link is listed as (path, 0o777, "link:" + target). Empty
    directories are not part of a source, as in git. Raises WindflowError with every entry that
    cannot be shipped: links that lead out, special files, names that are not plain UTF-8.
    """
    listing = []
    problems = []
    real_root = os.path.realpath(root)
    if not os.path.isdir(real_root):
        raise WindflowError(_problem("E1080", root, "", "an application directory", "no directory"))
    for relpath, path, info in _walk(real_root, excluded or matcher(IGNORED)):
        kind = _kind(info.st_mode)
        fault = name_fault(relpath)
        if fault:
            problems.append(_problem("E1082", root, ascii(relpath), "a plain UTF-8 file name", fault))
        elif kind == "f":
            try:
                digest = file_digest(path)
            except OSError as error:
                problems.append(_problem("E1083", root, relpath, "a readable file", error.strerror or str(error)))
                continue
            listing.append((relpath, 0o755 if info.st_mode & 0o100 else 0o644, digest))
        elif kind == "l":
            target = os.readlink(path)
            fault = link_fault(relpath, target) or _leads_out(path, real_root)
            if fault:
                problems.append(_problem("E1081", root, relpath, "a link to a place inside the directory", fault))
            listing.append((relpath, 0o777, "link:" + target))
        elif kind == "o":
            problems.append(_problem("E1084", root, relpath, "a file, directory or link", "a special file"))
    if problems:
        raise WindflowError(problems)
    listing.sort()
    text = "".join("%o %s %s\0" % (mode, digest, relpath) for relpath, mode, digest in listing)
    return hashlib.sha256(text.encode("utf-8")).hexdigest(), listing


def file_digest(path: str) -> str:
    """sha256 of a regular file's content, in hex. Never follows a link. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        chunk = os.read(descriptor, _CHUNK)
        digest = hashlib.sha256(chunk)
        while chunk:
            chunk = os.read(descriptor, _CHUNK)
            digest.update(chunk)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def name_fault(relpath: str) -> str:
    """Returns what is wrong with a relative path that is to be shipped, or an empty string."""
    if _CONTROL.search(relpath):
        return "a control character"
    if _SURROGATE.search(relpath):
        return "bytes that are not UTF-8"
    return ""


def link_fault(relpath: str, target: str) -> str:
    """Returns why a link at ``relpath`` may not point to ``target``, or an empty string.

    ``..`` is accepted at the front only: behind a name it would be resolved from wherever that
    name leads, and could leave the tree through another link that is harmless by itself.
    """
    if not target or target.startswith("/"):
        return "an absolute link to %s" % target
    if name_fault(target):
        return "a link with %s in its target" % name_fault(target)
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    if ".." in parts[ups:]:
        return "a link with .. behind a name: %s" % target
    if ups > relpath.count("/"):
        return "a link that leads out: %s" % target
    return ""


def _leads_out(path: str, real_root: str) -> str:
    real = os.path.realpath(path)
    return "" if (real + "/").startswith(real_root.rstrip("/") + "/") else "a link that leads to %s" % real


def _walk(root: str, excluded: Callable[[str, str, bool], bool] | None) -> Iterator[tuple[str, str, os.stat_result]]:
    """(relative path, path, lstat) of ``root`` (as ``.``) and of everything below it, a directory
    before what it holds. The order is the same on every run: names are sorted."""
    yield ".", root, os.lstat(root)
    pending = [""]
    while pending:
        relative = pending.pop()
        directory = os.path.join(root, relative) if relative else root
        prefix = relative + "/" if relative else ""
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda item: item.name)
        for item in entries:
            relpath = prefix + item.name
            if excluded and excluded(relpath, item.name, item.is_dir(follow_symlinks=False)):
                continue
            try:
                info = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield relpath, item.path, info
            if stat.S_ISDIR(info.st_mode):
                pending.append(relpath)


def matcher(patterns: Iterable[str]) -> Callable[[str, str, bool], bool] | None:
    """A function of (relative path, base name, whether it is a directory), or None where nothing is excluded.

    All patterns are one regular expression: a match for each pattern and file is what costs.
    """
    patterns = tuple(patterns)
    names = "|".join(translate(pattern) for pattern in patterns if "/" not in pattern)
    paths = "|".join(translate(pattern.strip("/")) for pattern in patterns if "/" in pattern)
    name_match = re.compile(names).match if names else lambda name: None
    path_match = re.compile(paths).match if paths else lambda path: None
    if not names and not paths:
        return None
    return lambda relpath, name, _directory: bool(name_match(name) or path_match(relpath))


def _below(relpath: str, excluded: Callable[[str, str, bool], bool] | None) -> bool:
    """Returns whether a path or one of the directories above it is excluded."""
    while excluded and relpath != ".":
        if excluded(relpath, posixpath.basename(relpath), True):
            return True
        relpath = _parent(relpath)
    return False


def _parent(relpath: str) -> str:
    return posixpath.dirname(relpath) or "."


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "f"
    if stat.S_ISDIR(mode):
        return "d"
    return "l" if stat.S_ISLNK(mode) else "o"


def _signature(info: os.stat_result) -> list[int]:
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_uid, info.st_gid]


def _finding(path: str, attribute: str, expected: object, found: object) -> dict[str, Any]:
    return {"path": path, "attribute": attribute, "expected": expected, "found": found}


def _problem(code: str, root: str, path: str, expected: str, got: str) -> Problem:
    remedy = "correct or remove the entry" if path else "correct the path"
    return Problem(code, expected, got, remedy, file=root, path=path)
