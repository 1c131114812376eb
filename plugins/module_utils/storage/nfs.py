# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an NFS server answers and gives an export to this host, without leaving anything behind.

A server whose machine is stopped may still accept connections, so it is asked a question of its own protocol. Only an
attempt to mount tells whether it gives the export; it is made in a name space of its own, which ends with it.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess

from ..errors import Problem
from ..system import mounts, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


PORT = 2049
CONNECT_SECONDS = 5.0
MOUNT_SECONDS = 20.0
SECONDS = 2 * CONNECT_SECONDS + 2 * MOUNT_SECONDS
# Every host has it. What is mounted over it there, nobody else sees.
PLACE = "/tmp"
# RFC 5531 and RFC 7530: a call of the procedure that does nothing, of NFS version 4, without credentials.
NFS_PROGRAM, NFS_VERSION = 100003, 4
LAST_FRAGMENT = 0x80000000
# What the kernel or mount(8) says where this host, not the server, lacks something.
INCAPABLE = ("unknown filesystem type", "bad option", "helper program", "No such device", "not supported", "unshare")
TEST_OPTIONS = "ro,soft,timeo=50,retrans=1,retry=0"


def ask(server: str, export: str, options: list[str], seconds: float = SECONDS) -> dict[str, str]:
    """Returns {"state", "said"}: ``fine``, ``silent`` (the server does not answer), ``refused`` (it does not give the
    export), or ``unknown`` (it answers, and this host cannot mount to see). Bounded by ``seconds``."""
    try:
        return mounts.in_child(_ask, (server, export, options), seconds)
    except mounts.NotAnswering as error:
        return {"state": "silent", "said": error.text}


def _ask(server: str, export: str, options: list[str]) -> dict[str, str]:
    given = dict(option.split("=", 1) for option in options if "=" in option)
    port = int(given["port"]) if given.get("port", "").isdigit() else PORT
    try:
        address = reached(server, port)
    except OSError as error:
        return {"state": "silent", "said": "port %d: %s" % (port, error.strerror or error)}
    kept = [option for option in options if option.split("=")[0] in ("vers", "nfsvers", "proto", "port", "sec")]
    return attempt(source(server, export), address, kept)


def source(server: str, export: str) -> str:
    """An export as mount(8) names it."""
    return "%s:%s" % ("[%s]" % server if ":" in server and not server.startswith("[") else server, export)


def reached(server: str, port: int) -> str:
    """The address at which the server has answered a call. Raises OSError."""
    last = OSError("no address")
    for family, kind, protocol, _name, place in socket.getaddrinfo(server.strip("[]"), port, type=socket.SOCK_STREAM):
        try:
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(place)
                connection.sendall(null_call())
                if connection.recv(4):
                    return str(place[0])
                last = OSError("it closes the connection without an answer")
        except socket.timeout:
            last = OSError("no answer within %g s" % CONNECT_SECONDS)
        except OSError as error:
            last = error
    raise last


def null_call() -> bytes:
    """A remote procedure call that every NFS server answers, if only to say that it has another version."""
    message = struct.pack(">10I", os.getpid(), 0, 2, NFS_PROGRAM, NFS_VERSION, 0, 0, 0, 0, 0)
    return struct.pack(">I", LAST_FRAGMENT | len(message)) + message


def attempt(what: str, address: str, options: list[str]) -> dict[str, str]:
    """Mounts the export where nobody sees it. Without mount.nfs the kernel is asked for NFS 4 directly."""
    chosen = ",".join([TEST_OPTIONS, *options])
    argv = ["mount", "-t", "nfs", "-o", chosen, what, PLACE]
    if not (shutil.which("mount.nfs") or os.path.exists("/sbin/mount.nfs")):
        argv = ["mount", "-i", "-t", "nfs4", "-o", "ro,soft,timeo=50,retrans=1,addr=%s" % address, what, PLACE]
    try:
        code, said = processes.ask(
            ["unshare", "--mount", "--propagation", "private", *argv], dict(os.environ, LC_ALL="C"), MOUNT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"state": "silent", "said": "no answer to a mount within %g s" % MOUNT_SECONDS}
    except OSError as error:
        return {"state": "unknown", "said": str(error)}
    return judged(code, said)


def judged(code: int, said: str) -> dict[str, str]:
    """What the attempt's exit code and words mean."""
    if code == 0:
        return {"state": "fine", "said": ""}
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = next((line for line in lines if "reason given" in line or "denied" in line), lines[0] if lines else "")
    if any(word in said for word in ("access denied", "reason given by server", "No such file", "denied by server")):
        return {"state": "refused", "said": text}
    if any(word in said for word in INCAPABLE):
        return {"state": "unknown", "said": text}
    return {"state": "silent" if "timed out" in said else "refused", "said": text or "exit code %d" % code}


def parts(volume: dict[str, Any]) -> tuple[str, str]:
    """Server and export of a volume's source."""
    server, _colon, export = volume["source"].rpartition(":/")
    return server.strip("[]"), "/" + export


def is_same(mount: dict[str, Any], volume: dict[str, Any]) -> bool:
    """Returns whether a mount is of the wanted export by another name of its server. While one mount of a server's
    file system is there, the kernel keeps the name that it has for it."""
    if mount["source"] == volume["source"] or not mount["type"].startswith("nfs"):
        return mount["source"] == volume["source"]
    (_server, export), (server, wanted) = parts(mount), parts(volume)
    given = dict(option.split("=", 1) for option in mount["options"] if "=" in option)
    return export == wanted and given.get("addr", "") in addresses(server)


def addresses(server: str) -> list[str]:
    """Returns the addresses that a name has now; none if that cannot be said in time."""
    try:
        found: list[str] = mounts.in_child(_addresses, (server,), CONNECT_SECONDS)
    except OSError:
        return []
    return found


def _addresses(server: str) -> list[str]:
    return [str(place[0]) for *_how, place in socket.getaddrinfo(server, PORT, type=socket.SOCK_STREAM)]


def findings(volume: dict[str, Any], seen: dict[str, Any], key: str = "") -> list[Problem]:
    """A server that does not answer, or does not give the export. ``key`` is the volume's place in a configuration."""
    asked = seen.get("server", {"state": "fine", "said": ""})
    if asked["state"] not in ("silent", "refused"):
        return []
    server, export = parts(volume)
    if asked["state"] == "silent":
        said = "the NFS server %s of the volume %s does not answer" % (server, volume["name"])
        remedy = "start it, let this host reach its port %d, or correct the name" % PORT
        return [Problem.plain("E2060", said, asked["said"], remedy, path=key and "%s.options.server" % key)]
    said = "the NFS server %s does not give %s to this host" % (server, export)
    remedy = "export it to this host on the server, or correct export"
    return [Problem.plain("E2061", said, asked["said"], remedy, path=key and "%s.options.export" % key)]
