# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration wants of networks, and what is wrong with it whatever the host is.

An entry with ``cidr`` alone asserts something about an interface; one with ``address`` configures it. A VLAN, a bridge
or a bond with neither is a link without an address, such as one that others lie on.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import asdict, dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


# The key of a plugin's configuration that has the networks.
PLACE = "network.networks"
TYPES = ("physical", "vlan", "bridge", "bond")
# The kernel's words. The first is what a bond has that does not say so.
MODES = ("active-backup", "balance-rr", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
FORM = "at most 15 letters, digits, dots, _ and -"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")
# Keys that say how an interface is configured: without an address they have nothing to do.
CONFIGURING = ("gateway", "dns", "mtu", "vlan_id", "members", "mode")
ONLY_FOR = {"vlan_id": ("vlan",), "mode": ("bond",), "members": ("vlan", "bridge", "bond")}
# What can be a member of a bridge or a bond, of the links that software makes.
JOINING = {"bridge": ("vlan", "bond"), "bond": ("vlan",)}
LEAST_MTU = {4: 68, 6: 1280}


@dataclass(frozen=True)
class Network:
    """One network. Of a VLAN, ``members`` has the one interface that it lies on."""

    name: str
    type: str
    interface: str
    cidr: str = ""
    address: str = ""
    gateway: str = ""
    dns: tuple[Any, ...] = ()
    mtu: int = 0
    vlan_id: int = 0
    members: tuple[Any, ...] = ()
    mode: str = ""

    @property
    def version(self) -> int:
        """4 or 6; 4 of a link without an address."""
        return ipaddress.ip_interface(self.address or self.cidr or "0.0.0.0").version

    @property
    def is_made(self) -> bool:
        """Whether the interface is one that software makes."""
        return self.type != "physical"

    @property
    def ports(self) -> tuple[Any, ...]:
        """The members of a bridge or a bond; none of a VLAN, which only lies on its interface."""
        return self.members if self.type in JOINING else ()

    @property
    def is_configured(self) -> bool:
        """Whether the interface is configured, or else something asserted about it."""
        return _configures(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Returns an entry that ``parse`` takes, the same for the same network."""
        values = dict(asdict(self), dns=list(self.dns), members=list(self.members))
        return {key: value for key, value in values.items() if value}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the entry number ``index``; ``value`` is None where a key is missing."""

    code: str
    index: int
    key: str
    expected: str
    value: object
    remedy: str
    note: str = ""


def parse(entry: dict[str, Any]) -> Network:
    """Returns an entry without ``faults`` as a network; addresses in their shortest form."""
    values = {key: entry[key] for key in Network.__dataclass_fields__ if entry.get(key) not in (None, "", [])}
    values["dns"] = tuple(str(ipaddress.ip_address(item)) for item in values.get("dns", ()))
    values["members"] = tuple(values.get("members", ()))
    values.setdefault("type", TYPES[0])
    for key, read in (("address", ipaddress.ip_interface), ("gateway", ipaddress.ip_address)):
        if key in values:
            values[key] = str(read(values[key]))
    if values["type"] == "vlan" and values.get("vlan_id") and not values["members"]:
        values["members"] = (_below(entry),)
    if values["type"] == "bond":
        values.setdefault("mode", MODES[0])
    return Network(**values)


def valid(entries: object) -> list[Any]:
    """Returns the entries if nothing is wrong with them; none otherwise."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or faults(entries):
        return []
    return entries


def configured(entries: list[Any]) -> list[Any]:
    """Returns those entries that configure an interface, as networks, in the order in which they are made: what lies on
    a link of the list comes after it."""
    networks = [parse(entry) for entry in entries if _configures(entry)]
    made = {network.interface: network for network in networks if network.is_made}
    found: dict[Network, None] = {}
    pending = networks[::-1]
    while pending:
        network = pending[-1]
        lower = [made[name] for name in network.members if name in made and made[name] not in found]
        pending += lower[::-1]
        if not lower:
            found[pending.pop()] = None
    return list(found)


def _configures(entry: dict[str, Any]) -> bool:
    return bool(entry.get("address")) or (entry.get("type") in TYPES[1:] and not entry.get("cidr"))


def faults(entries: list[Any], place: str = PLACE) -> list[Any]:
    """Returns every fault of the entries, which are maps of anything; ``place`` is the key that has them."""
    found = []
    for index, entry in enumerate(entries):
        found += _faults(index, entry)
    return found + _same_twice(entries, place) + _circles(entries)


def _faults(index: int, entry: dict[str, Any]) -> list[Any]:
    found = [
        Fault("E1140", index, key, expected, entry.get(key), remedy)
        for key, expected, remedy in (
            ("name", "a name of the network", "write for example app-network"),
            ("interface", "the name of an interface", "write for example eth0"),
        )
        if not isinstance(entry.get(key), str) or not entry[key]
    ]
    if not entry.get("cidr") and not _configures(entry):
        remedy = "write for example cidr: 192.168.1.0/24"
        found.append(Fault("E1132", index, "cidr", "a network in CIDR notation", None, remedy))
    kind = entry.get("type")
    if kind not in (None, *TYPES):
        found.append(Fault("E1176", index, "type", "one of %s" % ", ".join(TYPES), kind, "write one of them"))
    return found + (_faults_of_change(index, entry) if _configures(entry) else _faults_of_assertion(index, entry))


def _faults_of_assertion(index: int, entry: dict[str, Any]) -> list[Any]:
    found = _without_address(index, entry, CONFIGURING)
    if found and entry.get("type") in TYPES[1:]:
        # What makes a link says nothing of a range.
        remedy = "add address, such as 192.168.1.10/24, or remove cidr, for a link without an address"
        return [replace(fault, remedy=remedy) for fault in found]
    return found


def _without_address(index: int, entry: dict[str, Any], keys: tuple[str, ...]) -> list[Any]:
    expected = "an address, too: this key configures the interface"
    return [
        Fault("E1175", index, key, expected, entry[key], "add address, such as 192.168.1.10/24, or remove %s" % key)
        for key in keys
        if entry.get(key) not in (None, "", [])
    ]


def _faults_of_change(index: int, entry: dict[str, Any]) -> list[Any]:
    found = _address_faults(index, entry) if entry.get("address") else _link_faults(index, entry)
    kind = entry.get("type") or TYPES[0]
    for key, types in ONLY_FOR.items():
        if kind in TYPES and kind not in types and entry.get(key) not in (None, "", []):
            expected = "a network of type %s" % " or ".join(types)
            code = "E1173" if key == "members" else "E1175"
            found.append(Fault(code, index, "type", expected, kind, "remove %s, or correct type" % key))
    interface = entry.get("interface")
    if isinstance(interface, str) and not INTERFACE.match(interface):
        expected = "the name of an interface, %s" % FORM
        found.append(Fault("E1140", index, "interface", expected, interface, "write for example eth0"))
    if kind == "vlan":
        number = entry.get("vlan_id")
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 4094:
            expected = "the number of the VLAN, from 1 to 4094"
            found.append(Fault("E1172", index, "vlan_id", expected, number, "write for example vlan_id: 10"))
    if kind == "bond" and entry.get("mode") not in (None, "", *MODES):
        found.append(Fault("E1176", index, "mode", "one of %s" % ", ".join(MODES), entry["mode"], "write one of them"))
    return found + _member_faults(index, entry)


def _address_faults(index: int, entry: dict[str, Any]) -> list[Any]:
    address, found = entry["address"], []
    example = "192.168.1.10/24"
    if not isinstance(address, str) or "/" not in address or not _reads(ipaddress.ip_interface, address):
        expected = "an address with its prefix length"
        network = _reads(ipaddress.ip_network, entry.get("cidr"))
        if _reads(ipaddress.ip_address, address):
            example = "%s/%d" % (address, network.prefixlen if network else 24)
        return [Fault("E1170", index, "address", expected, address, "write for example %s" % example)]
    mine, network = ipaddress.ip_interface(address), _reads(ipaddress.ip_network, entry.get("cidr"))
    if network and mine.network != network:
        expected = "an address of the network %s, with its prefix length" % network
        remedy = "correct address or cidr"
        if mine.version == network.version and mine.ip in network:
            remedy = "write %s/%d" % (mine.ip, network.prefixlen)
        found.append(Fault("E1170", index, "address", expected, address, remedy))
    elif mine.network.num_addresses > 2 and mine.ip in (mine.network.network_address, _broadcast(mine)):
        expected = "an address of a host"
        remedy = "choose another address: this one is the network's own"
        found.append(Fault("E1170", index, "address", expected, address, remedy))
    gateway = entry.get("gateway")
    if gateway not in (None, ""):
        ip = _reads(ipaddress.ip_address, gateway)
        inside = ip is not None and ip in mine.network and ip != mine.ip
        if not inside and not (ip is not None and ip.version == 6 and ip.is_link_local):
            expected = "another address of the network %s" % mine.network
            remedy = "write the address of the router in that network"
            found.append(Fault("E1171", index, "gateway", expected, gateway, remedy))
    servers = entry.get("dns")
    for server in servers if isinstance(servers, list) else [] if servers is None else [servers]:
        if not _reads(ipaddress.ip_address, server):
            expected = "addresses of name servers"
            found.append(Fault("E1176", index, "dns", expected, server, "write for example [9.9.9.9]"))
    return found + _mtu_faults(index, entry, mine.version)


def _link_faults(index: int, entry: dict[str, Any]) -> list[Any]:
    """What is wrong with a link that has no address."""
    return _without_address(index, entry, ("gateway", "dns")) + _mtu_faults(index, entry, 4)


def _mtu_faults(index: int, entry: dict[str, Any], version: int) -> list[Any]:
    mtu, least, found = entry.get("mtu"), LEAST_MTU[version], []
    if mtu is not None and (isinstance(mtu, bool) or not isinstance(mtu, int) or not least <= mtu <= 65535):
        expected = "a number of bytes from %d to 65535" % least
        found.append(Fault("E1176", index, "mtu", expected, mtu, "write for example 1500"))
    return found


def _member_faults(index: int, entry: dict[str, Any]) -> list[Any]:
    kind, members, interface = entry.get("type"), entry.get("members"), entry.get("interface")
    if kind not in ONLY_FOR["members"]:
        return []
    if members is not None and not isinstance(members, list):
        return [Fault("E1173", index, "members", "a list of interfaces", members, "write for example [eth1, eth2]")]
    members, found = members or [], []
    for member in members:
        if not isinstance(member, str) or not INTERFACE.match(member) or member == interface:
            expected = "names of other interfaces"
            if not isinstance(member, str) or not INTERFACE.match(member):
                expected += ", each %s" % FORM
            found.append(Fault("E1173", index, "members", expected, member, "write for example [eth1, eth2]"))
    if len({str(member) for member in members}) < len(members):
        found.append(Fault("E1173", index, "members", "each interface once", members, "remove what is there twice"))
    if kind == "vlan" and len(members) != 1 and not (not members and _below(entry)):
        expected = "the one interface that the VLAN lies on"
        found.append(Fault("E1173", index, "members", expected, members or None, "write for example [eth0]"))
    if kind == "bond" and not members:
        expected = "the interfaces of the bond"
        found.append(Fault("E1173", index, "members", expected, None, "write for example [eth1, eth2]"))
    return found


def _same_twice(entries: list[Any], place: str) -> list[Any]:
    """What two entries claim: a name, or an interface that both configure."""
    found: list[Any] = []
    names: dict[str, int] = {}
    interfaces: dict[str, int] = {}
    # Links that others lie on: one entry makes such a link, and one other may have it as a member.
    joined: dict[str, int] = {}
    links = {entry.get("interface"): entry.get("type") for entry in entries if _is_link(entry)}
    for index, entry in enumerate(entries):
        name = entry.get("name")
        if isinstance(name, str) and name in names:
            expected = "a name for each network"
            note = "also of %s[%d]" % (place, names[name])
            found.append(Fault("E1174", index, "name", expected, name, "change one of the two", note))
        elif isinstance(name, str):
            names[name] = index
        if not _configures(entry):
            continue
        kind, members = entry.get("type"), entry.get("members")
        mine = [("interface", entry.get("interface"))]
        if kind in JOINING:
            mine += [("members", member) for member in (members if isinstance(members, list) else [])]
        for key, interface in mine:
            if not isinstance(interface, str):
                continue
            if key == "members" and interface in links and links[interface] not in JOINING[kind]:
                expected = "members of another type than %s" % links[interface]
                remedy = "remove it: no %s takes a %s" % (kind, links[interface])
                found.append(Fault("E1173", index, key, expected, interface, remedy))
                continue
            claimed = joined if key == "members" and interface in links else interfaces
            if claimed.get(interface, index) != index:
                expected = "each interface configured by one network"
                note = "also of %s[%d]" % (place, claimed[interface])
                found.append(Fault("E1174", index, key, expected, interface, "remove it from one of the two", note))
            else:
                claimed[interface] = index
    return found


def _is_link(entry: dict[str, Any]) -> bool:
    """Whether an entry makes a link without an address."""
    return _configures(entry) and not entry.get("address") and isinstance(entry.get("interface"), str)


def _circles(entries: list[Any]) -> list[Any]:
    """Interfaces that lie on themselves, by way of others."""
    below: dict[Any, list[Any]] = {}
    for entry in entries:
        if _configures(entry) and isinstance(entry.get("interface"), str):
            below.setdefault(entry["interface"], []).extend(_lower(entry))
    found = []
    for index, entry in enumerate(entries):
        name = entry.get("interface")
        for member in _lower(entry) if _configures(entry) else []:
            reached, pending = set(), [member]
            while pending:
                one = pending.pop()
                pending += [] if one in reached else below.get(one, [])
                reached.add(one)
            if name in reached and member != name:
                expected = "interfaces that do not lie on this one"
                found.append(Fault("E1173", index, "members", expected, member, "remove it from one of the networks"))
    return found


def _lower(entry: dict[str, Any]) -> list[str]:
    """Returns the interfaces that an entry lies on."""
    members = entry.get("members") or ([_below(entry)] if entry.get("type") == "vlan" else [])
    return [name for name in members if name and isinstance(name, str)] if isinstance(members, list) else []


def _below(entry: dict[str, Any]) -> str:
    """Returns the interface that a VLAN such as eth0.10 lies on by its name; "" for any other name."""
    name, number = entry.get("interface"), entry.get("vlan_id")
    lower, dot, ending = name.rpartition(".") if isinstance(name, str) else ("", "", "")
    return lower if dot and ending == str(number) else ""


def _broadcast(mine: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> object:
    return mine.network.broadcast_address if mine.version == 4 else None


def _reads(read: Callable[[str], Any], value: object) -> Any:
    """Returns the value as an address or a network; None for anything else."""
    try:
        return read(value) if isinstance(value, str) and "%" not in value else None
    except ValueError:
        return None
