# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's interfaces have to be before the first change, as findings of the preflight."""

from __future__ import annotations

import ipaddress

from ..errors import Problem
from .wanted import PLACE, Network, configured, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


LOOPBACK = "lo"


# The variable that has the networks of a playbook, and those that give consent: of a plugin's run, and of a playbook.
OWN_PLACE = "host_network_networks"
CONSENT = {PLACE: "windflow_network_consent", OWN_PLACE: "host_network_consent"}


def place_of(owner: str) -> str:
    """Returns where the networks of an owner are written."""
    return PLACE if owner else OWN_PLACE


def findings(entries: list[dict[str, Any]], found: dict[str, Any], consent: bool, place: str = PLACE) -> list[Problem]:
    """Returns what keeps the networks from being as wanted. ``found`` is what ``looking.look`` returned."""
    problems: list[Problem] = []
    made = {network.interface for network in configured(entries) if network.is_made}
    for index, entry in enumerate(entries):
        path, network = "%s[%d]" % (place, index), parse(entry)
        if network.is_configured:
            problems += missing_parts(path, network, found["interfaces"], made)
        else:
            problems += asserted(path, network, found["interfaces"])
    if problems:
        return problems
    for index, entry in enumerate(entries):
        for said in found["refused"].get(entry["name"], []):
            problems.append(placed(said, "%s[%d]" % (place, index)))
    return problems + ([] if consent else not_agreed(found, place))


def placed(said: dict[str, str], path: str) -> Problem:
    """Returns what the host refuses as a finding at that path."""
    return Problem.plain(said["code"], said["message"], said["got"], said["remedy"], path=path)


def asserted(path: str, network: Network, interfaces: dict[str, Any]) -> list[Problem]:
    """``cidr`` alone: the interface is there and has an address in the network."""
    if network.interface not in interfaces:
        return [missing(path + ".interface", network.interface, interfaces)]
    wanted, has = ipaddress.ip_network(network.cidr), interfaces[network.interface]["addresses"]
    if any(_within(address, wanted) for address in has):
        return []
    expected = "%s with an address in %s" % (network.interface, wanted)
    remedy = "correct cidr or interface, or add the key address, which configures the interface"
    others = [name for name in interfaces if any(_within(one, wanted) for one in interfaces[name]["addresses"])]
    if others:
        remedy = 'write interface: "%s", which has one, or correct cidr' % others[0]
    return [Problem("E2071", expected, ", ".join(has) or "no address", remedy, path=path + ".cidr")]


def _within(address: str, network: Any) -> bool:
    ip = ipaddress.ip_interface(address).ip
    return ip.version == network.version and ip in network


def missing_parts(path: str, network: Network, interfaces: dict[str, Any], made: set[str]) -> list[Problem]:
    """The interfaces that have to be there before one is configured."""
    needed = [] if network.is_made else [("interface", network.interface)]
    needed += [("members", member) for member in network.members]
    return [
        missing("%s.%s" % (path, key), name, interfaces)
        for key, name in needed
        if name not in interfaces and name not in made
    ]


def missing(path: str, name: str, interfaces: dict[str, Any]) -> Problem:
    """The finding that an interface is not there, with those that are."""
    there = ", ".join(sorted(set(interfaces) - {LOOPBACK})) or "none but lo"
    said = "the host has no interface %s" % name
    return Problem.plain("E2070", said, "it has %s" % there, "write the name of one of them", path=path)


def not_agreed(found: dict[str, Any], place: str) -> list[Problem]:
    """Whether an interface that carries the connection would be changed."""
    if not found["endangered"]:
        return []
    names = ", ".join(found["endangered"])
    said = "this run would change %s, which carries its own connection" % names
    remedy = "set %s=true; the host restores itself if the connection is lost" % CONSENT[place]
    return [Problem.plain("E2073", said, found["connection"], remedy, path=place)]


def pending(entries: list[dict[str, Any]], found: dict[str, Any]) -> list[str]:
    """Returns why networks differ from what is wanted, for the plan."""
    names = [network.name for network in configured(entries)]
    return [reason for name in names for reason in found["differences"].get(name, [])] + [
        "%s is not wanted any more" % name for name in found["unwanted"]
    ]
