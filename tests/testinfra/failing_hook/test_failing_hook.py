# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the deploy of a version whose hook after the switch fails."""

from __future__ import annotations


def test_what_served_before_serves_again(app):
    assert "1.1.0</h1>" in app.request()[1]
    assert app.current()["version"] == "1.1.0"
    link = app.host.file(f"{app.install_dir}/current")
    assert link.linked_to.endswith(app.current()["release"])


def test_record_says_at_which_hook_and_what_became_of_the_host(app):
    last = app.record()["revisions"][-1]
    assert (last["version"], last["state"]) == ("1.1.1", "failed")
    assert last["step"] == "Step 14: Run the hooks after the deploy"
    assert "E3001" in last["error"] and f"Release {app.current()['release']} serves again." in last["error"]


def test_nothing_of_the_failed_release_is_left(app):
    failed = app.record()["revisions"][-1]["release"]
    assert all(app.current()["release"] in name for name in app.settled_programs())
    assert not app.host.file(f"{app.install_dir}/releases/{failed}").exists


def test_no_lease_is_left(app):
    assert app.record()["lease"] is None
