# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks for, read from disk: one plugin with its configuration.

Tasks hand around paths and never values: each action that needs a secret reads the files again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checks import check_config
from .config import Config, load_config
from .dependencies import resolve
from .discovery import available_plugins, find_plugin
from .errors import Problem, WindflowError
from .manifest import Manifest, load_manifest
from .version import PLATFORM_VERSION

ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str", "required": True},
    "environment_name": {"type": "str", "default": ""},
    "config": {"type": "list", "elements": "str", "default": []},
    "sets": {"type": "list", "elements": "str", "default": []},
}


@dataclass(frozen=True)
class Inputs:
    """A plugin and its configuration for one host."""

    manifest: Manifest
    config: Config
    environment: str
    warnings: tuple[Problem, ...]
    arguments: dict[str, Any]  # as ARGUMENTS, with absolute paths: gives the same inputs again


def read_inputs(arguments: Mapping[str, Any], inventory: dict | None, environ: Mapping[str, str], cwd: Path) -> Inputs:
    """Reads, merges and validates; raises WindflowError with every finding."""
    path = find_plugin(arguments["plugin"], cwd, environ)
    manifest = load_manifest(path)
    files = [Path(cwd, os.path.expanduser(name)) for name in arguments["config"] if name]
    environment = arguments["environment_name"] or ""
    config = load_config(manifest, environment or None, inventory, files, environ, list(arguments["sets"]))
    errors, warnings = check_config(config, environment or None)
    errors += exposed_secrets(config, arguments["sets"])
    if errors:
        raise WindflowError(errors)
    resolve(manifest, available_plugins(cwd, environ), PLATFORM_VERSION)
    return Inputs(
        manifest,
        config,
        environment,
        tuple(warnings),
        {
            "plugin": str(path),
            "environment_name": environment,
            "config": [str(file) for file in files],
            "sets": list(arguments["sets"]),
        },
    )


def exposed_secrets(config: Config, sets: list[str]) -> list[Problem]:
    """Secrets among ``key=value``: those stand in the list of processes for everyone to read."""
    keys = [text.partition("=")[0] for text in sets]

    def holds_secret(key: str) -> bool:
        path = tuple(key.split("."))
        return config.is_secret(path) or any(secret[: len(path)] == path for secret in config.secrets)

    return [
        Problem(
            "E1150",
            "no secret on the command line",
            "a value for %s" % key,
            "set it in a configuration file, a vaulted windflow_config or its environment variable",
            path=key,
        )
        for key in keys
        if holds_secret(key)
    ]
