# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewall of a host is active, and whether it lets a TCP port in. Reads configuration and starts no program.

firewalld and ufw are known. What is read is what they apply after a restart.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree

from ..files.reading import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIREWALLD = ("/etc/firewalld", "/usr/lib/firewalld")
UFW = "/etc/ufw"


def active(services: Mapping[str, Mapping[str, bool]]) -> str:
    """Returns ``firewalld``, ``ufw`` or "". ``services`` is what ``Questions.service_states`` returns."""
    if services.get("firewalld", {}).get("running"):
        return "firewalld"
    if re.search(r"(?mi)^\s*ENABLED\s*=\s*[\"']?yes", text_of(UFW + "/ufw.conf")):
        return "ufw"
    return ""


def asked() -> list[str]:
    """Services whose state ``active`` needs."""
    return ["firewalld"] if os.path.exists("/usr/sbin/firewalld") else []


def is_open(backend: str, port: int) -> bool:
    """Whether the firewall lets everybody in at a TCP port."""
    return _open_in_ufw(port) if backend == "ufw" else _open_in_firewalld(port)


def _open_in_firewalld(port: int) -> bool:
    found = re.search(r"(?m)^\s*DefaultZone\s*=\s*(\S+)", text_of(FIREWALLD[0] + "/firewalld.conf"))
    zone = _document("zones", found.group(1) if found else "public")
    if zone is None:
        return False
    services = [_document("services", item.get("name", "")) for item in zone.findall("service")]
    ports = [item for one in [zone, *services] if one is not None for item in one.findall("port")]
    return zone.get("target") == "ACCEPT" or any(
        item.get("protocol") == "tcp" and _within(port, item.get("port", ""), "-") for item in ports
    )


def _document(kind: str, name: str) -> xml.etree.ElementTree.Element | None:
    for folder in FIREWALLD:
        try:
            return xml.etree.ElementTree.parse("%s/%s/%s.xml" % (folder, kind, os.path.basename(name))).getroot()
        except (OSError, xml.etree.ElementTree.ParseError):
            continue
    return None


def _open_in_ufw(port: int) -> bool:
    if re.search(r"(?m)^\s*DEFAULT_INPUT_POLICY\s*=\s*[\"']?ACCEPT", text_of("/etc/default/ufw")):
        return True
    rule = r"(?m)^### tuple ### (?:allow|limit) (?:tcp|any) (\S+) 0\.0\.0\.0/0 any 0\.0\.0\.0/0 (?:\S+ \S+ )?in"
    named = re.findall(rule, text_of(UFW + "/user.rules"))
    return any(_within(port, part, ":") for names in named for part in names.split(","))


def _within(port: int, text: str, separator: str) -> bool:
    first, _between, last = text.partition(separator)
    if text == "any":
        return True
    return first.isdigit() and (last or first).isdigit() and int(first) <= port <= int(last or first)
