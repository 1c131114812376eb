# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is told of the host that the tests run on, with records of the tests' own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import ownership, store
from ansible_collections.windflow.platform.plugins.module_utils.run import host_state, managed
from ansible_collections.windflow.platform.plugins.module_utils.system import service_layout

NOW = 1795593600.0
pytestmark = pytest.mark.usefixtures("state_dir")


def look(**changes):
    known = {name: argument.get("default") for name, argument in host_state.ARGUMENTS.items()}
    return host_state.run({**known, "plugin": "shop", **changes})


def deploy(plugin, kept=None, **fields):
    noted = {"version": "1.0.0", "release": "r1", "target": "host", **fields}
    begun = store.begin(store.load(plugin), "run-1", "ann@laptop", "deploy", NOW, noted)
    store.save(store.finish(begun, "run-1", NOW, kept or {}, {}, 5))


@pytest.fixture
def listener():
    """A port that this process listens on, which is no nginx."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def nginx(tmp_path, monkeypatch):
    """nginx's configuration in a directory of the test's own: ``nginx(name, port)`` makes a site."""
    (tmp_path / "nginx.conf").write_text("http {}\n", encoding="utf-8")
    for function in (service_layout.listened_ports, service_layout.sites_on):
        monkeypatch.setattr(function, "__defaults__", (str(tmp_path / "nginx.conf"),))

    def site(name: str, port: int) -> str:
        path = tmp_path / "sites-enabled" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("server {\n    listen 127.0.0.1:%d;\n}\n" % port, encoding="utf-8")
        return str(path)

    return site


@pytest.fixture
def docker(client):
    """A client whose engine does not answer; returns what tells the calls of it."""
    return client("echo no engine >&2\nexit 1")


def test_a_plugin_that_was_never_here_is_looked_at_without_making_a_record(state_dir, tmp_path):
    found = look(paths=[str(tmp_path / "opt")])
    assert (found["changed"], found["recorded"], found["current"], found["lease"]) == (False, False, None, None)
    assert (found["drift"], found["warnings"], found["engine"], found["layout"]) == ([], [], {}, {})
    facts = found["facts"]
    assert facts["space"][str(tmp_path / "opt")]["device"] == tmp_path.stat().st_dev
    assert [facts[key] for key in ("database", "volumes", "networks", "account", "port_owner")] == [
        {},
        {},
        {},
        None,
        None,
    ]
    assert list(state_dir.iterdir()) == []


def test_who_has_the_wanted_port_is_named_with_the_sites_that_listen_on_it(listener, nginx):
    other = nginx("other.conf", listener)
    nginx("windflow-shop.conf", listener)
    found = look(port=listener)
    assert found["facts"]["port_owner"] == {"pid": os.getpid(), "name": Path("/proc/self/comm").read_text().strip()}
    assert found["port_sites"] == [other]


def test_the_port_that_the_plugin_itself_has_is_nobody_elses(listener, nginx):
    nginx("other.conf", listener)
    deploy("shop", port=listener)
    found = look(port=listener)
    assert found["facts"]["port_owner"] is None and found["port_sites"] == []


def test_what_keeps_a_stopped_nginx_from_starting_is_named_with_its_files(listener, nginx):
    files = [nginx("other.conf", listener)]
    stopped = {"exists": True, "running": False, "enabled": True}
    (conflict,) = host_state.conflicts({"nginx": stopped})
    assert (conflict["port"], conflict["files"], conflict["pid"]) == (listener, files, os.getpid())
    assert host_state.conflicts({"nginx": {**stopped, "running": True}}) == []
    assert host_state.conflicts({"nginx": {**stopped, "exists": False}}) == []
    assert host_state.conflicts({}) == []


def test_a_port_that_is_free_keeps_nginx_from_nothing(listener, nginx):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nginx("other.conf", closed.getsockname()[1])
        assert host_state.conflicts({"nginx": {"exists": True, "running": False}}) == []


@pytest.mark.parametrize(
    ("asked", "current", "kept", "expected"),
    [
        ({}, None, {}, False),
        ({"engine": {"project": "p"}}, None, {}, True),
        ({}, {"target": "compose"}, {"compose": {"project": "p"}}, True),
        # Deployed without containers: the engine counts only for who wants to go there.
        ({"engine": {"project": "p"}}, {"target": "host"}, {}, False),
        ({"engine": {"project": "p"}, "target": "compose"}, {"target": "host"}, {}, True),
    ],
    ids=["nothing", "a first deploy", "what is recorded", "another target", "a move to containers"],
)
def test_the_engine_is_asked_only_where_something_depends_on_it(docker, asked, current, kept, expected):
    found = host_state.ask_engine(asked, current, kept)
    assert bool(found) is expected
    if found:
        assert "no engine" in found.answers()["error"]
    assert bool(docker()) is expected


def test_the_services_of_a_stack_are_asked_for_by_their_names(docker):
    kept = {"compose": {"project": "p", "engine": "swarm", "services": {"p_b": "x", "p_a": "y"}}}
    host_state.ask_engine({}, {"target": "compose"}, kept).answers()
    assert any(line.endswith("p_a p_b") for line in docker())


def test_an_engine_that_does_not_answer_is_said_and_is_no_crash(docker):
    found = look(engine={"project": "p"})
    assert found["engine"]["version"] == "" and "no engine" in found["engine"]["error"]


def test_what_others_on_the_host_need_is_named_and_so_is_a_record_that_nobody_can_read(state_dir):
    deploy("shop")
    deploy("cart", needs={"shop": {"plugin": "shop", "constraint": ">=1.0.0"}})
    deploy("broken")
    for name in ("record.json", "record.json.previous"):
        (state_dir / "broken" / name).write_text("{", encoding="utf-8")
    found = look()
    assert found["dependents"] == [{"plugin": "cart", "name": "shop", "constraint": ">=1.0.0"}]
    assert list(found["unreadable"]) == ["broken"] and str(state_dir) in found["unreadable"]["broken"]["file"]


def test_warnings_say_that_a_copy_is_used_and_that_another_release_serves(state_dir, tmp_path):
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "current").symlink_to("releases/r9")
    deploy("shop", host={"install_dir": str(tmp_path / "opt")})
    (state_dir / "shop" / "record.json").write_text("{", encoding="utf-8")
    copied, other = look()["warnings"]
    assert "is not used" in copied
    assert other.startswith("E2046 shop: release r9 serves") and "the record names r1" in other


def test_drift_is_told_with_what_was_recorded(tmp_path):
    site = tmp_path / "site.conf"
    site.write_text("as deployed", encoding="utf-8")
    deploy("shop", managed.snapshot("shop", {"paths": [{"path": str(site), "step": "site"}]}))
    assert look()["drift"] == []
    site.unlink()
    found = look()["drift"]
    assert ("site", str(site), "state", "absent") in [
        (item["step"], item["resource"], item["attribute"], item["found"]) for item in found
    ]


def test_packages_are_looked_at_by_the_record_only_where_everything_is_asked():
    deploy("shop", {"packages": ["windflow-no-such-package"]})
    family = host_state.inspect_host.read_os()["family"]
    wanted = {family: ["windflow-another-package"]}
    planned, everything = look(packages=wanted), look(packages=wanted, everything=True)
    assert planned["missing_packages"] == ["windflow-another-package"] and planned["drift"] == []
    assert everything["packages"] == everything["missing_packages"] == ["windflow-no-such-package"]
    assert [item["resource"] for item in everything["drift"]] == ["package windflow-no-such-package"]


def test_a_group_that_was_made_here_for_another_plugin_is_none_of_the_system():
    deploy("cart")
    assert "a group of the system" in look(user="root", group="daemon")["facts"]["group"]["never"]
    ownership.note_made("cart", "group", ["daemon"])
    found = look(user="root", group="daemon")
    assert found["facts"]["group"]["never"] == "" != found["facts"]["account"]["never"]
    assert (found["made"]["group"], look(plugin="cart")["made"]["group"]) == ([], ["daemon"])


def test_the_directories_of_each_target_are_looked_at(tmp_path):
    (tmp_path / "host").mkdir()
    paths = {target: str(tmp_path / target) for target in ("host", "compose")}
    found = look(directories={target: {path: "root"} for target, path in paths.items()})["facts"]["directories"]
    assert {target: found[target][path]["state"] for target, path in paths.items()} == {
        "host": "directory",
        "compose": "absent",
    }


WANTED = {"name": "app", "user": "web", "port": 1}
STATE = {"database": "present", "password_sha256": "canary"}


def drift_that_knows(recorded):
    """What has asked for the recorded database already."""
    drift = managed.Drift("shop", {})
    drift.database, drift.answered = recorded, dict(STATE)
    return drift


def test_the_database_that_is_recorded_is_asked_once_and_its_password_is_not_told():
    drift = drift_that_knows({**WANTED, "state": STATE})
    assert host_state.database({"database": WANTED}, drift) == {"database": "present"}


@pytest.mark.parametrize("recorded", [None, {**WANTED, "name": "other", "state": STATE}])
def test_a_database_that_is_not_the_recorded_one_is_asked_for_itself(recorded):
    assert host_state.database({"database": WANTED}, drift_that_knows(recorded)) == {"available": False}


def test_who_wants_no_database_is_told_of_none():
    assert host_state.database({"database": {}}, drift_that_knows({**WANTED, "state": STATE})) == {}


def test_without_a_firewall_or_a_port_nothing_counts_as_opened(tmp_path, monkeypatch):
    rule = "### tuple ### allow any any 0.0.0.0/0 any 0.0.0.0/0 in\n"
    (tmp_path / "user.rules").write_text(rule, encoding="utf-8")
    monkeypatch.setattr(host_state.firewall, "UFW", str(tmp_path))
    assert host_state.guarded("ufw", 8080) == {"backend": "ufw", "open": True}
    assert host_state.guarded("ufw", 0) == {"backend": "ufw", "open": False}
    assert host_state.guarded("", 8080) == {"backend": "", "open": False}
