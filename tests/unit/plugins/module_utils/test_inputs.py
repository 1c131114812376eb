# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.inputs import read_inputs

ROOT = Path(__file__).parents[4]


def arguments(**changes):
    return {"plugin": "template", "environment_name": "", "config": [], "sets": [], **changes}


def test_the_arguments_that_come_back_give_the_same_inputs_from_anywhere(tmp_path):
    (tmp_path / "my.yaml").write_text("server: {host_port: 8099}\n", encoding="utf-8")
    first = read_inputs(arguments(config=["my.yaml"]), None, {}, tmp_path)
    second = read_inputs(first.arguments, None, {}, Path("/"))
    assert second.config.data == first.config.data
    assert first.config.get("server.host_port") == 8099


def test_the_inventory_lies_below_files_and_above_defaults(tmp_path):
    (tmp_path / "my.yaml").write_text("server: {workers: 3}\n", encoding="utf-8")
    inventory = {"server": {"workers": 5, "timeout": 44}}
    config = read_inputs(arguments(config=["my.yaml"]), inventory, {}, tmp_path).config
    assert config.get("server.workers") == 3 and config.get("server.timeout") == 44


@pytest.mark.parametrize("text", ["database.password=canary", 'database={"password": "canary"}'])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(text):
    with pytest.raises(WindflowError) as caught:
        read_inputs(arguments(sets=[text]), None, {}, ROOT)
    assert caught.value.code == "E1150"
    assert "canary" not in str(caught.value)


def test_other_values_on_the_command_line_win():
    config = read_inputs(arguments(sets=["app.log_level=debug"]), None, {"LOG_LEVEL": "error"}, ROOT).config
    assert config.get("app.log_level") == "debug"


def test_placeholders_for_secrets_are_refused_in_production():
    with pytest.raises(WindflowError) as caught:
        read_inputs(arguments(environment_name="production"), None, {}, ROOT)
    assert {problem.path for problem in caught.value.problems} == {"app.secret_key", "database.password"}


def test_placeholders_for_secrets_are_a_warning_elsewhere():
    assert {problem.path for problem in read_inputs(arguments(), None, {}, ROOT).warnings} == {
        "app.secret_key",
        "database.password",
    }
