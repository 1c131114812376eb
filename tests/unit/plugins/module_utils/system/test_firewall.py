# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.system import firewall

ZONE = '<?xml version="1.0"?>\n<zone%s><service name="http"/>%s</zone>\n'
HTTP = '<service><port protocol="tcp" port="80"/></service>'


@pytest.fixture
def etc(tmp_path, monkeypatch):
    """Directories of firewalld and ufw of the test's own."""
    monkeypatch.setattr(firewall, "FIREWALLD", (str(tmp_path / "etc"), str(tmp_path / "usr")))
    monkeypatch.setattr(firewall, "UFW", str(tmp_path / "ufw"))
    for name in ("etc/zones", "usr/zones", "usr/services", "ufw"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "usr/services/http.xml").write_text(HTTP)
    return tmp_path


@pytest.mark.parametrize(
    ("attributes", "ports", "port", "found"),
    [
        ("", "", 8080, False),
        ("", "", 80, True),
        ("", '<port port="8080" protocol="tcp"/>', 8080, True),
        ("", '<port port="8080" protocol="udp"/>', 8080, False),
        ("", '<port port="8000-8100" protocol="tcp"/>', 8080, True),
        (' target="ACCEPT"', "", 8080, True),
    ],
)
def test_firewalld_is_read_as_it_is_after_a_restart(etc, attributes, ports, port, found):
    (etc / "etc/firewalld.conf").write_text("DefaultZone=home\n")
    (etc / "usr/zones/home.xml").write_text(ZONE % (attributes, ports))
    assert firewall.is_open("firewalld", port) is found


def test_the_administrators_zone_goes_before_the_packages(etc):
    (etc / "usr/zones/public.xml").write_text(ZONE % ("", '<port port="8080" protocol="tcp"/>'))
    assert firewall.is_open("firewalld", 8080)
    (etc / "etc/zones/public.xml").write_text(ZONE % ("", ""))
    assert not firewall.is_open("firewalld", 8080)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("allow tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in", True),
        ("allow any 8080 0.0.0.0/0 any 0.0.0.0/0 in", True),
        ("allow tcp 80,8000:8100 0.0.0.0/0 any 0.0.0.0/0 in", True),
        ("deny tcp 8080 0.0.0.0/0 any 0.0.0.0/0 in", False),
        ("allow udp 8080 0.0.0.0/0 any 0.0.0.0/0 in", False),
        ("allow tcp 8080 0.0.0.0/0 any 10.0.0.0/8 in", False),
        ("allow tcp 8081 0.0.0.0/0 any 0.0.0.0/0 in", False),
    ],
)
def test_ufw_lets_everybody_in_by_its_rules(etc, rule, found):
    (etc / "ufw/user.rules").write_text("### tuple ### %s\n-A ufw-user-input\n" % rule)
    assert firewall.is_open("ufw", 8080) is found


def test_only_a_firewall_that_is_active_counts(etc):
    assert firewall.active({"firewalld": {"running": False}}) == ""
    assert firewall.active({"firewalld": {"running": True}}) == "firewalld"
    (etc / "ufw/ufw.conf").write_text("ENABLED=no\n")
    assert firewall.active({}) == ""
    (etc / "ufw/ufw.conf").write_text("ENABLED=yes\n")
    assert firewall.active({}) == "ufw"
