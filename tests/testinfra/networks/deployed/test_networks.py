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
    return sorted("%s/%d" % (one["local"], one["prefixlen"]) for one in item["addr_info"] if one["scope"] == "global")


def test_the_interface_has_its_second_address_and_the_one_of_the_host(links):
    assert addresses(links["eth1"]) == ["10.60.0.9/24", "10.8.0.2/24"]
    assert links["eth1"]["mtu"] == 1400


def test_the_bridge_has_its_address_and_its_member(links):
    assert links["br0"]["linkinfo"]["info_kind"] == "bridge"
    assert addresses(links["br0"]) == ["10.61.0.1/24"]
    assert links["eth2"]["master"] == "br0"


def test_the_connection_is_as_it_was(host, links):
    before = dict(line.split() for line in host.file("/root/before").content_string.splitlines())
    assert addresses(links["eth0"]) == [before["eth0"]]


def test_nothing_waits_to_be_undone(host):
    assert host.check_output("ls -A /var/lib/windflow/.network") == "lan.json"
    assert "windflow-network" not in host.check_output("systemctl list-units --all 'windflow-network-*'")
