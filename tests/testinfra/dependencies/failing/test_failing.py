# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a migration that failed half way: nothing was switched, and the backup is kept and named."""

from __future__ import annotations


def test_the_version_before_serves(app):
    assert "1.1.0</h1>" in app.request()[1]
    assert app.current()["version"] == "1.1.0"
    assert app.host.file(f"{app.install_dir}/current").linked_to.endswith(app.current()["release"])


def test_the_record_names_the_backup_and_what_to_do(app, shop):
    last = app.record()["revisions"][-1]
    assert (last["version"], last["state"]) == ("1.2.0", "failed")
    assert "E3001" in last["error"] and "the migration does not like it" in last["error"]
    assert f"/var/lib/windflow/shop/backups/database/{last['release']}.dump" in last["error"]
    assert f"backup={last['release']}, windflow_hosts={app.name}" in last["error"]
    assert shop.backups()[-1] == last["release"] == last["backup"]
    assert app.record()["lease"] is None


def test_nothing_of_the_failed_release_is_left_but_its_backup(app):
    failed = app.record()["revisions"][-1]["release"]
    assert not app.host.file(f"{app.install_dir}/releases/{failed}").exists


def test_the_database_is_as_the_migration_left_it(shop):
    assert shop.items() == []
