# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager: profiles as keyfiles in /etc/NetworkManager/system-connections.

Only one profile is active on an interface. Where the host has one, ours is a copy of it with one address more, which
goes before it; the host's own stays as it is, and is active again when ours is removed.
"""

from __future__ import annotations

import os
import shutil
import uuid

from ..files.reading import text_of
from .backend import HEADER, Backend, said
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


FOLDER = "/etc/NetworkManager/system-connections"
NAMESPACE = uuid.UUID("6f0d7c1e-6f0b-5d0e-9f0a-77696e64666c")
PRIORITY = "100"
# What an interface has that NetworkManager looks after.
MANAGED = ("connected", "connecting", "disconnected")


class NetworkManager(Backend):
    name = "network_manager"
    title = "NetworkManager"
    keeps_foreign = False

    def __init__(self, interfaces: dict[str, Any], wanted: Iterable[Network] = ()) -> None:
        super().__init__(interfaces, wanted)
        self._told: dict[str, list[Any]] = {}

    def lines(self, *argv: str) -> list[Any]:
        """Returns the lines that nmcli answers. It is asked once, as the interfaces are read once."""
        if argv[-1] not in self._told:
            self._told[argv[-1]] = said("nmcli", *argv).splitlines()
        return self._told[argv[-1]]

    def before_removal(self, networks: list[Any]) -> list[Any]:
        return ["nmcli connection reload"]

    def is_active(self) -> bool:
        return bool(shutil.which("nmcli")) and said("nmcli", "-g", "RUNNING", "general").strip() == "running"

    def manages(self, interface: str) -> bool:
        for line in self.lines("-g", "DEVICE,STATE", "device"):
            device, _colon, state = line.rpartition(":")
            # "connected (externally)" is what it only watches.
            if device.replace("\\", "") == interface:
                return state.split(" ")[0] in MANAGED and "externally" not in state
        return False

    def refuses(self, network: Network) -> str:
        kinds = {name: self.interfaces.get(name, {}).get("kind", "") for name in network.members}
        made = [name for name, kind in kinds.items() if kind in ("vlan", "bond", "bridge") and name not in self.planned]
        if network.type in ("bridge", "bond") and made:
            return "a profile of NetworkManager makes %s, which cannot become a member here" % ", ".join(made)
        base = self.base(network)
        if base and not base.endswith(".nmconnection"):
            return "%s is no keyfile; nmcli connection migrate makes one" % base
        if not network.is_made and base:
            return ""
        return super().refuses(network)

    def base(self, network: Network) -> str:
        """Returns the file of the host's own profile for an interface; "" where there is none."""
        known, active = {}, ""
        for line in self.lines("-g", "UUID,DEVICE,FILENAME", "connection", "show"):
            fields = line.replace("\\:", "\0").split(":", 2)
            if len(fields) == 3:
                number, device, path = (field.replace("\0", ":") for field in fields)
                known[number] = path
                if device == network.interface and not os.path.basename(path).startswith("windflow-"):
                    active = path
                elif device == network.interface:
                    noted = sections(text_of(path)).get("user", {}).get("windflow.base", "")
                    active = active or known.get(noted) or noted
        active = active if os.path.exists(active) else known.get(active, "")
        # Of an interface that something else has configured, NetworkManager has a profile that it made for itself.
        return "" if "nm-generated" in sections(text_of(active)).get(".nmmeta", {}) else active

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        name, found = "%s-%s" % (stem, network.name), {}
        found["%s/%s.nmconnection" % (FOLDER, name)] = (self._profile(network, name), 0o600)
        for member in network.ports:
            if member in self.planned:
                # Its own profile says so: an interface has one.
                continue
            wanted = {
                "connection": dict(
                    _connection("%s-%s" % (name, member), "ethernet", member),
                    **{"autoconnect-priority": PRIORITY, "master": network.interface, "slave-type": network.type},
                )
            }
            found["%s/%s-%s.nmconnection" % (FOLDER, name, member)] = (text(wanted), 0o600)
        return found

    def top(self, network: Network) -> Network | None:
        """Returns the bridge or the bond of ours that a link of ours is a member of."""
        above = [one for one in self.wanted if network.is_made and network.interface in one.ports]
        return above[0] if above else None

    def _profile(self, network: Network, name: str) -> str:
        own = text_of("%s/%s.nmconnection" % (FOLDER, name))
        path = "" if network.is_made else self.base(network)
        wanted = sections(text_of(path) or ("" if network.is_made else own))
        kind = network.type if network.is_made else wanted.get("connection", {}).get("type", "ethernet")
        noted = sections(own).get("user", {})
        wanted["connection"] = {
            **wanted.get("connection", {}),
            **_connection(name, kind, network.interface),
            "autoconnect-priority": PRIORITY,
        }
        for key in ("timestamp", "autoconnect"):
            wanted["connection"].pop(key, None)
        if network.type == "vlan":
            wanted["vlan"] = {"flags": "1", "id": str(network.vlan_id), "parent": network.members[0]}
        elif network.type == "bridge":
            wanted["bridge"] = {"stp": "false"}
        elif network.type == "bond":
            wanted["bond"] = {"miimon": "100", "mode": network.mode}
        if network.mtu:
            wanted.setdefault("ethernet", {})["mtu"] = str(network.mtu)
        top = self.top(network)
        if top:
            # A member has no addresses, nor a say in them.
            wanted["connection"].update({"master": top.interface, "slave-type": top.type})
        elif network.address:
            _address(wanted, network, noted.get("windflow.address", ""))
        else:
            wanted.update(ipv4={"method": "disabled"}, ipv6={"method": "disabled"})
        base = sections(text_of(path)).get("connection", {}).get("uuid", "") or noted.get("windflow.base", "")
        notes = {"windflow.address": network.address, "windflow.base": base}
        wanted["user"] = {key: value for key, value in notes.items() if value}
        return text(wanted)

    def up(self, network: Network, stem: str) -> list[Any]:
        load = "nmcli connection load %s" % " ".join(sorted(self.files(network, stem)))
        # A member is brought up by what it belongs to, once: that comes later, and would take it down again.
        return [load, *([] if self.top(network) else self._activate(network, stem))]

    def _activate(self, network: Network, stem: str, below: bool = False) -> list[Any]:
        """Returns what brings up an interface with its members; ``below``: it is a member itself."""
        up = "nmcli --wait 30 connection up uuid %s"
        if below:
            # What it belongs to has only just begun anew, and may take down with it what came too early.
            up = "{0} || {{ sleep 1; {0}; }}".format(up)
        main, members = _uuid("%s-%s" % (stem, network.name)), network.ports
        # An interface with members is up when the first of them is.
        lines = ["nmcli --wait 0 connection up uuid %s" % main if members else up.replace("%s", main)]
        for member in members:
            if member in self.planned:
                lines += self._activate(self.planned[member], stem, True)
            else:
                lines.append(up.replace("%s", _uuid("%s-%s-%s" % (stem, network.name, member))))
        return lines

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        lines = ["nmcli connection reload"]
        for network in networks:
            path = "" if network.is_made else self.base(network)
            number = sections(text_of(path)).get("connection", {}).get("uuid", "")
            lines += ["nmcli --wait 30 connection up uuid %s || true" % number] if number else []
        return lines


def _uuid(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, name))


def _connection(name: str, kind: str, interface: str) -> dict[str, Any]:
    return {"id": name, "uuid": _uuid(name), "type": kind, "interface-name": interface}


def _address(wanted: dict[str, Any], network: Network, before: str) -> None:
    """Adds the address to what a profile has, in the place of the one that windflow had given it."""
    mine, other = ("ipv4", "ipv6") if network.version == 4 else ("ipv6", "ipv4")
    given = wanted.get(mine, {})
    number, kept = 1, {}
    has = [value for key, value in given.items() if key.startswith("address") and key[7:].isdigit()]
    plain = [value for value in has if value.split(",")[0] not in (before, network.address)]
    for value in [*plain, network.address]:
        kept["address%d" % number] = value
        number += 1
    rest = {key: value for key, value in given.items() if not (key.startswith("address") and key[7:].isdigit())}
    method = rest.get("method", "")
    rest["method"] = method if method in ("auto", "manual", "shared") else "manual"
    if network.gateway:
        rest["gateway"] = network.gateway
    if network.dns:
        rest["dns"] = "".join("%s;" % server for server in network.dns)
    wanted[mine] = {**kept, **rest}
    # Of a new profile, the other kind of addresses is asked for nowhere.
    wanted.setdefault(other, {"method": "disabled" if other == "ipv4" else "link-local"})


def sections(found: str) -> dict[str, Any]:
    """Returns a keyfile as {section: {key: value}}."""
    result: dict[str, Any] = {}
    current: dict[str, Any] = {}
    for line in found.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            current = result.setdefault(line[1:-1], {})
        elif "=" in line and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            current[key.strip()] = value.strip()
    return result


def text(wanted: dict[str, Any]) -> str:
    """Returns a keyfile, its sections in an order of their own and their keys as they come."""
    first = ["connection"] + sorted(set(wanted) - {"connection"})
    blocks = [
        "[%s]\n%s" % (name, "".join("%s=%s\n" % item for item in wanted[name].items()))
        for name in first
        if wanted[name]
    ]
    return HEADER + "\n" + "\n".join(blocks)
