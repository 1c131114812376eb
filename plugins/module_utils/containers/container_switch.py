# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch or a removal of containers on the host, from the options of ``windflow.platform.compose_switch`` to its
result.
"""

from __future__ import annotations

from ..switch import transaction
from .project import ContainerOptions, Containers
from .stack import Stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SWITCHES = {"compose": Containers, "swarm": Stack}
# Of the module; "check" is a mode of it.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "prepared", "absent"], "default": "present"},
    "plugin": {"type": "str", "required": True},
    "run": {"type": "str", "default": ""},
    "engine": {"type": "str", "choices": ["compose", "swarm"], "default": "compose"},
    "project": {"type": "str", "required": True},
    "install_dir": {"type": "path", "required": True},
    "shared_dir": {"type": "path", "required": True},
    "app": {"type": "str", "required": True},
    "front": {"type": "str", "default": ""},
    "images": {"type": "dict", "default": {}},
    "registry": {"type": "str", "default": ""},
    "release": {"type": "str", "default": ""},
    "files": {"type": "list", "elements": "str", "default": []},
    "replicas": {"type": "int", "default": 1},
    "app_port": {"type": "int", "default": 8000},
    "port": {"type": "int", "default": 8080},
    "bind": {"type": "str", "default": ""},
    "allow": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str", "default": []},
    "health": {"type": "str", "default": ""},
    "health_timeout": {"type": "int", "default": 60},
    "host_header": {"type": "str", "default": "localhost"},
    "drain_timeout": {"type": "int", "default": 30},
    "purge": {"type": "bool", "default": False},
}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the module's result. An error is in it too, with "failed" and what is known of the host."""
    options = ContainerOptions(**{name: params[name] for name in ARGUMENTS})

    def work(switch: Containers) -> dict[str, Any]:
        if params["check"]:
            switch.changes = foreseen(switch)
            return {}
        transaction.end_by_exception()
        switch.renew_lease(options.health_timeout * max(options.replicas, 1) + options.drain_timeout)
        if options.state == "absent":
            return switch.remove(options.purge)
        if options.state == "prepared":
            switch.prepare()
        elif switch.previous != options.release:
            return switch.deploy()
        return {}

    return transaction.run(options, SWITCHES[options.engine], work)


def foreseen(switch: Containers) -> list[str]:
    """Returns what would change, as far as that is known without changing it."""
    if switch.options.state == "absent":
        return switch.removable()
    # Compose does not say beforehand which services it would leave alone.
    switching = switch.options.state == "present" and switch.previous != switch.options.release
    return [switch.current_path] if switching else []
