# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is deployed on a host, and how its plugins depend on each other. Read at every plan."""

from __future__ import annotations

import time

from ..errors import Problem, WindflowError
from . import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def survey(state_dir: str = store.STATE_DIR) -> dict[str, dict[str, Any]]:
    """Returns what is deployed, ``plugins``, by name; ``at_work`` has what each plugin needs that a run is deploying
    now, and ``unreadable`` what is wrong with each record that cannot be read: what such a plugin needs, nobody knows.
    """
    plugins, at_work, unreadable = {}, {}, {}
    for name in store.names(state_dir):
        try:
            remembered = store.load(name, state_dir)
        except WindflowError as error:
            unreadable[name] = {key: getattr(error.problems[0], key) for key in ("file", "got", "remedy")}
            continue
        current, lease = store.current(remembered), remembered["lease"]
        if current:
            plugins[name] = {key: current.get(key) for key in ("version", "target")}
            plugins[name]["engine"] = (current.get("compose") or {}).get("engine", "compose")
            plugins[name].update((key, current.get(key) or {}) for key in ("provides", "needs", "results"))
            # A record of before does not say so.
            plugins[name]["shared"] = current.get("shared", True)
        if lease and lease["expires"] > time.time():
            at_work[name] = (store.find(remembered, lease["revision"]) or {}).get("needs") or {}
    return {"plugins": plugins, "at_work": at_work, "unreadable": unreadable}


def deployed(state_dir: str = store.STATE_DIR) -> dict[str, dict[str, Any]]:
    """{plugin: {version, target, engine, provides, needs, results, shared}} of those that are deployed. One whose
    record cannot be read is left out here; whoever deploys it is told. ``shared`` is whether others may need it,
    ``engine`` what runs the containers of the target compose."""
    return survey(state_dir)["plugins"]


def dependents(plugin: str, state_dir: str = store.STATE_DIR) -> list[dict[str, str]]:
    """[{plugin, name, constraint}]: what is deployed, or about to be, and needs ``plugin``, as which dependency, in
    which versions."""
    found = survey(state_dir)
    return needing(plugin, found["plugins"], found["at_work"])


def needing(
    plugin: str, found: Mapping[str, Mapping[str, Any]], at_work: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, str]]:
    """As ``dependents``, of what ``survey`` has found."""
    known = [(name, entry["needs"]) for name, entry in found.items()] + list((at_work or {}).items())
    needs = {
        (name, dependency, need["constraint"])
        for name, needed in known
        if name != plugin
        for dependency, need in needed.items()
        if need["plugin"] == plugin
    }
    return [{"plugin": name, "name": dependency, "constraint": text} for name, dependency, text in sorted(needs)]


def not_known(code: str, plugin: str, unreadable: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """A problem for each other plugin whose record cannot be read: it may need ``plugin``."""
    return [
        Problem.plain(
            code=code,
            message="nobody can tell whether %s needs %s, because its record is unusable" % (name, plugin),
            got=found["got"],
            remedy=found["remedy"],
            file=found["file"],
            path=plugin,
        )
        for name, found in sorted(unreadable.items())
        if name != plugin
    ]
