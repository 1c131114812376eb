# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's ifupdown: /etc/network/interfaces and the files that it names.

A stanza here has the commands of ``ip`` themselves, the same that are run at once. So a VLAN, a bridge or a bond needs
none of the packages vlan, bridge-utils and ifenslave, and a stanza is no second ``inet static`` of an interface, which
``ifup`` would not bring up after the first.
"""

from __future__ import annotations

import glob
import os
import re

from ..files.reading import text_of
from . import interfaces
from .backend import HEADER, Backend
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


PROGRAM = "/sbin/ifup"
RESOLVCONF = "/sbin/resolvconf"
MAIN = "/etc/network/interfaces"
FOLDER = "/etc/network/interfaces.d"
STATES = ("/run/network/ifstate", "/etc/network/run/ifstate")
SOURCED = re.compile(r"(?m)^\s*source(?:-directory)?\s+(?:%s(?:/\*)?|interfaces\.d(?:/\*)?)\s*$" % FOLDER)


class Ifupdown(Backend):
    name = "ifupdown"
    title = "ifupdown"

    def is_active(self) -> bool:
        return os.path.exists(PROGRAM) and os.path.exists(MAIN)

    def manages(self, interface: str) -> bool:
        paths = [path for path in glob.glob("%s/*" % FOLDER) if not os.path.basename(path).startswith("windflow-")]
        stanza = re.compile(r"(?m)^\s*iface\s+%s\s" % re.escape(interface))
        return any(stanza.search(text_of(path)) for path in [MAIN, *paths])

    def refuses(self, network: Network) -> str:
        if not SOURCED.search(text_of(MAIN)):
            return "%s has no line source %s/*" % (MAIN, FOLDER)
        if network.dns and not os.path.exists(RESOLVCONF):
            return "ifupdown sets name servers only with the package resolvconf"
        return ""

    def remedy(self, network: Network) -> str:
        if not SOURCED.search(text_of(MAIN)):
            return "add that line, or configure the interface by hand and leave out address"
        return "install resolvconf on the host, or leave out dns"

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        # ifupdown leaves out files with a dot in their name where it reads the whole directory.
        path = "%s/%s" % (FOLDER, ("%s-%s" % (stem, network.name)).replace(".", "_"))
        made = interfaces.make(network)
        if network.is_made:
            down = ["ip link delete dev %s%s" % (network.interface, interfaces.QUIETLY)]
        else:
            down = ["ip address delete %s dev %s%s" % (network.address, network.interface, interfaces.QUIETLY)]
        lines = [HEADER.rstrip("\n"), "auto %s" % network.interface, "iface %s inet manual" % network.interface]
        # A link of ours has to be there before ifup looks for it.
        # The one that it lies on may have its stanza in a file that is read later.
        below = [name for name in network.members if name in self.planned]
        lines += ["    pre-up [ -e /sys/class/net/%s ] || ifup %s" % (name, name) for name in below]
        lines += ["    pre-up %s" % line for line in made] if network.is_made else ["    up %s" % line for line in made]
        lines += ["    %s %s" % ("post-down" if network.is_made else "down", line) for line in down]
        if network.dns:
            lines.append("    dns-nameservers %s" % " ".join(network.dns))
        return {path: ("\n".join(lines) + "\n", 0o644)}

    def up(self, network: Network, stem: str) -> list[Any]:
        servers = "".join("nameserver %s\\n" % server for server in network.dns)
        tell = ["printf '%s' | resolvconf -a %s.%s" % (servers, network.interface, stem)] if network.dns else []
        return interfaces.make(network) + tell

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        told = [network.interface for network in networks if network.dns]
        return ["resolvconf -d %s.%s%s" % (name, stem, interfaces.QUIETLY) for name in told]
