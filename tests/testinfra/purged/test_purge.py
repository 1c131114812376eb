# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a removal that was asked to purge, by name."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("which", ["install_dir", "data_dir", "log_dir"])
def test_directory_is_gone(app, which):
    assert not app.host.file(getattr(app, which)).exists


def test_nginx_keeps_no_log_of_the_site(app):
    assert app.host.check_output("find /var/log/nginx -name 'windflow-*'") == ""


def test_database_and_its_roles_are_gone(app):
    found = app.host.check_output("runuser -u postgres -- psql -Atc %s", "select datname from pg_database")
    assert app.database not in found.split()
    query = "select rolname from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'"
    assert app.host.check_output("runuser -u postgres -- psql -Atc %s", query).strip() == ""


def test_account_and_group_are_gone_unless_they_were_there_before(app):
    # See prepare.yml of the scenario.
    before = app.name == "molecule-debian13"
    assert app.host.user(app.group).exists == before
    assert app.host.group(app.group).exists == before
    if before:
        account = app.host.user(app.group)
        assert (account.shell, account.home) == ("/bin/sh", "/home/template")
