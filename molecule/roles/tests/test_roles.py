# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles left on the host."""

from __future__ import annotations

import pytest

ASK = (
    "import sys, urllib.request as r;"
    "print(r.urlopen(r.Request(sys.argv[1], headers={'Host': sys.argv[2]}), timeout=10).read().decode())"
)


def ask(host, port, name="localhost"):
    """The answer of the host's nginx to a request for a name."""
    return host.check_output("/usr/bin/python3 -c %s %s %s", ASK, f"http://127.0.0.1:{port}/", name)


def test_the_packages_of_the_family_are_installed(host):
    assert host.package("tree").is_installed and host.package("bsdextrautils").is_installed


def test_the_account_has_no_rights(host):
    user = host.user("reports")
    assert (user.group, user.home, user.shell) == ("reports", "/srv/reports", "/usr/sbin/nologin")
    assert user.uid < 1000 and user.groups == ["reports"]


def test_what_was_there_before_was_not_taken_over(host):
    user = host.user("theirs")
    assert (user.group, user.home, user.shell) == ("theirs", "/home/theirs", "/bin/bash")
    directory = host.file("/srv/theirs")
    assert (directory.user, directory.group, directory.mode) == ("theirs", "theirs", 0o700)


@pytest.mark.parametrize(("path", "mode"), [("/srv/reports/archive/old", 0o750), ("/srv/reports/public", 0o755)])
def test_the_directories_belong_to_the_account(host, path, mode):
    directory = host.file(path)
    assert (directory.user, directory.group, directory.mode) == ("reports", "reports", mode)
    assert host.file("/srv/reports").user == "root"


def test_the_environment_has_what_was_required(host):
    assert host.check_output("/opt/reports/venv/bin/python -c 'import itsdangerous; print(itsdangerous.__name__)'")
    assert host.file("/opt/reports/venv").user == "root"


def test_supervisor_runs_the_program_as_its_account(host):
    assert host.service("supervisor").is_running and host.service("supervisor").is_enabled
    process = host.process.get(args="/opt/reports/venv/bin/python -m http.server 9000 --bind 127.0.0.1")
    assert process.user == "reports"
    assert host.file("/srv/reports/public/secret").content_string == "100% mine\n"
    assert host.file("/etc/supervisor/conf.d/reports.conf").mode == 0o600


def test_nginx_serves_the_sites_and_not_the_distribution_s(host):
    assert host.service("nginx").is_running and host.service("nginx").is_enabled
    assert "Directory listing" in ask(host, 8081, "reports.example.com")
    assert "Index of /" in ask(host, 8082)
    assert not host.file("/etc/nginx/sites-enabled/default").exists
    assert not host.socket("tcp://0.0.0.0:80").is_listening


def test_the_site_that_nginx_refused_was_put_back(host):
    assert "autoindex on;" in host.file("/etc/nginx/sites-available/archive.conf").content_string
    assert host.run("nginx -t").succeeded


def test_the_role_logs_in_to_its_database_and_owns_nothing(host):
    command = "PGPASSWORD=molecule-Pw1 psql -h 127.0.0.1 -U reader -d reports -Atc %s"
    assert host.check_output(command, "CREATE TABLE t (x int); SELECT current_user").endswith("reader")
    assert host.run(command, "DROP DATABASE reports").failed
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'reports'"
    assert host.check_output("cd / && runuser -u postgres -- psql -Atc %s", owner) == "reports_owner"


def test_the_roles_recorded_nothing_and_the_deploy_its_plugin(host):
    assert host.file("/var/lib/windflow").listdir() == ["hello"]


def test_the_plugin_was_deployed_between_the_play_s_own_tasks(host):
    assert ask(host, 8083) == "hello 1.0.0"
    assert host.file("/etc/motd.before").content_string == "before\n"
    assert host.file("/etc/motd.after").content_string.startswith("hello 1.0.0 at http://")
    assert host.user("hello").shell == "/usr/sbin/nologin"
