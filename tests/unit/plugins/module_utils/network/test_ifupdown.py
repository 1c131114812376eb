# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.network import ifupdown
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse


def test_ifupdown_has_the_commands_of_ip_in_its_stanzas(folder, wanted):
    found = ifupdown.Ifupdown(wanted.INTERFACES)
    assert wanted.plain(found.files(wanted.SECOND, wanted.STEM)) == {
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
    (text,) = wanted.plain(found.files(wanted.VLAN, wanted.STEM)).values()
    assert (
        "    pre-up ip link show dev eth0.7 >/dev/null 2>&1 || ip link add link eth0 name eth0.7 type vlan id 7\n"
        in text
    )
    assert text.endswith("    post-down ip link delete dev eth0.7 2>/dev/null || true\n")
    (text,) = wanted.plain(found.files(wanted.BOND, wanted.STEM)).values()
    assert "|| ip link add name bond0 type bond mode active-backup miimon 100\n" in text
    assert "ip link set dev eth2 down && ip link set dev eth2 master bond0; }" in text
    assert found.up(wanted.SECOND, wanted.STEM)[-1] == "ip -4 route replace default via 10.1.0.1 dev eth0"


def test_ifupdown_leaves_out_files_with_a_dot_in_their_name(folder, wanted):
    dotted = parse({"name": "lan.1", "interface": "eth0", "address": "10.1.0.5/16"})
    assert list(wanted.plain(ifupdown.Ifupdown(wanted.INTERFACES).files(dotted, wanted.STEM))) == [
        "windflow-shop-lan_1"
    ]


@pytest.mark.parametrize(
    "line", ["source %s/*", "source-directory %s", "  source  interfaces.d/*", "source-directory interfaces.d"]
)
def test_ifupdown_has_to_read_the_directory_of_our_files(folder, line, wanted):
    found = ifupdown.Ifupdown(wanted.INTERFACES)
    place = line % "/etc/network/interfaces.d" if "%s" in line else line
    (folder / "interfaces").write_text("auto lo\n# %s\n" % place, encoding="utf-8")
    assert found.refuses(wanted.VLAN).endswith("has no line source %s/*" % folder)
    (folder / "interfaces").write_text("auto lo\n%s\niface eth0 inet dhcp\n" % place, encoding="utf-8")
    assert found.refuses(wanted.VLAN) == "" and found.manages("eth0") and not found.manages("eth")
    (folder / "eth1").write_text("auto eth1\niface eth1 inet dhcp\n", encoding="utf-8")
    (folder / "windflow-shop-lan").write_text("iface eth2 inet manual\n", encoding="utf-8")
    assert found.manages("eth1") and not found.manages("eth2")


def test_ifupdown_brings_a_link_up_without_an_address(folder, wanted):
    text = wanted.plain(ifupdown.Ifupdown(wanted.INTERFACES).files(wanted.TRUNK, wanted.STEM))["windflow-shop-t"]
    assert "address" not in text and "pre-up ip link set dev bond0 up" in text


def test_ifupdown_brings_up_the_link_of_ours_below_first(folder, wanted):
    all_of_them = [wanted.TRUNK, wanted.TAGGED]
    found = wanted.plain(ifupdown.Ifupdown(wanted.INTERFACES, all_of_them).files(wanted.TAGGED, wanted.STEM))
    assert "    pre-up [ -e /sys/class/net/bond0 ] || ifup bond0\n" in found["windflow-shop-g"]


def test_ifupdown_has_the_links_there_before_they_become_members(folder, wanted):
    found = ifupdown.Ifupdown(wanted.INTERFACES, wanted.STACK)
    lines = wanted.plain(found.files(wanted.ABOVE, wanted.STEM))["windflow-shop-a"].splitlines()
    first, join = (next(n for n, line in enumerate(lines) if text in line) for text in ("ifup eth0.8", "eth0.8 master"))
    assert first < join and "    pre-up [ -e /sys/class/net/bond0 ] || ifup bond0" in lines[: join + 1]


def test_ifupdown_without_resolvconf_sets_no_name_servers_and_says_what_to_do(folder, monkeypatch, wanted):
    (folder / "interfaces").write_text("source /etc/network/interfaces.d/*\n", encoding="utf-8")
    monkeypatch.setattr(ifupdown, "RESOLVCONF", str(folder / "resolvconf"))
    found = ifupdown.Ifupdown(wanted.INTERFACES)
    assert "resolvconf" in found.refuses(wanted.SIX) and found.refuses(wanted.SECOND) == ""
    assert found.remedy(wanted.SIX) == "install resolvconf on the host, or leave out dns"
    (folder / "interfaces").write_text("auto lo\n", encoding="utf-8")
    assert found.remedy(wanted.SIX).startswith("add that line")
