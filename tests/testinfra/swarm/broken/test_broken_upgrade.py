# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the deploy of a version that never gets healthy."""

from __future__ import annotations


def test_old_version_serves_on_at_every_node(node):
    for _number in range(10):
        status, body = node.request()
        assert status == 200 and "1.1.0</h1>" in body


def test_record_says_that_the_run_failed(app):
    last = app.record()["revisions"][-1]
    assert (last["version"], last["state"]) == ("1.2.0", "failed")
    assert "E4084" in last["error"]
    assert app.record()["lease"] is None


def test_services_are_those_of_the_old_release(app, services):
    environment = services["app"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"]
    assert f"WINDFLOW_RELEASE={app.current()['release']}" in environment


def test_error_shows_what_the_swarm_says_and_the_end_of_the_log(state):
    said = (state / "broken.log").read_text(encoding="utf-8")
    assert "the swarm rolled back by itself" in said and "Listening at" in said
