# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows of plugins and their dependencies: secrets that were made, and who needs whom."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import archive
from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook_script
from ansible_collections.windflow.platform.plugins.module_utils.record import (
    dependency_state,
    dependents,
    host_secrets,
)
from ansible_collections.windflow.platform.plugins.module_utils.run import recording, staging
from ansible_collections.windflow.platform.plugins.module_utils.text import documents
from ansible_collections.windflow.platform.tests.tools.modules import NEEDS, record_deploy, recorded


@pytest.fixture(autouse=True)
def state(state_dir):
    return state_dir


def test_a_host_tells_what_is_deployed_and_what_it_gives():
    record_deploy("database", revision={"results": {"port": 5432}})
    record_deploy("shop", NEEDS)
    found = dependency_state.run({"plugins": ["shop", "database"], "reveal": False})
    known = {"version": "2.0.0", "target": "host", "engine": "compose", "provides": {}, "shared": True}
    assert found["plugins"] == {
        "database": {**known, "needs": {}, "results": {"port": 5432}, "needed_by": ["shop"]},
        "shop": {**known, "needs": NEEDS, "results": {}, "needed_by": []},
    }
    assert found["secrets"] == {"shop": {}, "database": {}}
    assert dependents.dependents("database") == [{"plugin": "shop", "name": "database", "constraint": ">=2.0.0"}]


def test_a_record_that_cannot_be_read_hides_no_other(state):
    record_deploy("database")
    (state / "broken").mkdir()
    (state / "broken" / "record.json").write_text("{", encoding="utf-8")
    assert list(dependents.deployed()) == ["database"]
    assert list(dependency_state.run({"plugins": [], "reveal": False})["unreadable"]) == ["broken"]


def test_what_a_run_is_deploying_for_the_first_time_counts_as_long_as_its_lease_lasts():
    record_deploy("database")
    recording.run(recorded("shop", "started", revision={"version": "1.0.0", "needs": NEEDS}))
    assert dependents.dependents("database") == [{"plugin": "shop", "name": "database", "constraint": ">=2.0.0"}]
    assert list(dependents.deployed()) == ["database"]
    with pytest.raises(WindflowError) as caught:
        recording.run(recorded("database", "started", purpose="remove"))
    assert caught.value.code == "E5011" and "shop needs database >=2.0.0" in str(caught.value)
    recording.run(recorded("shop", "failed"))
    recording.run(recorded("shop", "started", revision={"version": "1.0.0", "needs": NEEDS}, lease_seconds=-1))
    assert dependents.dependents("database") == []


def test_secrets_are_made_once_when_a_run_begins_and_are_private(state):
    record_deploy("database", generate=["database.password"])
    first = host_secrets.load("database")
    assert set(first) == {"database.password"} and len(first["database.password"]) == host_secrets.CHARACTERS
    record_deploy("database", generate=["app.key", "database.password"])
    second = host_secrets.load("database")
    assert second["database.password"] == first["database.password"] != second["app.key"]
    assert stat.S_IMODE((state / "database" / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"a": 1}), json.dumps({"a": "with 'quotes' in it"})])
def test_secrets_that_cannot_be_read_are_not_replaced_by_other_ones(state, text):
    (state / "database").mkdir()
    (state / "database" / "secrets.json").write_text(text, encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        host_secrets.make("database", ["database.password"])
    assert caught.value.code == "E5013" and "secrets.json" in str(caught.value)
    assert (state / "database" / "secrets.json").read_text(encoding="utf-8") == text


@pytest.mark.fault(75)
def test_the_controller_is_told_marks_and_no_secrets():
    record_deploy("database", generate=["database.password", "app.key"])
    made = host_secrets.load("database")
    told = dependency_state.run({"plugins": ["database"], "reveal": False})["secrets"]["database"]
    assert set(told) == set(made) and not set(told.values()) & set(made.values())
    for values in (told.values(), made.values()):
        assert all(re.match("[a-f][0-9a-f]{47}$", value) for value in values)
    # The same for the same secret, another one for another: digests are taken of them.
    assert host_secrets.marks("database") == told
    host_secrets.remove("database")
    host_secrets.make("database", ["database.password"])
    assert host_secrets.marks("database")["database.password"] != told["database.password"]
    assert dependency_state.run({"plugins": ["database"], "reveal": True})["secrets"]["database"] == host_secrets.load(
        "database"
    )


@pytest.mark.fault(75)
def test_a_mark_becomes_the_secret_only_for_whom_it_is_meant():
    record_deploy("database", generate=["database.password", "app.key"])
    made, marks = host_secrets.load("database"), host_secrets.marks("database")
    password, key = marks["database.password"], marks["app.key"]
    granted = {password: ["database", "database.password"]}
    text = "password: %s\nurl: postgres://app:%s@db/x\nkey: %s\n" % (password, password, key)
    filled = host_secrets.fill(text, granted)
    assert filled == text.replace(password, made["database.password"])
    assert host_secrets.fill(text.encode(), granted) == filled.encode()
    assert host_secrets.fill(text, {}) == text
    host_secrets.remove("database")
    with pytest.raises(WindflowError, match="E5019"):
        host_secrets.fill(text, granted)


@pytest.mark.fault(75)
def test_a_release_gets_its_secrets_where_it_is_unpacked(tmp_path):
    record_deploy("shop", generate=["app.key", "other.key"])
    made, marks = host_secrets.load("shop"), host_secrets.marks("shop")
    key, other = marks["app.key"], marks["other.key"]
    texts = {
        "config.yaml": documents.dump({"app": {"key": key}, "copied": other}),
        "secrets/KEY": key,
        "secrets.json": json.dumps([key, other]),
        "app/settings.txt": key,
    }
    packed = archive.pack(str(tmp_path), [], {name: (text.encode(), 0o600) for name, text in texts.items()})
    (tmp_path / "opt" / "releases").mkdir(parents=True)
    recording.run(recorded("shop", "started"))
    params = {
        "plugin": "shop",
        "run": "run-shop",
        "release": "r1",
        "install_dir": str(tmp_path / "opt"),
        "group": "0",
        "readable": ["config.yaml", "secrets/KEY"],
        "private": ["secrets.json"],
        "venv": "",
        "folders": [],
        "archive": base64.b64encode(packed).decode(),
        "archive_path": None,
        "documents": {},
        "config_before": "",
        "config_after": "",
        "listing": [],
        "made": {key: ["shop", "app.key"]},
        "masked": {key: ["shop", "app.key"], other: ["shop", "other.key"]},
        "check": False,
    }
    path = Path(staging.run(params)["path"])
    assert documents.read(path / "config.yaml").data == {"app": {"key": made["app.key"]}, "copied": other}
    assert (path / "secrets/KEY").read_text() == made["app.key"]
    assert json.loads((path / "secrets.json").read_text()) == [made["app.key"], made["other.key"]]
    # The plugin's own files are as they were shipped.
    assert (path / "app/settings.txt").read_text() == key
    assert stat.S_IMODE((path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.fault(75)
def test_a_hook_on_the_host_gets_its_secrets_there(tmp_path):
    record_deploy("shop", generate=["app.key"])
    made, marks = host_secrets.load("shop"), host_secrets.marks("shop")
    where = {marks["app.key"]: ["shop", "app.key"]}
    done = hook_script.run(
        {
            "user": "root",
            "script": base64.b64encode(b'#!/bin/sh\necho "$KEY" | md5sum\necho "got $KEY"\n').decode(),
            "script_name": "hook.sh",
            "events": ["pre-deploy"],
            "old_version": "",
            "new_version": "1.0.0",
            "environment": json.dumps({"KEY": marks["app.key"]}),
            "timeout": 20,
            "secrets": json.dumps([marks["app.key"]]),
            "host": "web1",
            "made": json.dumps(where),
            "masked": json.dumps(where),
        }
    )
    digest = hashlib.md5((made["app.key"] + "\n").encode()).hexdigest()
    assert done["hook"]["stdout_tail"] == "%s  -\ngot ********\n" % digest
