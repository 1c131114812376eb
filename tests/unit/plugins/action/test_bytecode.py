# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process compiles of the collection, the next one does not compile again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ansible_collections

COLLECTIONS = Path(next(iter(ansible_collections.__path__))).parent

# Loads the action as Ansible does, then prints {file of module_utils: where its bytecode is}.
PROGRAM = """
import json, sys
from ansible.plugins.loader import action_loader, init_plugin_loader
init_plugin_loader([sys.argv[1]])
action_loader.get("windflow.platform.plan", class_only=True)
core = {name: module for name, module in sys.modules.items() if ".platform.plugins.module_utils." in name}
files = {name: module.__spec__.cached for name, module in core.items() if not hasattr(module, "__path__")}
print(json.dumps(files))
"""


@pytest.fixture
def run(tmp_path):
    def run(writes: bool) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)
        if not writes:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-c", PROGRAM, str(COLLECTIONS)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_the_core_is_compiled_once(run, tmp_path):
    files = run(writes=True)
    assert len(files) > 30
    written = {path: os.stat(path).st_mtime_ns for path in files.values()}
    assert all(Path(path).is_relative_to(tmp_path) for path in written)
    assert run(writes=True) == files
    assert {path: os.stat(path).st_mtime_ns for path in written} == written


def test_an_operator_who_wants_no_bytecode_gets_none(run, tmp_path):
    assert run(writes=False)
    assert not list(tmp_path.rglob("*windflow*"))
