# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a host's networks: what becomes of the interfaces."""

from __future__ import annotations

import pytest

LAN = {"name": "lan", "interface": "eth0", "cidr": "10.0.0.0/24"}
SECOND = {"name": "second", "interface": "eth0", "cidr": "10.5.0.0/24", "address": "10.5.0.9/24", "mtu": 1400}
LINK = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"]}
BRIDGE = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.6.0.1/24"}

pytestmark = [pytest.mark.system, pytest.mark.fault(43)]


def test_a_confirmed_change_stays_and_is_none_the_second_time(machine):
    wanted = [LAN, SECOND, BRIDGE]
    before = machine.look()
    foreseen = machine.call(wanted, check=True)
    assert foreseen["changed"] and "br0 is not there" in foreseen["why"] and machine.look() == before
    assert machine.change(wanted) == {"changed": True}
    links = machine.look()[0]
    assert links["eth0"] == (1400, True, None, ["10.0.0.2/24", "10.5.0.9/24"])
    assert links["eth1"][2] == "br0" and links["br0"][3] == ["10.6.0.1/24"]
    assert sorted(machine.files()) == ["windflow-shop-br", "windflow-shop-second"]
    assert machine.kept() == ["shop.json"]
    assert machine.call(wanted)["changed"] is False


def test_a_link_loses_its_address_and_gets_it_back(machine):
    machine.change([LINK])
    links, _routes, _files = machine.look()
    assert links["br0"][1:] == (True, None, []) and links["eth1"][2] == "br0"
    assert machine.call([LINK])["changed"] is False
    assert machine.change([BRIDGE])["changed"] and machine.look()[0]["br0"][3] == ["10.6.0.1/24"]
    assert machine.change([LINK])["changed"] and machine.look()[0] == links


def test_an_earlier_list_brings_back_what_it_had_and_nothing_else(machine):
    machine.change([SECOND])
    before = machine.look()
    machine.change([{**SECOND, "address": "10.5.0.7/24"}, BRIDGE])
    assert machine.look() != before
    assert machine.change([SECOND]) == {"changed": True} and machine.look() == before


def test_removal_puts_back_what_was_there(machine):
    before = machine.look()
    machine.change([SECOND, BRIDGE])
    assert machine.look() != before
    assert machine.change([]) == {"changed": True}
    assert machine.look() == before and machine.kept() == []


def test_a_gateway_that_answers_becomes_the_default_route(machine):
    machine.sh("ip route delete default")
    machine.router("ip address add 10.5.0.1/24 dev peer0")
    machine.change([{**SECOND, "gateway": "10.5.0.1"}])
    assert "default via 10.5.0.1 dev eth0" in machine.look()[1]
    machine.change([SECOND])
    assert not [route for route in machine.look()[1] if route.startswith("default")]


def test_a_directory_that_goes_with_its_last_file_comes_back_with_it(machine):
    machine.change([SECOND])
    files = machine.files()
    begun = machine.call([])
    machine.sh("rm -r %s/interfaces.d" % machine.place)
    machine.call([], "restore", begun["change"])
    assert machine.files() == files


def test_an_address_that_moves_takes_no_other_away(machine):
    own = {**SECOND, "address": "10.0.0.9/24", "cidr": "10.0.0.0/24"}
    machine.sh("ip address delete 10.0.0.2/24 dev eth0")
    machine.change([own])
    # The kernel deletes what came after the first address of a network together with it.
    machine.sh("ip address add 10.0.0.2/24 dev eth0")
    machine.change([{**own, "address": "10.0.0.8/24"}])
    assert machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.0.0.8/24"]


def test_the_address_that_the_connection_uses_moves_only_with_consent(machine):
    machine.change([SECOND])
    moved = [{**SECOND, "address": "10.5.0.7/24"}]
    assert machine.call(moved, connection="10.5.0.9")["code"] == "E2073"
    begun = machine.call(moved, connection="10.5.0.9", consent=True)
    assert begun["moves"] == ["10.5.0.9", "10.5.0.7"]
    assert machine.confirm(moved, begun["change"]) == {"changed": True}
    assert machine.call([BRIDGE], connection="10.5.0.7")["code"] == "E2073"
