# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``host:`` section of plugin.yml: what the host backend needs to run the application."""

from __future__ import annotations

import os
import re
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..text.wording import KeyPath, listed, nearest, show, use_or_list
from .plugin_files import inside
from .requirements import problems

if TYPE_CHECKING:
    from .reader import Reader

FAMILIES = ("debian", "redhat", "suse", "arch")
PLACEHOLDERS = ("socket", "workers", "timeout", "venv", "app")
STARTS = ("wsgi", "asgi", "command")
PROGRAM_KEYS = ("source", "requirements", *STARTS, "health", "health_timeout", "static")
KEYS = ("program", "packages", *PROGRAM_KEYS)
HEALTH_SECONDS = 30

_CALLABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_.]*(?:\(\))?\Z")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:=~-]*\Z")
URL_PATH = re.compile(r"/[A-Za-z0-9._~/%?&=+-]*\Z")


@dataclass(frozen=True)
class HostSpec:
    """How the application is shipped and started. Paths are absolute and inside the plugin.

    ``source`` is None for a plugin that runs no program of its own (``program: false``): of what the backend does,
    packages, account, directories, database, volumes and services are left. Otherwise exactly one of ``wsgi`` and
    ``asgi`` (``module:callable``) and ``command`` (an argument list with the placeholders {socket} {workers} {timeout}
    {venv} {app}) is set. ``health`` is the URL path that is probed, None for a program without HTTP. ``static`` maps a
    URL prefix to a directory, relative to ``source``, that nginx serves itself. ``health_timeout`` is in seconds.
    """

    source: Path | None
    requirements: Path | None = None
    wsgi: str | None = None
    asgi: str | None = None
    command: tuple[str, ...] | None = None
    packages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    health: str | None = None
    health_timeout: int = HEALTH_SECONDS
    static: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> bool:
        """Whether there is a program to run."""
        return self.source is not None

    @property
    def serves(self) -> bool:
        """Whether the program listens on a socket, so that nginx has something to pass requests on to."""
        named = {name for part in self.command or () for name in _placeholders(part)}
        return self.program and (self.command is None or "socket" in named)


def parse_host(reader: Reader, value: Any) -> HostSpec | None:
    given = reader.map(("host",), value, "wsgi: app:application")
    if not isinstance(value, dict):
        return None
    reader.keys(("host",), given, KEYS)
    if not reader.flag(("host", "program"), given.get("program"), True):
        for key in PROGRAM_KEYS:
            if key in given:
                remedy = "remove it, or program: false"
                reader.add("E1056", ("host", key), "no key about a program beside program: false", show(key), remedy)
        return HostSpec(None, packages=_packages(reader, given.get("packages")))
    source = _source(reader, given.get("source"))
    requirements = _requirements(reader, given.get("requirements"), source)
    starts = [key for key in STARTS if given.get(key) is not None]
    if len(starts) != 1:
        got = " and ".join(starts) or "none of them"
        remedy = "keep one of them" if starts else "add for example wsgi: app:application"
        reader.add("E1050", ("host",), "exactly one of wsgi, asgi and command", got, remedy)
    spec: dict[str, Any] = {
        "requirements": requirements,
        "wsgi": _callable(reader, ("host", "wsgi"), given.get("wsgi")),
        "asgi": _callable(reader, ("host", "asgi"), given.get("asgi")),
        "command": _command(reader, given.get("command")),
        "packages": _packages(reader, given.get("packages")),
        "health": _health(reader, given, "command" not in starts),
        "health_timeout": reader.whole(
            ("host", "health_timeout"), given.get("health_timeout"), HEALTH_SECONDS, 1, 3600, "seconds"
        ),
        "static": _static(reader, given.get("static"), source),
    }
    return HostSpec(source, **spec) if source else None


def _source(reader: Reader, value: Any) -> Path | None:
    path = ("host", "source")
    if value is None and (reader.root / "build" / "app").is_dir():
        value = "build/app"
    if value is None:
        got = "none, and there is no build/app"
        reader.add("E1051", path, "the application's directory", got, "add source: or put the application in build/app")
        return None
    source = reader.file(path, value, "E1051", "the application", "directory")
    if source == reader.root:
        remedy = "put the application in a directory of its own, such as build/app"
        reader.add("E1051", path, "a directory below the plugin", "the plugin's directory", remedy)
        return None
    return source


def _requirements(reader: Reader, value: Any, source: Path | None) -> Path | None:
    if value is None and source is not None and (source / "requirements.txt").is_file():
        value = str((source / "requirements.txt").relative_to(reader.root))
    found = reader.file(("host", "requirements"), value, "E1051", "the requirements file")
    if source is not None and (value is None or found is not None):
        for expected, got, remedy in problems(reader.root, source, found):
            reader.add("E1051", ("host", "requirements"), expected, got, remedy)
    return found


def _callable(reader: Reader, path: KeyPath, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and _CALLABLE.match(value)):
        return value
    reader.add("E1052", path, "module:callable", show(value), "write for example app:application")
    return None


def _command(reader: Reader, value: Any) -> tuple[str, ...] | None:
    path = ("host", "command")
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(part, str) and part for part in value):
        remedy = 'write ["{venv}/bin/server", "--socket", "{socket}"]; numbers in quotes'
        reader.add("E1053", path, "a list of texts, one for each argument", show(value), remedy)
        return None
    for index, part in enumerate(value):
        if not part.isprintable():
            reader.add("E1053", path + (index,), "printable text", show(part), "remove the control characters")
        for name in _placeholders(part):
            if name not in PLACEHOLDERS:
                remedy = "%s; write {{ and }} for braces" % use_or_list(name, PLACEHOLDERS, "use")
                reader.add("E1053", path + (index,), "a known placeholder", show("{%s}" % name), remedy)
    return tuple(value)


def _placeholders(text: str) -> list[str]:
    """Returns what stands between braces; a conversion or a format after it makes it no known name."""
    try:
        found = []
        for _literal, name, form, conversion in string.Formatter().parse(text):
            if name is not None:
                found.append(name + ("!" + conversion if conversion else "") + (":" + form if form else ""))
        return found
    except ValueError:
        return [text]


def _packages(reader: Reader, value: Any) -> dict[str, tuple[str, ...]]:
    found = {}
    for family, names in reader.map(("host", "packages"), value, "debian: [libpq5]").items():
        path = ("host", "packages", family)
        if family not in FAMILIES:
            best = nearest(family, FAMILIES)
            remedy = 'write "%s"' % best if best else "write one of: %s" % listed(FAMILIES)
            reader.add("E1039", path, "an OS family", show(family), remedy)
            continue
        if not isinstance(names, list):
            reader.add("E1031", path, "a list of package names", show(names), "write [name, name]")
            continue
        for index, name in enumerate(names):
            if not isinstance(name, str) or len(name) > 128 or not _PACKAGE.match(name):
                remedy = "write the name as the system knows it"
                reader.add("E1031", path + (index,), "a package name", show(name), remedy)
        found[family] = tuple(name for name in names if isinstance(name, str))
    return found


def _health(reader: Reader, given: dict[str, Any], http: bool) -> str | None:
    if "health" not in given:
        return "/healthz" if http else None
    value = given["health"]
    if value is None or (isinstance(value, str) and len(value) <= 256 and URL_PATH.match(value)):
        return value
    reader.add("E1054", ("host", "health"), "a URL path that begins with /", show(value), "write for example /healthz")
    return None


def _static(reader: Reader, value: Any, source: Path | None) -> dict[str, str]:
    found = {}
    for prefix, folder in reader.map(("host", "static"), value, "/static/: static").items():
        path = ("host", "static", prefix)
        if not URL_PATH.match(prefix) or len(prefix) > 256 or "?" in prefix or "&" in prefix:
            reader.add("E1054", path, "a URL prefix that begins with /", show(prefix), "write for example /static/")
        elif not prefix.strip("/"):
            remedy = "write for example /static/; what is at / the program serves"
            reader.add("E1054", path, "a URL prefix below /", show(prefix), remedy)
        elif source is not None:
            there = inside(source, folder) if isinstance(folder, str) and folder else None
            if there is None or not os.path.isdir(there):
                remedy = "name a directory relative to source"
                reader.add("E1051", path, "a directory inside the application", show(folder), remedy)
            else:
                found[prefix] = folder
    return found
