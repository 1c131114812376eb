# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import listing

NOW = 1795593600.0


@pytest.fixture
def directory(tmp_path):
    """A directory of backups, as ``database_backup`` leaves it."""

    def put(label, time, size):
        document = {"format": 1, "database": "myapp", "time": time, "sha256": "x", "verified": "restore", "size": size}
        document.update(bytes=1, large_objects=0, rows={}, owner="o", encoding="UTF8", collate="C", ctype="C")
        document.update(provider="c", locale="", rules="", connection_limit=-1, acl=None, settings=[], comment=None)
        (tmp_path / f"{label}.json").write_text(json.dumps(document))
        (tmp_path / f"{label}.dump").write_bytes(b"")

    put("before-two", "2026-11-25T06:00:00Z", 500)
    put("nightly1", "2026-11-25T07:30:00.123456Z", 2_400_000)
    (tmp_path / "torn.dump").write_bytes(b"")
    return str(tmp_path)


def entry(release, state, finished, **more):
    return {"release": release, "version": release, "state": state, "finished": finished, "event": "upgrade", **more}


# Two was rolled back from: one serves again since seven o'clock.
REVISIONS = [
    entry("one", "superseded", "2026-11-24T00:00:00Z"),
    entry("two", "rolled_back", "2026-11-25T06:05:00Z", backup="before-two"),
    entry("one", "deployed", "2026-11-25T07:00:00Z", event="rollback"),
]


@pytest.fixture
def found(directory):
    return listing.backups_of({"plugin": "demo", "revisions": REVISIONS}, NOW, directory)


def test_every_backup_is_listed_with_age_size_and_release_whoever_made_it(found):
    assert listing.lines("demo", found) == [
        "nightly1: 30 min ago (2026-11-25T07:30:00Z), 2.4 MB, of demo one (release one)",
        "before-two: 2 h ago (2026-11-25T06:00:00Z), 500 B, of demo one (release one)",
    ]
    assert listing.lines("demo", []) == ["no backup of demo"]


def test_what_was_made_by_hand_since_a_rollback_is_found(found):
    assert listing.newest_since(found, REVISIONS[-1]) == "nightly1"
    assert listing.newest_since(found, {"finished": "2026-11-25T08:00:00Z"}) == ""
    assert listing.newest_since(found, None) == ""
