# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an upgrade under load."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def load(app, state) -> dict:
    """What the load generator saw on this host."""
    return json.loads((state / f"load-{app.name}.json").read_text(encoding="utf-8"))


def test_no_request_failed(load):
    assert load["total"] >= 400
    assert load["failed"] == 0, load


def test_load_saw_both_releases(app, load):
    assert len(load["releases"]) == 2
    assert app.current()["release"] in load["releases"]


def test_answers_never_paused(load):
    # The bar is 0.1 s on an idle machine (see the benchmarks); two hosts and two load generators share this one.
    assert load["longest_gap"] < 1


def test_new_version_serves(app):
    assert app.current()["version"] == "1.1.0"
    assert "1.1.0</h1>" in app.request()[1]


def test_items_outlive_the_upgrade(app):
    assert "kept from the first release" in app.request("/items")[1]


def test_old_processes_are_gone(app):
    assert set(app.settled_programs().values()) == {"RUNNING"}
    assert all(app.current()["release"] in name for name in app.programs())
