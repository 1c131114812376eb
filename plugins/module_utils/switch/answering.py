# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is deployed answers, asked once and for a few seconds at most."""

from __future__ import annotations

from . import probe
from .supervisor import fallen
from .transaction import GATEWAY_ERRORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ASK_SECONDS = 5.0


def silence(revision: dict[str, Any]) -> str:
    """Returns why what is deployed does not answer, "" where it does or has nothing to answer with."""
    host = revision.get("host") or {}
    place = host or revision.get("compose") or {}
    if host.get("program") and not host.get("health"):
        # A program that need not answer: its processes run.
        return fallen(host["os"]["supervisor"]["conf"], host["program"])
    if not place.get("port"):
        return ""
    address = (place.get("address") or "127.0.0.1", place["port"])
    answer = probe.get(address, place.get("health") or "/", place.get("host_header") or "localhost", ASK_SECONDS)
    good = answer.status == 200 if place.get("health") else answer.status not in GATEWAY_ERRORS
    return "" if good else "%s at port %d, path %s" % (answer, place["port"], place.get("health") or "/")
