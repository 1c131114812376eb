# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a PostgreSQL that is there does not let its superuser in: the line of pg_hba.conf, found without asking it."""

from __future__ import annotations

import contextlib
import os
import re

REMEDY = "add the line local all postgres peer before it, then reload PostgreSQL"
REFUSED = "pg_hba.conf does not let the superuser postgres in over the socket, by peer"
_SIGNS = ("pg_hba.conf", "authentication failed", "no password supplied")
_SOCKETS = ("/var/run/postgresql", "/tmp")


def refused(said: str) -> bool:
    """Returns whether a failed connection means that somebody is not let in."""
    return any(sign in said for sign in _SIGNS)


def line(port: int, socket_dir: str = "") -> str:
    """Returns the line that decides for the superuser, with its place; what is known of it."""
    for directory in [socket_dir] if socket_dir else _SOCKETS:
        with contextlib.suppress(OSError, ValueError, IndexError):
            lock = _lines(os.path.join(directory, ".s.PGSQL.%d.lock" % port))
            path = _path(int(lock[0]), lock[1])
            for number, text in enumerate(_lines(path), 1):
                words = text.split("#")[0].split()
                if words[:1] == ["local"] and len(words) > 3 and _meant(words[1]) and _meant(words[2]):
                    return "%s:%d: %s" % (path, number, " ".join(words))
            return "%s without such a line" % path
    return "pg_hba.conf"


def _meant(names: str) -> bool:
    return bool({"all", "postgres"} & {name.strip('"') for name in names.split(",")})


def _path(pid: int, data: str) -> str:
    """Returns the server's pg_hba.conf: beside its data, beside its configuration, or where that says."""
    with open("/proc/%d/cmdline" % pid, "rb") as stream:
        arguments = stream.read().decode("utf-8", "replace")
    found = re.search("config_file=([^\0]+)", arguments)
    configuration = found.group(1) if found else os.path.join(data, "postgresql.conf")
    for text in _lines(configuration):
        named = re.match(r"\s*hba_file\s*=?\s*'([^']+)'", text)
        if named:
            return named.group(1)
    return os.path.join(os.path.dirname(configuration), "pg_hba.conf")


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(1 << 20).split("\n")
