# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.network import networkd


def test_networkd_adds_to_the_file_that_counts_for_an_interface(folder, monkeypatch, wanted):
    (folder / "links").mkdir()
    (folder / "links" / "2").write_text("NETWORK_FILE=/usr/lib/systemd/network/20-wired.network\n", encoding="utf-8")
    real = networkd.text_of
    monkeypatch.setattr(networkd, "text_of", lambda path: "2\n" if path.endswith("eth0/ifindex") else real(path))
    found = networkd.Networkd(wanted.INTERFACES)
    assert found.manages("eth0") and not found.manages("eth1")
    (path,) = found.files(wanted.SECOND, wanted.STEM)
    assert path == "%s/20-wired.network.d/windflow-shop-lan.conf" % folder
    assert wanted.plain(found.files(wanted.SECOND, wanted.STEM))["windflow-shop-lan.conf"] == (
        "[Address]\nAddress=10.1.0.5/16\n\n[Route]\nGateway=10.1.0.1\n\n[Link]\nMTUBytes=1400\n"
    )
    assert wanted.plain(found.files(wanted.VLAN, wanted.STEM)) == {
        "05-windflow-shop-v.netdev": "[NetDev]\nName=eth0.7\nKind=vlan\n\n[VLAN]\nId=7\n",
        "05-windflow-shop-v.network": "[Match]\nName=eth0.7\n\n[Address]\nAddress=10.7.0.5/24\n",
        "windflow-shop-v-eth0.conf": "[Network]\nVLAN=eth0.7\n",
    }


def test_networkd_has_a_file_of_ours_for_an_interface_without_one(folder, wanted):
    found = networkd.Networkd(wanted.INTERFACES)
    keep = "[Network]\nKeepConfiguration=static\nLinkLocalAddressing=%s\n\n"
    assert wanted.plain(found.files(wanted.SIX, wanted.STEM)) == {
        "05-windflow-shop-six.network": "[Match]\nName=eth1\n\n%s[Address]\nAddress=2001:db8::5/64\n\n"
        "[Network]\nDNS=2001:db8::53\n" % (keep % "ipv6")
    }
    # What a member would say of itself is lost in the bond.
    keep %= "no"
    assert wanted.plain(found.files(wanted.BOND, wanted.STEM)) == {
        "05-windflow-shop-d.netdev": "[NetDev]\nName=bond0\nKind=bond\n\n"
        "[Bond]\nMode=active-backup\nMIIMonitorSec=100ms\n",
        "05-windflow-shop-d.network": "[Match]\nName=bond0\n\n[Address]\nAddress=10.9.0.5/24\n",
        "05-windflow-shop-d-eth1.network": "[Match]\nName=eth1\n\n%s[Network]\nBond=bond0\n" % keep,
        "05-windflow-shop-d-eth2.network": "[Match]\nName=eth2\n\n%s[Network]\nBond=bond0\n" % keep,
    }


def test_networkd_asks_for_nothing_at_a_link_without_an_address(folder, wanted):
    found = wanted.plain(networkd.Networkd(wanted.INTERFACES).files(wanted.TRUNK, wanted.STEM))
    own = "[Match]\nName=bond0\n\n[Network]\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
    assert found["05-windflow-shop-t.network"] == own


def test_what_lies_on_a_link_of_ours_adds_to_its_file(folder, wanted):
    all_of_them = [wanted.TRUNK, wanted.TAGGED]
    paths = networkd.Networkd(wanted.INTERFACES, all_of_them).files(wanted.TAGGED, wanted.STEM)
    assert wanted.plain(paths)["windflow-shop-g-bond0.conf"] == "[Network]\nVLAN=bond0.9\n"
    assert "%s/05-windflow-shop-t.network.d/windflow-shop-g-bond0.conf" % folder in paths


def test_a_link_of_ours_has_in_its_file_what_it_is_a_member_of(folder, wanted):
    found = networkd.Networkd(wanted.INTERFACES, wanted.STACK).files(wanted.ABOVE, wanted.STEM)
    for place, member in (("05-windflow-shop-w", "eth0.8"), ("05-windflow-shop-t", "bond0")):
        text = found["%s/%s.network.d/windflow-shop-a-%s.conf" % (folder, place, member)][0]
        assert text.endswith("\n[Network]\nBridge=br1\n") and "[Match]" not in text


def test_networkd_is_started_again_where_a_member_does_not_join(folder, wanted):
    lines = networkd.Networkd(wanted.INTERFACES, wanted.STACK).up(wanted.ABOVE, wanted.STEM)
    for member in ("eth0.8", "bond0"):
        joined = "[ -e /sys/class/net/br1/lower_%s ]" % member
        restart = lines.index("%s || systemctl try-restart systemd-networkd.service" % joined)
        assert (
            joined in lines[restart - 1]
            and lines[restart - 1] == lines[restart + 1]
            and "reconfigure br1" in "".join(lines[:restart])
        )
