# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is deployed on a host, and how its plugins depend on each other. Read at every plan."""

from __future__ import annotations

from . import record
from .errors import WindflowError


def deployed(state_dir=record.STATE_DIR):
    """{plugin: {version, target, provides, needs, results}} of those that are deployed. One whose record cannot be
    read is left out here; whoever deploys it is told."""
    found = {}
    for name in record.names(state_dir):
        try:
            current = record.current(record.load(name, state_dir))
        except WindflowError:
            continue
        if current:
            found[name] = {key: current.get(key) for key in ("version", "target")}
            found[name].update((key, current.get(key) or {}) for key in ("provides", "needs", "results"))
    return found


def dependents(plugin, state_dir=record.STATE_DIR):
    """[{plugin, name, constraint}]: what is deployed and needs ``plugin``, as which dependency, in which versions."""
    return needing(plugin, deployed(state_dir))


def needing(plugin, found):
    """As ``dependents``, of what ``deployed`` has found."""
    return [
        {"plugin": name, "name": dependency, "constraint": need["constraint"]}
        for name, known in found.items()
        if name != plugin
        for dependency, need in sorted(known["needs"].items())
        if need["plugin"] == plugin
    ]
