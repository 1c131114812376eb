# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the shop was removed, and the database with its data."""

from __future__ import annotations

import json


def test_nothing_answers(app):
    assert app.request("/healthz")[0] == 0


def test_neither_is_deployed(app):
    for name in ("shop", "database"):
        record = json.loads(app.host.file(f"/var/lib/windflow/{name}/record.json").content_string)
        assert record["current"] is None and record["revisions"][-1]["state"] == "removed"


def test_the_password_is_gone_with_the_data(app):
    assert not app.host.file("/var/lib/windflow/database/secrets.json").exists
    if app.name == "molecule-containers":
        assert app.host.check_output("docker ps -aq; docker volume ls -q") == ""
    else:
        found = app.host.check_output("runuser -u postgres -- psql -Atc 'select datname from pg_database'").split()
        assert "app" not in found


def test_backups_of_the_shop_are_left(app):
    assert app.host.file("/var/lib/windflow/shop/backups/database").exists
