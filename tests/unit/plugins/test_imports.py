# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"
FILES = sorted(path.relative_to(PLUGINS) for path in PLUGINS.rglob("*.py"))
SHIPPED = [path for path in FILES if path.parts[0] in ("modules", "module_utils")]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_plugin_and_every_piece_of_the_core_can_be_loaded(file):
    name = ".".join(file.with_suffix("").parts)
    assert importlib.import_module("ansible_collections.windflow.platform.plugins." + name)


@pytest.mark.parametrize("file", SHIPPED, ids=str)
def test_what_may_be_shipped_to_a_host_is_of_the_oldest_python_there(file):
    ast.parse((PLUGINS / file).read_text(encoding="utf-8"), feature_version=(3, 8))
