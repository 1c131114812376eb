# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is configured with, from its groups' variables to its own, as Ansible itself reads inventories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

ROOT = Path(__file__).parents[4]
# Ansible's loader is not for a process that imports the collection otherwise.
PROGRAM = """
import json, os, sys
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
sources, extra, wanted, play, password = json.load(sys.stdin)
context.CLIARGS = ImmutableDict(extra_vars=extra)
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Given, inventory_layer
from ansible_collections.windflow.platform.plugins.plugin_utils import inventory_layers
loader = DataLoader()
loader.set_basedir(play)
loader.set_vault_secrets([("default", VaultSecret(password.encode()))])
inventory = InventoryManager(loader, sources)
manager = VariableManager(loader, inventory)
hostvars = HostVars(inventory, manager, loader)
found = {}
for name in wanted:
    variables = manager.get_vars(host=inventory.get_host(name))
    templar = Templar(loader, variables)
    layers = inventory_layers.layers("windflow_config", variables, templar)
    plain = [inventory_layer(layer).data for layer in layers]
    told = [[layer.source, *layer.place(("server", "port"))] for layer in layers]
    effective = Given(templar.template(variables["windflow_config"]))
    found[name] = [plain, told, inventory_layer(effective).data]
print(json.dumps(found))
"""


def read(home, *hosts, sources=("hosts.yml",), extra=(), **settings):
    """{host: what each place says, who and where these are, what Ansible alone would take}."""
    asked = [[str(home / name) for name in sources], list(extra), hosts, str(home / "play"), "secret"]
    (home / "play").mkdir(exist_ok=True)
    given = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / "collections")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=home,
        env={**given, **settings},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(home, name, text):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text), encoding="utf-8")
    return path


def say(**server):
    return {"windflow_config": {"server": server}}


@pytest.fixture
def fleet(tmp_path):
    """An inventory that says something in each of the places that Ansible knows."""
    hosts = {"app1": {}, "app2": say(inline=1, port=9)}
    groups = {
        "site": {"children": {"web": {}}, "vars": say(site=1, depth="site")},
        "web": {"hosts": hosts, "vars": say(web=1, depth="web", order="web")},
        # Of the same depth as web: the priority decides, and not the name.
        "zone": {"children": {"apps": {}}},
        "apps": {"hosts": {"app1": {}}, "vars": {**say(apps=1, order="apps"), "ansible_group_priority": 0}},
    }
    write(tmp_path, "hosts.yml", {"all": {"children": groups, "vars": say(port=1, every=1)}})
    write(tmp_path, "group_vars/all/main.yml", say(port=2, main="{{ greeting }}"))
    secret = VaultLib([("default", VaultSecret(b"secret"))]).encrypt(b"windflow_config: {app: {key: canary}}\n")
    write(tmp_path, "group_vars/all/vault.yml", secret.decode())
    write(tmp_path, "group_vars/web.yml", say(port=3, webfile=1))
    write(tmp_path, "host_vars/app1/a.yml", {**say(port=4, first=1), "greeting": "hello"})
    write(tmp_path, "host_vars/app1/b.json", json.dumps(say(second=1)))
    write(tmp_path, "host_vars/app2.yml", {"greeting": "bye"})
    write(tmp_path, "play/group_vars/all.yml", say(play=1, port=7))
    return tmp_path


def merged(layers):
    found = {}
    for layer in layers:
        for section, values in layer.items():
            found.setdefault(section, {}).update(values)
    return found


@pytest.mark.fault(85)
def test_all_places_count_in_ansibles_own_order(fleet):
    """What Ansible makes of them if it is told to merge, which it can for a variable of every kind or none."""
    hosts = ("app1", "app2")
    told, ansible = read(fleet, *hosts), read(fleet, *hosts, ANSIBLE_HASH_BEHAVIOUR="merge")
    for name in hosts:
        assert merged(told[name][0]) == ansible[name][2] == merged(ansible[name][0])
        assert told[name][0] == ansible[name][0]
    app1 = merged(told["app1"][0])
    assert app1["app"] == {"key": "canary"} and app1["server"]["main"] == "hello"
    assert {"every", "site", "web", "apps", "webfile", "first", "second", "play"} <= set(app1["server"])


def test_the_file_the_line_and_the_group_are_known(fleet):
    told = read(fleet, "app1")["app1"][1]
    assert ["group web", "group_vars/web.yml", 3] in [[source, file, line] for source, file, line, _column in told]
    assert {source for source, *_place in told} >= {"group all", "group site", "group web", "host app1"}
    files = {file for _source, file, *_place in told}
    assert files >= {"hosts.yml", "group_vars/all/vault.yml", "host_vars/app1/a.yml"}


def test_extra_variables_lie_on_top_and_take_nothing_away(fleet):
    plain, told, _ansible = read(fleet, "app1", extra=[json.dumps(say(port=99))])["app1"]
    assert merged(plain)["server"]["port"] == 99 and merged(plain)["server"]["every"] == 1
    assert told[-1][0] == "variables above the inventory"
    # Also where they say the same as the last place does.
    assert merged(read(fleet, "app2", extra=[json.dumps(say(inline=1))])["app2"][0])["server"]["port"] == 9


@pytest.mark.parametrize("settings", [{}, {"ANSIBLE_HASH_BEHAVIOUR": "merge"}])
def test_an_inventory_that_a_program_prints_merges_too(tmp_path, settings):
    """As in AWX, whose inventories come from a program and whose files of groups lie beside them."""
    answer = {
        "all": {"vars": say(port=1, every=1)},
        "web": {"hosts": ["app1"], "vars": say(port=2)},
        "_meta": {"hostvars": {"app1": say(own=1)}},
    }
    program = write(tmp_path, "inventory.py", "#!/bin/sh\ncat <<'EOT'\n%s\nEOT\n" % json.dumps(answer))
    program.chmod(0o755)
    write(tmp_path, "group_vars/web.yml", say(file=1))
    plain, told, _ansible = read(tmp_path, "app1", sources=["inventory.py"], **settings)["app1"]
    assert merged(plain)["server"] == {"port": 2, "every": 1, "own": 1, "file": 1}
    assert "group_vars/web.yml" in [file for _source, file, *_place in told]


def test_a_host_of_the_sample_inventory_keeps_what_its_group_says(tmp_path):
    shutil.copytree(ROOT / "inventories/fleet", tmp_path, dirs_exist_ok=True)
    plain = read(tmp_path, "app3.example.com")["app3.example.com"][0]
    assert merged(plain)["server"] == {"host_port": 8080, "workers": 8}


def test_what_several_inventories_have_beside_them_merges(tmp_path):
    for name, port in (("one", 1), ("two", 2)):
        write(tmp_path, "%s/hosts.ini" % name, "[web]\napp1\n")
        write(tmp_path, "%s/group_vars/web.yml" % name, say(port=port, **{name: 1}))
    plain = read(tmp_path, "app1", sources=["one/hosts.ini", "two/hosts.ini"])["app1"][0]
    assert merged(plain)["server"] == {"port": 2, "one": 1, "two": 1}


def test_a_host_of_no_inventory_has_what_is_beside_the_play(tmp_path):
    write(tmp_path, "play/group_vars/all.yml", say(port=1))
    assert read(tmp_path, "localhost", sources=[])["localhost"][0] == [say(port=1)["windflow_config"]]
