# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an upgrade with a migration, and after what was refused."""

from __future__ import annotations

import json


def test_the_newer_version_serves_and_has_what_was_stored(app, shop):
    assert "1.1.0</h1>" in app.request()[1]
    assert "stored before the upgrade" in shop.items()


def test_the_migration_ran_once_more(shop):
    assert shop.sql("select count(*) from orders") == "2"


def test_there_is_a_backup_of_before_that_was_read_back(app, shop):
    (label,) = shop.backups()
    assert label == app.current()["release"] == app.current()["backup"]
    folder = app.host.file("/var/lib/windflow/shop/backups/database")
    assert (folder.user, folder.mode) == ("root", 0o700)
    known = json.loads(app.host.file(f"{folder.path}/{label}.json").content_string)
    assert known["verified"] == "restore" and known["database"] == "app"
    assert "windflow_verify" not in shop.sql("select datname from pg_database")


def test_nothing_was_said_of_the_password(app, state):
    password = json.loads(app.host.file("/var/lib/windflow/database/secrets.json").content_string)["database.password"]
    said = (state / "upgrade.log").read_text(encoding="utf-8")
    assert "1.1.0" in said and password not in said
    assert password not in app.host.check_output("journalctl --no-pager --output cat")


def test_what_was_refused_has_changed_nothing(shop):
    assert shop.database()["version"] == "2.0.0"
    record = json.loads(shop.app.host.file("/var/lib/windflow/database/record.json").content_string)
    assert record["lease"] is None and record["sequence"] == 1
