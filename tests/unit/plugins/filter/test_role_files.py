# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the roles host_supervisor and host_nginx write for somebody's own programs and sites."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from supervisor.options import UnhosedConfigParser

from ansible_collections.windflow.platform.plugins.filter import nginx_site, supervisor_program, volume_list

write_program = supervisor_program.FilterModule().filters()["supervisor_program"]
write_site = nginx_site.FilterModule().filters()["nginx_site"]


def read(text):
    parser = UnhosedConfigParser()
    parser.expansions = {"program_name": "worker", "process_num": 0}
    parser.read_string(text)
    return parser


def test_supervisor_reads_a_program_as_it_was_given():
    given = {
        "name": "worker",
        "command": ["/bin/worker", "a b", "100%"],
        "user": "reports",
        "environment": {"RATE": "5%"},
        "log": None,
        "options": {"priority": 5, "autorestart": True},
    }
    parser = read(write_program(given))

    def get(key):
        return parser.saneget("program:worker", key)

    assert get("command") == "/bin/worker 'a b' 100%"
    assert get("environment") == 'RATE="5%"'
    assert (get("user"), get("directory"), get("priority"), get("autorestart")) == ("reports", "/", "5", "True")
    assert not parser.has_option("program:worker", "stdout_logfile")
    assert not parser.has_option("program:worker", "numprocs")


def test_several_processes_have_names_of_their_own():
    parser = read(write_program({"name": "worker", "command": ["/bin/worker"], "processes": 3}))
    assert parser.saneget("program:worker", "numprocs") == "3"
    assert parser.saneget("program:worker", "process_name") == "worker-0"


@pytest.mark.parametrize(
    "given",
    [
        {"name": "worker", "command": ["worker"]},
        {"name": "../worker", "command": ["/bin/worker"]},
        {"name": "worker", "command": ["/bin/worker"], "user": "a\nb"},
        {"name": "worker", "command": ["/bin/worker"], "options": {"a=b\nc": 1}},
    ],
)
def test_a_program_that_supervisor_would_read_as_another_is_refused(given):
    with pytest.raises(AnsibleFilterError, match="E11"):
        write_program(given)


def test_a_site_has_what_was_given_and_nothing_else():
    text = write_site({"name": "reports", "server_names": ["reports.example.com"], "proxy": "http://127.0.0.1:8000"})
    assert "    listen 80;\n    server_name reports.example.com;\n" in text
    assert "proxy_pass http://127.0.0.1:8000;" in text
    assert "root" not in text and "[::]" not in text
    text = write_site(
        {"name": "f", "port": 81, "ipv6": True, "default": True, "root": "/srv/f", "directives": ["autoindex on;"]}
    )
    assert "    listen 81 default_server;\n    listen [::]:81 default_server;\n    server_name _;\n" in text
    assert "    autoindex on;\n    root /srv/f;\n" in text and "proxy_pass" not in text


def test_a_whole_file_stays_as_it_is():
    assert write_site({"name": "own", "port": 80, "content": "server {}\n"}) == "server {}\n"


@pytest.mark.parametrize("changes", [{"proxy": "http://$host"}, {"server_names": ["a b"]}, {"root": "srv"}])
def test_a_site_that_nginx_would_read_as_another_is_refused(changes):
    with pytest.raises(AnsibleFilterError, match="E11"):
        write_site({"name": "reports", **changes})


def test_volumes_of_a_role_are_checked_as_those_of_a_configuration():
    describe = volume_list.FilterModule().filters()["volume_list"]
    nfs = {"path": "/mnt/shared", "type": "nfs", "options": {"server": "nfs.example.com", "export": "/exports/shared"}}
    found = describe([{"path": "/srv/public", "type": "local", "options": None}, nfs], owner="reports")
    assert [(volume["kind"], volume["owner"]) for volume in found["volumes"]] == [
        ("nfs", "reports"),
        ("directory", "reports"),
    ]
    assert found["packages"] == ["nfs"]
    with pytest.raises(AnsibleFilterError, match=r"E1137 host_volumes_volumes\[0\].options.server"):
        describe([{"path": "/mnt/shared", "type": "nfs", "options": {"export": "/exports/shared"}}])
