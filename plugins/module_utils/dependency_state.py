# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows of its plugins and how they depend on each other."""

from __future__ import annotations

import os

from . import kept_secrets, record, sealing
from .errors import WindflowError

ARGUMENTS = {
    "plugins": {"type": "list", "elements": "str", "default": []},
    "key": {"type": "str", "default": "", "no_log": True},
}


def names(state_dir=record.STATE_DIR):
    """Every plugin with a record."""
    try:
        found = sorted(os.listdir(state_dir))
    except FileNotFoundError:
        return []
    return [name for name in found if record.exists(name, state_dir)]


def deployed(state_dir=record.STATE_DIR):
    """{plugin: {version, target, needs, results}} of those that are deployed. One whose record cannot be read is left
    out here; whoever deploys it is told."""
    found = {}
    for name in names(state_dir):
        try:
            current = record.current(record.load(name, state_dir))
        except WindflowError:
            continue
        if current:
            found[name] = {key: current.get(key) for key in ("version", "target")}
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


def run(params):
    """The answer of M(windflow.platform.dependency_info) to its options, which are documented there."""
    secrets = {name: kept_secrets.load(name) for name in params["plugins"]}
    return {
        "changed": False,
        "plugins": deployed(),
        "secrets": sealing.seal(secrets, params["key"]) if params["key"] else "",
    }
