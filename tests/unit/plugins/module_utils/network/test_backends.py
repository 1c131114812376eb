# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and commands of each program that manages interfaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network import (
    backend,
    ifupdown,
    netplan,
    network_manager,
    networkd,
    wicked,
)
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse

STATE = {"addresses": [], "own": [], "mtu": 1500, "up": True, "master": "", "kind": "", "link": "", "vlan_id": 0}
INTERFACES = {name: STATE for name in ("eth0", "eth1", "eth2")}
SECOND = parse({"name": "lan", "interface": "eth0", "address": "10.1.0.5/16", "gateway": "10.1.0.1", "mtu": 1400})
VLAN = parse({"name": "v", "type": "vlan", "interface": "eth0.7", "vlan_id": 7, "address": "10.7.0.5/24"})
BRIDGE = parse({"name": "b", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.8.0.5/24"})
BOND = parse({"name": "d", "type": "bond", "interface": "bond0", "members": ["eth1", "eth2"], "address": "10.9.0.5/24"})
SIX = parse({"name": "six", "interface": "eth1", "address": "2001:db8:0::5/64", "dns": ["2001:db8::53"]})
TRUNK = parse({"name": "t", "type": "bond", "interface": "bond0", "members": ["eth1"]})
TAGGED = parse({"name": "g", "type": "vlan", "interface": "bond0.9", "vlan_id": 9})
STEM = "windflow-shop"


def plain(files: dict) -> dict:
    """The files by name, without the line that says whose they are."""
    for text, _mode in files.values():
        assert backend.HEADER in text
    return {Path(path).name: text.replace(backend.HEADER, "") for path, (text, _mode) in files.items()}


def answers(monkeypatch, module, said: dict):
    """Programs of the host that are asked something."""
    monkeypatch.setattr(module, "said", lambda *argv: said.get(" ".join(argv), ""))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    for module in (ifupdown, networkd, netplan, network_manager, wicked):
        monkeypatch.setattr(module, "FOLDER", str(tmp_path))
    monkeypatch.setattr(ifupdown, "MAIN", str(tmp_path / "interfaces"))
    for module in (networkd, netplan):
        monkeypatch.setattr(module, "LINKS", str(tmp_path / "links"))
    return tmp_path


def test_ifupdown_has_the_commands_of_ip_in_its_stanzas(folder):
    found = ifupdown.Ifupdown(INTERFACES)
    assert plain(found.files(SECOND, STEM)) == {
        "windflow-shop-lan": """\
auto eth0
iface eth0 inet manual
    up ip link set dev eth0 mtu 1400
    up ip link set dev eth0 up
    up ip address replace 10.1.0.5/16 broadcast + dev eth0
    up ip -4 route replace default via 10.1.0.1 dev eth0
    down ip address delete 10.1.0.5/16 dev eth0 2>/dev/null || true
"""
    }
    (text,) = plain(found.files(VLAN, STEM)).values()
    assert (
        "    pre-up ip link show dev eth0.7 >/dev/null 2>&1 || ip link add link eth0 name eth0.7 type vlan id 7\n"
        in text
    )
    assert text.endswith("    post-down ip link delete dev eth0.7 2>/dev/null || true\n")
    (text,) = plain(found.files(BOND, STEM)).values()
    assert "|| ip link add name bond0 type bond mode active-backup miimon 100\n" in text
    assert "ip link set dev eth2 down && ip link set dev eth2 master bond0; }" in text
    assert found.up(SECOND, STEM)[-1] == "ip -4 route replace default via 10.1.0.1 dev eth0"


def test_ifupdown_leaves_out_files_with_a_dot_in_their_name(folder):
    dotted = parse({"name": "lan.1", "interface": "eth0", "address": "10.1.0.5/16"})
    assert list(plain(ifupdown.Ifupdown(INTERFACES).files(dotted, STEM))) == ["windflow-shop-lan_1"]


@pytest.mark.parametrize(
    "line", ["source %s/*", "source-directory %s", "  source  interfaces.d/*", "source-directory interfaces.d"]
)
def test_ifupdown_has_to_read_the_directory_of_our_files(folder, monkeypatch, line):
    found = ifupdown.Ifupdown(INTERFACES)
    place = line % "/etc/network/interfaces.d" if "%s" in line else line
    (folder / "interfaces").write_text("auto lo\n# %s\n" % place, encoding="utf-8")
    assert found.refuses(VLAN).endswith("has no line source %s/*" % folder)
    (folder / "interfaces").write_text("auto lo\n%s\niface eth0 inet dhcp\n" % place, encoding="utf-8")
    assert found.refuses(VLAN) == "" and found.manages("eth0") and not found.manages("eth")
    (folder / "eth1").write_text("auto eth1\niface eth1 inet dhcp\n", encoding="utf-8")
    (folder / "windflow-shop-lan").write_text("iface eth2 inet manual\n", encoding="utf-8")
    assert found.manages("eth1") and not found.manages("eth2")


def test_networkd_adds_to_the_file_that_counts_for_an_interface(folder, monkeypatch):
    (folder / "links").mkdir()
    (folder / "links" / "2").write_text("NETWORK_FILE=/usr/lib/systemd/network/20-wired.network\n", encoding="utf-8")
    real = networkd.text_of
    monkeypatch.setattr(networkd, "text_of", lambda path: "2\n" if path.endswith("eth0/ifindex") else real(path))
    found = networkd.Networkd(INTERFACES)
    assert found.manages("eth0") and not found.manages("eth1")
    (path,) = found.files(SECOND, STEM)
    assert path == "%s/20-wired.network.d/windflow-shop-lan.conf" % folder
    assert plain(found.files(SECOND, STEM))["windflow-shop-lan.conf"] == (
        "[Address]\nAddress=10.1.0.5/16\n\n[Route]\nGateway=10.1.0.1\n\n[Link]\nMTUBytes=1400\n"
    )
    assert plain(found.files(VLAN, STEM)) == {
        "05-windflow-shop-v.netdev": "[NetDev]\nName=eth0.7\nKind=vlan\n\n[VLAN]\nId=7\n",
        "05-windflow-shop-v.network": "[Match]\nName=eth0.7\n\n[Address]\nAddress=10.7.0.5/24\n",
        "windflow-shop-v-eth0.conf": "[Network]\nVLAN=eth0.7\n",
    }


def test_networkd_has_a_file_of_ours_for_an_interface_without_one(folder):
    found = networkd.Networkd(INTERFACES)
    keep = "[Network]\nKeepConfiguration=static\nLinkLocalAddressing=%s\n\n"
    assert plain(found.files(SIX, STEM)) == {
        "05-windflow-shop-six.network": "[Match]\nName=eth1\n\n%s[Address]\nAddress=2001:db8::5/64\n\n"
        "[Network]\nDNS=2001:db8::53\n" % (keep % "ipv6")
    }
    # What a member would say of itself is lost in the bond.
    keep %= "no"
    assert plain(found.files(BOND, STEM)) == {
        "05-windflow-shop-d.netdev": "[NetDev]\nName=bond0\nKind=bond\n\n"
        "[Bond]\nMode=active-backup\nMIIMonitorSec=100ms\n",
        "05-windflow-shop-d.network": "[Match]\nName=bond0\n\n[Address]\nAddress=10.9.0.5/24\n",
        "05-windflow-shop-d-eth1.network": "[Match]\nName=eth1\n\n%s[Network]\nBond=bond0\n" % keep,
        "05-windflow-shop-d-eth2.network": "[Match]\nName=eth2\n\n%s[Network]\nBond=bond0\n" % keep,
    }


def test_netplan_merges_one_file_of_ours(folder):
    found = netplan.Netplan({**INTERFACES, "eth1": {**STATE, "kind": "dummy"}, "eth0.7": {**STATE, "kind": "vlan"}})
    assert plain(found.files(SECOND, STEM)) == {
        "windflow-shop-lan.yaml": """\
network:
  version: 2
  ethernets:
    "eth0":
      addresses: ["10.1.0.5/16"]
      mtu: 1400
      routes: [{to: default, via: "10.1.0.1"}]
"""
    }
    assert plain(found.files(BOND, STEM)) == {
        "windflow-shop-d.yaml": """\
network:
  version: 2
  ethernets:
    "eth1": {}
    "eth2": {}
  bonds:
    "bond0":
      addresses: ["10.9.0.5/24"]
      interfaces: ["eth1", "eth2"]
      parameters: {mode: active-backup, mii-monitor-interval: "100"}
"""
    }
    (text,) = plain(found.files(VLAN, STEM)).values()
    assert text.endswith('    "eth0.7":\n      addresses: ["10.7.0.5/24"]\n      id: 7\n      link: "eth0"\n')
    assert all(mode == 0o600 for _text, mode in found.files(VLAN, STEM).values())
    # One that is made by another file of ours has its name there.
    later = parse({**VLAN.as_dict(), "members": ["bond0"]})
    found.planned = {"bond0": BOND}
    assert "ethernets" not in plain(found.files(later, STEM))["windflow-shop-v.yaml"]
    above = parse({**BRIDGE.as_dict(), "members": ["eth0.7"]})
    assert "ethernets" not in plain(found.files(above, STEM))["windflow-shop-b.yaml"]


def test_a_link_without_an_address_asks_for_none(folder):
    found = plain(ifupdown.Ifupdown(INTERFACES).files(TRUNK, STEM))
    assert "address" not in found["windflow-shop-t"] and "pre-up ip link set dev bond0 up" in found["windflow-shop-t"]
    found = plain(networkd.Networkd(INTERFACES).files(TRUNK, STEM))
    own = "[Match]\nName=bond0\n\n[Network]\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
    assert found["05-windflow-shop-t.network"] == own
    found = plain(netplan.Netplan(INTERFACES).files(TRUNK, STEM))
    assert '"bond0":\n      accept-ra: false\n      link-local: []\n' in found["windflow-shop-t.yaml"]
    found = plain(network_manager.NetworkManager(INTERFACES).files(TRUNK, STEM))
    assert "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=disabled\n" in found["windflow-shop-t.nmconnection"]
    assert "[user]" not in found["windflow-shop-t.nmconnection"]
    found = plain(wicked.Wicked(INTERFACES).files(TRUNK, STEM))
    assert "BOOTPROTO='none'" in found["ifcfg-bond0"] and "IPADDR" not in found["ifcfg-bond0"]


def test_what_lies_on_a_link_of_ours_adds_to_it(folder):
    planned = {"bond0": TRUNK, "bond0.9": TAGGED}
    found = plain(networkd.Networkd(INTERFACES, planned).files(TAGGED, STEM))
    assert found["windflow-shop-g-bond0.conf"] == "[Network]\nVLAN=bond0.9\n"
    paths = networkd.Networkd(INTERFACES, planned).files(TAGGED, STEM)
    assert "%s/05-windflow-shop-t.network.d/windflow-shop-g-bond0.conf" % folder in paths
    found = plain(ifupdown.Ifupdown(INTERFACES, planned).files(TAGGED, STEM))
    assert "    pre-up [ -e /sys/class/net/bond0 ] || ifup bond0\n" in found["windflow-shop-g"]


def test_what_something_else_configures_is_not_taken_over(folder, monkeypatch):
    has = {**INTERFACES, "eth0": {**STATE, "addresses": ["192.0.2.7/24"]}}
    for kind in (netplan.Netplan, network_manager.NetworkManager, wicked.Wicked):
        reason = kind(has).refuses(SECOND)
        assert reason.startswith("eth0 has 192.0.2.7/24, which something other than %s" % kind.title)
        assert kind(INTERFACES).refuses(SECOND) == "" and kind(has).refuses(VLAN) == ""
    assert networkd.Networkd(has).refuses(SECOND) == ""


BASE = """\
[connection]
id=office
uuid=11111111-2222-3333-4444-555555555555
type=ethernet
interface-name=eth0

[ipv4]
address1=192.0.2.7/24,192.0.2.1
method=manual

[ipv6]
method=auto
"""


def manager(monkeypatch, *profiles):
    listed = "".join("%s:%s:%s\n" % item for item in profiles)
    answers(monkeypatch, network_manager, {"nmcli -g UUID,DEVICE,FILENAME connection show": listed})
    return network_manager.NetworkManager(INTERFACES)


def test_network_manager_has_a_copy_of_the_profile_with_one_address_more(folder, monkeypatch):
    path = folder / "office.nmconnection"
    path.write_text(BASE, encoding="utf-8")
    number = "11111111-2222-3333-4444-555555555555"
    found = manager(monkeypatch, (number, "eth0", path))
    text = plain(found.files(SECOND, STEM))["windflow-shop-lan.nmconnection"]
    made = network_manager.sections(text)
    assert made["connection"]["id"] == "windflow-shop-lan" and made["connection"]["uuid"] != number
    assert made["connection"]["autoconnect-priority"] == "100"
    assert made["ipv4"] == {
        "address1": "192.0.2.7/24,192.0.2.1",
        "address2": "10.1.0.5/16",
        "method": "manual",
        "gateway": "10.1.0.1",
    }
    assert made["ipv6"] == {"method": "auto"} and made["ethernet"] == {"mtu": "1400"}
    assert made["user"] == {"windflow.address": "10.1.0.5/16", "windflow.base": number}
    assert found.refresh([SECOND], STEM)[1] == "nmcli --wait 30 connection up uuid %s || true" % number
    # The same again once ours is the active one, and with another address.
    own = folder / "windflow-shop-lan.nmconnection"
    own.write_text(backend.HEADER + text, encoding="utf-8")
    found = manager(monkeypatch, (made["connection"]["uuid"], "eth0", own), (number, "", path))
    assert plain(found.files(SECOND, STEM))["windflow-shop-lan.nmconnection"] == text
    moved = parse({"name": "lan", "interface": "eth0", "address": "10.1.0.6/16"})
    (text,) = plain(found.files(moved, STEM)).values()
    assert network_manager.sections(text)["ipv4"]["address2"] == "10.1.0.6/16" and "10.1.0.5" not in text


def test_a_copy_of_a_profile_comes_up_at_a_start_of_the_host(folder, monkeypatch):
    path = folder / "office.nmconnection"
    path.write_text(BASE.replace("type=", "autoconnect=false\ntype="), encoding="utf-8")
    (text,) = plain(manager(monkeypatch, ("1", "eth0", path)).files(SECOND, STEM)).values()
    assert "autoconnect=" not in text and "192.0.2.7/24" in text


def test_a_profile_that_network_manager_made_for_itself_is_none_of_the_host(folder, monkeypatch):
    path = folder / "eth0.nmconnection"
    path.write_text(BASE + "\n[.nmmeta]\nnm-generated=true\nexternal=true\n", encoding="utf-8")
    found = manager(monkeypatch, ("1", "eth0", path))
    assert found.base(SECOND) == ""
    found.interfaces = {**INTERFACES, "eth0": {**STATE, "addresses": ["192.0.2.7/24"]}}
    assert "which something other than NetworkManager configures" in found.refuses(SECOND)


def test_network_manager_has_a_profile_for_each_member(folder, monkeypatch):
    found = manager(monkeypatch)
    files = plain(found.files(BOND, STEM))
    assert sorted(files) == [
        "windflow-shop-d-eth1.nmconnection",
        "windflow-shop-d-eth2.nmconnection",
        "windflow-shop-d.nmconnection",
    ]
    assert network_manager.sections(files["windflow-shop-d.nmconnection"])["bond"] == {
        "miimon": "100",
        "mode": "active-backup",
    }
    member = network_manager.sections(files["windflow-shop-d-eth1.nmconnection"])["connection"]
    assert (member["master"], member["slave-type"], member["interface-name"]) == ("bond0", "bond", "eth1")
    assert all(mode == 0o600 for _text, mode in found.files(BOND, STEM).values())
    lines = found.up(BOND, STEM)
    assert lines[0].startswith("nmcli connection load ") and lines[1].startswith("nmcli --wait 0 connection up uuid ")
    assert lines[2].endswith(member["uuid"])
    (text,) = plain(found.files(VLAN, STEM)).values()
    assert network_manager.sections(text)["vlan"] == {"flags": "1", "id": "7", "parent": "eth0"}


def test_network_manager_refuses_a_profile_that_is_no_keyfile(folder, monkeypatch):
    path = folder / "ifcfg-eth0"
    path.write_text("DEVICE=eth0\n", encoding="utf-8")
    found = manager(monkeypatch, ("1", "eth0", path))
    assert found.refuses(SECOND) == "%s is no keyfile; nmcli connection migrate makes one" % path


def test_network_manager_does_not_manage_what_it_only_watches(monkeypatch):
    said = "eth0:connected (externally)\neth1:connected\neth2:unmanaged\neth0.7:disconnected\n"
    answers(monkeypatch, network_manager, {"nmcli -g DEVICE,STATE device": said})
    found = network_manager.NetworkManager(INTERFACES)
    assert [found.manages(name) for name in ("eth0", "eth1", "eth2", "eth0.7", "eth9")] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_wicked_adds_to_the_file_of_the_interface(folder):
    path = folder / "ifcfg-eth0"
    path.write_text("STARTMODE='auto'\nBOOTPROTO='dhcp'\n", encoding="utf-8")
    found = wicked.Wicked(INTERFACES)
    files = found.files(SECOND, STEM)
    text = files[str(path)][0]
    assert text == (
        "STARTMODE='auto'\nBOOTPROTO='dhcp'\n" + backend.HEADER + "IPADDR_windflow_shop_lan='10.1.0.5/16'\nMTU='1400'\n"
    )
    assert plain(files)["ifroute-eth0"] == "default 10.1.0.1 - eth0\n"
    path.write_text(text, encoding="utf-8")
    assert found.files(SECOND, STEM) == files
    assert found.left(str(path)) == "STARTMODE='auto'\nBOOTPROTO='dhcp'\n"
    assert found.left(str(folder / "ifroute-eth0")) == ""


def test_wicked_has_files_of_ours_for_what_is_new(folder):
    found = wicked.Wicked(INTERFACES)
    assert plain(found.files(VLAN, STEM)) == {
        "ifcfg-eth0.7": "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR_windflow_shop_v='10.7.0.5/24'\n"
        "ETHERDEVICE='eth0'\nVLAN_ID='7'\n",
        "ifcfg-eth0": "STARTMODE=hotplug\nBOOTPROTO=none\n",
    }
    assert "BONDING_SLAVE_1='eth2'" in plain(found.files(BOND, STEM))["ifcfg-bond0"]
    assert found.refuses(SIX).startswith("wicked has name servers for the whole host")
