# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was there before is there again."""

from __future__ import annotations


def test_the_addresses_are_those_of_before(host):
    now = host.check_output("ip -o -4 address show scope global")
    assert addresses(now) == addresses(host.file("/root/before").content_string)


def addresses(text):
    return sorted(tuple(line.split()[1:4:2]) for line in text.splitlines())


def test_the_interfaces_are_those_of_before(host):
    assert not [name for name in ("br0", "eth1.20", "bond0") if host.interface(name).exists]
    assert "mtu 1500" in host.check_output("ip link show eth1")
    assert " master " not in host.check_output("ip -o link show")


def test_no_file_of_ours_is_left(host):
    assert host.check_output("find /etc -name '*windflow-lan*'") == ""
    assert host.check_output("ls -A /var/lib/windflow/.network") == ""
