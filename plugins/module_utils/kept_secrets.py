# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are made on a host because nobody gave them, kept beside the record of their plugin."""

from __future__ import annotations

import json
import os
import secrets

from . import files, record
from .errors import Problem, WindflowError

CHARACTERS = 48


def path_of(plugin, state_dir=record.STATE_DIR):
    return os.path.join(record.directory(plugin, state_dir), "secrets.json")


def load(plugin, state_dir=record.STATE_DIR):
    """{key in dots: secret} of what was made. Raises WindflowError E5013 for a file that cannot be read: to make other
    ones would lock the application out of its own data."""
    path = path_of(plugin, state_dir)
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        remedy = "put a copy from a backup in its place, or give the secrets in the inventory"
        raise WindflowError(Problem("E5013", "a map of secrets", "something else", remedy, path))
    return found


def make(plugin, keys, state_dir=record.STATE_DIR):
    """Makes those of ``keys`` that are not there yet. Whether there were any. Raises WindflowError E4046 where the host
    does not take them."""
    found = load(plugin, state_dir)
    missing = [key for key in keys if key not in found]
    if missing:
        found.update({key: secrets.token_hex(CHARACTERS // 2) for key in missing})
        try:
            files.make_directory(record.directory(plugin, state_dir), 0o700)
            files.write(path_of(plugin, state_dir), json.dumps(found, indent=1, sort_keys=True).encode(), 0o600)
        except OSError as error:
            raise WindflowError(files.problem(error)) from error
    return bool(missing)


def remove(plugin, state_dir=record.STATE_DIR):
    files.remove(path_of(plugin, state_dir))
