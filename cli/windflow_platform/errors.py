# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The meaning of an error code, from the table of the collection."""

from __future__ import annotations

import os
import runpy
from collections.abc import Mapping
from pathlib import Path

from .settings import collections, read_sections, settings_file

TABLE = "ansible_collections/windflow/platform/plugins/module_utils/text/error_table.py"


def find_table(given: Mapping[str, str], cwd: Path) -> Path | None:
    """Returns the collection's table of error codes, looked for where ansible-playbook looks for the collection."""
    file = settings_file(given, cwd)
    places = collections(given, read_sections(file), file)
    return next((path for path in (Path(place, TABLE) for place in places) if path.is_file()), None)


def explain(code: str) -> tuple[str, bool]:
    """Returns the text for an error code, and whether it is a known one."""
    table = find_table(os.environ, Path.cwd())
    if table is None:
        return "platform: the collection windflow.platform was not found. Fix: set ANSIBLE_COLLECTIONS_PATH.", False
    names = runpy.run_path(str(table))
    if code.upper() not in names["ROWS"]:
        return "platform: there is no error code %s. Fix: give a code such as E1138." % code, False
    return names["as_text"](code.upper()), True
