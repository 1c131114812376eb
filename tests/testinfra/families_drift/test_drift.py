# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each family has in its own way was found to have drifted, and is repaired."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def said(app, state):
    """What the drift playbook said of this host, a line for each difference."""
    log = re.sub(r"\x1b\[[0-9;]*m", "", (state / "drift.log").read_text(encoding="utf-8"))
    return "\n".join(re.findall(rf"changed: \[{re.escape(app.name)}\] => .*\n\s+msg: '?(.*?)'?\n", log))


def test_a_stopped_service_was_found_and_runs_again(app, said):
    assert "service nginx" in said
    assert app.host.service("nginx").is_running


def test_a_closed_port_was_found_and_is_open_again(app, said):
    asked = {"firewalld": "firewall-cmd --list-ports", "ufw": "ufw status"}
    active = [name for name in asked if app.host.service(name).is_running]
    if not active:
        pytest.skip("no firewall is active")
    assert f"port 8080 in {active[0]}" in said
    assert "8080/tcp" in app.host.check_output(asked[active[0]])


def test_another_way_to_log_in_was_found_and_the_password_counts_again(app, said):
    if "windflow" not in app.host.check_output("cat $(runuser -u postgres -- psql -Atc 'SHOW hba_file')"):
        pytest.skip("the family's own lines ask for the password")
    assert "login_method" in said
    assert app.answers()
