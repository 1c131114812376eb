# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network import interfaces, looking
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse

STATE = {"addresses": ["10.1.0.4/16"], "mtu": 1500, "up": True, "master": "", "kind": "", "link": "", "vlan_id": 0}
LAN = {"name": "lan", "interface": "eth0", "address": "10.1.0.4/16"}
VLAN = {"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "members": ["eth0"], "address": "10.7.0.4/16"}
BOND = {"name": "b", "type": "bond", "interface": "bond0", "members": ["eth1"], "address": "10.8.0.4/16"}


def host(routes=(), **states):
    return SimpleNamespace(interfaces={name: {**STATE, **state} for name, state in states.items()}, routes=list(routes))


class Files:
    """A backend that wants one file for a network."""

    name = title = "files"

    def __init__(self, path, reason=""):
        self.path, self.reason = str(path), reason

    def files(self, network, stem):
        return {self.path: ("%s-%s\n" % (stem, network.name), 0o644)}

    def remedy(self, network):
        return "correct it"

    def refuses(self, network):
        return self.reason


def test_an_interface_as_wanted_differs_in_nothing():
    assert looking.unlike(host(eth0={}), parse(LAN)) == []


@pytest.mark.parametrize(
    ("state", "changes", "said"),
    [
        ({"addresses": []}, {}, "eth0 has no address 10.1.0.4/16"),
        ({}, {"mtu": 9000}, "the MTU of eth0 is 1500, not 9000"),
        ({"up": False}, {}, "eth0 is down"),
        ({}, {"gateway": "10.1.0.1"}, "no default route via 10.1.0.1 on eth0"),
    ],
)
def test_what_differs_is_said(state, changes, said, monkeypatch):
    monkeypatch.setattr(interfaces, "gateways", lambda routes: routes)
    assert looking.unlike(host(eth0=state), parse({**LAN, **changes})) == [said]


def test_an_interface_that_is_not_there_is_all_that_is_said():
    assert looking.unlike(host(), parse(LAN)) == ["eth0 is not there"]


def test_a_vlan_of_another_number_and_a_bond_without_its_members_are_others():
    other = host(**{"eth0.7": {"kind": "vlan", "link": "eth0", "vlan_id": 8, "addresses": ["10.7.0.4/16"]}})
    assert looking.unlike(other, parse(VLAN)) == ["eth0.7 is VLAN 8 on eth0, not VLAN 7 on eth0"]
    wanted = parse(BOND)
    bond = {"kind": "bond", "mode": "802.3ad", "addresses": ["10.8.0.4/16"]}
    found = looking.unlike(host(bond0=bond, eth1={}), wanted)
    assert found == ["eth1 is no member of bond0", "bond0 has mode 802.3ad, not %s" % wanted.mode]
    assert looking.unlike_link(host(bond0={}), wanted) == ["bond0 is no interface that software makes, not a bond"]


def test_files_differ_by_content_and_mode_and_what_is_left_over_is_named(tmp_path):
    backend, left = Files(tmp_path / "file"), str(tmp_path / "left")

    def found(known=()):
        return looking.differences(host(eth0={}), parse(LAN), backend, {"files": list(known)}, "shop")

    assert found() == ["%s is missing" % backend.path]
    with open(backend.path, "w", encoding="utf-8") as stream:
        stream.write("windflow-shop-lan\n")
    os.chmod(backend.path, 0o644)
    assert found([backend.path]) == [] and found([left]) == ["%s is not wanted any more" % left]
    os.chmod(backend.path, 0o600)
    assert found() == ["%s differs" % backend.path]


def refused(backend, entry, before=None, routes=(), **states):
    known = {"networks": {}, "before": {}, **(before or {})}
    return [item["code"] for item in looking.refusals(host(routes, **states), parse(entry), backend, known)]


def test_a_host_without_a_program_for_interfaces_cannot_configure_one(tmp_path):
    assert refused(None, LAN, eth0={}) == ["E2072"]
    assert refused(Files(tmp_path, "it does not"), LAN, eth0={}) == ["E2072"]
    assert refused(Files(tmp_path), LAN, eth0={}) == []


def test_a_default_route_of_the_hosts_own_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(interfaces, "gateways", lambda routes: routes)
    route = {"family": 4, "dev": "eth0", "gateway": "10.1.0.254"}
    wanted = {**LAN, "gateway": "10.1.0.1"}
    assert refused(Files(tmp_path), wanted, routes=[route], eth0={}) == ["E2074"]
    mine = {"networks": {"lan": {"network": {**LAN, "gateway": "10.1.0.254"}}}}
    assert refused(Files(tmp_path), wanted, mine, [route], eth0={}) == []
    assert refused(Files(tmp_path), LAN, routes=[route], eth0={}) == []


def test_an_interface_of_somebody_elses_is_not_made_another(tmp_path):
    foreign = {"eth0": {}, "eth0.7": {"kind": "bridge"}}
    assert refused(Files(tmp_path), VLAN, **foreign) == ["E2077"]
    # windflow has made it: there was none before.
    assert refused(Files(tmp_path), VLAN, {"before": {"eth0.7": None}}, **foreign) == []


def test_a_member_would_lose_the_address_that_it_has(tmp_path):
    assert refused(Files(tmp_path), BOND, eth1={"addresses": ["10.9.0.4/16"]}) == ["E2076"]
    mine = {"networks": {"x": {"network": {"interface": "eth1", "address": "10.9.0.4/16"}}}}
    assert refused(Files(tmp_path), BOND, mine, eth1={"addresses": ["10.9.0.4/16"]}) == []
    assert refused(Files(tmp_path), BOND, eth1={"addresses": ["10.9.0.4/16"], "master": "bond0"}) == []


def test_names_of_files_begin_with_the_owner():
    assert looking.stem("shop") == "windflow-shop" and looking.stem("") == "windflow"


def test_a_link_of_ours_becomes_a_member_with_what_a_router_has_told_it(tmp_path):
    top = {"name": "top", "type": "bridge", "interface": "br0", "members": ["eth0.7"], "address": "10.5.0.4/24"}
    told = {"eth0.7": {"kind": "vlan", "addresses": ["2001:db8::7/64"], "own": []}}
    assert refused(Files(tmp_path), top, **told) == ["E2076"]
    assert refused(Files(tmp_path), top, {"before": {"eth0.7": None}}, **told) == []
    told["eth0.7"]["own"] = told["eth0.7"]["addresses"]
    assert refused(Files(tmp_path), top, {"before": {"eth0.7": None}}, **told) == ["E2076"]


def test_a_stack_is_made_by_the_program_that_manages_what_it_lies_on(monkeypatch):
    def program(name, *managed):
        return type(name, (), {"name": name, "manages": lambda _self, interface: interface in managed})()

    monkeypatch.setattr(interfaces, "read", dict)
    monkeypatch.setattr(interfaces, "routes", list)
    top = parse({"name": "top", "type": "bridge", "interface": "br0", "members": ["eth0.7"]})
    found = looking.Host([parse({**VLAN, "address": ""}), top])
    found._active = [program("first"), program("second", "eth0")]
    assert found.stack(top) == ["br0", "eth0.7", "eth0"]
    assert found.backend(top).name == "second" and found.backend(top, "first").name == "first"
