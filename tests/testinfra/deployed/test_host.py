# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after a deploy: services, files, owners and modes."""

from __future__ import annotations

import json
import re

import pytest


@pytest.mark.parametrize("name", ["nginx", "supervisor", "postgresql"])
def test_service_runs_and_starts_with_the_host(app, name):
    service = app.host.service(name)
    assert service.is_running
    assert service.is_enabled


def test_supervisor_runs_the_current_release_only(app):
    programs = app.programs()
    assert programs
    assert set(programs.values()) == {"RUNNING"}
    assert all(app.current()["release"] in name for name in programs)


def test_config_is_readable_by_the_application_and_no_one_else(app):
    file = app.host.file(f"/etc/windflow/{app.plugin}/config.yaml")
    assert (file.user, file.group, oct(file.mode)) == ("root", app.group, "0o640")


def test_record_is_private_and_holds_no_secret(app):
    file = app.host.file(f"/var/lib/windflow/{app.plugin}/record.json")
    assert (file.user, oct(file.mode)) == ("root", "0o600")
    assert len(app.secrets()) == 2
    assert not [secret for secret in app.secrets() if secret in file.content_string]


def test_current_is_the_release_of_the_record(app):
    link = app.host.file(f"{app.install_dir}/current")
    assert link.is_symlink
    assert app.host.check_output("readlink -f %s", link.path).endswith(f"/releases/{app.current()['release']}")


def test_code_belongs_to_root_and_no_one_else_can_write_it(app):
    # A link has no mode of its own.
    find = "find %s/releases %s/venvs ! -type l '(' ! -user root -o -perm /022 ')'"
    assert app.host.check_output(find, app.install_dir, app.install_dir) == ""


@pytest.mark.parametrize("which", ["data_dir", "log_dir"])
def test_data_and_logs_are_the_applications(app, which):
    directory = app.host.file(getattr(app, which))
    assert directory.is_directory
    assert directory.user != "root"
    assert oct(directory.mode) == "0o750"


def adopts_account(app):
    """Whether the account was there before, see the scenario's prepare.yml."""
    return "account" in app.host.ansible.get_variables().get("windflow_config", {}).get("adopt", [])


def test_account_cannot_log_in_unless_it_was_there_before(app):
    user = app.host.user(app.host.file(app.data_dir).user)
    assert user.shell == "/bin/sh" if adopts_account(app) else user.shell.endswith("nologin")
    assert app.record()["made"]["account"] == ([] if adopts_account(app) else [user.name])
    assert app.host.run("sudo -l -U %s | grep -q NOPASSWD", user.name).rc != 0


def test_host_reports_what_is_deployed_as_a_local_fact(app):
    answer = app.host.ansible("setup", "filter=ansible_local", become=True)
    fact = answer["ansible_facts"]["ansible_local"]["windflow"][app.plugin]
    assert (fact["version"], fact["release"]) == (app.current()["version"], app.current()["release"])
    assert fact["state"] == "deployed"


def test_check_mode_on_the_blank_host_named_the_steps_that_the_real_run_changed(app, state):
    steps = {}
    for kind in ("check", "real"):
        tasks = json.loads((state / "changes" / f"{kind}.json").read_text(encoding="utf-8"))[app.name]
        steps[kind] = {
            number for task in tasks for number in re.findall(r"\d+", re.match(r"(Steps? [\d, ]+:)?", task)[0])
        }
    assert steps["check"] == steps["real"]
    # Account, directories, application, virtual environment, configuration, program, site, database.
    assert steps["check"] >= {"5", "6", "7", "8", "9", "10", "11"}
    assert ("4" in steps["check"]) is not adopts_account(app)
