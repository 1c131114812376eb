# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What windflow remembers of the networks of each owner, a plugin or "" for a playbook of somebody's own.

What it has configured and what was there before: {"networks": {name: {"network", "backend", "files"}}, "before":
{interface: state or None}}.
"""

from __future__ import annotations

import json
import os

from ..files.reading import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "/var/lib/windflow/.network"


def is_used() -> bool:
    """Returns whether windflow has ever changed networks of this host."""
    return os.path.isdir(FOLDER)


def path_of(owner: str) -> str:
    """Returns the file of an owner."""
    return "%s/%s.json" % (FOLDER, owner or "_")


def read(owner: str) -> dict[str, Any]:
    """Returns what is remembered of an owner."""
    found = text_of(path_of(owner))
    try:
        return json.loads(found) if found else {"networks": {}, "before": {}}
    except ValueError:
        return {"networks": {}, "before": {}}
