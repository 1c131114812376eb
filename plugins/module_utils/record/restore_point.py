# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the backups that a record knows is of the database as it was when it was last well."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .file_format import Record


WELL = ("deployed", "superseded", "rolled_back")
# The others note the backup of the revision that they are about, or one that they restore.
MAKING = ("install", "upgrade", "deploy")


def label(record: Record) -> str:
    """Returns the backup that a restore takes where none is named, or an empty text.

    It is the first one that was made since the release that serves began to serve: what runs that failed have backed
    up after it may be half migrated. Without any, it is the one that the run made which brought that release.
    """
    found, first, release = "", False, None
    for entry in record["revisions"]:
        made = entry.get("backup") or ""
        if entry["state"] == "removed":
            found, first, release = "", False, None
        elif entry["state"] in WELL:
            # The same release again is a repair, in which nothing was migrated.
            if entry.get("release") != release or entry.get("event") not in MAKING:
                found, first, release = made, False, entry.get("release")
        elif made and entry.get("event") in MAKING:
            if not first:
                found, first = made, True
            # The run has put its own backup back: the next one is of a database that is well again.
            if entry.get("restored"):
                found, first = made, False
    return found
