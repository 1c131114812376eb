# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.network import (
    netplan,
    network_manager,
    networkd,
    wicked,
)


def test_what_something_else_configures_is_not_taken_over(folder, wanted):
    has = {**wanted.INTERFACES, "eth0": {**wanted.STATE, "addresses": ["192.0.2.7/24"]}}
    for kind in (netplan.Netplan, network_manager.NetworkManager, wicked.Wicked):
        reason = kind(has).refuses(wanted.SECOND)
        assert reason.startswith("eth0 has 192.0.2.7/24, which something other than %s" % kind.title)
        assert kind(wanted.INTERFACES).refuses(wanted.SECOND) == "" and kind(has).refuses(wanted.VLAN) == ""
    assert networkd.Networkd(has).refuses(wanted.SECOND) == ""
