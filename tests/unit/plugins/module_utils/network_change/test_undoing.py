# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that nobody confirms."""

from __future__ import annotations

import pytest

SECOND = {"name": "second", "interface": "eth0", "cidr": "10.5.0.0/24", "address": "10.5.0.9/24", "mtu": 1400}
BRIDGE = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.6.0.1/24"}

pytestmark = [pytest.mark.system, pytest.mark.fault(43)]


def test_a_change_that_nobody_confirms_undoes_itself(machine):
    machine.change([SECOND, BRIDGE])
    before = machine.look()
    begun = machine.call([{**SECOND, "address": "10.5.0.7/24", "mtu": 1300}], seconds=4)
    machine.sh("for i in $(seq 40); do ip address show eth0 | grep -q 10.5.0.7 && exit; sleep 0.1; done; false")
    machine.wait("restored")
    assert machine.look() == before
    late = machine.call([], "confirm", begun["change"])
    assert late["code"] == "E4101" and late["msg"].endswith("The networks are again as they were before.")
    assert machine.kept() == ["shop.json"]
    assert machine.call([SECOND, BRIDGE])["changed"] is False


def test_a_restart_before_the_confirmation_brings_back_the_files(machine):
    machine.change([SECOND])
    files = machine.files()
    machine.call([{**SECOND, "address": "10.5.0.7/24"}, BRIDGE], seconds=280)
    machine.wait("applied")
    assert machine.files() != files
    machine.sh("sh %s/kept/change-*/restore boot" % machine.place)
    # What configures the interfaces at a start comes after it, and finds them as the kernel has made them.
    assert machine.files() == files and machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.5.0.7/24"]
    machine.sh("ip address delete 10.5.0.7/24 dev eth0; ip link delete br0; ip address add 10.5.0.9/24 dev eth0")
    assert machine.call([SECOND])["changed"] is False and machine.kept() == ["shop.json"]
