# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

from ansible_collections.windflow.platform.plugins.action.compose_images import pack
from ansible_collections.windflow.platform.plugins.module_utils.files import archive


def test_the_archive_has_the_named_folders_without_what_is_ignored(tmp_path):
    plugin = tmp_path / "shop"
    for name in ("build/Dockerfile", "build/bin/run", "build/.venv/pyvenv.cfg", "build/notes.txt", "hooks/pre.sh"):
        (plugin / name).parent.mkdir(parents=True, exist_ok=True)
        (plugin / name).write_text(name)
    (plugin / "build/bin/run").chmod(0o755)
    (plugin / "build/.windflowignore").write_text("notes.txt\n")

    archive.unpack(pack(str(plugin), ["build"]), str(tmp_path / "there"))

    found = {str(path.relative_to(tmp_path / "there")) for path in (tmp_path / "there").rglob("*") if path.is_file()}
    assert found == {"app/build/Dockerfile", "app/build/bin/run"}
    assert os.access(tmp_path / "there/app/build/bin/run", os.X_OK)
