# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip is to install: a plugin's requirements file, and everything inside the plugin that it refers to.

A requirements file is more than a list of names: it includes other files (``-r``, ``-c``) and names wheels, archives
and projects of the plugin's own. All of them go to the host, each at its place in the plugin, and all of them count in
the digest. Paths are read as pip reads them: those of ``-r`` and ``-c`` from the file that names them, all others from
the directory of the first file. ``-e`` is left out of the shipped text: a release never changes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..files import sources
from ..text.wording import show
from .plugin_files import inside

# Nothing to install.
NONE = "requirements.txt"
# What is written for a project that has no requirements file.
PROJECT = ".windflow-requirements.txt"
# What pip replaces by the directory of what was shipped; requirements may name no other variable in a path.
DIRECTORY = "${WINDFLOW_REQUIREMENTS}"

_ARCHIVES = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz")
_MOST_FILES = 100
_COMMENT = re.compile(r"(^|\s+)#.*$")
_LONG = re.compile(r"(--[a-z-]+)(?:\s*=\s*|\s+|\Z)(.*)\Z")
_SHORT = re.compile(r"(-[a-zA-Z])[\s=]*(.*)\Z")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_EDITABLE = ("-e", "--editable")
_FOUND_IN = ("-f", "--find-links")
_REST = re.compile(r"(\s+--[a-z].*|\s+;.*|;\s.*)\Z")
_EXTRAS = re.compile(r"\[[^\]/]*\]\Z")
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*@\s*(.+)\Z")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_PROJECT_TABLE = re.compile(r"(?m)^\[\s*(?:project|build-system)\s*\]")


@dataclass(frozen=True)
class FromSource:
    """A requirement that pip would build from source that is not the plugin's own: its name, as far as it is told,
    and where it is written."""

    name: str
    text: str
    file: str
    line: int


@dataclass(frozen=True)
class Requirements:
    """``main`` is the file that pip is given, ``files`` what is shipped, both by their paths in the plugin:
    (path, mode, content). ``application_at`` is where pip expects the application's own files, if it needs them.
    """

    main: str = NONE
    files: tuple[tuple[str, int, bytes], ...] = ((NONE, 0o644, b""),)
    application_at: str = ""
    digest: str = ""


@dataclass
class _Reading:
    """What was found so far. ``problems``: (expected, got, remedy) of each reference that leads nowhere."""

    root: Path
    texts: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    from_source: list[FromSource] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_project(source: Path) -> bool:
    """Returns whether the application itself can be installed by pip: a pyproject.toml that says how."""
    try:
        return bool(_PROJECT_TABLE.search((source / "pyproject.toml").read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def from_source(root: Path, source: Path, file: Path | None) -> tuple[FromSource, ...]:
    """Returns the requirements that pip would build from source that is not the plugin's own."""
    return tuple(_read(root, source, file).from_source) if file else ()


def problems(root: Path, source: Path, file: Path | None) -> list[tuple[str, str, str]]:
    """Returns what the requirements refer to and the plugin has not: expected, got, remedy of each."""
    return _read(root, source, file).problems if file or is_project(source) else []


def collect(root: Path, source: Path, file: Path | None) -> Requirements:
    """Returns the requirements of the application in ``source``, with everything that they refer to inside ``root``."""
    if file is None and not is_project(source):
        return Requirements(digest=_digest(Requirements().files, ""))
    found = _read(root, source, file)
    main = _relative(root, file) if file else _relative(root, source / PROJECT)
    at = _relative(root, source)
    shipped = {path: (0o644, text.encode("utf-8")) for path, text in found.texts.items()}
    of_application = ""
    for path, real in found.paths.items():
        if _within(path, at) or _within(at, path):
            # The release has these files already.
            of_application = sources.digest(str(source))[0]
        if not _within(path, at):
            shipped.update(_files(path, real, at))
    files = tuple((path, mode, content) for path, (mode, content) in sorted(shipped.items()))
    return Requirements(main, files, at if of_application else "", _digest(files, of_application))


def _files(path: str, real: str, application_at: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """The files at or below ``path`` without those of the application."""
    if os.path.isfile(real):
        yield path, (0o644, Path(real).read_bytes())
        return
    for name, mode, digest in sources.digest(real)[1]:
        place = "%s/%s" % (path, name) if path != "." else name
        if _within(place, application_at):
            continue
        # pip copies what a link leads to, and so is it shipped.
        there = os.path.realpath(os.path.join(real, name))
        if not digest.startswith("link:") or os.path.isfile(there):
            yield place, (mode if mode != 0o777 else 0o644, Path(there).read_bytes())


def _digest(files: Iterable[tuple[str, int, bytes]], of_application: str) -> str:
    found = hashlib.sha256(of_application.encode())
    for path, mode, content in files:
        found.update(("%s\0%o\0%s\0" % (path, mode, hashlib.sha256(content).hexdigest())).encode())
    return found.hexdigest()


def _read(root: Path, source: Path, file: Path | None) -> _Reading:
    found = _Reading(root)
    if file is None:
        at = _relative(root, source)
        found.texts["%s/%s" % (at, PROJECT)] = ".\n"
        found.paths[at] = str(source)
        return found
    pending = [(_relative(root, file), file)]
    while pending:
        name, path = pending.pop()
        if name in found.texts:
            continue
        if len(found.texts) >= _MOST_FILES:
            expected = "at most %d requirements files" % _MOST_FILES
            found.problems.append((expected, "more", "write them into fewer files"))
            break
        found.texts[name] = ""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            found.problems.append(("requirements in UTF-8", name, "save the file as UTF-8"))
            continue
        lines = []
        for number, line in _lines(text):
            option, value = _option(line)
            if option in _INCLUDES:
                there = _reference(found, file.parent, value, path.parent)
                if there is not None:
                    pending.append(there)
                    # As pip would look for it, too, wherever it was found.
                    line = "%s %s" % (option, os.path.relpath(there[0], os.path.dirname(name) or "."))
            else:
                line = _judged(found, file.parent, path.parent, option, value, line, (name, number))
            lines.append(line + "\n")
        found.texts[name] = "".join(lines)
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number of each logical line, and what it says without its comment; continued lines are one."""
    number, first = 0, 1
    parts: list[str] = []
    for line in text.splitlines():
        number += 1
        first = first if parts else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        yield first, _COMMENT.sub("", "".join([*parts, line])).strip()
        parts = []
    if parts:
        yield first, _COMMENT.sub("", "".join(parts)).strip()


def _option(line: str) -> tuple[str, str]:
    """Name and value of a line that is an option; empty texts for one that is not."""
    if not line.startswith("-"):
        return "", line
    match = _LONG.match(line) or _SHORT.match(line)
    name, value = match.groups() if match else (line, "")
    return name, value.strip().strip("\"'")


def _judged(
    found: _Reading, first: Path, here: Path, option: str, value: str, line: str, place: tuple[str, int]
) -> str:
    """A line that includes nothing, as it is shipped; what it refers to is added to ``found``."""
    if option in _FOUND_IN:
        if not _URL.match(value):
            there = _reference(found, here if os.path.exists(here / value) else first, value, first)
            if there is not None:
                found.paths[there[0]] = str(there[1])
                return "--find-links %s" % os.path.relpath(there[0], _relative(found.root, first))
        return line
    if option in ("--no-binary", "--only-binary"):
        names = [name.strip() for name in value.split(",")] if option == "--no-binary" else []
        found.from_source += [FromSource(name, line, *place) for name in names if name and name != ":none:"]
        return line
    if option and option not in _EDITABLE:
        return line
    ending = _REST.search(value)
    rest = ending.group() if ending else ""
    target = value[: len(value) - len(rest)].strip()
    named = _NAMED.match(target)
    name, target = named.groups() if named else ("", target)
    local = _local(target, bool(option), bool(named))
    if local is None:
        if _from_elsewhere(target, bool(option)):
            egg = _EGG.search(target)
            found.from_source.append(FromSource(name or (egg.group(1) if egg else ""), target, *place))
        return line
    bracketed = _EXTRAS.search(local)
    extras = bracketed.group() if bracketed and not os.path.exists(first / local) else ""
    there = _reference(found, first, local[: len(local) - len(extras)], first)
    if there is None:
        return line
    found.paths[there[0]] = str(there[1])
    if named:
        return "%s @ file://%s/%s%s" % (line.split("@")[0].strip(), DIRECTORY, there[0], rest)
    relative = os.path.relpath(there[0], _relative(found.root, first))
    return "%s%s%s" % (relative if relative.startswith("..") else "./" + relative, extras, rest)


def _local(target: str, editable: bool, named: bool) -> str | None:
    """Returns the path in a requirement that is one, from the directory of the first file; None for any other, and for
    an absolute one: that is the host's."""
    if target.startswith("file:"):
        path = target[5:].split("#")[0]
        return None if path.startswith("/") else path
    if named or _URL.match(target) or target.startswith(("/", "~", "$")) or not target:
        return None
    bare = _EXTRAS.sub("", target)
    is_path = editable or target.startswith(".") or "/" in target or bare.lower().endswith(_ARCHIVES)
    return target if is_path else None


def _from_elsewhere(target: str, editable: bool) -> bool:
    """Returns whether a requirement that is no path of the plugin's is one that has to be built."""
    address = target.split("#")[0].split("?")[0]
    if _URL.match(target) or target.startswith(("/", "~", "$")):
        return not address.lower().endswith(".whl")
    return editable


def _reference(found: _Reading, base: Path, value: str, otherwise: Path) -> tuple[str, Path] | None:
    """Path in the plugin and on disk of what a line refers to; None for an address, and, with a problem, for what is
    not there."""
    if _URL.match(value) or value.startswith(("/", "~", "$")) or not value:
        return None
    for start in (otherwise, base):
        relative = os.path.relpath(start / value, found.root)
        there = inside(found.root, relative)
        if there is not None and there.exists():
            return _relative(found.root, there), there
    got = "%s, which leads out of it" % show(value) if there is None else "%s, which is not there" % show(value)
    problem = ("a file or directory of the plugin that the requirements refer to", got, "correct the path, or add it")
    if problem not in found.problems:
        found.problems.append(problem)
    return None


def _relative(root: Path, path: Path) -> str:
    return os.path.relpath(path, root)


def _within(path: str, directory: str) -> bool:
    return directory == "." or path == directory or path.startswith(directory + "/")
