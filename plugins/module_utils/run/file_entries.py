# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, directories and links as they should be, for a plugin or for anybody: what the module ``files`` does."""

from __future__ import annotations

import os
import subprocess

from ..errors import Problem, WindflowError
from ..files import paths, placing
from ..system import mounts, places, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "entries": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["directory", "file", "link", "absent"], "default": "file"},
            "content": {"type": "str"},
            "secret_content": {"type": "str", "no_log": True},
            "source": {"type": "str"},
            "target": {"type": "str"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "str"},
            "secret": {"type": "bool", "default": False},
            "backup": {"type": "bool", "default": False},
            "recorded": {"type": "str"},
            "keep_existing": {"type": "bool", "default": False},
        },
    },
    "plugin": {"type": "str", "default": ""},
    "adopt": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
    "parents": {"type": "bool", "default": False},
    "test": {"type": "list", "elements": "str", "default": []},
    "backup_dir": {"type": "str"},
}
# How long a test may take, in seconds.
TEST_SECONDS = 60


def bring(
    entries: list[Any], backup_dir: str, check: bool, plugin: str = "", adopt: bool = False, test: Sequence[str] = ()
) -> dict[str, Any]:
    """The module's result. Raises WindflowError."""
    wanted = paths.parse(entries)
    kept = [entry["path"] for entry in wanted if entry["backup"]]
    if kept and not backup_dir:
        raise WindflowError(Problem("E4010", "backup_dir where an entry has backup", "none", "add it", path=kept[0]))
    for entry in wanted:
        answering(entry["path"])
    gone = [entry["path"] for entry in wanted if plugin and entry["state"] == "absent"]
    wanted = [entry for entry in wanted if entry["path"] not in gone]
    if plugin and wanted:
        places.take(plugin, wanted, adopt, check)
    steps = paths.plan(wanted, predict=check)
    changes = [change for step in steps for change in step["changes"]]
    before = paths.reversal(steps) if test else []
    backups = placing.apply(steps, backup_dir) if changes and not check else []
    if before and not check:
        prove(test, before)
    result = {"changed": bool(changes), "changes": changes, "backups": backups, "diff": paths.diffs(steps)}
    return removal(plugin, gone, check, result) if gone else result


def answering(path: str) -> None:
    """Raises WindflowError where a path lies on a mount that does not answer: nobody could end us there."""
    try:
        mounts.answer(path, os.path.lexists, path)
    except mounts.NotAnswering as error:
        remedy = "start the server, or unmount it (umount --lazy) on the host"
        raise WindflowError(
            Problem.plain("E2066", "a mount of the host does not answer", error.text, remedy, path=path)
        ) from None


def prove(test: Sequence[str], before: list[Any]) -> None:
    """Runs the command ``test``. If it fails, puts everything back as it was and raises WindflowError (E4017)."""
    try:
        code, said = processes.ask(test, dict(os.environ, LC_ALL="C"), TEST_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        code, said = -1, str(error)
    if code != 0:
        placing.apply(paths.plan(before))
        remedy = "correct what it reports, then run again"
        problem = Problem("E4017", "%s to accept the files" % " ".join(test), said.strip()[-2000:], remedy)
        raise WindflowError(problem, "Everything was put back as it was.")


def removal(plugin: str, gone: list[Any] | None, check: bool, result: dict[str, Any] | None = None) -> dict[str, Any]:
    """The result with what of a plugin was removed."""
    result = result or {"changed": False, "changes": [], "backups": [], "diff": []}
    removed, stays = places.remove(plugin, gone, check)
    was = {"attribute": "state", "before": "directory", "after": "absent"}
    changes = result["changes"] + [{"path": path, **was} for path in removed]
    return {**result, "changed": bool(changes), "changes": changes, "stays": stays}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.files) to its options. Raises WindflowError."""
    if params["purge"]:
        result = removal(params["plugin"], None, params["check"])
    else:
        entries = (paths.parents(params["entries"]) if params["parents"] else []) + params["entries"]
        backup_dir, options = params["backup_dir"] or "", (params["plugin"], params["adopt"], params["test"])
        result = bring(entries, backup_dir, params["check"], *options)
    stays = result.pop("stays", [])
    return {**result, "warnings": stays}
