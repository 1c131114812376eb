# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a plugin directory: what leads out of it, and which hooks can be run."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Problem
from ..text.limits import SECONDS, fail_if_any, time_limit
from ..text.wording import KeyPath, listed, nearest, show

if TYPE_CHECKING:
    from .reader import Reader

STAGES = ("install", "deploy", "upgrade", "remove")
# Between a new release that is ready and the switch to it.
MIGRATE = "migrate"
EVENTS = (*("%s-%s" % (when, stage) for stage in STAGES for when in ("pre", "post")), MIGRATE)
HOOK_KEYS = ("path", "on", "run", "timeout", "privileged")
HOOK_SECONDS = 300
_LONGEST_HOOK_SECONDS = 86400


@dataclass(frozen=True)
class HookSpec:
    """One hook of one event. ``timeout`` is in seconds, ``path`` is absolute and inside the plugin."""

    event: str
    path: Path
    on: str = "controller"
    run: str = "per_host"
    timeout: int = HOOK_SECONDS
    privileged: bool = False


def inside(root: Path, relative: str) -> Path | None:
    """``root/relative`` with every link followed, or None if that leads out of ``root``, which is resolved."""
    if relative.startswith(("/", "~")) or "\0" in relative:
        return None
    base = found = str(root)
    for part in relative.split("/"):
        found += "/" + part
        if part in ("", ".", "..") or os.path.islink(found):
            break
    else:
        return Path(found)  # no link on the way, which is nearly always so
    found = os.path.realpath(base + "/" + relative)
    return Path(found) if found == base or found.startswith(base.rstrip("/") + "/") else None


def check_tree(plugin_dir: Path) -> None:
    """Raise ``WindflowError`` for every link below ``plugin_dir`` that leads out of it, and every special file."""
    root = Path(plugin_dir).resolve()
    with time_limit(SECONDS, "looking through the plugin's directory", root.name):
        fail_if_any(problems_of_tree(root))


def problems_of_tree(root: Path) -> list[Problem]:
    problems = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            name = _display(root, folder)
            problems.append(Problem("E1047", "a directory that can be read", str(error.strerror), "", name))
            continue
        for entry in entries:
            if entry.is_symlink():
                if inside(root, os.path.relpath(entry.path, root)) is None:
                    problems.append(_leads_out(root, entry.path))
            elif entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                name = _display(root, entry.path)
                got = "a device, socket or named pipe"
                problems.append(Problem("E1046", "files, directories and links", got, "remove it", name))
    return problems


def _leads_out(root: Path, path: str) -> Problem:
    got = "a link to %s" % show(os.readlink(path))
    remedy = "put the file itself into the plugin"
    return Problem("E1046", "links that stay inside the plugin", got, remedy, _display(root, path))


def _display(root: Path, path: str | Path) -> str:
    shown = os.path.relpath(path, root.parent)
    return shown if shown.isprintable() else show(shown)


def parse_hooks(reader: Reader, given: Any) -> dict[str, tuple[HookSpec, ...]]:
    """``hooks:`` of plugin.yml. A value is a path, a map, or a list of those that run in order."""
    found = {}
    for event, value in reader.map(("hooks",), given, "pre-deploy: hooks/pre-deploy.sh").items():
        path = ("hooks", event)
        if event not in EVENTS:
            best = nearest(event, EVENTS)
            remedy = 'write "%s"' % best if best else "write one of: %s" % listed(EVENTS)
            reader.add("E1038", path, "an event", show(event), remedy)
            continue
        if isinstance(value, list):
            specs = [_hook(reader, path + (index,), event, entry) for index, entry in enumerate(value)]
        else:
            specs = [_hook(reader, path, event, value)]
        found[event] = tuple(spec for spec in specs if spec is not None)
    return found


def _hook(reader: Reader, path: KeyPath, event: str, value: Any) -> HookSpec | None:
    if not isinstance(value, dict):
        file = _hook_file(reader, path, value)
        return HookSpec(event, file) if file else None
    reader.keys(path, value, HOOK_KEYS)
    file = _hook_file(reader, path + ("path",), value.get("path"))
    options: dict[str, Any] = {
        "on": reader.choice(path + ("on",), value.get("on"), ("controller", "target"), "controller"),
        "run": reader.choice(path + ("run",), value.get("run"), ("once", "per_host"), "per_host"),
        "timeout": reader.whole(
            path + ("timeout",), value.get("timeout"), HOOK_SECONDS, 1, _LONGEST_HOOK_SECONDS, "seconds"
        ),
        "privileged": reader.flag(path + ("privileged",), value.get("privileged")),
    }
    return HookSpec(event, file, **options) if file else None


def _hook_file(reader: Reader, path: KeyPath, value: Any) -> Path | None:
    if value is None:
        reader.add("E1040", path, "the path of a hook", "nothing", "write for example hooks/pre-deploy.sh")
        return None
    file = reader.file(path, value, "E1040", "a hook")
    if file is None:
        return None
    problem = hook_problem(file)
    if problem:
        code, expected, got, remedy = problem
        reader.add(code, path, expected, "%s, %s" % (show(value), got), remedy % {"file": value})
        return None
    return file


def hook_problem(file: Path) -> tuple[str, str, str, str] | None:
    """Returns why the system could not run ``file``: code, expected, got, remedy."""
    try:
        mode = file.stat().st_mode
        with open(file, "rb") as content:
            first = content.read(256)
    except OSError as error:
        return "E1040", "a hook that can be read", str(error.strerror), "correct the file's permissions"
    if not mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH):
        return "E1043", "an executable hook", "which is not executable", "run chmod +x %(file)s"
    if first.startswith(b"\x7fELF"):
        return None
    line, _newline, _rest = first.partition(b"\n")
    if not line.startswith(b"#!") or not line[2:].strip().startswith(b"/"):
        got = "which does not begin with #! and the path of an interpreter"
        return "E1044", "a first line such as #!/bin/sh", got, "add the line #!/bin/sh or #!/usr/bin/env python3"
    if line.endswith(b"\r"):
        got = "whose first line ends in CR LF"
        return "E1045", "lines that end in LF", got, "save %(file)s with Unix line ends"
    return None
