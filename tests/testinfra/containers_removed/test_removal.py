# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a removal without purge."""

from __future__ import annotations


def test_application_no_longer_answers(app):
    assert app.request("/healthz")[0] == 0


def test_containers_networks_and_images_are_gone(app):
    assert [app.containers(service) for service in ("app", "front", "db")] == [[], [], []]
    assert app.host.check_output("docker network ls -q --filter name=windflow-") == ""
    assert app.host.check_output("docker image ls -q 'windflow-template-*'") == ""


def test_releases_and_secrets_are_gone(app):
    for name in ("releases", "current", "shared/secrets"):
        assert not app.host.file(f"{app.install_dir}/{name}").exists


def test_data_stay(app):
    assert app.host.check_output("docker volume ls -q") == "windflow-template_database"


def test_record_says_removed(app):
    assert app.record()["current"] is None
