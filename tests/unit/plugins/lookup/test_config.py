# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.windflow.platform.plugins.lookup import config as lookup

COLLECTIONS = Path(__file__).parents[4] / "collections"
# What Ansible makes of templates; its loader is not for a process that imports the collection otherwise.
PROGRAM = """
import json, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
texts, variables = json.load(sys.stdin)
found = []
for text in texts:
    try:
        found.append(Templar(DataLoader(), variables).template(trust_as_template(text)))
    except AnsibleError as error:
        found.append("refused: %s" % error)
print(json.dumps(found))
"""
SECRET = {"type": "string", "writeOnly": True, "x-generate": True}
TEXT = {"type": "string"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Where there is a plugin that has a secret made, one that needs it, and one that needs that one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    plugin(
        tmp_path, "first", {"own": {"key": SECRET, "name": TEXT}}, results="{key: own.key, name: own.name, all: own}"
    )
    keys = {"key": {"type": "string"}, "name": TEXT, "all": {"type": "object"}}
    plugin(tmp_path, "second", {"first": keys}, "first", "{token: first.key}")
    plugin(tmp_path, "third", {"second": {"token": TEXT}, "x": {"y": TEXT}}, "second")
    (tmp_path / "windflow_plugins" / "first" / "config" / "defaults.yaml").write_text("own: {name: n}\n")
    return tmp_path


def plugin(home, name, sections, needs="core", results="{}"):
    directory = home / "windflow_plugins" / name / "config"
    directory.mkdir(parents=True)
    properties = {section: {"type": "object", "properties": keys} for section, keys in sections.items()}
    (directory / "schema.json").write_text(json.dumps({"type": "object", "properties": properties}))
    (directory.parent / "plugin.yml").write_text(
        f"name: {name}\nversion: 1.0.0\ndependencies: [{{{needs}: '*'}}]\nresults: {results}\n"
    )


def look(*texts, **variables):
    """What becomes of templates."""
    argv = [sys.executable, "-c", PROGRAM, COLLECTIONS]
    done = subprocess.run(argv, input=json.dumps([texts, variables]), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def call(keys, plugin, rest=""):
    return "{{ lookup('windflow.platform.config', %s, plugin='%s'%s) }}" % (keys, plugin, rest)


def test_what_is_set_is_found(here):
    assert look(call("'own.name'", "first"), call("'first.name', 'x.y'", "third", ", default=1")) == ["n", [1, 1]]


def test_a_secret_that_is_made_on_the_host_is_refused_whoever_gives_it(here):
    first, second = ("own.key", "own"), ("first.key", "first.all", "first")
    known = [("first", key) for key in first] + [("second", key) for key in second] + [("third", "second.token")]
    found = look(*(call(f"'{key}'", name, ", default='x'") for name, key in known))
    for (_name, key), text in zip(known, found, strict=True):
        assert text.startswith("refused: ") and f"E1151 {key}: " in text


def test_a_secret_that_is_given_is_found(here):
    given = {"windflow_plugin_config": {"first": {"own": {"key": "canary"}}}}
    known = [("first", "own.key"), ("second", "first.key"), ("third", "second.token")]
    assert look(*(call(f"'{key}'", name) for name, key in known), **given) == ["canary"] * 3
    assert look(call("'first.key'", "second"), windflow_config={"first": {"key": "mine"}}) == ["mine"]


def test_a_key_that_is_not_set_is_refused_unless_there_is_a_default(here):
    missing = call("'x.z'", "third")
    refused, empty, other = look(missing, call("'x.z'", "third", ", default=''"), call("'x.z'", "third", ", default=2"))
    assert "E1152 x.z: the configuration of third does not set the key" in refused and (empty, other) == ("", 2)
    assert look(call("'own.name'", "first", ", default='other'")) == ["n"]


def test_the_examples_are_right(here):
    (here / "my-config.yaml").write_text("database: {password: canary}\n")
    database, port = yaml.safe_load(lookup.EXAMPLES)
    texts = [database["windflow.platform.database"]["password"], port["ansible.builtin.debug"]["msg"]]
    assert look(*texts) == ["canary", "port 8080"]
