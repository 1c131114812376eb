# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces are as wanted, what the host had of its own is there, and nothing waits to be undone."""

from __future__ import annotations

import json

import pytest

QUESTIONS = {
    "links": "ip -j -d address show",
    "before": "cat /root/before",
    "kept": "ls -A /var/lib/windflow/.network",
    "units": "systemctl list-units --all 'windflow-network-*'",
    "files": "find /etc/systemd/system -name 'windflow-network-*'",
    "answers": "for network in 60 61 62 63; do ping -c 1 -W 10 10.$network.0.%d >/dev/null && echo $network; done",
}


@pytest.fixture(scope="module")
def expected(host):
    return host.backend.get_variables()


@pytest.fixture(scope="module")
def answers(ask, expected):
    return ask(dict(QUESTIONS, answers=QUESTIONS["answers"] % expected["other"]))


@pytest.fixture(scope="module")
def links(answers):
    return {item["ifname"]: item for item in json.loads(answers["links"])}


@pytest.fixture(scope="module")
def before(answers):
    fields = [line.split() for line in answers["before"].strip().splitlines()]
    return {item[1]: item[3] for item in fields}


def addresses(item):
    return sorted("%s/%d" % (one["local"], one["prefixlen"]) for one in item["addr_info"] if one["family"] == "inet")


def test_the_interface_has_its_second_address_and_the_one_of_the_host(links, before, expected):
    assert addresses(links["eth1"]) == sorted([before["eth1"], "10.60.0.%d/24" % expected["number"]])
    assert links["eth1"]["mtu"] == 1400


def test_the_bridge_has_its_address_and_its_member(links, expected):
    assert links["br0"]["linkinfo"]["info_kind"] == "bridge"
    assert addresses(links["br0"]) == ["10.61.0.%d/24" % expected["number"]]
    assert links["eth2"]["master"] == "br0"


def test_the_vlan_has_its_address_and_its_number(links, expected):
    assert links["eth1.20"]["link"] == "eth1" and links["eth1.20"]["linkinfo"]["info_data"]["id"] == 20
    assert addresses(links["eth1.20"]) == ["10.62.0.%d/24" % expected["number"]]


def test_the_bond_has_its_members(links, expected):
    assert links["bond0"]["linkinfo"]["info_data"]["mode"] == "active-backup"
    assert addresses(links["bond0"]) == ["10.63.0.%d/24" % expected["number"]]
    assert [links[name]["master"] for name in ("eth3", "eth4")] == ["bond0", "bond0"]


def test_a_vlan_on_the_bond_is_up_without_an_address(links):
    assert links["bond0.40"]["link"] == "bond0" and links["bond0.40"]["linkinfo"]["info_data"]["id"] == 40
    assert addresses(links["bond0.40"]) == [] and "UP" in links["bond0.40"]["flags"]


def test_another_guest_is_reached_in_each_network(answers):
    assert answers["answers"].split() == ["60", "61", "62", "63"]


def test_nothing_else_was_made(links):
    own = {"lo", "eth0", "eth1", "eth2", "eth3", "eth4"}
    assert {name for name, item in links.items() if item.get("link_type") == "ether"} | {"lo"} == own | {
        "br0",
        "eth1.20",
        "bond0",
        "bond0.40",
    }


def test_the_connection_is_as_it_was(links, before):
    assert addresses(links["eth0"]) == [before["eth0"]]


def test_nothing_waits_to_be_undone(answers):
    assert answers["kept"].strip() == "lan.json"
    assert "windflow-network" not in answers["units"]
    assert answers["files"].strip() == ""
