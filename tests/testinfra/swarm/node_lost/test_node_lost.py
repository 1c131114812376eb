# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a node was killed under load."""

from __future__ import annotations

import json


def test_the_service_kept_answering(app, state):
    load = json.loads((state / "load-node-lost.json").read_text(encoding="utf-8"))
    assert load["total"] >= 400
    # What the lost node had in its hands is lost; what came after it was answered by the others.
    assert load["failed"] <= load["total"] * 0.02, load
    assert load["longest_gap"] < 5, load


def test_all_tasks_run_on_the_nodes_that_are_left(app, state):
    said = app.host.check_output(
        "docker service ps windflow-template_app --filter desired-state=running --format '{{.Node}} {{.CurrentState}}'"
    )
    running = [line.split()[0] for line in said.splitlines() if "Running" in line]
    assert len(running) == 3 and (state / "victim").read_text(encoding="utf-8") not in running


def test_items_are_still_there(app):
    assert "kept from the first release" in app.request("/items")[1]
