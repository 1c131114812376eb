# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the deploy of a version that never gets healthy."""

from __future__ import annotations


def test_old_version_serves_on(app):
    assert app.request("/healthz")[0] == 200
    assert "1.1.0</h1>" in app.request()[1]
    assert app.current()["version"] == "1.1.0"


def test_record_says_that_the_run_failed(app):
    last = app.record()["revisions"][-1]
    assert (last["version"], last["state"]) == ("1.2.0", "failed")
    assert "E4072" in last["error"]


def test_nothing_of_the_broken_release_is_left(app):
    broken = app.record()["revisions"][-1]["release"]
    releases = {item["Config"]["Labels"]["windflow.release"] for item in app.containers("app")}
    assert releases == {app.current()["release"]}
    assert not app.host.file(f"{app.install_dir}/releases/{broken}").exists


def test_no_lease_is_left(app):
    assert app.record()["lease"] is None


def test_error_shows_the_probes_answer_and_the_end_of_the_log(app, state):
    said = (state / "broken.log").read_text(encoding="utf-8")
    assert "status 500" in said and "/healthz" in said
    assert "Listening at" in said
