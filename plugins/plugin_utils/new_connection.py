# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SSH connection of its own for each command, which proves that the host can be reached now.

The connection that Ansible keeps open survives a broken network for a while and proves nothing.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

# ssh takes the first value that it is given for an option.
OPTIONS = (
    "-o ControlPath=none -o ControlMaster=no -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=2"
)


def is_ssh(connection: Any) -> bool:
    """Returns whether a connection is one of ssh(1)."""
    return connection.transport == "ssh"


@contextlib.contextmanager
def fresh(connection: Any, address: str = "") -> Iterator[None]:
    """Makes every command of ``connection`` open a connection of its own, to another address if one is given."""
    if not is_ssh(connection):
        yield
        return
    before = {name: connection.get_option(name) for name in ("ssh_args", "host")}
    options = OPTIONS
    if address and address != before["host"]:
        options += " " + known_key(connection)
        connection.set_option("host", address)
    connection.set_option("ssh_args", "%s %s" % (options, before["ssh_args"] or ""))
    try:
        yield
    finally:
        for name, value in before.items():
            connection.set_option(name, value)


def known_key(connection: Any) -> str:
    """Returns the option by which a host at another address shows the key that known_hosts has of it; "" where the
    operator has said so already."""
    given = [connection.get_option(name) or "" for name in ("ssh_args", "ssh_common_args", "ssh_extra_args")]
    if "hostkeyalias" in " ".join(given).lower():
        return ""
    host, port = connection.get_option("host"), connection.get_option("port")
    return "-o HostKeyAlias=%s" % (host if port in (None, "", 22, "22") else "[%s]:%s" % (host, port))


def leads_to(host: str, address: str) -> bool:
    """Returns whether a name or an address of the controller's is that address."""
    try:
        return address in {item[4][0] for item in socket.getaddrinfo(host, None)}
    except OSError:
        return False
