# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.run import managed


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A release with an application, a site with a link to it, and a record's directory of its own."""
    monkeypatch.setattr(managed, "directory", lambda plugin: store.directory(plugin, str(tmp_path / "state")))
    (tmp_path / "state" / "app").mkdir(parents=True)
    app = tmp_path / "releases" / "r1" / "app"
    app.mkdir(parents=True)
    (app / "main.py").write_text("print(1)\n", encoding="utf-8")
    site = tmp_path / "site.conf"
    site.write_text("server {}\n", encoding="utf-8")
    site.chmod(0o644)
    (tmp_path / "enabled.conf").symlink_to(site)
    return tmp_path


def resources(host, **more):
    return {
        "paths": [
            {"path": str(host / "site.conf"), "step": "site"},
            {"path": str(host / "enabled.conf"), "step": "site"},
        ],
        "trees": [{"root": str(host / "releases" / "r1" / "app"), "step": "application"}],
        **more,
    }


def drift(host, **more):
    return managed.Drift("app", managed.snapshot("app", resources(host, **more))).differences()


def later(host, change):
    kept = managed.snapshot("app", resources(host))
    change()
    return managed.Drift("app", kept).differences()


def test_what_was_left_alone_has_no_drift(host):
    assert drift(host) == []


def test_a_plugin_that_manages_nothing_has_no_drift():
    assert managed.Drift("app", {}).differences() == []


def test_an_edited_file_is_named_with_its_step(host):
    found = later(host, lambda: (host / "site.conf").write_text("server { }\n", encoding="utf-8"))
    assert [(item["step"], item["resource"], item["attribute"]) for item in found] == [
        ("site", str(host / "site.conf"), "sha256")
    ]


def test_a_changed_mode_tells_what_was_and_what_is(host):
    found = later(host, lambda: (host / "site.conf").chmod(0o666))
    assert [(item["attribute"], item["expected"], item["found"]) for item in found] == [("mode", "0644", "0666")]


def test_a_removed_link_is_drift(host):
    found = later(host, (host / "enabled.conf").unlink)
    assert ("state", "link", "absent") in [(item["attribute"], item["expected"], item["found"]) for item in found]


def test_a_file_changed_inside_the_application_is_drift(host):
    path = host / "releases" / "r1" / "app" / "main.py"
    found = later(host, lambda: path.write_text("print(2)\n", encoding="utf-8"))
    assert [(item["step"], item["resource"]) for item in found] == [("application", str(path))]


def test_another_mtime_alone_is_no_drift(host):
    path = host / "releases" / "r1" / "app" / "main.py"
    assert later(host, lambda: os.utime(path, (1, 1))) == []


def test_a_lost_manifest_is_drift_and_no_crash(host):
    kept = managed.snapshot("app", resources(host))
    for path in (host / "state" / "app").glob("*.tree.json"):
        path.unlink()
    assert [item["attribute"] for item in managed.Drift("app", kept).differences()] == ["manifest"]


def test_an_instance_that_does_not_listen_is_drift(host):
    path = str(host / "one.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert [item["resource"] for item in drift(host, program={"sockets": [path]})] == [path]
        server.listen()
        assert drift(host, program={"sockets": [path]}) == []


@pytest.mark.system
def test_a_program_without_a_socket_that_does_not_run_is_drift(host, machine):
    (machine.root / "conf.d/worker.conf").write_text("[program:worker]\ncommand=/bin/sleep 100\n", encoding="utf-8")
    machine.supervisor().reload()
    kept = {"sockets": [], "name": "worker", "conf": str(machine.supervisor_conf)}
    assert drift(host, program=kept)[0]["found"] == "Supervisor has no program worker"
    machine.supervisor().start("worker")
    assert drift(host, program=kept) == []
    machine.supervisor().call("stopProcessGroup", "worker")
    (found,) = drift(host, program=kept)
    assert (found["step"], found["expected"]) == ("program", "running") and "worker STOPPED" in found["found"]
    # A record of before does not say how to ask.
    assert drift(host, program={"sockets": []}) == []


def test_a_log_of_the_program_that_was_deleted_is_drift(host):
    log = host / "app-0.log"
    (found,) = drift(host, program={"sockets": [], "logs": [str(log)]})
    assert (found["step"], found["resource"], found["found"]) == ("program", str(log), "missing")
    log.touch()
    assert drift(host, program={"sockets": [], "logs": [str(log)]}) == []


def test_manifests_are_private(host):
    managed.snapshot("app", resources(host))
    modes = {path.stat().st_mode & 0o777 for path in (host / "state" / "app").glob("*.tree.json")}
    assert modes == {0o600}


def test_a_path_that_was_led_through_a_strangers_link_is_drift_and_no_crash(host):
    volume = host / "data" / "volume"
    volume.mkdir(parents=True)
    kept = managed.snapshot("app", {"paths": [{"path": str(volume / "x"), "step": "volumes"}]})
    volume.rename(host / "elsewhere")
    volume.symlink_to(host / "elsewhere")
    os.lchown(volume, 65534, 65534)
    kept["paths"][str(volume / "x")]["state"] = "directory"
    assert [item["step"] for item in managed.Drift("app", kept).differences()] == ["volumes"]


def test_other_secrets_of_a_later_release_are_no_drift(host):
    for name, text in (("r1", "old"), ("r2", "new")):
        folder = host / "releases" / name / "secrets"
        folder.mkdir(parents=True)
        (folder / "DB_PASSWORD").write_text(text, encoding="utf-8")
        assert drift(host, trees=[{"root": str(folder), "step": "config"}]) == []


def test_packages_and_services_are_remembered_and_named_where_they_differ(host):
    kept = managed.snapshot("app", {"packages": ["nginx"], "services": ["nginx"]})
    assert (kept["packages"], kept["services"]) == (["nginx"], ["nginx"])
    found = managed.system_drift(["nginx"], {"nginx": {"running": False, "enabled": True, "exists": True}})
    assert [(item["step"], item["resource"], item["found"]) for item in found] == [
        ("packages", "package nginx", "missing"),
        ("services", "service nginx", "False"),
    ]
