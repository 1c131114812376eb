# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of fstab(5) for one path. Every other line stays as it is, comments and blanks included."""

from __future__ import annotations

import os
import stat

from ..files import atomic
from ..system.mounts import escaped, unescaped

FSTAB = "/etc/fstab"


def read(path: str = "") -> str:
    """The text of the file; empty where there is none."""
    try:
        with open(path or FSTAB, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def fields(line: str) -> list[str]:
    """The six fields of a line; none of a comment or a line that is none."""
    found = [] if line.lstrip().startswith("#") else [unescaped(field) for field in line.split()]
    return [*found, *["defaults", "0", "0"][len(found) - 3 :]][:6] if len(found) >= 3 else []


def lines_for(at: str, text: str) -> list[list[str]]:
    """What the file says of a path."""
    return [found for found in map(fields, text.splitlines()) if found and _same(found[1], at)]


def changed(text: str, at: str, wanted: list[str] | None) -> str:
    """The text with ``wanted`` as the only line for the path, in the place of the first; without any for None."""
    kept, placed = [], wanted is None
    for line in text.splitlines(keepends=True):
        found = fields(line)
        if not found or not _same(found[1], at):
            kept.append(line)
        elif not placed:
            kept.append(_line(wanted or []))
            placed = True
    if not placed:
        if kept and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
        kept.append(_line(wanted or []))
    return "".join(kept)


def write(text: str, path: str = "") -> None:
    """Replaces the file whole; its owner and mode stay."""
    path = path or FSTAB
    try:
        info = os.stat(path)
        mode, owner, group = stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid
    except FileNotFoundError:
        mode, owner, group = 0o644, 0, 0
    atomic.write(path, text.encode("utf-8", "surrogateescape"), mode, owner, group)


def _line(wanted: list[str]) -> str:
    return "%s\n" % " ".join(escaped(field) for field in wanted)


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/") and one.startswith("/")
