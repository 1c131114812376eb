# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import host_system
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings
from ansible_collections.windflow.platform.plugins.module_utils.backends.families import load_all
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_plan import HostBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Provided
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.system import selinux

SERVES = "name: shop\nversion: 1.0.0\nhost: {wsgi: 'app:application', packages: {debian: [libfoo]}}\n"
WORKER = "name: shop\nversion: 1.0.0\nhost: {command: [/bin/sleep, '9'], health: null}\n"
SCHEMA = {
    "properties": {
        "server": {"type": "object"},
        "host": {"type": "object"},
        "database": {
            "type": "object",
            "properties": {"host": {"type": "string"}, "password": {"type": "string", "writeOnly": True}},
        },
    }
}
TABLE = load_all()["debian"]
RUNNING = {"exists": True, "running": True, "enabled": True}


@pytest.fixture
def backend(make_plugin):
    def call(config=None, manifest=SERVES, **given):
        files = {"config/schema.json": SCHEMA, "build/app/app.py": "", "build/requirements.txt": ""}
        loaded = load_manifest(make_plugin(manifest, files, "shop"))
        return HostBackend(loaded, load_config(loaded, None, config, [], {}, [], **given), Settings())

    return call


def host(firewall=None, selinux_facts=None, services=None, current=None):
    facts = {"firewall": firewall or {"backend": "", "open": True}, "selinux": selinux_facts}
    return {"facts": facts, "services": services or {"nginx": RUNNING}, "current": current}


def test_only_what_serves_needs_nginx_and_only_a_local_database_postgresql(backend):
    assert host_system.surroundings(backend()) == ["supervisor", "nginx"]
    assert host_system.surroundings(backend(manifest=WORKER)) == ["supervisor"]
    local = {"database": {"host": "localhost", "password": "x"}}
    assert host_system.surroundings(backend(local)) == ["supervisor", "nginx", "postgresql"]
    away = {"database": {"host": "db.example.com", "password": "x"}}
    assert host_system.surroundings(backend(away)) == ["supervisor", "nginx"]


def test_packages_are_those_of_the_family_and_the_plugins_own(backend):
    found = host_system.package_names(backend().manifest, TABLE, ["nginx"])
    assert set(TABLE["packages"]["nginx"]) | set(TABLE["packages"]["python"]) | {"libfoo"} == set(found)
    assert "libfoo" not in host_system.package_names(backend().manifest, load_all()["suse"], ["nginx"])


def test_whether_a_repository_has_supervisor_matters_unless_its_source_is_configured(backend):
    tables = load_all()
    asked = host_system.available(backend().config, tables, ["supervisor"])
    assert asked and not [name for name in asked if tables[name]["family"] == "debian"]
    assert host_system.available(backend().config, tables, ["nginx"]) == {}
    chosen = backend({"host": {"supervisor_source": "venv"}}).config
    assert host_system.available(chosen, tables, ["supervisor"]) == {}


def test_another_password_makes_the_database_pending_and_is_not_in_the_step(backend):
    one, other = (
        host_system.database_step(backend({"database": {"host": "localhost", "password": text}}))
        for text in ("canary-1", "canary-2")
    )
    assert one.digest != other.digest and one.data == other.data and "canary" not in str(one)
    assert (one.data["name"], one.data["user"], one.data["port"]) == ("shop", "shop", 5432)


def test_a_database_elsewhere_is_managed_but_not_the_hosts_own(backend):
    away = backend({"database": {"host": "db.example.com", "password": "x"}})
    assert host_system.database_step(away).data["managed"] and host_system.own_database(away) == {}
    assert host_system.own_database(backend()) == {}


@pytest.mark.parametrize(
    ("is_open", "before", "opened", "why"),
    [
        (False, None, True, ["port 8080 is closed in ufw"]),
        (True, None, False, []),
        (True, {"port": 8080, "opened": True}, True, []),
    ],
    ids=["closed", "opened by somebody", "opened by windflow"],
)
def test_a_firewall_has_to_let_the_port_in_and_who_opened_it_is_kept(backend, is_open, before, opened, why):
    current = {"host": {"firewall": before}} if before else None
    step = host_system.services_step(backend(), host({"backend": "ufw", "open": is_open}, current=current), TABLE)
    assert step.why == why and step.data["firewall"]["opened"] is opened
    assert step.data["firewall"]["close"] == 0


def test_the_port_of_before_is_closed_if_windflow_has_opened_it(backend):
    current = {"host": {"firewall": {"port": 8080, "opened": True}}}
    other = backend({"server": {"host_port": 9090}})
    found = host_system.firewall(other, host({"backend": "ufw", "open": True}, current=current))
    assert (found["port"], found["close"]) == (9090, 8080)


@pytest.mark.parametrize(("bind", "outside"), [("", True), ("0.0.0.0", True), ("127.0.0.1", False), ("::1", False)])
def test_no_port_is_opened_for_an_address_of_the_host_alone(backend, bind, outside):
    found = host_system.firewall(backend({"server": {"bind": bind}}), host({"backend": "ufw", "open": False}))
    assert bool(found["port"]) is outside is found["opened"]


def test_selinux_has_to_have_the_module_and_the_port(backend):
    shop = backend({"server": {"host_port": 9999}})
    text = selinux.module_text(shop.layout["run_dir"])
    facts = {"mode": "enforcing", "module": "", "labelled": False, "port": False}
    rules, lacking = host_system.selinux_rules(shop, host(selinux_facts=facts))
    assert len(lacking) == 2 and rules["label"] == 9999 and rules["text"] == text
    facts = {"mode": "enforcing", "module": selinux.digest(text), "labelled": True, "port": True}
    rules, lacking = host_system.selinux_rules(shop, host(selinux_facts=facts))
    assert lacking == [] and rules["label"] == 0


def test_without_selinux_or_a_site_nothing_is_allowed(backend):
    enforcing = {"mode": "enforcing", "module": "", "labelled": False, "port": False}
    for rules, lacking in (
        host_system.selinux_rules(backend(), host()),
        host_system.selinux_rules(backend(manifest=WORKER), host(selinux_facts=enforcing)),
    ):
        assert rules["name"] == "" and lacking == []


def test_a_service_that_does_not_run_or_is_not_enabled_is_started(backend):
    services = {"nginx": {**RUNNING, "enabled": False}, "supervisor": RUNNING, "x": {**RUNNING, "running": False}}
    step = host_system.services_step(backend(), host(services=services), TABLE)
    assert step.data["names"] == ["nginx", "x"] and step.data["all"] == ["nginx", "supervisor", "x"]
    assert step.why == ["nginx is not running and enabled", "x is not running and enabled"]


def test_a_database_of_another_plugin_is_not_seen_to(backend):
    needs = WORKER + "dependencies: [database: '>=1.0.0']\n"
    given = Provided("database", "database 2.0.0", {"host": "localhost", "password": "x"}, frozenset({"password"}))
    found = backend(manifest=needs, provided=[given])
    assert host_system.database_step(found).data == {"managed": False}
    assert "postgresql" not in host_system.surroundings(found)


@pytest.mark.parametrize("section", [{"path": "shop.db"}, {"password": "x"}, None])
def test_a_section_that_names_no_server_is_the_plugins_own(backend, section):
    step = host_system.database_step(backend({"database": section} if section else {}))
    assert step.data == {"managed": False}
