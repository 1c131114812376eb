# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is deployed on a host, and how its plugins depend on each other. Read at every plan."""

from __future__ import annotations

from . import record
from .errors import WindflowError


def deployed(state_dir=record.STATE_DIR):
    """{plugin: {version, target, engine, needs, results}} of those that are deployed; ``engine`` runs the containers of
    the target compose. One whose record cannot be read is left out here; whoever deploys it is told."""
    found = {}
    for name in record.names(state_dir):
        try:
            current = record.current(record.load(name, state_dir))
        except WindflowError:
            continue
        if current:
            found[name] = {key: current.get(key) for key in ("version", "target")}
            found[name]["engine"] = (current.get("compose") or {}).get("engine", "compose")
            found[name].update(needs=current.get("needs") or {}, results=current.get("results") or {})
    return found


def dependents(plugin, state_dir=record.STATE_DIR):
    """[{plugin, name, constraint}]: what is deployed and needs ``plugin``, as which dependency, in which versions."""
    return [
        {"plugin": name, "name": dependency, "constraint": need["constraint"]}
        for name, known in deployed(state_dir).items()
        if name != plugin
        for dependency, need in sorted(known["needs"].items())
        if need["plugin"] == plugin
    ]
