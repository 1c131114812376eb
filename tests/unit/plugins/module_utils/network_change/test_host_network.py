# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module refuses, gives up and finds of an earlier run."""

from __future__ import annotations

import subprocess

import pytest

SECOND = {"name": "second", "interface": "eth0", "cidr": "10.5.0.0/24", "address": "10.5.0.9/24", "mtu": 1400}
BRIDGE = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.6.0.1/24"}

pytestmark = [pytest.mark.system, pytest.mark.fault(43)]


def test_what_an_earlier_run_has_left_is_undone_first(machine):
    machine.change([SECOND])
    machine.call([{**SECOND, "address": "10.5.0.7/24"}], seconds=300)
    machine.wait("applied")
    answer = machine.call([SECOND])
    assert answer["changed"] is False and "left unconfirmed was undone" in answer["warnings"][0]
    assert machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.5.0.9/24"] and machine.kept() == ["shop.json"]
    assert "sleep 300" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def test_a_run_that_gives_up_undoes_its_change(machine):
    before = machine.look()
    begun = machine.call([BRIDGE])
    assert machine.call([], "restore", begun["change"]) == {"changed": True}
    assert machine.look() == before and machine.kept() == []


def test_members_with_an_address_of_their_own_are_refused(machine):
    machine.sh("ip address add 10.7.0.1/24 dev eth1")
    refused = machine.call([BRIDGE])
    assert refused["code"] == "E2076" and "eth1 would lose its address" in refused["msg"]


def test_a_default_route_of_the_host_is_never_replaced(machine):
    refused = machine.call([{**SECOND, "gateway": "10.5.0.1"}])
    assert refused["code"] == "E2074" and "via 10.0.0.1 on eth0" in refused["msg"]


def test_an_interface_of_somebody_elses_is_not_taken(machine):
    machine.sh("ip link add br0 type bridge; ip link set br0 up")
    refused = machine.call([BRIDGE])
    assert refused["code"] == "E2077" and "eth1 is no member of br0" in refused["msg"]


def test_entries_that_are_wrong_change_nothing(machine):
    wrong = machine.call([{**SECOND, "address": "10.5.0.9"}])
    assert wrong["code"] == "E1170" and "networks[0].address" in wrong["msg"]
    assert "network.networks[0].address" in wrong["msg"]
    alone = machine.call([{**SECOND, "address": "10.5.0.9"}], plugin="")
    assert alone["code"] == "E1170" and "host_network_networks[0].address" in alone["msg"]
