# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interfaces of a host by ``ip``: what they are, which one carries the connection, and the commands, as lines of a
shell, that make a network, take it away or bring a state back.

Names and addresses in those lines have been checked: none of them needs quoting.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import time

from ..errors import Problem, WindflowError
from ..system import processes
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


SECONDS = 20
FOREVER = 4294967295
# Routes of these protocols come and go with their addresses.
OWN_ROUTES = ("kernel", "ra")
QUIETLY = " 2>/dev/null || true"
# How long an address lives that a server has lent and that was lost: its client renews it before.
LENT_SECONDS = 900


def ask(*arguments: str) -> list[Any]:
    """Returns what ``ip -j`` answers. Raises WindflowError E2075 where there is no such program."""
    try:
        code, said = processes.ask(["ip", "-j", *arguments], dict(os.environ, LC_ALL="C"), SECONDS)
    except FileNotFoundError:
        remedy = "install the package iproute2 (iproute on Enterprise Linux)"
        raise WindflowError(Problem.plain("E2075", "the host has no program ip", "", remedy)) from None
    try:
        found = json.loads(said or "[]") if code == 0 else []
    except ValueError:
        found = []
    # ip answers with empty maps for what it has filtered out.
    return [item for item in found if item]


def read() -> dict[str, Any]:
    """{name: state} of every interface; see ``parse``."""
    return {item["ifname"]: parse(item) for item in ask("-d", "address", "show")}


def parse(item: dict[str, Any]) -> dict[str, Any]:
    """Returns one interface of ``ip -j -d address show`` as {"addresses", "own", "mtu", "up", "master", "kind", "link",
    "vlan_id", "mode"}.

    ``addresses`` are those of the link's own kind left out, ``own`` those that stay without anybody renewing them.
    """
    linkinfo = item.get("linkinfo") or {}
    data = linkinfo.get("info_data") or {}
    found = [one for one in item.get("addr_info", []) if one.get("local") and one.get("scope") != "link"]
    return {
        "addresses": [_text(one) for one in found],
        "own": [_text(one) for one in found if one.get("valid_life_time", FOREVER) == FOREVER],
        "mtu": item.get("mtu", 0),
        "up": "UP" in item.get("flags", ()),
        "master": item.get("master", ""),
        "kind": linkinfo.get("info_kind", ""),
        "link": item.get("link") or "",
        "vlan_id": data.get("id", 0) if linkinfo.get("info_kind") == "vlan" else 0,
        "mode": data.get("mode", "") if linkinfo.get("info_kind") == "bond" else "",
    }


def _text(one: dict[str, Any]) -> str:
    return "%s/%d" % (one["local"], one["prefixlen"])


def routes() -> list[Any]:
    """Returns the routes of the main table that somebody has set, each as the words after ``ip route``, with its
    family and its interface: [{"family", "dev", "words"}]."""
    found = []
    for family in ("-4", "-6"):
        for item in ask(family, "route", "show", "table", "main"):
            if item.get("protocol") in OWN_ROUTES or not item.get("dev"):
                continue
            words = [item["dst"]]
            for key, word in (("gateway", "via"), ("dev", "dev"), ("protocol", "proto"), ("scope", "scope")):
                words += [word, str(item[key])] if item.get(key) else []
            for key, word in (("prefsrc", "src"), ("metric", "metric")):
                words += [word, str(item[key])] if item.get(key) else []
            words += ["onlink"] if "onlink" in item.get("flags", ()) else []
            found.append({"family": family, "dev": item["dev"], "words": words})
    return found


def gateways(known: list[Any]) -> list[Any]:
    """Returns the default routes as [{"family", "dev", "gateway"}]."""
    return [
        {"family": int(item["family"][1]), "dev": item["dev"], "gateway": _after(item["words"], "via")}
        for item in known
        if item["words"][0] == "default"
    ]


def _after(words: list[Any], word: str) -> str:
    return words[words.index(word) + 1] if word in words else ""


def carrying(found: dict[str, Any]) -> tuple[Any, ...]:
    """Returns the host's address that the SSH connection of this process uses, and the interfaces that carry it: the
    one with the address, and those that it is made of. ("", []) without such a connection."""
    address = connection_address()
    names = [name for name, state in found.items() if address in {_plain(one) for one in state["addresses"]}]
    pending = list(names)
    while pending:
        top = pending.pop()
        below = [name for name, state in found.items() if state["master"] == top] + [found.get(top, {}).get("link", "")]
        fresh = [name for name in below if name in found and name not in names]
        names += fresh
        pending += fresh
    return address, names


def _plain(address: str) -> str:
    return address.partition("/")[0]


def state_of(found: dict[str, Any], network: Network) -> dict[str, Any]:
    """Returns what a record keeps of a network's interface, as texts by attribute."""
    state = found.get(network.interface)
    if state is None:
        return {"link": "absent"}
    result = {"link": "up" if state["up"] else "down"}
    if network.address:
        result["address"] = network.address if network.address in state["addresses"] else "absent"
    if network.mtu:
        result["mtu"] = str(state["mtu"])
    if network.type == "vlan":
        result["vlan"] = "%d on %s" % (state["vlan_id"], state["link"])
    elif network.is_made:
        result["members"] = ", ".join(sorted(name for name, one in found.items() if one["master"] == network.interface))
    if network.type == "bond":
        result["mode"] = state["mode"]
    return result


def connection_address() -> str:
    """Returns the host's side of the SSH connection. sudo hides it from us, and not from the processes above us."""
    number = os.getpid()
    while number > 1:
        try:
            with open("/proc/%d/environ" % number, "rb") as stream:
                environment = stream.read().split(b"\0")
            with open("/proc/%d/stat" % number, "rb") as stream:
                parent = int(stream.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return ""
        for item in environment:
            fields = item.partition(b"=")
            if fields[0] == b"SSH_CONNECTION" and len(fields[2].split()) == 4:
                found = fields[2].split()[2].decode("ascii", "replace")
                return found[7:] if found.startswith("::ffff:") else found
        number = parent
    return ""


def answers(gateway: str, interface: str, seconds: float = 5.0) -> bool:
    """Returns whether a neighbour of that address is there: the kernel asks for its link address when something is
    sent to it."""
    ip = ipaddress.ip_address(gateway)
    end = time.monotonic() + seconds
    while True:
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as out:
            out.settimeout(0.1)
            try:
                out.setsockopt(socket.SOL_SOCKET, 25, interface.encode() + b"\0")  # SO_BINDTODEVICE
                out.sendto(b"", (gateway, 9))
            except OSError:
                pass
        for item in ask("neigh", "show", "to", gateway, "dev", interface):
            state = item.get("state", [])
            if item.get("lladdr") and not {"FAILED", "INCOMPLETE"} & set(state):
                return True
        if time.monotonic() > end:
            return False
        time.sleep(0.3)


def make(network: Network) -> list[Any]:
    """Returns what brings the network up. Run again, it changes nothing."""
    name = network.interface
    lines = make_link(name, network.type, network.members, network.vlan_id, network.mode)
    if network.mtu:
        lines.append("ip link set dev %s mtu %d" % (name, network.mtu))
    lines.append("ip link set dev %s up" % name)
    lines += [add_address(network.address, name)] if network.address else []
    return lines + ["ip -%d route replace default via %s dev %s" % (network.version, network.gateway, name)] * bool(
        network.gateway
    )


def add_address(address: str, name: str) -> str:
    """Returns the command that gives an interface an address."""
    mine = ipaddress.ip_interface(address)
    broadcast = " broadcast +" if mine.version == 4 and mine.network.prefixlen < 31 else ""
    return "ip address replace %s%s dev %s" % (address, broadcast, name)


def make_link(name: str, kind: str, members: tuple[Any, ...] = (), number: int = 0, mode: str = "") -> list[Any]:
    """Returns what makes an interface of that kind, and gives it its members."""
    there = "ip link show dev %s >/dev/null 2>&1 || " % name
    if kind == "vlan":
        lower = members[0]
        return [
            "ip link set dev %s up" % lower,
            there + "ip link add link %s name %s type vlan id %d" % (lower, name, number),
        ]
    if kind not in ("bridge", "bond"):
        return []
    options = " mode %s miimon 100" % mode if kind == "bond" else ""
    lines = [there + "ip link add name %s type %s%s" % (name, kind, options)]
    for member in members:
        # A bond takes only interfaces that are down.
        joined = "[ -e /sys/class/net/%s/lower_%s ]" % (name, member)
        lines += [
            "%s || { ip link set dev %s down && ip link set dev %s master %s; }" % (joined, member, member, name),
            "ip link set dev %s up" % member,
        ]
    return lines


def undo(old: Network, new: Network | None, before: dict[str, Any]) -> list[Any]:
    """Returns what takes away of a network what its successor does not have. ``before``: the state of each interface
    before windflow changed it; None for one that was not there."""
    name, lines = old.interface, []
    same = new if new is not None and _link(new) == _link(old) else None
    if old.gateway and not (same and same.gateway == old.gateway):
        lines.append("ip -%d route delete default via %s dev %s%s" % (old.version, old.gateway, name, QUIETLY))
    if before.get(name) is None and not same:
        lines.append("ip link delete dev %s%s" % (name, QUIETLY))
    elif old.address and not (same and same.address == old.address) and old.address not in _addresses(before.get(name)):
        lines.append("ip address delete %s dev %s%s" % (old.address, name, QUIETLY))
    for member in old.ports:
        if not (same and member in same.members):
            # A link of ours had no state before, and may stay.
            alone = ["ip link set dev %s nomaster%s" % (member, QUIETLY)]
            lines += bring_back(member, before[member], []) if before.get(member) else alone
    return lines


def undo_mtu(old: Network, new: Network | None, before: dict[str, Any]) -> list[Any]:
    """Returns what gives an interface its MTU of before. NetworkManager has one of its own when a profile ends."""
    if not old.mtu or not before.get(old.interface) or (new and new.mtu):
        return []
    return ["ip link set dev %s mtu %d%s" % (old.interface, before[old.interface]["mtu"], QUIETLY)]


def _addresses(state: dict[str, Any] | None) -> list[Any]:
    return state["addresses"] if state else []


def _link(network: Network) -> tuple[Any, ...]:
    """Returns what cannot be changed while the link is there."""
    below = network.members if network.type == "vlan" else ()
    return network.interface, network.type, network.vlan_id, network.mode, below


def bring_back(name: str, state: dict[str, Any] | None, added: list[Any], members: tuple[Any, ...] = ()) -> list[Any]:
    """Returns what brings an interface to an earlier state; ``added`` are addresses that were to be given to it."""
    if state is None:
        return ["ip link delete dev %s%s" % (name, QUIETLY)]
    below = (state["link"],) if state["kind"] == "vlan" else members
    lines = [line + QUIETLY for line in make_link(name, state["kind"], below, state["vlan_id"], state["mode"])]
    belongs = "master %s" % state["master"] if state["master"] else "nomaster"
    lines.append("ip link set dev %s %s%s" % (name, belongs, QUIETLY))
    lines.append("ip link set dev %s mtu %d%s" % (name, state["mtu"], QUIETLY))
    lines.append("ip link set dev %s %s%s" % (name, "up" if state["up"] else "down", QUIETLY))
    lines += ["ip address delete %s dev %s%s" % (one, name, QUIETLY) for one in added if one not in state["addresses"]]
    lines += [add_address(one, name) + QUIETLY for one in state["own"]]
    for one in state["addresses"]:
        if one not in state["own"]:
            has = "ip address show dev %s | grep -qF ' %s '" % (name, one)
            lines.append(
                "%s || ip address add %s dev %s valid_lft %d preferred_lft %d%s"
                % (has, one, name, LENT_SECONDS, LENT_SECONDS, QUIETLY)
            )
    return lines


def bring_back_routes(known: list[Any], names: list[Any]) -> list[Any]:
    """Returns what brings back the routes of those interfaces, where no program has done that with another metric."""
    found = []
    for route in known:
        if route["dev"] in names:
            words = ["via", _after(route["words"], "via")] if "via" in route["words"] else []
            there = " ".join([route["words"][0], *words, "dev", route["dev"]])
            put = "ip %s route replace %s%s" % (route["family"], " ".join(route["words"]), QUIETLY)
            found.append("ip %s route show %s | grep -q . || %s" % (route["family"], there, put))
    return found
