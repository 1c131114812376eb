# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows of its plugins, for those that depend on them: what is deployed, and marks of its secrets."""

from __future__ import annotations

from . import dependents, host_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ARGUMENTS = {
    "plugins": {"type": "list", "elements": "str", "default": []},
    "reveal": {"type": "bool", "default": False},
}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the answer of M(windflow.platform.dependency_info) to its options, which are documented there."""
    told = host_secrets.load if params["reveal"] else host_secrets.marks
    secrets = {name: told(name) for name in params["plugins"]}
    found = dependents.survey()
    for name, known in found["plugins"].items():
        needed = dependents.needing(name, found["plugins"], found["at_work"])
        unknown = set(found["unreadable"]) if known["shared"] else set()
        known["needed_by"] = sorted({need["plugin"] for need in needed} | unknown)
    return {"changed": False, **found, "secrets": secrets}
