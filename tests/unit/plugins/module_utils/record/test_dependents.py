# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import dependents, store

NEEDS = {"db": {"plugin": "database", "constraint": ">=2.0.0"}}


@pytest.fixture
def deploy(tmp_path):
    """Writes the record of a plugin: deployed by a run, or by one that is still at work."""

    def call(name, ended=True, lease=900, **noted):
        before, _why = store.read(name, str(tmp_path))
        noted = {"version": "1.0.0", "target": "host", "release": "R1", **noted}
        record = store.begin(before, "run-1", "me", "deploy", time.time(), noted, lease)
        if ended:
            record = store.finish(record, "run-1", time.time(), noted, {}, 5)
        store.save(record, str(tmp_path))
        return str(tmp_path)

    return call


def test_what_is_deployed_is_known_with_what_it_needs(deploy):
    state = deploy("shop", needs=NEEDS, provides={"api": "1.2.0"}, compose={"engine": "swarm"}, target="compose")
    assert dependents.deployed(state) == {
        "shop": {
            "version": "1.0.0",
            "target": "compose",
            "engine": "swarm",
            "provides": {"api": "1.2.0"},
            "needs": NEEDS,
            "results": {},
            "shared": True,
        }
    }


def test_a_plugin_that_is_needed_knows_by_whom_and_in_which_versions(deploy):
    deploy("shop", needs=NEEDS)
    state = deploy("database", needs={"self": {"plugin": "database", "constraint": "*"}})
    assert dependents.dependents("database", state) == [{"plugin": "shop", "name": "db", "constraint": ">=2.0.0"}]
    assert dependents.dependents("shop", state) == []


def test_what_a_run_is_deploying_needs_counts_as_long_as_its_lease(deploy):
    state = deploy("shop", ended=False, needs=NEEDS)
    assert dependents.deployed(state) == {}
    assert [found["plugin"] for found in dependents.dependents("database", state)] == ["shop"]


def test_a_lease_that_is_over_counts_no_more(deploy):
    state = deploy("shop", ended=False, lease=-1, needs=NEEDS)
    assert dependents.dependents("database", state) == []


def test_of_an_unusable_record_nobody_knows_what_it_needs(deploy):
    state = deploy("shop", needs=NEEDS)
    for name in ("record.json", "record.json.previous"):
        with open("%s/shop/%s" % (state, name), "w", encoding="utf-8") as stream:
            stream.write("{")
    found = dependents.survey(state)
    assert found["plugins"] == {} and set(found["unreadable"]) == {"shop"}
    (problem,) = dependents.not_known("E5011", "database", found["unreadable"])
    assert problem.code == "E5011" and "shop" in problem.message and problem.file.endswith("record.json")
    assert dependents.not_known("E5011", "shop", found["unreadable"]) == []
