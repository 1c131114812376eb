# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application answers, stores data, and survives a restart of its host."""

from __future__ import annotations

import subprocess

import pytest


def test_page_comes_through_nginx(app):
    status, body = app.request()
    assert status == 200
    assert "<h1>" in body
    assert app.host.socket("tcp://0.0.0.0:%d" % app.host.ansible.get_variables()["expected"]["port"]).is_listening


def test_item_becomes_a_row_in_the_database(app):
    status, body = app.request("/items", {"name": "kept from the first release"})
    assert status == 201, body
    assert int(app.sql("select count(*) from items where name = 'kept from the first release'")) >= 1


def test_application_role_has_no_power(app):
    power = "rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls"
    assert app.sql(f"select rolname from pg_roles where rolname !~ '^(pg_|postgres)' and ({power})") == ""


def test_application_survives_a_restart_of_the_host(app):
    if not app.container:
        pytest.skip("this machine is not restarted")
    before = int(app.sql("select count(*) from items"))
    subprocess.run(["docker", "restart", app.container], check=True, capture_output=True)
    assert app.answers()
    assert set(app.settled_programs().values()) == {"RUNNING"}
    assert int(app.sql("select count(*) from items")) == before
