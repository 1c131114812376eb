# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in words."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.record import report, store

NOW = 1795593600.0


def run(before, number, end="finish", version="1.0.0", **changes):
    fields = {"version": version, "release": f"r{number}", "event": "deploy", "target": "host", "environment": ""}
    begun = store.begin(before, f"run-{number}", "anna@laptop", "deploy", NOW + number, {**fields, **changes})
    if end == "finish":
        return store.finish(begun, f"run-{number}", NOW + number, {}, {}, 5)
    if end == "fail":
        return store.fail(begun, f"run-{number}", NOW + number, "9 Switch", "E4040: expected 200\nlog")
    return begun


def status(remembered):
    last = remembered["revisions"][-1] if remembered["revisions"] else None
    return report.status(remembered, store.current(remembered), last)


def test_what_is_deployed_is_told_with_its_place():
    (line,) = status(run(store.empty("demo"), 1, environment="production"))
    assert line == (
        "demo 1.0.0 is deployed since 2026-11-25T08:00:01Z "
        "(revision 1, release r1, target host, environment production)"
    )


def test_a_failed_action_does_not_hide_what_is_deployed():
    lines = status(run(run(store.empty("demo"), 1), 2, end="fail", version="1.1.0"))
    assert lines[0].startswith("demo 1.0.0 is deployed")
    assert "deploy 1.1.0 failed at 9 Switch" in lines[1] and lines[2] == "  E4040: expected 200"


def test_a_first_deploy_that_failed():
    lines = status(run(store.empty("demo"), 1, end="fail"))
    assert lines[0] == "demo is not deployed" and "failed" in lines[1]


def test_who_is_at_work_is_told():
    lines = status(run(run(store.empty("demo"), 1), 2, end="running"))
    assert lines[1:] == ["deploy by anna@laptop since 2026-11-25T08:00:02Z, at step begin"]


def test_nothing_is_deployed():
    assert status(store.empty("demo")) == ["demo is not deployed: there is no record of it"]
    assert report.history(store.empty("demo")) == ["no record of demo"]


def test_history_has_the_newest_first_and_marks_what_serves():
    remembered = run(run(run(store.empty("demo"), 1), 2, version="1.1.0"), 3, end="fail", version="1.2.0")
    lines = report.history(remembered)
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert lines[1].endswith("<- serves") and "superseded" in lines[2]
