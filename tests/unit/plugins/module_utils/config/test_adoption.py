# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key ``adopt`` of a configuration."""

from __future__ import annotations

import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config import adoption
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import by_hand

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"level": {"type": "string"}, "adopt": {"type": "array", "x-env": "ADOPT"}},
}


@pytest.fixture
def manifest(tmp_path):
    plugin = tmp_path / "tool"
    (plugin / "config").mkdir(parents=True)
    (plugin / "build" / "app").mkdir(parents=True)
    (plugin / "build" / "app" / "run.py").write_text("")
    (plugin / "plugin.yml").write_text("name: tool\nversion: 1.0.0\nhost:\n  command: [python3, run.py]\n")
    (plugin / "config" / "defaults.yaml").write_text("level: low\n")
    (plugin / "config" / "schema.json").write_text(json.dumps(SCHEMA))
    return load_manifest(plugin)


def test_the_operator_says_what_is_adopted_and_the_application_does_not_see_it(manifest, tmp_path):
    (tmp_path / "site.yaml").write_text("level: high\nadopt: [account, directories]\n")
    config = load_config(manifest, files=[tmp_path / "site.yaml"])
    assert config.adopt == {"account", "directories"}
    assert adoption.adopts(config, "account") and not adoption.adopts(config, "database")
    assert config.data == {"level": "high"} and ("adopt",) not in config.owners
    assert list(by_hand.given(config, "tool")) == ["level"]


@pytest.mark.parametrize(
    ("inventory", "sets", "adopted"),
    [
        ({"adopt": ["account", "role"]}, [], {"account", "role"}),
        ({"adopt": ["account", "role"]}, ['adopt=["database"]'], {"database"}),
        ({"adopt": ["account"]}, ["adopt=null"], set()),
        ({"adopt": []}, [], set()),
        ({}, [], set()),
    ],
)
def test_the_highest_layer_decides_alone(manifest, inventory, sets, adopted):
    assert load_config(manifest, inventory=inventory, sets=sets).adopt == adopted


@pytest.mark.parametrize(
    "given", ["account", ["acount"], [1], [["account"]], {"account": True}, True, 0, "", ["account", None]]
)
def test_what_cannot_be_meant_is_an_error(manifest, given):
    with pytest.raises(WindflowError) as caught:
        load_config(manifest, inventory={"adopt": given})
    assert [problem.code for problem in caught.value.problems] == ["E1143"]
    assert "account, database, directories, group, role" in str(caught.value)


def test_a_plugin_adopts_nothing_for_itself(manifest):
    (manifest.path / "config" / "defaults.yaml").write_text("level: low\nadopt: [account]\n")
    with pytest.raises(WindflowError) as caught:
        load_config(manifest)
    assert (caught.value.code, caught.value.problems[0].line) == ("E1143", 2)


def test_nor_does_a_variable_of_the_environment(manifest):
    with pytest.raises(WindflowError) as caught:
        load_config(manifest, environ={"ADOPT": '["account"]'})
    assert caught.value.code == "E1143"
