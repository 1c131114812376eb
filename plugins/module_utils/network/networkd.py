# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-networkd: files in /etc/systemd/network.

Only one .network file counts for an interface: the first by name that matches. Where the host has one, ours is a
drop-in of that. For an interface that only we know, ours begins with a number, to go before a ``20-wired.network`` that
matches every name.
"""

from __future__ import annotations

import os

from ..files.reading import text_of
from .backend import HEADER, Backend, is_running
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FOLDER = "/etc/systemd/network"
LINKS = "/run/systemd/netif/links"
FIRST = "05-"
RELOAD = "networkctl reload"


class Networkd(Backend):
    name = "networkd"
    title = "systemd-networkd"

    def is_active(self) -> bool:
        return is_running("systemd-networkd.service")

    def network_file(self, interface: str) -> str:
        """Returns the host's own file that counts for an interface; "" where there is none."""
        number = text_of("/sys/class/net/%s/ifindex" % interface).strip()
        for line in text_of("%s/%s" % (LINKS, number)).splitlines() if number else ():
            key, _equals, value = line.partition("=")
            if key == "NETWORK_FILE" and not os.path.basename(value).startswith(FIRST + "windflow-"):
                return value
        return ""

    def manages(self, interface: str) -> bool:
        return bool(self.network_file(interface))

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        name = "%s-%s" % (stem, network.name)
        found: dict[str, Any] = {}
        if network.is_made:
            found["%s/%s%s.netdev" % (FOLDER, FIRST, name)] = (_netdev(network), 0o644)
        for member in network.members:
            word = {"vlan": "VLAN", "bridge": "Bridge", "bond": "Bond"}[network.type]
            own = ["[Network]", "%s=%s" % (word, network.interface)]
            found[self._place(member, "%s-%s" % (name, member), stem)] = own
        found[self._place(network.interface, name, stem, network)] = _settings(network)
        return {
            path: value if isinstance(value, tuple) else (self._text(path, value, network, name), 0o644)
            for path, value in found.items()
        }

    def _place(self, interface: str, name: str, stem: str, network: Network | None = None) -> str:
        """Returns the file for what is to be added to an interface; ``network`` is the one that makes it."""
        known = self.network_file(interface)
        maker = self.planned.get(interface)
        if maker and not network:
            # An interface that another network of ours makes has its file from there.
            known = "%s%s-%s.network" % (FIRST, stem, maker.name)
        if known:
            return "%s/%s.d/%s.conf" % (FOLDER, os.path.basename(known), name)
        return "%s/%s%s.network" % (FOLDER, FIRST, name)

    def _text(self, path: str, lines: list[Any], network: Network, name: str) -> str:
        if path.endswith(".network"):
            interface = os.path.basename(path)[len(FIRST + name) + 1 : -len(".network")] or network.interface
            first = ["[Match]", "Name=%s" % interface, ""]
            if not network.is_made or interface != network.interface:
                # What something else has configured stays; nothing is asked for that the network does not say.
                own = "no" if network.type in ("bridge", "bond") else "ipv6"
                first += ["[Network]", "KeepConfiguration=static", "LinkLocalAddressing=%s" % own, ""]
            lines = first + lines
        return HEADER + "\n".join(lines) + "\n"

    def up(self, network: Network, stem: str) -> list[Any]:
        # A reload only looks at interfaces whose files have changed.
        again = "networkctl reconfigure %s" % " ".join((network.interface, *network.members))
        if not network.is_made:
            return [RELOAD, again]
        # A reload does not make again an interface that was deleted, such as for another VLAN.
        there = "[ -e /sys/class/net/%s ]" % network.interface
        return [RELOAD, *_sooner_or_later(there), again, *joining(network)]

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        return [RELOAD]


def joining(network: Network) -> list[Any]:
    """Returns what waits for the members: none joins an interface of which the program has read another file."""
    found = []
    for member in network.ports:
        found += _sooner_or_later("[ -e /sys/class/net/%s/lower_%s ]" % (network.interface, member))
    return found


def _sooner_or_later(there: str) -> list[Any]:
    """Returns what waits until that is so, by a restart of the program if need be."""
    waits = "for once in 1 2 3 4 5 6 7 8 9 10; do %s && break; sleep 0.3; done" % there
    return [waits, "%s || systemctl try-restart systemd-networkd.service" % there, waits]


def _netdev(network: Network) -> str:
    lines = ["[NetDev]", "Name=%s" % network.interface, "Kind=%s" % network.type]
    lines += ["MTUBytes=%d" % network.mtu] if network.mtu else []
    if network.type == "vlan":
        lines += ["", "[VLAN]", "Id=%d" % network.vlan_id]
    if network.type == "bond":
        lines += ["", "[Bond]", "Mode=%s" % network.mode, "MIIMonitorSec=100ms"]
    return HEADER + "\n".join(lines) + "\n"


def _settings(network: Network) -> list[Any]:
    # Without an address, nothing is asked for.
    nothing = ["[Network]", "IPv6AcceptRA=no", "LinkLocalAddressing=no"]
    lines = ["[Address]", "Address=%s" % network.address] if network.address else nothing
    if network.gateway:
        lines += ["", "[Route]", "Gateway=%s" % network.gateway]
    if network.mtu:
        lines += ["", "[Link]", "MTUBytes=%d" % network.mtu]
    # A bridge without a carrier, such as one without members, has its address too.
    own = ["ConfigureWithoutCarrier=yes"] if network.type == "bridge" else []
    own += ["DNS=%s" % server for server in network.dns]
    return lines + (["", "[Network]", *own] if own else [])
