# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.network import interfaces
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse

COLLECTIONS = Path(__file__).parents[5] / "collections"
# As iproute2 6.1 prints them.
LOCAL = {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}
STAYS = {"family": "inet", "local": "10.1.0.5", "prefixlen": 16, "scope": "global", "valid_life_time": 4294967295}
LENT = {"family": "inet", "local": "192.0.2.7", "prefixlen": 24, "scope": "global", "valid_life_time": 600}
VLAN = {
    "ifindex": 4,
    "link": "eth0",
    "ifname": "eth0.7",
    "flags": ["BROADCAST", "UP", "LOWER_UP"],
    "mtu": 1500,
    "master": "br0",
    "linkinfo": {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": 7}},
    "addr_info": [LOCAL, STAYS, LENT],
}
BOND = {"ifname": "bond0", "flags": [], "linkinfo": {"info_kind": "bond", "info_data": {"mode": "active-backup"}}}
# The other end of it is in another namespace: it lies on no interface of this host.
VETH = {"ifname": "eth0", "link_index": 7, "flags": ["UP"], "linkinfo": {"info_kind": "veth"}, "link": None}


def test_an_interface_is_read_with_what_it_is_made_of():
    assert interfaces.parse(VLAN) == {
        "addresses": ["10.1.0.5/16", "192.0.2.7/24"],
        "own": ["10.1.0.5/16"],
        "mtu": 1500,
        "up": True,
        "master": "br0",
        "kind": "vlan",
        "link": "eth0",
        "vlan_id": 7,
        "mode": "",
    }
    assert interfaces.parse(BOND)["mode"] == "active-backup" and not interfaces.parse(BOND)["up"]
    assert interfaces.parse(VETH)["link"] == ""


def test_what_carries_the_connection_is_the_interface_with_the_address_and_all_below_it(monkeypatch):
    found = {
        "br0": {"addresses": ["10.1.0.5/16"], "master": "", "link": ""},
        "eth0.7": {"addresses": [], "master": "br0", "link": "eth0"},
        "eth0": {"addresses": [], "master": "", "link": ""},
        "eth1": {"addresses": ["10.1.0.50/16"], "master": "", "link": ""},
    }
    monkeypatch.setattr(interfaces, "connection_address", lambda: "10.1.0.5")
    assert interfaces.carrying(found) == ("10.1.0.5", ["br0", "eth0.7", "eth0"])
    monkeypatch.setattr(interfaces, "connection_address", lambda: "")
    assert interfaces.carrying(found) == ("", [])


@pytest.mark.parametrize(
    ("said", "address"),
    [("192.0.2.1 4000 10.1.0.5 22", "10.1.0.5"), ("::1 4000 ::ffff:10.1.0.5 22", "10.1.0.5"), ("x", None)],
)
def test_the_connection_is_found_behind_a_sudo_that_hides_it(said, address):
    code = "from ansible_collections.windflow.platform.plugins.module_utils.network import interfaces\n"
    code += "print(interfaces.connection_address())"
    hidden = ["env", "-u", "SSH_CONNECTION", sys.executable, "-c", code]
    command = 'SSH_CONNECTION="$0" sh -c \'"$@"; true\' sh "$@"'
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    done = subprocess.run(
        ["sh", "-c", command, said, *hidden], capture_output=True, text=True, check=True, env=environment
    )
    if address is not None:
        assert done.stdout.strip() == address
    else:
        assert done.stdout.strip() != said


def test_a_host_without_ip_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(WindflowError) as caught:
        interfaces.read()
    assert caught.value.code == "E2075" and "iproute2" in str(caught.value)


def test_routes_that_come_with_their_addresses_are_left_out(monkeypatch):
    said = {
        "-4": [
            {"dst": "default", "gateway": "10.1.0.1", "dev": "eth0", "metric": 100, "flags": ["onlink"]},
            {"dst": "10.1.0.0/16", "dev": "eth0", "protocol": "kernel", "scope": "link", "flags": []},
            {"dst": "10.9.0.0/16", "dev": "eth0", "protocol": "static", "prefsrc": "10.1.0.5", "flags": []},
        ],
        "-6": [{"dst": "default", "gateway": "fe80::1", "dev": "eth0", "protocol": "ra", "flags": []}],
    }
    monkeypatch.setattr(interfaces, "ask", lambda family, *rest: said[family])
    known = interfaces.routes()
    assert [" ".join(route["words"]) for route in known] == [
        "default via 10.1.0.1 dev eth0 metric 100 onlink",
        "10.9.0.0/16 dev eth0 proto static src 10.1.0.5",
    ]
    assert interfaces.gateways(known) == [{"family": 4, "dev": "eth0", "gateway": "10.1.0.1"}]
    assert interfaces.bring_back_routes(known, ["eth1"]) == []


def test_a_changed_vlan_is_made_anew_and_a_changed_address_is_not():
    old = parse({"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "address": "10.7.0.5/24"})
    moved = parse({**old.as_dict(), "address": "10.7.0.6/24"})
    other = parse({**old.as_dict(), "members": ["eth1"]})
    before = {"eth0.7": None, "eth0": interfaces.parse(VETH), "eth1": interfaces.parse(VETH)}
    quietly = " 2>/dev/null || true"
    assert interfaces.undo(old, other, before) == ["ip link delete dev eth0.7" + quietly]
    assert interfaces.undo(old, moved, before) == ["ip address delete 10.7.0.5/24 dev eth0.7" + quietly]
    assert interfaces.undo(old, old, before) == []


def test_an_address_that_the_host_had_before_stays():
    old = parse({"name": "lan", "interface": "eth0", "address": "10.1.0.5/16", "mtu": 1400})
    before = {"eth0": {**interfaces.parse(VETH), "addresses": ["10.1.0.5/16"], "mtu": 1500}}
    assert interfaces.undo(old, None, before) == []
    assert interfaces.undo_mtu(old, None, before) == ["ip link set dev eth0 mtu 1500 2>/dev/null || true"]
    assert interfaces.undo_mtu(old, old, before) == []


def test_an_address_that_a_server_has_lent_comes_back_for_a_while():
    state = {**interfaces.parse(VLAN), "kind": "", "master": ""}
    lines = interfaces.bring_back("eth0", state, ["10.9.0.9/24"])
    assert "ip address delete 10.9.0.9/24 dev eth0 2>/dev/null || true" in lines
    assert "ip address replace 10.1.0.5/16 broadcast + dev eth0 2>/dev/null || true" in lines
    assert lines[-1].endswith(
        "|| ip address add 192.0.2.7/24 dev eth0 valid_lft 900 preferred_lft 900 2>/dev/null || true"
    )


def test_the_state_that_a_record_keeps():
    found = {"eth0.7": interfaces.parse(VLAN), "eth0": interfaces.parse(VETH)}
    mine = parse({"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "address": "10.1.0.5/16"})
    assert interfaces.state_of(found, mine) == {"link": "up", "address": "10.1.0.5/16", "vlan": "7 on eth0"}
    assert interfaces.state_of({}, mine) == {"link": "absent"}
    bridge = parse({"name": "b", "type": "bridge", "interface": "br0", "address": "10.2.0.5/16", "mtu": 1400})
    found["br0"] = {**interfaces.parse(VETH), "kind": "bridge", "mtu": 1500}
    assert interfaces.state_of(found, bridge) == {
        "link": "up",
        "address": "absent",
        "mtu": "1500",
        "members": "eth0.7",
    }


def test_a_link_that_stays_leaves_what_it_was_a_member_of():
    old = parse({"name": "b", "type": "bridge", "interface": "br0", "members": ["eth0.7", "eth1"]})
    new = parse({**old.as_dict(), "members": ["eth1"]})
    before = {"br0": None, "eth0.7": None, "eth1": interfaces.parse(VETH)}
    assert interfaces.undo(old, new, before) == ["ip link set dev eth0.7 nomaster 2>/dev/null || true"]
