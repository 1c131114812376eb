# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a removal without purge."""

from __future__ import annotations


def test_no_node_answers(app):
    assert app.request("/healthz")[0] == 0


def test_services_networks_secrets_and_configurations_are_gone(app):
    for kind in ("service", "network", "secret", "config"):
        assert app.host.check_output(f"docker {kind} ls -q --filter name=windflow-template") == "", kind


def test_data_stay(app):
    assert app.host.check_output("docker volume ls -q") == "windflow-template_database"


def test_record_says_removed(app):
    assert app.record()["current"] is None
