# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a rollback without the registry, and after a deploy of the version that it went back to."""

from __future__ import annotations


def test_earlier_version_serves_at_every_node(node):
    assert '"version":"1.0.0"' in node.request("/healthz")[1]


def test_rollback_is_a_revision_of_its_own(app):
    now = app.current()
    assert (now["version"], now["event"], now["state"]) == ("1.0.0", "rollback", "deployed")
    assert app.record()["revisions"][-1] == now
    states = {entry["version"]: entry["state"] for entry in app.record()["revisions"]}
    assert states["1.1.0"] == "rolled_back" and states["1.2.0"] == "failed"


def test_images_are_named_by_id_for_which_no_node_asks_a_registry(services):
    for service in ("app", "front", "db"):
        assert services[service]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].startswith("sha256:")


def test_items_outlive_the_rollback(app):
    assert "kept from the first release" in app.request("/items")[1]
