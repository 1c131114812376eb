# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SUSE's wicked: one file for each interface, /etc/sysconfig/network/ifcfg-<interface>.

So the names of the files are not ours. Where the host has such a file, our lines are added to its end, and the address
has a suffix of its own, as wicked has it for further addresses.
"""

from __future__ import annotations

import os
import shutil

from ..files.reading import text_of
from .backend import HEADER, Backend, is_running
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FOLDER = "/etc/sysconfig/network"


class Wicked(Backend):
    name = "wicked"
    title = "wicked"
    keeps_foreign = False

    def is_active(self) -> bool:
        return bool(shutil.which("wicked")) and is_running("wickedd.service")

    def manages(self, interface: str) -> bool:
        return bool(_own(text_of("%s/ifcfg-%s" % (FOLDER, interface))))

    def refuses(self, network: Network) -> str:
        if network.dns:
            return "wicked has name servers for the whole host: NETCONFIG_DNS_STATIC_SERVERS in %s/config" % FOLDER
        return super().refuses(network)

    def remedy(self, network: Network) -> str:
        return "set them there, and leave out dns" if network.dns else super().remedy(network)

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        # One file is for all networks of an interface.
        together = [one for one in self.wanted if one.interface == network.interface] or [network]
        path = "%s/ifcfg-%s" % (FOLDER, network.interface)
        own = _own(text_of(path))
        found = {path: (own + HEADER + "\n".join(_settings(together, stem, not own)) + "\n", 0o600)}
        text = "".join("default %s - %s\n" % (one.gateway, one.interface) for one in together if one.gateway)
        if text:
            route = "%s/ifroute-%s" % (FOLDER, network.interface)
            found[route] = (_own(text_of(route)) + HEADER + text, 0o600)
        ours = [one.interface for one in self.wanted]
        for member in [name for name in network.members if name not in ours]:
            name = "%s/ifcfg-%s" % (FOLDER, member)
            if not os.path.exists(name) or text_of(name).startswith(HEADER):
                found[name] = (HEADER + "STARTMODE=hotplug\nBOOTPROTO=none\n", 0o600)
        return found

    def before_removal(self, networks: list[Any]) -> list[Any]:
        return self.refresh(networks, "")

    def up(self, network: Network, stem: str) -> list[Any]:
        # The first does nothing where only the interface has changed, and the second nothing where only the file has.
        return ["wicked ifreload %s" % network.interface, "wicked ifup %s" % network.interface]

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        return ["wicked ifreload %s" % " ".join(sorted({network.interface for network in networks}))]

    def left(self, path: str) -> str:
        return _own(text_of(path))


def _own(text: str) -> str:
    """Returns what the host itself has in the file."""
    return text.partition(HEADER)[0]


def _settings(networks: list[Network], stem: str, alone: bool) -> list[Any]:
    """Returns the lines for the networks of one interface; ``alone``: the host itself has none for it."""
    lines = [
        "IPADDR_%s='%s'" % (_suffix("%s_%s" % (stem, network.name)), network.address)
        for network in networks
        if network.address
    ]
    if alone:
        lines = ["STARTMODE='auto'", "BOOTPROTO='%s'" % ("static" if lines else "none"), *lines]
    for network in networks:
        if network.mtu:
            lines.append("MTU='%d'" % network.mtu)
        if network.type == "vlan":
            lines += ["ETHERDEVICE='%s'" % network.members[0], "VLAN_ID='%d'" % network.vlan_id]
        if network.type == "bridge":
            lines += ["BRIDGE='yes'", "BRIDGE_PORTS='%s'" % " ".join(network.members), "BRIDGE_STP='off'"]
        if network.type == "bond":
            lines += ["BONDING_MASTER='yes'", "BONDING_MODULE_OPTS='mode=%s miimon=100'" % network.mode]
            lines += ["BONDING_SLAVE_%d='%s'" % (number, name) for number, name in enumerate(network.members)]
    return lines


def _suffix(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text)
