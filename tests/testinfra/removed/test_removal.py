# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a removal without purge."""

from __future__ import annotations


def test_application_no_longer_answers(app):
    assert app.request("/healthz")[0] == 0


def test_program_and_site_are_gone(app):
    assert app.programs() == {}
    places = "/etc/supervisor* /etc/nginx /etc/windflow"
    assert app.host.check_output(f"grep -rls windflow-{app.plugin} {places} || true") == ""
    assert app.host.run("nginx -t").rc == 0


def test_releases_are_gone(app):
    assert not app.host.file(f"{app.install_dir}/releases").exists
    assert not app.host.file(f"{app.install_dir}/current").exists
    assert not app.host.file(f"/etc/windflow/{app.plugin}").exists


def test_data_logs_and_database_stay(app):
    assert app.host.file(app.data_dir).is_directory
    assert app.host.file(app.log_dir).is_directory
    assert int(app.sql("select count(*) from items where name = 'kept from the first release'")) >= 1


def test_record_says_removed(app):
    assert app.record()["current"] is None
