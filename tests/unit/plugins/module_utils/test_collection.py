# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.collection import ROOT


def test_the_collection_is_where_its_galaxy_file_and_its_roles_are():
    assert (ROOT / "galaxy.yml").is_file() and (ROOT / "roles/host/vars/debian.yml").is_file()
