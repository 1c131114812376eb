# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.files import archive, tree
from ansible_collections.windflow.platform.plugins.module_utils.run import managed, staging


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a host")
@pytest.mark.parametrize("secrets", [[], ["secrets/KEY"]])
def test_a_release_has_its_folders_whatever_is_in_them(tmp_path, monkeypatch, secrets):
    (tmp_path / "source").mkdir()
    packed = archive.pack(str(tmp_path / "source"), [], {name: (b"x", 0o600) for name in secrets}, prefix="app/")
    params = {"install_dir": str(tmp_path / "opt"), "release": "r", "archive_path": "", "group": "0", "private": []}
    params.update(archive=base64.b64encode(packed).decode(), readable=secrets, venv="", folders=["secrets"], masked={})
    (tmp_path / "opt/releases").mkdir(parents=True)
    old = os.umask(0o077)
    try:
        staging.stage(params)
    finally:
        os.umask(old)
    folder = tmp_path / "opt/releases/r/secrets"
    assert folder.stat().st_mode & 0o777 == 0o755
    monkeypatch.setattr(managed, "directory", lambda _plugin: str(tmp_path))
    managed.snapshot("shop", {"trees": [{"root": str(folder), "step": "config"}]})
    assert tree.drift(str(folder), tree.manifest(str(folder))) == []
