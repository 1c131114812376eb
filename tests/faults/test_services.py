# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of a real host that do not start, and what an operator is told of them."""

from __future__ import annotations

import contextlib

import pytest

DEFAULT = "/etc/nginx/sites-enabled/default"
# What breaks a service, what mends it, and what its error has to name.
BROKEN = {
    "nginx": (
        "echo 'nonsense on;' > /etc/nginx/conf.d/broken.conf; systemctl stop nginx",
        "rm /etc/nginx/conf.d/broken.conf; systemctl start nginx",
        'unknown directive "nonsense"',
    ),
    "supervisor": (
        "systemctl stop supervisor; cp /etc/supervisor/supervisord.conf /root/; "
        "sed -i 's/^chmod=0700/chmod=many/' /etc/supervisor/supervisord.conf",
        "cp /root/supervisord.conf /etc/supervisor/; systemctl start supervisor",
        "Invalid chmod value many",
    ),
    "postgresql": (
        "systemctl stop postgresql; echo 'nonsense = 1' > /etc/postgresql/15/main/conf.d/broken.conf",
        "rm /etc/postgresql/15/main/conf.d/broken.conf; systemctl restart postgresql",
        'unrecognized configuration parameter "nonsense"',
    ),
}


@contextlib.contextmanager
def broken(host, breaking, mending):
    host.ssh(breaking)
    try:
        yield
    finally:
        host.ssh(mending)


@pytest.mark.fault(81)
@pytest.mark.parametrize("name", BROKEN)
def test_a_service_that_does_not_start_shows_the_last_lines_of_its_log(host, name):
    breaking, mending, line = BROKEN[name]
    with broken(host, breaking, mending):
        said = host.deploy(host.plugin("1.0.0"), 2)
        assert "E4047" in said and f"the service {name} did not start" in said, said[-4000:]
        assert line in said, said[-4000:]
    host.deploy(host.plugin("1.0.0"))
    assert host.version() == "1.0.0"


@pytest.mark.fault(82)
def test_an_nginx_that_cannot_have_its_port_is_found_before_anything_is_done(host):
    before = host.record()
    breaking = (
        f"ln -sfn /etc/nginx/sites-available/default {DEFAULT}; systemctl stop nginx; "
        "systemd-run --unit other-server python3 -m http.server 80"
    )
    with broken(host, breaking, f"systemctl stop other-server; rm -f {DEFAULT}; systemctl start nginx"):
        host.ssh("timeout 20 sh -c 'until ss -Hltn sport = :80 | grep -q .; do sleep 0.1; done'")
        said = host.deploy(host.plugin("1.0.0"), 2)
        assert "E2032" in said and "python3" in said and "port 80" in said and f"rm {DEFAULT}" in said, said[-4000:]
        assert host.record() == before
    assert "nothing to do" in host.deploy(host.plugin("1.0.0"))


@pytest.mark.fault(80)
def test_status_of_an_application_that_was_stopped_says_so_and_fails(host):
    with broken(host, "supervisorctl stop all", "supervisorctl start all"):
        said = host.run("playbooks/status.yml", {"plugin": "template"}, 2)
        assert "is deployed since" in said and "not answering: status 502" in said and "E4049" in said, said[-3000:]
    assert host.version() == "1.0.0"
    assert "not answering" not in host.run("playbooks/status.yml", {"plugin": "template"})
