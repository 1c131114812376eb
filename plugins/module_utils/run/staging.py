# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shipped archive into a new release: what the module ``release_unpack`` does."""

from __future__ import annotations

import base64
import grp
import json
import os
import shutil

from ..errors import Problem, WindflowError
from ..files import archive, nofollow
from ..record import host_secrets, store
from . import releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The list of what no log shown in an error may contain.
MASKED = "secrets.json"


def group_id(group: str) -> int:
    """Number of a group, by its name or its number. Raises KeyError."""
    return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def application_changes(plugin: str, current: str, listing: list[Any]) -> list[str]:
    """Names of the application's files with what happens to them: added, changed, removed."""
    before = {}
    try:
        with open(os.path.join(store.directory(plugin), "%s.tree.json" % current), encoding="utf-8") as stream:
            before = {name: entry[2] for name, entry in json.load(stream).items() if entry[0] == "f"}
    except (OSError, ValueError):
        before = {}
    after = {name: digest for name, _mode, digest in listing}
    lines = ["removed %s" % name for name in sorted(set(before) - set(after))]
    for name in sorted(after):
        if before.get(name) != after[name]:
            lines.append("%s %s" % ("changed" if name in before else "added", name))
    return lines


def differences(params: dict[str, Any], current_dir: str) -> list[dict[str, str]]:
    """Returns the diff that --diff shows: rendered files as texts, the configuration masked, files by name."""
    shown = []
    for name, after in sorted(params["documents"].items()):
        before = read(os.path.join(current_dir, name)) if current_dir else ""
        if before != after:
            shown.append({"before": before, "after": after, "before_header": name, "after_header": name})
    if params["config_before"] != params["config_after"]:
        shown.append(
            {
                "before": params["config_before"],
                "after": params["config_after"],
                "before_header": "config.yaml",
                "after_header": "config.yaml",
            }
        )
    changes = application_changes(params["plugin"], os.path.basename(current_dir), params["listing"])
    if changes:
        shown.append({"before": "", "after": "".join("%s\n" % line for line in changes), "after_header": "app/"})
    return shown


def fill(params: dict[str, Any], path: str) -> None:
    """Puts the secrets that were made here where their marks stand: those that the plugin may have, and in the list of
    what must not be shown all."""
    for name in [*params["private"], *params["readable"]] if params["masked"] else ():
        with open(os.path.join(path, name), "r+b") as stream:
            before = stream.read()
            after = host_secrets.fill(before, params["masked" if name == MASKED else "made"])
            if after != before:
                stream.seek(0)
                stream.write(after)
                stream.truncate()


def stage(params: dict[str, Any]) -> dict[str, Any]:
    path = os.path.join(params["install_dir"], "releases", params["release"])
    if params["archive_path"]:
        with open(params["archive_path"], "rb") as stream:
            data = stream.read()
    else:
        data = base64.b64decode(params["archive"])
    try:
        manifest = archive.unpack(data, path, private=(*params["private"], *params["readable"]))
    except OSError as error:
        raise WindflowError(
            Problem.plain(
                "E4001",
                "the release could not be written",
                str(error),
                "free some space (df, df -i) or repair the disk",
                path=path,
            )
        ) from error
    try:
        fill(params, path)
        for name in params["folders"]:
            if not os.path.isdir(os.path.join(path, name)):
                os.mkdir(os.path.join(path, name))
                os.chmod(os.path.join(path, name), 0o755)
        for name in params["readable"]:
            os.chown(os.path.join(path, name), 0, group_id(params["group"]))
            os.chmod(os.path.join(path, name), 0o640)
        # They may name an index with a password.
        if os.path.isdir(os.path.join(path, "requirements")):
            os.chmod(os.path.join(path, "requirements"), 0o700)
        if params["venv"]:
            os.symlink(os.path.join("..", "..", "venvs", params["venv"]), os.path.join(path, "venv"))
        # Before anything points at the release: a power cut must not leave a current one with empty files.
        nofollow.flush_filesystem(path)
    except (OSError, KeyError) as error:
        shutil.rmtree(path)
        raise WindflowError(
            Problem.plain("E4001", "the release could not be completed", str(error), path=path)
        ) from error
    except WindflowError:
        shutil.rmtree(path)
        raise
    return {"path": path, "files": sum(entry[0] == "f" for entry in manifest.values())}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the result of the module for what its action sends, and ``check``: whether to ask only."""
    current = releases.current_release(params["install_dir"])
    current_dir = os.path.join(params["install_dir"], "releases", current) if current else ""
    path = os.path.join(params["install_dir"], "releases", params["release"])
    if os.path.isdir(path):
        return {"changed": False, "path": path, "files": len(params["listing"])}
    shown = differences(params, current_dir)
    if params["check"]:
        return {"changed": True, "path": path, "files": len(params["listing"]), "diff": shown}
    store.renew(params["plugin"], params["run"], "application")
    return {"changed": True, "diff": shown, **stage(params)}
