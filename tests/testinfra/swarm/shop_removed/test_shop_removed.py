# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the shop was removed, and the database with its data."""

from __future__ import annotations


def test_no_node_answers(shop):
    assert shop.request("/healthz")[0] == 0


def test_nothing_is_left_of_either_stack(shop):
    asked = "docker $kind ls -q --filter name=windflow-shop --filter name=windflow-database"
    said = shop.host.check_output(f"for kind in service network secret config volume; do {asked}; done")
    assert said == ""


def test_password_is_gone_with_the_data(shop):
    assert not shop.host.file("/var/lib/windflow/database/secrets.json").exists


def test_records_say_removed(shop, database):
    for app in (shop, database):
        assert app.record()["current"] is None and app.record()["revisions"][-1]["state"] == "removed"
