# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of compose_switch and its result, with a client of the tests' own; test_project.py has a real engine."""

from __future__ import annotations

import json
import os
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import container_switch, stack
from ansible_collections.windflow.platform.plugins.module_utils.containers.project import Containers
from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.switch import transaction

RELEASE, BEFORE = "20261123T012327Z-1a2b3c4d", "20261122T012327Z-1a2b3c4d"
ANSWERS = {
    "ps": {"id": "1", "name": "shop-app-1", "state": "running", "status": "Up", "service": "app", "release": RELEASE},
    "service": {"name": "shop_app", "replicas": "2/2"},
}
# What is running, as the client lists it.
LISTING = "case $1 in %s esac" % " ".join("%s) echo '%s';;" % (verb, json.dumps(ANSWERS[verb])) for verb in ANSWERS)


@pytest.fixture
def current(tmp_path):
    """Makes a release the current one."""

    def point(release: str) -> str:
        path = tmp_path / "current"
        path.unlink(missing_ok=True)
        path.symlink_to("releases/%s" % release)
        return str(path)

    return point


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a switch; handlers of signals are as they were afterwards."""
    monkeypatch.setattr(transaction, "SIGNALS", ())

    def call(check=False, **changes):
        known = {name: argument.get("default") for name, argument in container_switch.ARGUMENTS.items()}
        places = {"install_dir": str(tmp_path), "shared_dir": str(tmp_path / "shared")}
        names = {"plugin": "shop", "project": "shop", "app": "app", "release": RELEASE, "check": check}
        return container_switch.run({**known, **places, **names, **changes})

    return call


def test_each_engine_has_a_switch_of_its_own():
    assert container_switch.SWITCHES == {"compose": Containers, "swarm": stack.Stack}
    assert set(container_switch.ARGUMENTS["engine"]["choices"]) == set(container_switch.SWITCHES)


@pytest.mark.parametrize(
    ("engine", "name", "verb"), [("compose", "shop-app-1", "ps"), ("swarm", "shop_app", "service")]
)
def test_a_check_of_a_removal_lists_what_runs_and_asks_the_engine_for_nothing_else(
    run, client, current, engine, name, verb
):
    calls = client(LISTING)
    path = current(RELEASE)
    found = run(check=True, state="absent", release="", engine=engine)
    assert (found["failed"], found["changed"], found["changes"]) == (False, True, [name])
    (call,) = calls()
    assert call.split()[0] == verb and os.path.islink(path)


@pytest.mark.parametrize(
    ("state", "before", "foreseen"),
    [("present", BEFORE, True), ("present", RELEASE, False), ("prepared", BEFORE, False)],
)
@pytest.mark.parametrize("engine", ["compose", "swarm"])
def test_a_check_needs_no_engine_to_foresee_a_switch(run, client, current, engine, state, before, foreseen):
    calls, path = client("exit 1"), current(before)
    found = run(check=True, state=state, engine=engine)
    assert not found["failed"] and found["changes"] == [path] * foreseen and calls() == []
    assert os.readlink(path) == "releases/%s" % before


def test_a_removal_whose_engine_does_not_answer_leaves_what_is_there(run, client, current):
    client("echo Cannot connect to the Docker daemon >&2\nexit 1")
    path = current(RELEASE)
    found = run(state="absent", release="")
    assert found["failed"] and not found["changed"] and found["code"] == "E4070"
    assert "Cannot connect to the Docker daemon" in found["msg"] and os.path.islink(path)


@pytest.mark.parametrize("state", ["present", "prepared", "absent"])
def test_a_run_that_has_lost_its_lease_asks_the_engine_for_nothing(run, client, current, state_dir, state):
    calls, path = client(LISTING), current(BEFORE)
    found = run(state=state, run="run-1")
    assert found["failed"] and not found["changed"] and found["code"] == "E5002"
    assert calls() == [] and os.path.islink(path)


def test_the_lease_is_as_long_as_all_replicas_may_take_one_after_the_other(run, current, state_dir):
    store.save(store.begin(store.empty("shop"), "run-1", "ann", "deploy", time.time(), {"release": RELEASE}))
    current(RELEASE)
    before = time.time()
    assert not run(run="run-1", replicas=3, health_timeout=1000, drain_timeout=100)["failed"]
    lease = store.load("shop")["lease"]
    assert 3100 <= lease["expires"] - before - store.LEASE_SECONDS < 3160 and lease["step"] == "switch"
