# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's configuration: the platform's file, or the environment where there is no file."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

# variable: (section, key, type). The same names as "x-env" in config/schema.json.
VARIABLES = {
    "DB_HOST": ("database", "host", str),
    "DB_PORT": ("database", "port", int),
    "DB_NAME": ("database", "name", str),
    "DB_USER": ("database", "user", str),
    "DB_PASSWORD": ("database", "password", str),
    "SECRET_KEY": ("app", "secret_key", str),
    "DEBUG": ("app", "debug", lambda text: text.lower() == "true"),
    "LOG_LEVEL": ("app", "log_level", str),
}


def load(environ: Mapping[str, str]) -> dict:
    """Sections of keys, as in config/schema.json.

    ``WINDFLOW_CONFIG`` names the merged, validated configuration that the platform wrote; it is
    complete and nothing else is read then. Without it the variables above are used.
    """
    path = environ.get("WINDFLOW_CONFIG")
    if path:
        with open(path, encoding="utf-8") as stream:
            return yaml.safe_load(stream)
    config: dict = {"app": {}, "database": {}}
    for variable, (section, key, convert) in VARIABLES.items():
        if variable in environ:
            config[section][key] = convert(environ[variable])
    return config
