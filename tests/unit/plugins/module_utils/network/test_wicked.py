# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.network import backend, wicked
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse


def test_wicked_adds_to_the_file_of_the_interface(folder, wanted):
    path = folder / "ifcfg-eth0"
    path.write_text("STARTMODE='auto'\nBOOTPROTO='dhcp'\n", encoding="utf-8")
    found = wicked.Wicked(wanted.INTERFACES)
    files = found.files(wanted.SECOND, wanted.STEM)
    text = files[str(path)][0]
    assert text == (
        "STARTMODE='auto'\nBOOTPROTO='dhcp'\n" + backend.HEADER + "IPADDR_windflow_shop_lan='10.1.0.5/16'\nMTU='1400'\n"
    )
    assert wanted.plain(files)["ifroute-eth0"] == "default 10.1.0.1 - eth0\n"
    path.write_text(text, encoding="utf-8")
    assert found.files(wanted.SECOND, wanted.STEM) == files
    assert found.left(str(path)) == "STARTMODE='auto'\nBOOTPROTO='dhcp'\n"
    assert found.left(str(folder / "ifroute-eth0")) == ""


def test_wicked_has_files_of_ours_for_what_is_new(folder, wanted):
    found = wicked.Wicked(wanted.INTERFACES)
    assert wanted.plain(found.files(wanted.VLAN, wanted.STEM)) == {
        "ifcfg-eth0.7": "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR_windflow_shop_v='10.7.0.5/24'\n"
        "ETHERDEVICE='eth0'\nVLAN_ID='7'\n",
        "ifcfg-eth0": "STARTMODE=hotplug\nBOOTPROTO=none\n",
    }
    assert "BONDING_SLAVE_1='eth2'" in wanted.plain(found.files(wanted.BOND, wanted.STEM))["ifcfg-bond0"]
    assert found.refuses(wanted.SIX).startswith("wicked has name servers for the whole host")


def test_wicked_has_a_link_without_an_address(folder, wanted):
    found = wanted.plain(wicked.Wicked(wanted.INTERFACES).files(wanted.TRUNK, wanted.STEM))
    assert "BOOTPROTO='none'" in found["ifcfg-bond0"] and "IPADDR" not in found["ifcfg-bond0"]


def test_wicked_has_one_file_for_all_networks_of_an_interface(folder, wanted):
    another = parse({"name": "other", "interface": "eth0", "address": "10.2.0.5/16"})
    found = wicked.Wicked(wanted.INTERFACES, [wanted.SECOND, another, wanted.VLAN, wanted.TRUNK, wanted.TAGGED])
    files = [found.files(network, wanted.STEM) for network in found.wanted]
    merged = wanted.plain({path: item for one in files for path, item in one.items()})
    assert "IPADDR_windflow_shop_lan=" in merged["ifcfg-eth0"] and "IPADDR_windflow_shop_other=" in merged["ifcfg-eth0"]
    # The VLANs lie on interfaces that have files of their own.
    assert "BONDING_MASTER='yes'" in merged["ifcfg-bond0"] and "ETHERDEVICE='bond0'" in merged["ifcfg-bond0.9"]
    assert merged["ifcfg-eth1"] == "STARTMODE=hotplug\nBOOTPROTO=none\n"
    assert files[0] == {**files[1], **files[0]}


def test_wicked_forgets_an_interface_before_it_goes(folder, wanted):
    assert wicked.Wicked(wanted.INTERFACES).before_removal([wanted.BRIDGE]) == ["wicked ifreload br0"]


def test_wicked_brings_up_what_was_changed_in_the_file_and_by_hand(folder, wanted):
    assert wicked.Wicked(wanted.INTERFACES).up(wanted.BRIDGE, wanted.STEM) == ["wicked ifreload br0", "wicked ifup br0"]


def test_wicked_has_the_links_that_become_members_in_files_of_their_own(folder, wanted):
    found = wicked.Wicked(wanted.INTERFACES, wanted.STACK)
    files = [wanted.plain(found.files(network, wanted.STEM)) for network in wanted.STACK]
    assert "BRIDGE_PORTS='eth0.8 bond0'" in files[2]["ifcfg-br1"] and list(files[2]) == ["ifcfg-br1"]
    assert files[0]["ifcfg-eth0.8"] == "STARTMODE='auto'\nBOOTPROTO='none'\nETHERDEVICE='eth0'\nVLAN_ID='8'\n"
    assert "BOOTPROTO='none'" in files[1]["ifcfg-bond0"]


def test_wicked_says_where_name_servers_belong(folder, wanted):
    found = wicked.Wicked(wanted.INTERFACES)
    assert found.remedy(wanted.SIX) == "set them there, and leave out dns"
    assert "leave out address" in found.remedy(wanted.SECOND)
