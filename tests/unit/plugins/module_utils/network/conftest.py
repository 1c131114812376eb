# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the programs that manage interfaces share: networks, and directories of a test's own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network import (
    backend,
    ifupdown,
    netplan,
    network_manager,
    networkd,
    wicked,
)
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse

STATE = {"addresses": [], "own": [], "mtu": 1500, "up": True, "master": "", "kind": "", "link": "", "vlan_id": 0}
NETWORKS = {
    "SECOND": {"name": "lan", "interface": "eth0", "address": "10.1.0.5/16", "gateway": "10.1.0.1", "mtu": 1400},
    "VLAN": {"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "address": "10.7.0.5/24"},
    "BRIDGE": {"name": "b", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.8.0.5/24"},
    "BOND": {
        "name": "d",
        "type": "bond",
        "interface": "bond0",
        "members": ["eth1", "eth2"],
        "address": "10.9.0.5/24",
    },
    "TRUNK": {"name": "t", "type": "bond", "interface": "bond0", "members": ["eth1"]},
    "TAGGED": {"name": "g", "type": "vlan", "interface": "bond0.9", "vlan_id": 9},
    # A stack: a bridge on a VLAN and on a bond, each without an address.
    "BELOW": {"name": "w", "type": "vlan", "interface": "eth0.8", "vlan_id": 8},
    "ABOVE": {
        "name": "a",
        "type": "bridge",
        "interface": "br1",
        "members": ["eth0.8", "bond0"],
        "address": "fd00:aa::5/64",
    },
    "SIX": {"name": "six", "interface": "eth1", "address": "2001:db8:0::5/64", "dns": ["2001:db8::53"]},
}


def plain(files: dict) -> dict:
    """The files by name, without the line that says whose they are."""
    for text, _mode in files.values():
        assert backend.HEADER in text
    return {Path(path).name: text.replace(backend.HEADER, "") for path, (text, _mode) in files.items()}


@pytest.fixture
def wanted() -> SimpleNamespace:
    """Networks of each type, the interfaces of a host, and how the names of its files begin."""
    interfaces = {name: dict(STATE) for name in ("eth0", "eth1", "eth2")}
    made = {name: parse(entry) for name, entry in NETWORKS.items()}
    made["STACK"] = [made["BELOW"], made["TRUNK"], made["ABOVE"]]
    return SimpleNamespace(INTERFACES=interfaces, STATE=STATE, STEM="windflow-shop", plain=plain, **made)


@pytest.fixture
def answers(monkeypatch):
    """``answers(module, {words: text})``: programs of the host that are asked something."""

    def call(module, said: dict) -> None:
        monkeypatch.setattr(module, "said", lambda *argv: said.get(" ".join(argv), ""))

    return call


@pytest.fixture
def folder(monkeypatch, tmp_path):
    for module in (ifupdown, networkd, netplan, network_manager, wicked):
        monkeypatch.setattr(module, "FOLDER", str(tmp_path))
    monkeypatch.setattr(ifupdown, "MAIN", str(tmp_path / "interfaces"))
    for module in (networkd, netplan):
        monkeypatch.setattr(module, "LINKS", str(tmp_path / "links"))
    return tmp_path
