# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import preflight
from ansible_collections.windflow.platform.plugins.module_utils.plan.plan import BACKENDS

PLUGIN = Path(__file__).parents[5] / "windflow_plugins" / "physical-host"


class Absent(dict):
    """Directories that are not there, whichever is asked for."""

    def __missing__(self, path):
        return {"state": "absent", "real": path, "empty": True, "never": "", "other": ""}


def host(**facts):
    return {
        "facts": {
            "root": True,
            "os": {"family": "debian", "id": "debian", "version": "12"},
            "python": "3.11.2",
            "cpu_threads": 4,
            "ram_mb": 8000,
            "space": {"/opt/app": {"mb": 50_000, "inodes": 1_000_000}},
            "port_owner": None,
            "account": None,
            "group": None,
            "directories": {"host": Absent(), "compose": Absent()},
            "database": {},
            "volumes": {},
            "init": "systemd",
            **facts,
        },
        "current": None,
        "made": {"account": [], "group": [], "directories": []},
        "missing_packages": [],
        "port_sites": [],
        "dependents": [],
        "unreadable": {},
    }


def look(tmp_path, config, found, environment="", target="host", **settings):
    file = tmp_path / "my.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    manifest = load_manifest(PLUGIN)
    loaded = load_config(manifest, None, None, [file], {}, [])
    return preflight.findings(BACKENDS[target](manifest, loaded, Settings(environment, **settings)), found)


def codes(problems):
    return sorted(problem.code for problem in problems)


def test_a_fit_host_has_no_findings(tmp_path):
    assert look(tmp_path, {}, host()) == ([], [])


@pytest.mark.parametrize(
    ("named", "told"),
    [({}, False), ({"suse": ["x"]}, True), ({"suse": ["x"], "debian": []}, False), ({"suse": []}, False)],
)
def test_packages_for_other_families_alone_are_told(named, told):
    section = types.SimpleNamespace(packages={family: tuple(names) for family, names in named.items()})
    manifest = types.SimpleNamespace(host_section=section, path=PLUGIN)
    found = preflight.packages_of_others(manifest, host()["facts"])
    assert codes(found) == ["E2068"] * told


def volumes(*sizes):
    made = [{"name": "v%d" % n, "path": "/srv/v%d" % n, "type": "local", "size_gb": s} for n, s in enumerate(sizes)]
    return {"storage": {"volumes": made}}


def roomy(*paths, mb=30 * 1024, device=1):
    return {"space": {path: {"mb": mb, "inodes": 1_000_000, "device": device} for path in ("/opt/app", *paths)}}


@pytest.mark.fault(91)
def test_a_volume_that_does_not_fit_is_a_finding_and_those_of_one_file_system_count_together(tmp_path):
    (problem,), _warnings = look(tmp_path, volumes(99999), host(**roomy("/srv/v0")))
    assert (problem.code, problem.path, problem.got) == ("E2048", "storage.volumes[0].size_gb", "30.0 GB")
    assert problem.file.endswith("my.json")
    both = host(**roomy("/srv/v0", "/srv/v1"))
    (problem,), _warnings = look(tmp_path, volumes(20, 20), both)
    assert problem.path == "storage.volumes[1].size_gb" and "40 with the volumes before" in problem.expected
    both["facts"]["space"]["/srv/v1"]["device"] = 2
    assert look(tmp_path, volumes(20, 20), both) == ([], [])


def test_a_volume_that_is_there_needs_no_more_room_and_a_small_one_may_be_small(tmp_path):
    found = host(**roomy("/srv/v0"))
    found["current"] = {"version": "1.0.0", "host": {"volumes": ["/srv/v0"]}}
    found["facts"]["space"]["/srv/v0"]["mb"] = 20
    assert look(tmp_path, volumes(99999), found) == ([], [])


@pytest.mark.parametrize(
    ("config", "space", "names"),
    [
        ({}, {"/opt/app": {"noexec": True}}, ["/opt/app"]),
        ({}, {"/opt/app": {"noexec": True, "ro": True}, "/var/lib/app": {"noexec": True}}, ["/opt/app"]),
        ({}, {"/opt/app": {}, "/var/lib/app": {"ro": True}}, ["/var/lib/app"]),
        (volumes(1), {"/opt/app": {}, "/srv/v0": {"ro": True}}, []),
    ],
    ids=["noexec", "both", "data", "volume"],
)
def test_a_file_system_that_can_hold_no_directory_is_a_finding(tmp_path, config, space, names):
    plenty = {"mb": 50_000, "inodes": 1_000_000}
    found = {path: {**plenty, **said} for path, said in space.items()}
    errors, _warnings = look(tmp_path, config, host(space=found))
    assert [(problem.code, problem.path) for problem in errors] == [("E2067", name) for name in names]


@pytest.mark.parametrize(
    ("code", "config", "facts"),
    [
        ("E2001", {}, {"root": False}),
        ("E2002", {"host": {"os": {"family": "redhat"}}}, {}),
        ("E2003", {}, {"os": {"family": "", "id": "plan9", "version": ""}}),
        ("E2003", {}, {"os": {"family": "redhat", "id": "rocky", "version": "8.10"}}),
        ("E2004", {"host": {"os": {"version": "11"}}}, {}),
        ("E2005", {}, {"python": "3.8.10"}),
        ("E2008", {}, {"space": {"/opt/app": {"mb": 10, "inodes": 1_000_000}}}),
        ("E2008", {}, {"space": {"/opt/app": {"mb": 50_000, "inodes": 10}}}),
        ("E2009", {}, {"port_owner": {"pid": 7, "name": "apache2"}}),
        ("E2067", {}, {"shared_memory": False}),
        ("E2067", {}, {"space": {"/opt/app": {"mb": 50_000, "inodes": 1_000_000, "ro": True}}}),
        ("E2069", {}, {"selinux": {"mode": "enforcing", "overruled": "user_home_t"}}),
    ],
    ids=[
        "not-root",
        "other-family",
        "unknown-family",
        "el8",
        "other-version",
        "old-python",
        "disk",
        "inodes",
        "port",
        "no-shared-memory",
        "read-only",
        "label-of-a-home",
    ],
)
def test_each_fault_is_an_error_of_its_own_with_a_remedy(tmp_path, code, config, facts):
    errors, _warnings = look(tmp_path, config, host(**facts))
    assert codes(errors) == [code]
    assert (errors[0].message or errors[0].expected) and errors[0].remedy


def test_all_findings_come_at_once(tmp_path):
    found = host(root=False, python="3.6.1", port_owner={"pid": 7, "name": "apache2"})
    assert codes(look(tmp_path, {}, found)[0]) == ["E2001", "E2005", "E2009"]


@pytest.mark.parametrize(("environment", "is_error"), [("production", True), ("development", False), ("", False)])
def test_too_small_a_host_is_an_error_in_production_and_a_warning_elsewhere(tmp_path, environment, is_error):
    config = {"host": {"resources": {"cpu_threads": 64, "ram_mb": 999_999}}}
    errors, warnings = look(tmp_path, config, host(), environment)
    assert codes(errors if is_error else warnings) == ["E2006", "E2007"]
    assert codes(warnings if is_error else errors) == []


@pytest.mark.parametrize(
    ("family", "name", "version"),
    [
        ("redhat", "rhel", "9.6"),
        ("redhat", "fedora", "43"),
        ("suse", "opensuse-leap", "15.6"),
        ("suse", "opensuse-tumbleweed", "20261120"),
        ("suse", "sles", "16.0"),
        ("arch", "arch", ""),
        ("debian", "ubuntu", "24.04"),
    ],
)
def test_each_family_is_supported(tmp_path, family, name, version):
    found = host(os={"family": family, "id": name, "version": version})
    assert look(tmp_path, {"host": {"os": {"family": family, "version": version or None}}}, found) == ([], [])


def test_a_finding_about_a_value_says_where_it_was_set(tmp_path):
    errors, _warnings = look(tmp_path, {"server": {"host_port": 80}}, host(port_owner={"pid": 7, "name": "apache2"}))
    assert errors[0].file.endswith("my.json") and errors[0].line == 1
    assert "apache2, process 7" in errors[0].got


@pytest.mark.fault(45)
def test_a_port_of_another_site_of_nginx_names_its_file(tmp_path):
    found = host(port_owner={"pid": 7, "name": "nginx"})
    assert look(tmp_path, {}, found)[0] == []
    found["port_sites"] = ["/etc/nginx/sites-enabled/other"]
    assert "/etc/nginx/sites-enabled/other" in look(tmp_path, {}, found)[0][0].got


def test_missing_packages_need_more_space(tmp_path):
    found = host(space={"/opt/app": {"mb": preflight.FREE_MB + 1, "inodes": None}})
    assert look(tmp_path, {}, found)[0] == []
    found["missing_packages"] = ["nginx"]
    assert codes(look(tmp_path, {}, found)[0]) == ["E2008"]


def test_a_plugin_of_hooks_only_asks_for_nothing_but_rights(tmp_path):
    found = host(root=False, python="3.6.1")
    assert codes(look(tmp_path, {}, found, target="")[0]) == ["E2001"]


@pytest.mark.parametrize(
    ("swarm", "said"),
    [
        ({"state": "active", "manager": True}, ""),
        ({"state": "active", "manager": False}, "a node that manages none"),
        ({"state": "inactive", "manager": False}, "no swarm (inactive)"),
    ],
)
def test_a_stack_needs_a_manager(swarm, said):
    found = preflight.swarm({"version": "26.1.5", "swarm": swarm})
    assert [(problem.code, problem.got) for problem in found] == ([("E2020", said)] if said else [])


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    ("deployed", "allowed", "found"),
    [("1.0.0", False, []), ("0.9.0", False, []), ("1.10.0", True, []), ("1.10.0", False, ["E2021"])],
)
def test_an_older_version_than_the_deployed_one_is_refused_unless_allowed(tmp_path, deployed, allowed, found):
    current = {"version": deployed, "target": "host"}
    errors, _warnings = look(tmp_path, {}, {**host(), "current": current}, downgrade=allowed)
    assert codes(errors) == found


@pytest.mark.parametrize(
    ("current", "found"),
    [
        (None, []),
        ({"version": "1.0.0", "shared": True}, []),
        ({"version": "0.9.0", "shared": True}, ["E2024"]),
        ({"version": "0.9.0", "shared": False}, []),
    ],
)
def test_somebody_elses_record_that_cannot_be_read_stops_only_another_version_of_what_it_may_need(
    tmp_path, current, found
):
    unreadable = {"shop": {"file": "/record.json", "got": "here no JSON", "remedy": "mend it"}}
    errors, _warnings = look(tmp_path, {}, {**host(), "current": current, "unreadable": unreadable})
    assert codes(errors) == found and all("shop" in error.message for error in errors)


def test_a_version_that_a_dependent_on_the_host_does_not_accept_is_refused(tmp_path):
    found = host()
    found["dependents"] = [
        {"plugin": "shop", "name": "physical-host", "constraint": ">=1.0.0"},
        {"plugin": "blog", "name": "physical-host", "constraint": ">=2.0.0"},
        {"plugin": "wiki", "name": "notes", "constraint": "*"},
    ]
    errors = look(tmp_path, {}, found)[0]
    assert codes(errors) == ["E2024", "E2024"]
    assert "blog" in errors[0].message and errors[0].got == "1.0.0" and "none" in errors[1].got


DEFAULT = "/etc/nginx/sites-enabled/default"


@pytest.mark.fault(82)
def test_a_port_that_the_distributions_own_site_has_is_said_to_be_so(tmp_path):
    found = {**host(port_owner={"pid": 7, "name": "nginx"}), "port_sites": [DEFAULT]}
    (problem,) = look(tmp_path, {}, found)[0]
    assert problem.code == "E2009" and "the distribution has made" in problem.got and f"rm {DEFAULT}" in problem.remedy
    (problem,) = look(tmp_path, {}, {**found, "port_sites": ["/etc/nginx/conf.d/theirs.conf"]})[0]
    assert "rm" not in problem.remedy.split() and "listen elsewhere" in problem.remedy


@pytest.mark.fault(82)
def test_an_nginx_that_is_there_and_cannot_start_is_a_finding_that_names_who_has_which_port(tmp_path):
    conflict = {"port": 80, "files": [DEFAULT], "name": "apache2", "pid": 812}
    (problem,) = look(tmp_path, {}, {**host(), "port_conflicts": [conflict]})[0]
    assert problem.code == "E2032" and "apache2, process 812, uses port 80" in problem.got
    assert f"rm {DEFAULT}" in problem.remedy


@pytest.mark.fault(82)
def test_services_that_would_not_take_what_is_put_there_for_them_are_findings(tmp_path):
    layout = {"nginx": {"problem": "nginx.conf includes none"}, "supervisor": {"problem": "no [include]"}}
    errors = look(tmp_path, {}, {**host(), "layout": layout})[0]
    assert codes(errors) == ["E2047", "E2047"] and "no [include]" in errors[1].got


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("E2034", {"never": "the system's"}),
        ("E2033", {"other": "/opt/other of the plugin other"}),
        ("E2033", {"state": "directory", "empty": False, "owner": "ann", "group": "ann", "mode": "0755"}),
    ],
)
def test_a_directory_of_somebody_elses_is_an_error_at_the_key_that_names_it(tmp_path, code, seen):
    found = host()
    found["facts"]["directories"]["host"]["/srv/app"] = {**Absent()["/srv/app"], **seen}
    errors, _warnings = look(tmp_path, {"app": {"data_dir": "/srv/app"}}, found)
    assert [(problem.code, problem.path) for problem in errors] == [(code, "app.data_dir")]
    assert errors[0].file.endswith("my.json")
    adopted = look(tmp_path, {"app": {"data_dir": "/srv/app"}, "adopt": ["directories"]}, found)[0]
    assert codes(adopted) == ([] if "owner" in seen else [code])


def test_so_is_an_account(tmp_path):
    ann = {"group": "ann", "home": "/home/ann", "shell": "/bin/sh", "uid": 1500, "never": ""}
    found = host(account=ann, group={"gid": 1500, "never": ""})
    config = {"app": {"user": "ann", "group": "ann"}}
    assert codes(look(tmp_path, config, found)[0]) == ["E2036"]
    assert codes(look(tmp_path, {**config, "adopt": ["account"]}, found)[0]) == []


def test_so_are_a_database_and_its_role(tmp_path):
    there = {
        "available": True,
        "database": "present",
        "owner": "legacy",
        "owner_superuser": False,
        "owner_role": "absent",
        "app_role": "LOGIN NOSUPERUSER CREATEDB",
        "app_powers": "",
        "app_connect": True,
        "public_connect": True,
        "app_usage": True,
        "public_usage": True,
        "app_create": True,
        "public_create": False,
    }
    config = {"database": {"host": "localhost", "name": "myapp", "user": "dbuser", "password": "x"}}
    found = host(database=there)
    found["made"].update(database=[], role=[])
    errors, _warnings = look(tmp_path, config, found)
    assert [(problem.code, problem.path) for problem in errors] == [
        ("E2041", "database.user"),
        ("E2040", "database.name"),
    ]
    assert all("adopt: [" in problem.remedy and problem.line for problem in errors)
    found["made"].update(database=["myapp"], role=["dbuser"])
    assert look(tmp_path, config, found)[0] == []


def network(**keys):
    return {
        "network": {
            "networks": [{"name": "lan", "cidr": "10.1.0.0/16", "type": "physical", "interface": "eth0", **keys}]
        }
    }


def with_networks(addresses, **found):
    state = {"addresses": addresses, "own": addresses, "mtu": 1500, "up": True, "master": "", "kind": "", "link": ""}
    interfaces = {"lo": {**state, "addresses": ["127.0.0.1/8"]}, "eth0": state}
    known = {"interfaces": interfaces, "connection": "", "carrying": [], "endangered": [], "differences": {}}
    return host(networks={**known, "refused": {}, "unwanted": [], "backends": {}, "files": {}, **found})


def test_a_range_alone_asserts_an_address_of_the_interface(tmp_path):
    assert look(tmp_path, network(), with_networks(["fe80::1/64", "10.1.2.3/24"])) == ([], [])
    (problem,), _warnings = look(tmp_path, network(), with_networks(["192.168.1.4/24"]))
    assert (problem.code, problem.path, problem.got) == ("E2071", "network.networks[0].cidr", "192.168.1.4/24")
    assert "eth0" in problem.expected and problem.file.endswith("my.json")
    (problem,), _warnings = look(tmp_path, network(), with_networks([]))
    assert problem.got == "no address"
    (problem,), _warnings = look(tmp_path, network(cidr="127.0.0.0/8"), with_networks([]))
    assert 'write interface: "lo"' in problem.remedy


def test_an_interface_that_is_missing_is_named_with_those_that_are_there(tmp_path):
    (problem,), _warnings = look(tmp_path, network(interface="ens3"), with_networks([]))
    assert (problem.code, problem.path) == ("E2070", "network.networks[0].interface")
    assert str(problem).endswith("the host has no interface ens3: it has eth0. Fix: write the name of one of them.")
    wanted = network(interface="eth0.7", type="vlan", vlan_id=7, members=["ens3"], address="10.1.0.5/16")
    (problem,), _warnings = look(tmp_path, wanted, with_networks([]))
    assert (problem.code, problem.path) == ("E2070", "network.networks[0].members")


@pytest.mark.fault(43)
def test_the_interface_that_carries_the_connection_needs_consent(tmp_path):
    wanted = network(address="10.1.0.5/16")
    found = with_networks(["10.1.0.4/16"], endangered=["eth0"], connection="10.1.0.4")
    (problem,), _warnings = look(tmp_path, wanted, found)
    assert (problem.code, problem.got) == ("E2073", "10.1.0.4") and "windflow_network_consent=true" in problem.remedy
    assert look(tmp_path, wanted, found, network_consent=True) == ([], [])


def test_what_the_host_refuses_is_a_finding_at_its_network(tmp_path):
    said = {"code": "E2072", "message": "no program of the host manages eth0", "got": "", "remedy": "set one up"}
    found = with_networks(["10.1.0.4/16"], refused={"lan": [said]})
    (problem,), _warnings = look(tmp_path, network(address="10.1.0.5/16"), found)
    assert (problem.code, problem.path, problem.remedy) == ("E2072", "network.networks[0]", "set one up")


def test_networks_that_are_wrong_in_themselves_are_no_finding_of_a_host(tmp_path):
    assert look(tmp_path, network(address="10.1.0.5"), host()) == ([], [])
