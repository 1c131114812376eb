# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ubuntu's netplan: files in /etc/netplan, which it merges in the order of their names."""

from __future__ import annotations

import glob
import shutil

from ..files.reading import text_of
from .backend import HEADER, Backend, said
from .networkd import joining
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FOLDER = "/etc/netplan"
LINKS = "/run/systemd/netif/links"
SECTIONS = {"physical": "ethernets", "vlan": "vlans", "bridge": "bridges", "bond": "bonds"}


class Netplan(Backend):
    name = "netplan"
    title = "netplan"
    keeps_foreign = False
    at_boot = "netplan generate"

    def is_active(self) -> bool:
        own = "%s/windflow-" % FOLDER
        files = [path for path in glob.glob("%s/*.yaml" % FOLDER) if not path.startswith(own)]
        return bool(shutil.which("netplan")) and bool(files)

    def manages(self, interface: str) -> bool:
        number = text_of("/sys/class/net/%s/ifindex" % interface).strip()
        if number and "/10-netplan-" in text_of("%s/%s" % (LINKS, number)):
            return True
        return said("netplan", "get", "ethernets.%s" % interface).strip() not in ("", "null")

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        lines = ["network:", "  version: 2"]
        kinds = {name: self.interfaces.get(name, {}).get("kind") for name in network.members}
        kinds.update((name, one.type) for name, one in self.planned.items() if name in kinds)
        others = [name for name in network.members if kinds[name] in SECTIONS]
        lower = [name for name in network.members if name not in others]
        if lower:
            # An interface that nothing else names has to be named before another lies on it.
            lines += ["  ethernets:"] + ["    %s: {}" % _key(name) for name in lower]
        lines += ["  %s:" % SECTIONS[network.type], "    %s:" % _key(network.interface)]
        lines += ["      %s" % line for line in _settings(network)]
        path = "%s/%s-%d-%s.yaml" % (FOLDER, stem, self.level(network), network.name)
        return {path: (HEADER + "\n".join(lines) + "\n", 0o600)}

    def level(self, network: Network) -> int:
        """Returns how many networks of the plan lie under this one: netplan has to read those first."""
        below = [self.planned[name] for name in network.members if name in self.planned]
        return max((self.level(one) + 1 for one in below), default=0)

    def up(self, network: Network, stem: str) -> list[Any]:
        # generate refuses what it cannot read before anything is applied.
        return ["netplan generate", "netplan apply", *joining(network)]

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        return ["netplan apply"]


def _key(name: str) -> str:
    return '"%s"' % name


def _settings(network: Network) -> list[Any]:
    nothing = ["accept-ra: false", "link-local: []"]
    lines = ["addresses: [%s]" % _key(network.address)] if network.address else nothing
    if network.type == "vlan":
        lines += ["id: %d" % network.vlan_id, "link: %s" % _key(network.members[0])]
    elif network.members:
        lines.append("interfaces: [%s]" % ", ".join(_key(name) for name in network.members))
    if network.type == "bond":
        lines.append('parameters: {mode: %s, mii-monitor-interval: "100"}' % network.mode)
    if network.mtu:
        lines.append("mtu: %d" % network.mtu)
    if network.gateway:
        lines.append("routes: [{to: default, via: %s}]" % _key(network.gateway))
    if network.dns:
        lines.append("nameservers: {addresses: [%s]}" % ", ".join(_key(server) for server in network.dns))
    return lines
