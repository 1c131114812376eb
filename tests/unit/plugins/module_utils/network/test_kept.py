# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network import kept

NOTHING = {"networks": {}, "before": {}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_a_host_whose_networks_windflow_never_changed_remembers_nothing(folder):
    assert not kept.is_used() and kept.read("shop") == NOTHING
    folder.mkdir()
    assert kept.is_used() and kept.read("shop") == NOTHING


def test_each_owner_has_a_file_and_a_playbook_without_one_too(folder):
    folder.mkdir()
    for owner in ("shop", ""):
        with open(kept.path_of(owner), "w", encoding="utf-8") as stream:
            json.dump({"networks": {"of": owner}, "before": {}}, stream)
    assert kept.read("shop")["networks"] == {"of": "shop"} and kept.read("")["networks"] == {"of": ""}


def test_what_is_damaged_is_forgotten(folder):
    folder.mkdir()
    (folder / "shop.json").write_text("{", encoding="utf-8")
    assert kept.read("shop") == NOTHING
