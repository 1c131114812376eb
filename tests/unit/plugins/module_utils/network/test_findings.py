# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.network import findings

STATE = {"addresses": ["10.1.0.4/16", "fe80::1/64"]}
FOUND = {"interfaces": {"lo": {"addresses": ["127.0.0.1/8"]}, "eth0": STATE}, "refused": {}, "endangered": []}
FOUND.update(connection="10.1.0.4", differences={}, unwanted=[])
LAN = {"name": "lan", "interface": "eth0", "address": "10.1.0.5/16"}
VLAN = {
    "name": "inner",
    "type": "vlan",
    "interface": "eth0.7",
    "vlan_id": 7,
    "members": ["eth0"],
    "address": "10.2.0.5/16",
}
ON_TOP = {"name": "top", "type": "bridge", "interface": "br0", "members": ["eth0.7"], "address": "10.3.0.5/16"}


def found(*entries, consent=False, **changes):
    return [(item.code, item.path) for item in findings.findings(list(entries), {**FOUND, **changes}, consent)]


def test_an_interface_may_lie_on_one_that_is_made_whatever_the_order():
    assert found(LAN, VLAN, ON_TOP) == []
    assert found(ON_TOP, VLAN) == []
    assert found(ON_TOP) == [("E2070", "network.networks[0].members")]


def test_a_range_is_met_by_any_address_of_its_interface():
    assert found({"name": "a", "interface": "eth0", "cidr": "10.1.0.0/16"}) == []
    assert found({"name": "a", "interface": "eth0", "cidr": "fe80::/64"}) == []
    assert found({"name": "a", "interface": "eth0", "cidr": "10.2.0.0/16"}) == [("E2071", "network.networks[0].cidr")]


def test_what_the_host_refuses_and_consent_are_told_together_once_the_parts_are_there():
    said = {"code": "E2072", "message": "no", "got": "", "remedy": "x"}
    changes = {"refused": {"inner": [said]}, "endangered": ["eth0"]}
    assert found(LAN, VLAN, **changes) == [("E2072", "network.networks[1]"), ("E2073", "network.networks")]
    assert found(LAN, VLAN, consent=True, **changes) == [("E2072", "network.networks[1]")]
    missing = {**LAN, "interface": "ens3"}
    assert found(missing, VLAN, **changes) == [("E2070", "network.networks[0].interface")]


def test_the_plan_says_why_networks_differ_and_which_are_not_wanted():
    known = {"differences": {"lan": ["eth0 has no address 10.1.0.5/16"], "old": ["x"]}, "unwanted": ["old"]}
    assert findings.pending([LAN], known) == ["eth0 has no address 10.1.0.5/16", "old is not wanted any more"]


def test_a_finding_names_the_variables_of_a_plugin_or_of_the_role():
    changes = {**FOUND, "endangered": ["eth0"]}
    for owner, path, variable in (
        ("shop", "network.networks", "windflow_network_consent=true"),
        ("", "host_network_networks", "host_network_consent=true"),
    ):
        place = findings.place_of(owner)
        [agreed] = findings.findings([LAN], changes, False, place)
        assert (agreed.code, agreed.path) == ("E2073", path) and "set %s;" % variable in agreed.remedy
        [missing] = findings.findings([{**LAN, "interface": "ens3"}], FOUND, False, place)
        assert missing.path == path + "[0].interface"
