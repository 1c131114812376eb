# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a plugin got when it was deployed by its own name, from where nothing is read of a dependency.

A plugin that needs it knows only ``windflow_plugin_config``, so it would give others in their place, under everybody
who uses it. What the values were, nobody can tell the controller: the record has no secrets. So they are remembered by
their digests, and whoever would change them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backends.steps import digest, without_secrets
from ..config.layers import INVENTORY, Layer
from ..config.loading import Config
from ..errors import Problem
from ..text.wording import KeyPath

LAYERS = ("file", "environment", "set")


def given(config: Config, plugin: str) -> dict[str, str]:
    """{key in dots: digest of its value} for what a record keeps."""
    return {
        ".".join(map(str, path)): value
        for path, value in digests(config, plugin).items()
        if _is_by_hand(config.layers[config.owners[path]])
    }


def changed(config: Config, plugin: str, current: Mapping[str, Any] | None) -> list[Problem]:
    """E2030 where a dependency would not keep the values of ``current``, the revision that is deployed."""
    known = {".".join(map(str, path)): value for path, value in digests(config, plugin).items()}
    before = (current or {}).get("by_hand") or {}
    keys = sorted(key for key, value in before.items() if known.get(key) != value)
    if not keys:
        return []
    said = "%s was deployed by its own name with other values" % plugin
    remedy = (
        "write them into windflow_plugin_config.%s of the inventory, where plugins that need it find it; "
        "or, if the new values are meant, deploy %s by its own name with them" % (plugin, plugin)
    )
    return [Problem.plain("E2030", said, ", ".join(keys), remedy, path=plugin)]


def digests(config: Config, plugin: str) -> dict[KeyPath, str]:
    """By key path, for every value that is no map."""
    plain = without_secrets(config, plugin)
    found = {}
    for path in config.owners:
        value = plain
        for part in path:
            value = value[part] if isinstance(value, dict) else value
        if not isinstance(value, dict):
            found[path] = digest(value)
    return found


def _is_by_hand(layer: Layer) -> bool:
    return layer.name in LAYERS or (layer.given is not None and layer.given.variable == INVENTORY)
