# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of the networks of one owner, and what differs from what is wanted. Reads only."""

from __future__ import annotations

import os
import stat

from ..files.reading import text_of
from . import interfaces, kept
from .ifupdown import Ifupdown
from .netplan import Netplan
from .network_manager import NetworkManager
from .networkd import Networkd
from .wanted import Network, configured, parse
from .wicked import Wicked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .backend import Backend


# netplan goes first, because it drives two of the others.
BACKENDS = (Netplan, NetworkManager, Networkd, Wicked, Ifupdown)


def stem(owner: str) -> str:
    """Returns how the names of an owner's files begin."""
    return "windflow-%s" % owner if owner else "windflow"


class Host:
    """The interfaces of a host, its routes, and the programs of its own that manage them."""

    def __init__(self, wanted: list[Network]) -> None:
        self.interfaces = interfaces.read()
        self.routes = interfaces.routes()
        self.made = {network.interface: network for network in wanted if network.is_made}
        self.backends = {kind.name: kind(self.interfaces, wanted) for kind in BACKENDS}
        self._active: list[Any] | None = None

    def active(self) -> list[Any]:
        """Returns the backends that are there and at work."""
        if self._active is None:
            self._active = [backend for backend in self.backends.values() if backend.is_active()]
        return self._active

    def backend(self, network: Network, before: str = "") -> Backend | None:
        """Returns the backend that has the network already; else the one that manages the interface, or those that it
        is made of; else the first at work; None where there is none."""
        for backend in self.active():
            if backend.name == before:
                return backend
        for name in self.stack(network):
            for backend in self.active():
                if backend.manages(name):
                    return backend
        return self.active()[0] if self.active() else None

    def stack(self, network: Network) -> list[str]:
        """Returns a network's interface and all that it lies on, by way of links of the list."""
        found, pending = [], [network.interface, *network.members]
        for name in pending:
            if name not in found:
                found.append(name)
                pending += self.made[name].members if name in self.made else ()
        return found

    def carrying(self) -> tuple[Any, ...]:
        return interfaces.carrying(self.interfaces)


def look(params: dict[str, Any]) -> dict[str, Any]:
    """Returns what a plan needs: for ``networks`` (the configuration's entries) and ``plugin``, the owner.

    {"interfaces", "connection", "carrying", "endangered", "differences": {name: [reason]}, "refused":
    {name: [finding]}, "unwanted": [name], "backends": {name: backend}, "files": {name: [path]}}
    """
    entries, owner = params["networks"], params["plugin"]
    before = kept.read(owner)
    if not entries and not before["networks"]:
        return {}
    wanted = configured(entries)
    host = Host(wanted)
    address, carrying = host.carrying()
    found: dict[str, Any] = {"interfaces": host.interfaces, "connection": address, "carrying": carrying}
    found.update(differences={}, refused={}, backends={}, files={})
    names = {network.name for network in wanted}
    found["unwanted"] = [name for name in before["networks"] if name not in names]
    touched = [parse(before["networks"][name]["network"]) for name in found["unwanted"]]
    for network in wanted:
        known = before["networks"].get(network.name, {})
        backend = host.backend(network, known.get("backend", ""))
        differs = differences(host, network, backend, known, owner)
        found["differences"][network.name] = differs
        found["backends"][network.name] = backend.name if backend else ""
        found["files"][network.name] = sorted(backend.files(network, stem(owner))) if backend else []
        if differs:
            found["refused"][network.name] = refusals(host, network, backend, before)
            touched.append(network)
            touched += [parse(known["network"])] if known else []
    changed = {name for network in touched for name in (network.interface, *network.members)}
    found["endangered"] = [name for name in carrying if name in changed]
    return found


def differences(host: Host, network: Network, backend: Backend | None, known: dict[str, Any], owner: str) -> list[Any]:
    """Returns what is not as wanted: the files, and the interface itself."""
    found = []
    if backend:
        wanted = backend.files(network, stem(owner))
        for path, (text, mode) in sorted(wanted.items()):
            if not os.path.exists(path):
                found.append("%s is missing" % path)
            elif text_of(path) != text or stat.S_IMODE(os.stat(path).st_mode) != mode:
                found.append("%s differs" % path)
        found += ["%s is not wanted any more" % path for path in known.get("files", ()) if path not in wanted]
    return found + unlike(host, network)


def unlike(host: Host, network: Network) -> list[Any]:
    """Returns how the interface itself differs from the network."""
    name = network.interface
    state = host.interfaces.get(name)
    if state is None:
        return ["%s is not there" % name]
    found = unlike_link(host, network)
    if network.address and network.address not in state["addresses"]:
        found.append("%s has no address %s" % (name, network.address))
    if network.mtu and state["mtu"] != network.mtu:
        found.append("the MTU of %s is %d, not %d" % (name, state["mtu"], network.mtu))
    if not state["up"]:
        found.append("%s is down" % name)
    if network.gateway:
        known = {"family": network.version, "dev": name, "gateway": network.gateway}
        if known not in interfaces.gateways(host.routes):
            found.append("no default route via %s on %s" % (network.gateway, name))
    return found


def unlike_link(host: Host, network: Network) -> list[Any]:
    """Returns how an interface that software makes differs in what it is made of."""
    name, found = network.interface, []
    state = host.interfaces[name]
    if network.is_made and state["kind"] != network.type:
        return ["%s is %s, not a %s" % (name, state["kind"] or "no interface that software makes", network.type)]
    if network.type == "vlan":
        if (state["link"], state["vlan_id"]) != (network.members[0], network.vlan_id):
            on = "VLAN %d on %s" % (state["vlan_id"], state["link"])
            found.append("%s is %s, not VLAN %d on %s" % (name, on, network.vlan_id, network.members[0]))
        return found
    found += [
        "%s is no member of %s" % (member, name)
        for member in network.members
        if host.interfaces.get(member, {}).get("master") != name
    ]
    if network.type == "bond" and state["mode"] != network.mode:
        found.append("%s has mode %s, not %s" % (name, state["mode"], network.mode))
    return found


def refusals(host: Host, network: Network, backend: Backend | None, before: dict[str, Any]) -> list[Any]:
    """Returns why the network cannot be configured here, as maps with code, message, got and remedy."""
    found = []

    def refuse(code: str, message: str, got: str, remedy: str) -> None:
        found.append({"code": code, "message": message, "got": got, "remedy": remedy})

    if backend is None:
        titles = ", ".join(kind.title for kind in BACKENDS)
        remedy = "set up one of %s, or configure the interface by hand and leave out address" % titles
        refuse("E2072", "no program of the host manages %s" % network.interface, "", remedy)
    else:
        reason = backend.refuses(network)
        if reason:
            said = "%s cannot configure %s" % (backend.title, network.interface)
            refuse("E2072", said, reason, backend.remedy(network))
    mine = [item["network"].get("gateway") for item in before["networks"].values()]
    for route in interfaces.gateways(host.routes):
        other = route["gateway"] not in (network.gateway, *mine) and route["family"] == network.version
        if network.gateway and other:
            got = "via %s on %s" % (route["gateway"] or "no gateway", route["dev"])
            remedy = "leave out gateway, or remove that route from the host's own configuration"
            refuse("E2074", "the host has a default route of its own", got, remedy)
    made = before["before"]
    state = host.interfaces.get(network.interface)
    if network.is_made and state and made.get(network.interface, state) is not None:
        wrong = unlike_link(host, network)
        if wrong:
            remedy = "choose another name for the interface, or write what it is"
            refuse("E2077", "%s is there and was not made by windflow" % network.interface, wrong[0], remedy)
    for member in network.ports:
        state = host.interfaces.get(member, {})
        # What a router has told a link of ours goes and comes with the link.
        kind = "own" if made.get(member, state) is None else "addresses"
        has = [one for one in state.get(kind, []) if one not in _own_addresses(before, member)]
        if has and state.get("master") != network.interface:
            remedy = "remove the address from the host's own configuration of %s" % member
            refuse("E2076", "%s would lose its address as a member of %s" % (member, network.interface), has[0], remedy)
    return found


def _own_addresses(before: dict[str, Any], interface: str) -> list[Any]:
    known = [item["network"] for item in before["networks"].values()]
    return [item["address"] for item in known if item["interface"] == interface]
