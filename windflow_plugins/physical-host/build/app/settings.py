# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's configuration, as the platform wrote it on the host."""

from __future__ import annotations

import yaml


def load(path: str) -> dict:
    """Sections of keys, as in config/schema.json: merged, validated and complete."""
    with open(path, encoding="utf-8") as stream:
        return yaml.safe_load(stream)


def connections(config: dict) -> int:
    """How many connections one process may hold, so that one instance's workers together stay
    within ``database.max_connections``."""
    return max(1, config["database"].get("max_connections", 100) // config["server"].get("workers", 1))
