# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as a configuration says them; what is wrong with one is tested with the configuration's other checks."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import configured, faults, parse, valid

ENTRIES = [
    {"name": "lan", "cidr": "10.1.0.0/16", "interface": "eth0"},
    {"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "address": "10.7.0.5/24"},
    {
        "name": "b",
        "type": "bridge",
        "interface": "br0",
        "members": ["eth1"],
        "address": "2001:DB8:0::1/64",
        "mtu": 1400,
    },
    {"name": "d", "type": "bond", "interface": "bond0", "members": ["eth2"], "address": "10.9.0.5/24", "dns": ["::1"]},
    {"name": "t", "type": "vlan", "interface": "bond0.9", "vlan_id": 9},
]


def test_an_entry_is_brought_into_one_form():
    lan, vlan, bridge, bond, link = (parse(entry) for entry in ENTRIES)
    assert (lan.type, lan.address, lan.version, lan.is_made) == ("physical", "", 4, False)
    assert vlan.members == ("eth0",)
    assert (bridge.address, bridge.version) == ("2001:db8::1/64", 6)
    assert (bond.mode, bond.dns) == ("active-backup", ("::1",))
    assert (link.members, link.version) == (("bond0",), 4)
    assert configured(ENTRIES) == [vlan, bridge, bond, link]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_network_as_data_is_an_entry_again(entry):
    found = parse(entry)
    assert faults([found.as_dict()]) == [] and parse(found.as_dict()) == found


def test_a_link_that_software_makes_needs_no_address_and_its_range_alone_asserts_one():
    link = {"name": "trunk", "type": "bond", "interface": "bond0", "members": ["eth2"], "mtu": 1400}
    assert faults([link]) == [] and parse(link).is_configured and configured([link]) == [parse(link)]
    asserted = {"name": "v", "type": "vlan", "interface": "eth0.7", "cidr": "10.7.0.0/24"}
    assert faults([asserted]) == [] and configured([asserted]) == [] and not parse(asserted).is_configured
    [fault] = faults([{**asserted, "vlan_id": 7}])
    assert (fault.code, fault.key) == ("E1175", "vlan_id") and "remove cidr" in fault.remedy
    assert [fault.key for fault in faults([{**link, "gateway": "10.0.0.1", "dns": ["::1"], "mtu": 3}])] == [
        "gateway",
        "dns",
        "mtu",
    ]
    # An interface that is there has nothing to be configured but its address.
    assert [fault.code for fault in faults([{"name": "lan", "interface": "eth0", "mtu": 1400}])] == ["E1132", "E1175"]


@pytest.mark.parametrize("wrong", [None, "x", {}, [1], [{"name": "lan"}], [*ENTRIES, ENTRIES[0]]])
def test_entries_with_a_fault_are_no_entries(wrong):
    assert valid(ENTRIES) == ENTRIES and valid(wrong) == []


TAG = {"name": "tag", "type": "vlan", "interface": "eth2.7", "vlan_id": 7}
PAIR = {"name": "pair", "type": "bond", "interface": "bond1", "members": ["eth3"]}
TOP = {"name": "top", "type": "bridge", "interface": "br1", "members": ["eth2.7", "bond1"], "address": "10.5.0.5/24"}


@pytest.mark.parametrize("entries", list(itertools.permutations([TAG, PAIR, TOP])))
def test_a_link_without_an_address_may_be_a_member_whatever_the_order(entries):
    assert faults(list(entries)) == []
    assert [network.name for network in configured(list(entries))][-1] == "top"


def test_what_others_lie_on_is_made_first_and_the_order_stays_otherwise():
    above = {"name": "c", "type": "vlan", "interface": "br1.5", "vlan_id": 5}
    other = {"name": "other", "interface": "eth9", "address": "10.6.0.5/24"}
    found = [network.name for network in configured([above, other, TOP, PAIR, TAG])]
    assert found == ["tag", "pair", "top", "c", "other"]
    assert [network.name for network in configured([TAG, other, PAIR, TOP])] == ["tag", "other", "pair", "top"]


def codes(*entries):
    return [(fault.code, fault.index, fault.key, fault.value) for fault in faults(list(entries))]


def test_a_member_has_no_address_and_belongs_to_one_network():
    assert codes({**TAG, "address": "10.7.0.5/24"}, PAIR, TOP) == [("E1174", 2, "members", "eth2.7")]
    another = {"name": "another", "type": "bridge", "interface": "br2", "members": ["eth2.7"]}
    assert codes(TAG, another, PAIR, TOP) == [("E1174", 3, "members", "eth2.7")]
    assert codes(TOP, {"name": "lan", "interface": "eth2.7", "address": "10.1.0.5/16"}) == [
        ("E1174", 1, "interface", "eth2.7")
    ]
    assert codes({**PAIR, "name": "x", "interface": "bond0", "members": ["bond1"]}, PAIR) == [
        ("E1173", 0, "members", "bond1")
    ]


def test_no_interface_lies_on_itself():
    circle = [{**PAIR, "members": ["bond1.7"]}, {**TAG, "interface": "bond1.7"}]
    assert codes(*circle) == [("E1173", 0, "members", "bond1.7"), ("E1173", 1, "members", "bond1")]
    assert valid(circle) == []


def test_a_fault_names_the_place_of_the_other_network():
    notes = [fault.note for fault in faults([TAG, {**TAG, "name": "x"}], "host_network_networks")]
    assert notes == ["also of host_network_networks[0]"]
