# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of a plugin's database that are on the host, in words: label, age, size, and of which release."""

from __future__ import annotations

import calendar
import time

from .store import Store, directory_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..record.file_format import Record


UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def backups_of(record: Record, now: float, directory: str | None = None) -> list[dict[str, Any]]:
    """Returns the backups of a record's plugin, the newest first, whoever made them."""
    store = Store(directory or directory_of(record["plugin"]), "")
    backups = []
    for name in store.names():
        label = name[: -len(".dump")] if name.endswith(".dump") else ""
        document = store.read(label) if label else None
        if document:
            # To the second, as the record's times are.
            taken = document["time"][:19] + "Z"
            owner = of(record, label, taken)
            backups.append(
                {
                    "label": label,
                    "time": taken,
                    "age": max(int(now - seconds(taken)), 0),
                    "size": document["size"],
                    "database": document["database"],
                    "release": owner.get("release") or "",
                    "version": owner.get("version") or "",
                }
            )
    return sorted(backups, key=lambda item: (item["time"], item["label"]), reverse=True)


def seconds(stamp: str) -> int:
    return calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


def of(record: Record, label: str, stamp: str) -> dict[str, Any]:
    """Returns the revision whose data a backup has: what served when it was made."""
    serving: dict[str, Any] = {}
    for entry in record["revisions"]:
        if entry.get("backup") == label and entry.get("event") != "restore":
            # Made by the run of that revision, before its switch: the data are those of the one before.
            return serving
        ended = entry.get("finished")
        if ended and ended <= stamp and entry["state"] in ("deployed", "superseded", "rolled_back"):
            serving = entry
        elif ended and ended <= stamp and entry["state"] == "removed":
            serving = {}
    return serving


def newest_since(backups: list[dict[str, Any]], revision: dict[str, Any] | None) -> str:
    """Label of the newest backup that was made since a revision began to serve, or an empty text."""
    since = (revision or {}).get("finished") or ""
    return next((item["label"] for item in backups if since and item["time"] >= since), "")


def lines(plugin: str, backups: list[dict[str, Any]]) -> list[str]:
    """One text for each backup."""
    return [
        "%s: %s ago (%s), %s, of %s"
        % (
            item["label"],
            age(item["age"]),
            item["time"],
            size(item["size"]),
            "%s %s (release %s)" % (plugin, item["version"], item["release"]) if item["release"] else "no release",
        )
        for item in backups
    ] or ["no backup of %s" % plugin]


def age(passed: int) -> str:
    for unit, length in UNITS:
        if passed >= length:
            return "%d %s" % (passed // length, unit)
    return "%d s" % passed


def size(count: int) -> str:
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return "%.1f %s" % (value, unit) if unit != "B" else "%d B" % count
