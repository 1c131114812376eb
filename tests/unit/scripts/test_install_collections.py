# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_collections", ROOT / "scripts" / "install_collections.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "ansible-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("community/general/MANIFEST.json", "community/generality/x", "amazon/aws/MANIFEST.json"):
            archive.writestr(f"ansible_collections/{name}", "{}")
    return path


def test_wanted_collections_alone_are_unpacked_in_place_of_older_ones(script, package, tmp_path):
    old = tmp_path / "site/ansible_collections/community/general/removed.py"
    old.parent.mkdir(parents=True)
    old.touch()
    script.unpack(package, ["ansible_collections/community/general/"], tmp_path / "site")
    found = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert found == {"ansible_collections/community/general/MANIFEST.json"}


def test_collection_that_the_package_lacks_is_named(script, package, tmp_path):
    with pytest.raises(SystemExit, match="ansible_collections/community/docker/. Fix: name another version"):
        script.unpack(package, ["ansible_collections/community/docker/"], tmp_path)


def test_collections_installed_are_those_that_the_collection_depends_on(script):
    dependencies = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"]
    required = yaml.safe_load((ROOT / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert {item["name"]: item["version"] for item in required} == dependencies
    assert {f"ansible_collections/{name.replace('.', '/')}/" for name in dependencies} <= set(script.wanted())
