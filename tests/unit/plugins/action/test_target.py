# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.action import target
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import InputContext


@pytest.mark.parametrize("sources", [None, [], ["/etc/ansible/hosts"]])
def test_where_no_inventory_is_named_there_need_be_no_host(sources):
    target.inventory_is_silent({"ansible_inventory_sources": sources, "groups": {"all": []}})


def test_an_inventory_that_is_named_and_names_no_host_is_refused():
    named = {"ansible_inventory_sources": ["/srv/fleet.yml", "/etc/ansible/hosts"]}
    target.inventory_is_silent({**named, "groups": {"all": ["web1"]}})
    with pytest.raises(WindflowError) as caught:
        target.inventory_is_silent({**named, "groups": {"all": []}})
    assert caught.value.code == "E2013" and "/srv/fleet.yml" in str(caught.value)


def test_without_a_connection_the_host_is_this_machine_with_the_systems_python():
    assert target.variables({}) == {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}


def test_a_connection_becomes_the_variables_of_ansible(tmp_path):
    key = tmp_path / "key"
    key.write_text("x", encoding="utf-8")
    key.chmod(0o600)
    assert target.variables({"host": "h", "port": 2222, "user": "admin", "key_file": str(key)}) == {
        "ansible_port": 2222,
        "ansible_user": "admin",
        "ansible_ssh_private_key_file": str(key),
    }
    assert target.variables({"host": "h", "password": "p"}) == {"ansible_password": "p"}


def test_a_private_key_that_others_can_read_is_refused(tmp_path):
    key = tmp_path / "key"
    key.write_text("x", encoding="utf-8")
    key.chmod(0o640)
    with pytest.raises(WindflowError) as caught:
        target.private_key(str(key))
    assert caught.value.code == "E2015" and "0640" in str(caught.value)


def test_a_private_key_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WindflowError) as caught:
        target.private_key(str(tmp_path / "none"))
    assert caught.value.code == "E2014" and str(tmp_path / "none") in str(caught.value)


CONFIG = "host: {connection: {host: far.example}}\n"


def connection(directory, plugin, **arguments):
    (directory / "far.yaml").write_text(CONFIG, encoding="utf-8")
    arguments = {"environment_name": "", "config": [], "sets": [], "dependency": False, **arguments}
    return target.connection_of({"plugin": plugin, **arguments}, InputContext({}, {}, directory))


def test_the_configuration_names_the_host_and_without_a_plugin_it_is_this_machine(tmp_path):
    (tmp_path / "plugin.yml").write_text("name: app\nversion: 1.0.0\n", encoding="utf-8")
    assert connection(tmp_path, ".", config=["far.yaml"]) == ({"host": "far.example"}, [])
    assert connection(tmp_path, ".") == connection(tmp_path, "") == ({}, [])


def test_what_is_on_this_machine_can_be_looked_after_though_its_plugin_is_gone_or_not_in_order(tmp_path):
    (tmp_path / "plugin.yml").write_text("name: app\nversion: one\n", encoding="utf-8")
    for plugin in (".", "gone"):
        found, (warning,) = connection(tmp_path, plugin)
        assert found == {} and "run uses this machine" in warning


def test_a_host_that_a_plugin_may_name_is_never_taken_for_this_machine(tmp_path):
    (tmp_path / "plugin.yml").write_text("name: app\nversion: one\n", encoding="utf-8")
    for plugin, arguments in (
        (".", {"config": ["far.yaml"]}),
        (".", {"config": ["none.yaml"]}),
        (".", {"sets": ["host.connection.host=far.example"]}),
        ("gone", {"config": ["far.yaml"]}),
        ("./gone/", {}),
    ):
        with pytest.raises(WindflowError):
            connection(tmp_path, plugin, **arguments)
    (tmp_path / "config" / "environments").mkdir(parents=True)
    (tmp_path / "config" / "environments" / "production.yaml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(WindflowError):
        connection(tmp_path, ".", environment_name="production")
