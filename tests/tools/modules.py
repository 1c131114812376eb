# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules are given, without Ansible."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.run import recording

NEEDS = {"database": {"plugin": "database", "constraint": ">=2.0.0"}}


def filled(arguments: dict, **given) -> dict:
    """The options of a module: those that are given, and the defaults of the others."""
    return {**{name: option.get("default") for name, option in arguments.items()}, **given}


def recorded(plugin: str, state: str, **given) -> dict:
    """The options of the module that notes a run's begin or end."""
    return filled(recording.ARGUMENTS, **{"run": f"run-{plugin}", "check": False, **given}, plugin=plugin, state=state)


def record_deploy(plugin: str, needs=None, revision=None, **begin) -> None:
    """Note a deploy from begin to end. ``revision`` changes what is noted, ``begin`` the options of the begin."""
    noted = {"version": "2.0.0", "target": "host", "release": "r", "needs": needs or {}, "results": {}}
    noted.update(revision or {})
    recording.run(recorded(plugin, "started", revision=noted, **begin))
    recording.run(recorded(plugin, "finished", revision=noted))
