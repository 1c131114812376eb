# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all backends have in common. Each only reads the host; what changes it is a list of commands.

A backend adds to the host's own configuration and replaces none of it: an address that the host has stays.
"""

from __future__ import annotations

import os
import subprocess

from ..system import processes
from .wanted import Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


HEADER = "# Made by windflow. A deploy replaces this file, a removal deletes it.\n"
SECONDS = 20


def said(*argv: str) -> str:
    """Returns what a program prints; "" where it is not there or fails."""
    try:
        code, text = processes.ask(list(argv), dict(os.environ, LC_ALL="C"), SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return text if code == 0 else ""


def is_running(unit: str) -> bool:
    """Returns whether a unit of systemd runs."""
    return said("systemctl", "is-active", unit).strip() == "active"


class Backend:
    """One program that manages interfaces."""

    name = ""
    title = ""
    # Whether an interface that the program does not manage keeps the addresses that something else has given it.
    keeps_foreign = True
    # What has to run at a start of the host if files have changed that were read before.
    at_boot = ""

    def __init__(self, interfaces: dict[str, Any], wanted: Iterable[Network] = ()) -> None:
        """``wanted``: all networks of the owner. ``planned``: those that make an interface, by its name."""
        self.interfaces = interfaces
        self.wanted = list(wanted)
        self.planned = {network.interface: network for network in self.wanted if network.is_made}

    def is_active(self) -> bool:
        """Returns whether the program is there and at work."""
        raise NotImplementedError

    def manages(self, interface: str) -> bool:
        """Returns whether the program has a configuration of its own for the interface."""
        raise NotImplementedError

    def refuses(self, network: Network) -> str:
        """Returns what the program cannot do of a network, as a sentence without a full stop; "" for nothing."""
        if self.keeps_foreign or network.is_made or self.manages(network.interface):
            return ""
        has = self.interfaces.get(network.interface, {}).get("addresses", [])
        if not has:
            return ""
        return "%s has %s, which something other than %s configures and which would be lost" % (
            network.interface,
            ", ".join(has),
            self.title,
        )

    def remedy(self, network: Network) -> str:
        """Returns what helps where the program refuses a network."""
        return "correct it on the host, or configure the interface by hand and leave out address"

    def files(self, network: Network, stem: str) -> dict[str, Any]:
        """Returns {path: (text, mode)} of what a network needs; ``stem`` begins the names."""
        raise NotImplementedError

    def up(self, network: Network, stem: str) -> list[Any]:
        """Returns the commands, as lines of a shell, that bring a network up once its files are there."""
        raise NotImplementedError

    def refresh(self, networks: list[Any], stem: str) -> list[Any]:
        """Returns the commands that bring the host to its files after those of the networks were changed or removed."""
        raise NotImplementedError

    def before_removal(self, networks: list[Any]) -> list[Any]:
        """Returns the commands that make the program read its files before interfaces go: one that it knows a file of,
        it would make again."""
        return []

    def left(self, path: str) -> str:
        """Returns what stays of a file when our part of it is removed; "" removes the file."""
        return ""
