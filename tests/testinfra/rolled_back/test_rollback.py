# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a rollback, and after a deploy of the version that it went back to."""

from __future__ import annotations


def test_earlier_version_serves(app):
    status, body = app.request()
    assert status == 200 and "1.1.0</h1>" not in body
    assert '"version":"1.0.0"' in app.request("/healthz")[1]


def test_rollback_is_a_revision_of_its_own_with_all_that_the_earlier_one_had(app):
    now = app.current()
    assert (now["version"], now["event"], now["state"]) == ("1.0.0", "rollback", "deployed")
    earlier = [entry for entry in app.record()["revisions"] if entry["release"] == now["release"]][0]
    assert earlier["revision"] < now["revision"]
    for key in ("digests", "config", "resources", "target", "user"):
        assert earlier[key] == now[key], key


def test_what_was_rolled_back_from_is_not_gone_back_to(app):
    states = {entry["version"]: entry["state"] for entry in app.record()["revisions"]}
    assert states["1.1.0"] == "rolled_back" and states["1.2.0"] == "failed"


def test_a_deploy_of_that_version_finds_nothing_to_do(app):
    assert app.record()["revisions"][-1] == app.current()


def test_items_outlive_the_rollback(app):
    assert "kept from the first release" in app.request("/items")[1]
