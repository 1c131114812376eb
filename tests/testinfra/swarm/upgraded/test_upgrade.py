# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an upgrade under load."""

from __future__ import annotations

import json


def test_no_request_failed(app, state):
    load = json.loads((state / f"load-{app.name}.json").read_text(encoding="utf-8"))
    assert load["total"] >= 400
    assert load["failures"] == {}
    assert len(load["releases"]) == 2 and app.current()["release"] in load["releases"]


def test_new_version_serves_at_every_node(node):
    assert "1.1.0</h1>" in node.request()[1]


def test_items_outlive_the_upgrade(app):
    assert "kept from the first release" in app.request("/items")[1]


def test_secret_of_the_database_is_the_same_object(app, services):
    (secret,) = services["db"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    first = sorted(app.record()["revisions"], key=lambda entry: entry["revision"])[0]["release"]
    stack = json.loads(app.host.file(f"{app.install_dir}/releases/{first}/stack.json").content_string)
    assert secret["SecretName"] == stack["secrets"]["database_password"]["name"]
