# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.network import netplan
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse


def test_netplan_merges_one_file_of_ours(folder, wanted):
    found = netplan.Netplan(
        {**wanted.INTERFACES, "eth1": {**wanted.STATE, "kind": "dummy"}, "eth0.7": {**wanted.STATE, "kind": "vlan"}}
    )
    assert wanted.plain(found.files(wanted.SECOND, wanted.STEM)) == {
        "windflow-shop-0-lan.yaml": """\
network:
  version: 2
  ethernets:
    "eth0":
      addresses: ["10.1.0.5/16"]
      mtu: 1400
      routes: [{to: default, via: "10.1.0.1"}]
"""
    }
    assert wanted.plain(found.files(wanted.BOND, wanted.STEM)) == {
        "windflow-shop-0-d.yaml": """\
network:
  version: 2
  ethernets:
    "eth1": {}
    "eth2": {}
  bonds:
    "bond0":
      addresses: ["10.9.0.5/24"]
      interfaces: ["eth1", "eth2"]
      parameters: {mode: active-backup, mii-monitor-interval: "100"}
"""
    }
    (text,) = wanted.plain(found.files(wanted.VLAN, wanted.STEM)).values()
    assert text.endswith('    "eth0.7":\n      addresses: ["10.7.0.5/24"]\n      id: 7\n      link: "eth0"\n')
    assert all(mode == 0o600 for _text, mode in found.files(wanted.VLAN, wanted.STEM).values())
    # One that is made by another file of ours has its name there.
    later = parse({**wanted.VLAN.as_dict(), "members": ["bond0"]})
    found.planned = {"bond0": wanted.BOND}
    assert "ethernets" not in wanted.plain(found.files(later, wanted.STEM))["windflow-shop-1-v.yaml"]
    above = parse({**wanted.BRIDGE.as_dict(), "members": ["eth0.7"]})
    assert "ethernets" not in wanted.plain(found.files(above, wanted.STEM))["windflow-shop-0-b.yaml"]


def test_netplan_asks_for_nothing_at_a_link_without_an_address(folder, wanted):
    found = wanted.plain(netplan.Netplan(wanted.INTERFACES).files(wanted.TRUNK, wanted.STEM))
    assert '"bond0":\n      accept-ra: false\n      link-local: []\n' in found["windflow-shop-0-t.yaml"]


def test_netplan_reads_what_lies_below_first(folder, wanted):
    found = netplan.Netplan(wanted.INTERFACES)
    tagged = parse({**wanted.VLAN.as_dict(), "name": "c", "members": ["bond0"]})
    above = parse({**wanted.BRIDGE.as_dict(), "name": "a", "members": [tagged.interface]})
    found.planned = {one.interface: one for one in (wanted.BOND, tagged, above)}
    paths = [path for one in (wanted.BOND, tagged, above) for path in found.files(one, wanted.STEM)]
    assert paths == sorted(paths)
    assert [path.rpartition("/")[2] for path in paths] == [
        "windflow-shop-0-d.yaml",
        "windflow-shop-1-c.yaml",
        "windflow-shop-2-a.yaml",
    ]


def test_netplan_has_links_of_ours_as_members(folder, wanted):
    found = netplan.Netplan(wanted.INTERFACES, wanted.STACK)
    text = wanted.plain(found.files(wanted.ABOVE, wanted.STEM))["windflow-shop-1-a.yaml"]
    assert "ethernets" not in text and '      interfaces: ["eth0.8", "bond0"]\n' in text
    assert "lower_bond0 ] || systemctl try-restart systemd-networkd" in "".join(found.up(wanted.ABOVE, wanted.STEM))
