# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.action import plan
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import tree
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import InputContext, read_inputs
from ansible_collections.windflow.platform.plugins.module_utils.plan.plan import BACKENDS, listening


def inputs(*targets):
    manifest = SimpleNamespace(targets=targets)
    return SimpleNamespace(manifest=manifest, config={}, provided=(), arguments={"dependency": False})


def host(current=None, engine="", family="debian"):
    facts = {"os": {"family": family, "id": family, "version": "12"}, "python": "3.11.2"}
    absent = defaultdict(lambda: {"state": "absent", "real": "", "empty": True, "never": "", "other": ""})
    facts["directories"] = {"host": absent, "compose": absent}
    return {
        "current": {"target": current} if current is not None else None,
        "engine": {"version": engine, "compose": "2.26.1" if engine else "", "error": "no docker"},
        "facts": facts,
        "made": {"account": [], "group": [], "directories": []},
    }


BOTH = ["compose", "host"]


def test_the_first_target_that_the_host_can_have_is_taken_and_others_are_explained():
    assert plan.choose_target(inputs(*BOTH), BOTH, host(engine="26.1.5")) == ("compose", [])
    target, passed = plan.choose_target(inputs(*BOTH), BOTH, host())
    assert target == "host"
    (reason,) = passed
    assert "compose is not possible here" in reason and "no docker" in reason and "install Docker" in reason


def test_what_is_deployed_stays_what_it_is():
    assert plan.choose_target(inputs(*BOTH), BOTH, host("host", engine="26.1.5")) == ("host", [])
    assert plan.choose_target(inputs(*BOTH), BOTH, host("compose")) == ("compose", [])


def test_where_none_is_possible_the_first_reports_why():
    assert plan.choose_target(inputs(*BOTH), BOTH, host(family="")) == ("compose", [])


@pytest.mark.parametrize(("able", "current"), [(["host"], "compose"), (["compose"], "host"), ([""], "host")])
def test_a_plugin_does_not_change_its_target_under_its_data(able, current):
    with pytest.raises(WindflowError) as caught:
        plan.choose_target(inputs(*able), able, host(current, engine="26.1.5"))
    assert caught.value.code == "E2016"


def test_a_plugin_of_hooks_only_has_no_target_and_may_get_one():
    assert plan.candidates(inputs(), "", None) == [""]
    assert plan.choose_target(inputs(), [""], host()) == ("", [])
    assert plan.choose_target(inputs("host"), ["host"], host("")) == ("host", [])


def test_the_operator_may_choose_among_the_plugins_targets():
    assert plan.candidates(inputs(*BOTH), "", None) == BOTH
    assert plan.candidates(inputs(*BOTH), "host", None) == ["host"]


def test_towards_a_plugin_that_another_one_needs_a_target_is_a_wish():
    needed = inputs("host")
    needed.arguments["dependency"] = True
    assert plan.candidates(needed, "compose", None) == ["host"]


@pytest.mark.parametrize(("targets", "wanted"), [(("host",), "compose"), ((), "host")])
def test_a_target_that_the_plugin_does_not_support_is_refused(targets, wanted):
    with pytest.raises(WindflowError) as caught:
        plan.candidates(inputs(*targets), wanted, None)
    assert caught.value.code == "E2012"


def test_the_url_is_where_the_controller_finds_the_host():
    made = {"target": "host", "host": {"port": 8080, "listening": ""}}
    assert plan.url(made, {"inventory_hostname": "web1"}) == "http://web1:8080"
    assert plan.url(made, {"inventory_hostname": "web1", "ansible_host": "fd00::1"}) == "http://[fd00::1]:8080"
    assert plan.url({"target": ""}, {"inventory_hostname": "web1"}) == ""
    made["host"]["listening"] = "::1"
    assert plan.url(made, {"inventory_hostname": "web1"}) == "http://[::1]:8080"


def test_the_plan_says_at_which_addresses_the_port_will_be():
    made = {"target": "host", "host": {"port": 8080, "listening": ""}}
    assert listening(made) == "port 8080 at every address of the host"
    made["host"]["listening"] = "127.0.0.1"
    assert listening(made) == "port 8080 at 127.0.0.1"
    assert listening({"target": ""}) == listening({"target": "host", "host": {"port": 0}}) == ""


def test_the_operator_is_told_what_drifted_by_name_and_how_much_more():
    drift = [
        {"step": "site", "resource": "/f%d" % number, "attribute": "mode", "expected": "0644", "found": "0666"}
        for number in range(25)
    ]
    step = {"title": "10 nginx site", "pending": True, "why": [], "digest": ""}
    made = {"pending": True, "event": "deploy", "version": "1.0.0", "steps": {"site": step}, "drift": drift}
    made.update(target="host", privileged=["hooks/migrate.sh (migrate)"], adopted=["account ann is used as it is"])
    made.update(scaling="replicas 3 → 1")
    lines = plan.summary(made, "web1", ["compose is not"]).splitlines()
    assert lines.pop(0) == "web1: target host, because compose is not"
    assert lines[0] == "web1: deploy 1.0.0, pending: 10 nginx site"
    assert lines.pop(1) == "web1: replicas 3 → 1"
    assert lines[1] == "web1: hook as root: hooks/migrate.sh (migrate)"
    assert lines[2] == "web1: adopted: account ann is used as it is"
    assert lines[3] == "web1: drift: /f0: mode is 0666, was 0644"
    assert lines[-1] == "web1: drift: and 5 more"


@pytest.mark.parametrize(
    ("wanted", "current", "chosen"),
    [
        ("", None, "compose"),
        ("swarm", None, "swarm"),
        ("", "swarm", "swarm"),
        ("swarm", "swarm", "swarm"),
        ("", "compose", "compose"),
    ],
)
def test_containers_stay_with_the_engine_that_they_are_deployed_with(wanted, current, chosen):
    deployed = {"target": "compose", "compose": {"engine": current}} if current else None
    assert plan.choose_engine(wanted, {"current": deployed}) == chosen


def test_the_engine_of_a_dependent_is_a_wish_towards_what_it_needs():
    deployed = {"target": "compose", "compose": {"engine": "compose"}}
    assert plan.choose_engine("swarm", {"current": deployed}, wish=True) == "compose"
    assert plan.choose_engine("swarm", {"current": None}, wish=True) == "swarm"


def test_an_application_does_not_move_from_compose_to_a_swarm_by_itself():
    with pytest.raises(WindflowError) as caught:
        plan.choose_engine("swarm", {"current": {"target": "compose", "compose": {"engine": "compose"}}})
    assert caught.value.code == "E2019"


# A plugin in containers that needs the plugin database.

COMPOSE = "services: {app: {image: x, ports: ['8080:8080']}}\n"
MIGRATION = "hooks: {migrate: {path: migrate.sh, 'on': target}}\n"


def make_in_containers(tmp_path, engine, deployed=None, more="", dependency=False, current=None, replicas=3):
    folder = tmp_path / "windflow_plugins" / "needy"
    (folder / "compose").mkdir(parents=True)
    (folder / "compose" / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    text = 'name: needy\nversion: 1.0.0\ndependencies: [{database: ">=2.0.0"}]\n'
    (folder / "plugin.yml").write_text(text + more, encoding="utf-8")
    (folder / "migrate.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "migrate.sh").chmod(0o755)
    known = {"version": "2.0.0", "target": "compose", "engine": deployed, "needs": {}, "results": {}}
    where = InputContext({}, {}, tmp_path, {"plugins": {"database": known} if deployed else {}, "secrets": {}})
    asked = {"plugin": "needy", "environment_name": "", "config": [], "sets": [], "dependency": dependency}
    found = read_inputs(asked, where, "compose")
    machine = host(engine="26.1.5")
    machine["facts"].update(root=True, cpu_threads=2, ram_mb=2000, port_owner=None, space={})
    machine["engine"].update(images={}, containers=[], root="/x", space=None, swarm={"manager": True})
    machine.update(drift=[], dependents=[], unreadable={}, position="", port_sites=[], current=current)
    arguments = {
        "dependency": dependency,
        "engine": engine,
        "force": False,
        "allow_downgrade": False,
        "network_consent": False,
    }
    arguments.update(replicas=replicas)
    source = BACKENDS["compose"](found.manifest, found.config).source_of(tree.source_digest)
    return plan.make(found, arguments, machine, "compose", source, where)


@pytest.mark.parametrize("deployed", [None, "swarm"])
def test_a_stack_joins_the_network_of_the_stack_that_it_needs(tmp_path, deployed):
    made = make_in_containers(tmp_path, "swarm", deployed)
    assert (made["engine"], made["compose"]["networks"]) == ("swarm", ["windflow-database_default"])
    assert [item["name"] for item in made["dependencies"]] == ["database"]
    assert made["revision"]["needs"]["database"]["plugin"] == "database" and made["local_database"] == {}


def test_what_is_needed_has_one_task_and_its_dependents_engine(tmp_path):
    made = make_in_containers(tmp_path, "swarm", dependency=True)
    assert (made["engine"], made["compose"]["replicas"]) == ("swarm", 1)


def deployed_with(replicas):
    return {
        "version": "1.0.0",
        "release": "20260101T000000Z-00000000",
        "revision": 3,
        "target": "compose",
        "compose": {"engine": "compose", "replicas": replicas},
        "digests": {},
        "venv": "",
    }


@pytest.mark.fault(78)
@pytest.mark.parametrize(
    ("wanted", "current", "dependency", "found", "said"),
    [
        (None, None, False, 1, ""),
        (None, 3, False, 3, ""),
        (1, 3, False, 1, "replicas 3 → 1"),
        (3, 3, False, 3, ""),
        (4, None, False, 4, ""),
        (None, 3, True, 3, ""),
    ],
)
def test_instances_that_were_set_once_stay_until_another_number_is_said(
    tmp_path, wanted, current, dependency, found, said
):
    before = deployed_with(current) if current else None
    made = make_in_containers(tmp_path, "", current=before, dependency=dependency, replicas=wanted)
    assert (made["compose"]["replicas"], made["scaling"], made["inputs"]["replicas"]) == (found, said, found)
    assert (said in made["steps"]["containers"]["why"]) == bool(said)


@pytest.mark.parametrize("number", [0, -1])
def test_no_instance_is_refused_before_anything_is_done(tmp_path, number):
    with pytest.raises(WindflowError) as caught:
        make_in_containers(tmp_path, "", replicas=number)
    assert caught.value.code == "E2045"


@pytest.mark.parametrize(("engine", "deployed"), [("swarm", "compose"), ("compose", "swarm"), ("", "swarm")])
def test_what_another_engine_runs_is_out_of_reach_and_that_is_said_with_everything_else(tmp_path, engine, deployed):
    with pytest.raises(WindflowError) as caught:
        make_in_containers(tmp_path, engine, deployed, MIGRATION)
    codes = sorted(problem.code for problem in caught.value.problems)
    assert codes == (["E2027", "E2028"] if engine == "swarm" else ["E2027"])
