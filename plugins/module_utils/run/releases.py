# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and virtual environments as directories on a host, and the local facts about plugins."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil

from ..files import atomic, turns
from ..record import store
from ..system import processes
from .managed import tree_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# What of a release has a manifest.
TREES = ("app", "secrets")
# The last part of an environment's name while it is removed.
GONE = ".gone"
FACTS_FILE = "/etc/ansible/facts.d/windflow.fact"


def current_release(install_dir: str) -> str:
    """Name of the release that ``current`` points at, or ""."""
    try:
        return os.path.basename(os.readlink(os.path.join(install_dir, "current")))
    except OSError:
        return ""


def superfluous(install_dir: str, keep: Iterable[str]) -> list[str]:
    """Paths of the releases not named in ``keep``, and of virtual environments that none of the
    others uses. The release that ``current`` points at is never among them."""
    keep = {*keep, current_release(install_dir)}
    unwanted, used = [], set()
    for path in sorted(glob.glob(os.path.join(glob.escape(install_dir), "releases", "*"))):
        if os.path.basename(path) in keep:
            with contextlib.suppress(OSError):
                used.add(os.path.basename(os.readlink(os.path.join(path, "venv"))))
        else:
            unwanted.append(path)
    environments = os.path.join(install_dir, "venvs")
    for path in sorted({*glob.glob(os.path.join(glob.escape(environments), "*")), *turns.worked_at(environments)}):
        if os.path.basename(path) not in used:
            unwanted.append(path)
    return unwanted


def delete(plugin: str, unwanted: Iterable[str]) -> None:
    """Removes directories of releases and virtual environments with the manifests of their files."""
    for path in unwanted:
        of_release = os.path.basename(os.path.dirname(path)) == "releases"
        for root in [os.path.join(path, part) for part in TREES] if of_release else [path]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(tree_file(plugin, root))
        if of_release:
            shutil.rmtree(path)
        else:
            _delete_environment(path)


def _delete_environment(path: str) -> None:
    """Removes a virtual environment, also one that is still being made."""
    processes.end(lambda: processes.holding(turns.lock_of(path)))
    turns.forget(path)
    gone = path if path.endswith(GONE) else path + GONE
    # What was still being made took itself away.
    with contextlib.suppress(FileNotFoundError):
        if path != gone:
            os.rename(path, gone)
        shutil.rmtree(gone)


def forget_trees(plugin: str, state_dir: str = store.STATE_DIR) -> None:
    """Removes the manifests of a plugin's files, when the files are gone."""
    for path in glob.glob(os.path.join(store.directory(plugin, state_dir), "*.tree.json")):
        atomic.remove(path)


def local_facts(state_dir: str = store.STATE_DIR) -> dict[str, dict[str, Any]]:
    """{plugin: {"version", "release", "state", "target"}} of every plugin with a record."""
    facts = {}
    for path in sorted(glob.glob(os.path.join(state_dir, "*", "record.json"))):
        plugin = os.path.basename(os.path.dirname(path))
        remembered = store.load(plugin, state_dir)
        serving = store.current(remembered)
        last = serving or (remembered["revisions"][-1] if remembered["revisions"] else None)
        if last:
            facts[plugin] = {key: last.get(key) for key in ("version", "release", "state", "target")}
    return facts


def write_local_facts(path: str = FACTS_FILE, state_dir: str = store.STATE_DIR) -> None:
    """Writes what ``ansible_local.windflow`` shows."""
    atomic.make_directory(os.path.dirname(path))
    atomic.write(path, json.dumps(local_facts(state_dir), indent=1, sort_keys=True).encode(), 0o644)
