# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.text import thirdparty
from ansible_collections.windflow.platform.plugins.module_utils.text.thirdparty import require

COLLECTIONS = Path(thirdparty.__file__).resolve().parents[3] / "collections"
CORE = (
    "text.documents text.json_documents text.version manifest.reader manifest.discovery manifest.dependencies"
    " config.schema config.loading config.checks"
).split()
# what an interpreter without the packages does at every import of the core
BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        packages = "yaml jsonschema referencing semantic_version resolvelib jinja2 pathspec"
        if name.split(".")[0] in packages.split():
            raise ImportError(name)
sys.meta_path.insert(0, Blocker())
"""


def test_nothing_is_missing_here():
    assert thirdparty.MISSING == []
    require()


def test_missing_packages_are_named_together(monkeypatch, findings):
    monkeypatch.setattr(thirdparty, "MISSING", ["PyYAML", "resolvelib"])
    (problem,) = findings(require)
    assert problem.code == "E1000"
    assert "pip install PyYAML resolvelib" in problem.remedy


@pytest.mark.parametrize("module", CORE)
def test_the_core_can_be_imported_without_any_package(module):
    name = "ansible_collections.windflow.platform.plugins.module_utils"
    code = BLOCKER + "import %s.%s\nfrom %s.text import thirdparty" % (name, module, name)
    code += "\nassert len(thirdparty.MISSING) == 7"
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


def test_a_missing_package_is_a_coded_error_and_no_traceback(tmp_path):
    (tmp_path / "plugin.yml").write_text("name: a\nversion: 1.0.0\n")
    name = "ansible_collections.windflow.platform.plugins.module_utils"
    code = BLOCKER + "from pathlib import Path\nfrom %s.manifest.reader import load_manifest\n" % name
    code += "try:\n    load_manifest(Path(%r))\nexcept Exception as error:\n    print(error.code)" % str(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "E1000"
