# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the backup of the failed migration was restored."""

from __future__ import annotations


def test_what_was_stored_is_there_again_and_the_application_can_write(app, shop):
    assert "stored before the upgrade" in shop.items()
    assert app.request("/items", {"name": "stored after the restore"})[0] == 201


def test_what_it_was_is_kept_under_another_name(shop):
    (replaced,) = [name for name in shop.sql("select datname from pg_database").split() if "_replaced_" in name]
    assert shop.sql("select count(*) from items", replaced) == "0"


def test_the_record_says_what_was_restored(app):
    current = app.current()
    assert (current["event"], current["state"], current["version"]) == ("restore", "deployed", "1.1.0")
    failed = next(item for item in reversed(app.record()["revisions"]) if item["state"] == "failed")
    assert current["backup"] == failed["backup"] == failed["release"] and app.record()["lease"] is None
