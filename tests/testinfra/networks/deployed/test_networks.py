# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces are as wanted, what the host had of its own is there, and nothing waits to be undone."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def links(host):
    found = json.loads(host.check_output("ip -j -d address show"))
    return {item["ifname"]: item for item in found}


def addresses(item):
    return sorted("%s/%d" % (one["local"], one["prefixlen"]) for one in item["addr_info"] if one["family"] == "inet")


@pytest.fixture
def before(host):
    fields = [line.split() for line in host.file("/root/before").content_string.splitlines()]
    return {item[1]: item[3] for item in fields}


@pytest.fixture
def expected(host):
    return host.backend.get_variables()


def test_the_interface_has_its_second_address_and_the_one_of_the_host(links, before, expected):
    assert addresses(links["eth1"]) == sorted([before["eth1"], "10.60.0.%d/24" % expected["number"]])
    assert links["eth1"]["mtu"] == 1400


def test_the_bridge_has_its_address_and_its_member(links, expected):
    assert links["br0"]["linkinfo"]["info_kind"] == "bridge"
    assert addresses(links["br0"]) == ["10.61.0.1/24"]
    assert links[expected["spare"]]["master"] == "br0"


def test_the_vlan_reaches_the_other_guest(host, links, expected):
    if not expected["more"]:
        assert "eth1.20" not in links
        return
    assert links["eth1.20"]["link"] == "eth1" and links["eth1.20"]["linkinfo"]["info_data"]["id"] == 20
    assert addresses(links["eth1.20"]) == ["10.62.0.%d/24" % expected["number"]]
    host.check_output("ping -c 1 -W 10 10.62.0.%d" % expected["other"])


def test_the_bond_has_its_members(links, expected):
    if not expected["more"]:
        assert "bond0" not in links
        return
    assert links["bond0"]["linkinfo"]["info_data"]["mode"] == "active-backup"
    assert addresses(links["bond0"]) == ["10.63.0.1/24"]
    assert [links[name]["master"] for name in ("dummy1", "dummy2")] == ["bond0", "bond0"]


def test_the_connection_is_as_it_was(links, before):
    assert addresses(links["eth0"]) == [before["eth0"]]


def test_nothing_waits_to_be_undone(host):
    assert host.check_output("ls -A /var/lib/windflow/.network") == "lan.json"
    assert "windflow-network" not in host.check_output("systemctl list-units --all 'windflow-network-*'")
    assert host.check_output("find /etc/systemd/system -name 'windflow-network-*'") == ""
