# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who confirms a change, and what is undone because it is not as wanted."""

from __future__ import annotations

import pytest

LAN = {"name": "lan", "interface": "eth0", "cidr": "10.0.0.0/24"}
SECOND = {"name": "second", "interface": "eth0", "cidr": "10.5.0.0/24", "address": "10.5.0.9/24", "mtu": 1400}
BRIDGE = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.6.0.1/24"}

pytestmark = [pytest.mark.system, pytest.mark.fault(43)]


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ("ip link add br0 type bridge", "br0 is still there"),
        ("ip address add 10.5.0.9/24 dev eth0", "eth0 still has the address 10.5.0.9/24"),
    ],
)
def test_what_comes_back_after_its_removal_is_told_and_the_removal_undone(machine, again, said):
    machine.change([SECOND, BRIDGE])
    before = machine.look()
    begun = machine.call([])
    machine.wait("applied")
    machine.sh(again)
    ended = machine.call([], "confirm", begun["change"])
    assert ended["code"] == "E4100" and said in ended["msg"]
    assert machine.look() == before and machine.call([SECOND, BRIDGE])["changed"] is False


def test_a_change_is_confirmed_only_with_the_word_that_came_when_all_was_as_wanted(machine):
    wanted = [LAN, SECOND]
    before = machine.look()
    begun = machine.call(wanted, seconds=250)
    for guessed in ("", "guessed"):
        assert machine.call(wanted, "confirm", begun["change"], settled=guessed)["settled"]
    # Nobody has confirmed it.
    assert machine.call(wanted, "restore", begun["change"]) == {"changed": True}
    assert machine.look() == before


def test_a_change_whose_confirmation_was_not_heard_is_confirmed_again(machine):
    begun = machine.call([SECOND])
    assert machine.confirm([SECOND], begun["change"]) == {"changed": True}
    after = machine.look()
    assert machine.call([SECOND], "confirm", begun["change"]) == {"changed": True}
    assert machine.look() == after


def test_a_gateway_that_does_not_answer_is_undone_at_once(machine):
    machine.sh("ip route delete default")
    before = machine.look()
    failed = machine.change([{**SECOND, "gateway": "10.5.0.1"}])
    assert failed["code"] == "E4100" and "the gateway 10.5.0.1 does not answer on eth0" in failed["msg"]
    assert machine.look() == before and machine.kept() == []


def test_a_command_that_fails_is_undone_at_once_with_what_it_said(machine):
    machine.sh("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6")
    before = machine.look()
    failed = machine.change([BRIDGE, {**SECOND, "cidr": "2001:db8::/64", "address": "2001:db8::9/64"}])
    assert failed["code"] == "E4100" and "a command failed" in failed["msg"]
    assert machine.look() == before and machine.kept() == []


def test_a_command_of_the_operator_s_confirms_a_change_or_has_it_undone(machine):
    before = machine.look()
    answer = machine.change([SECOND], command="ip address show eth0 | grep 10.5.0.9; echo not there; exit 3")
    assert answer["code"] == "E4100" and "ended with 3:" in answer["msg"] and "not there" in answer["msg"]
    assert machine.look() == before and machine.kept() == []
    assert machine.change([SECOND], command="ip address show eth0 | grep -q 10.5.0.9") == {"changed": True}
