# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.windflow.platform.plugins.module_utils.network import (
    backend,
    kept,
    looking,
    network_manager,
)
from ansible_collections.windflow.platform.plugins.module_utils.network.wanted import parse
from ansible_collections.windflow.platform.plugins.module_utils.network_change import change

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


def manager(wanted, answers, *profiles):
    listed = "".join("%s:%s:%s\n" % item for item in profiles)
    answers(network_manager, {"nmcli -g UUID,DEVICE,FILENAME connection show": listed})
    return network_manager.NetworkManager(wanted.INTERFACES)


def test_network_manager_has_a_copy_of_the_profile_with_one_address_more(folder, wanted, answers):
    path = folder / "office.nmconnection"
    path.write_text(BASE, encoding="utf-8")
    number = "11111111-2222-3333-4444-555555555555"
    found = manager(wanted, answers, (number, "eth0", path))
    text = wanted.plain(found.files(wanted.SECOND, wanted.STEM))["windflow-shop-lan.nmconnection"]
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
    assert found.refresh([wanted.SECOND], wanted.STEM)[1] == "nmcli --wait 30 connection up uuid %s || true" % number
    # The same again once ours is the active one, and with another address.
    own = folder / "windflow-shop-lan.nmconnection"
    own.write_text(backend.HEADER + text, encoding="utf-8")
    found = manager(wanted, answers, (made["connection"]["uuid"], "eth0", own), (number, "", path))
    assert wanted.plain(found.files(wanted.SECOND, wanted.STEM))["windflow-shop-lan.nmconnection"] == text
    moved = parse({"name": "lan", "interface": "eth0", "address": "10.1.0.6/16"})
    (text,) = wanted.plain(found.files(moved, wanted.STEM)).values()
    assert network_manager.sections(text)["ipv4"]["address2"] == "10.1.0.6/16" and "10.1.0.5" not in text


def test_network_manager_has_a_profile_for_each_member(folder, wanted, answers):
    found = manager(wanted, answers)
    files = wanted.plain(found.files(wanted.BOND, wanted.STEM))
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
    assert all(mode == 0o600 for _text, mode in found.files(wanted.BOND, wanted.STEM).values())
    lines = found.up(wanted.BOND, wanted.STEM)
    assert lines[0].startswith("nmcli connection load ") and lines[1].startswith("nmcli --wait 0 connection up uuid ")
    assert lines[2].endswith(member["uuid"])
    (text,) = wanted.plain(found.files(wanted.VLAN, wanted.STEM)).values()
    assert network_manager.sections(text)["vlan"] == {"flags": "1", "id": "7", "parent": "eth0"}


def test_network_manager_refuses_a_profile_that_is_no_keyfile(folder, wanted, answers):
    path = folder / "ifcfg-eth0"
    path.write_text("DEVICE=eth0\n", encoding="utf-8")
    found = manager(wanted, answers, ("1", "eth0", path))
    assert found.refuses(wanted.SECOND) == "%s is no keyfile; nmcli connection migrate makes one" % path


def test_network_manager_does_not_manage_what_it_only_watches(wanted, answers):
    said = "eth0:connected (externally)\neth1:connected\neth2:unmanaged\neth0.7:disconnected\n"
    answers(network_manager, {"nmcli -g DEVICE,STATE device": said})
    found = network_manager.NetworkManager(wanted.INTERFACES)
    assert [found.manages(name) for name in ("eth0", "eth1", "eth2", "eth0.7", "eth9")] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_copy_of_a_profile_comes_up_at_a_start_of_the_host(folder, wanted, answers):
    path = folder / "office.nmconnection"
    path.write_text(BASE.replace("type=", "autoconnect=false\ntype="), encoding="utf-8")
    found = manager(wanted, answers, ("1", "eth0", path)).files(wanted.SECOND, wanted.STEM)
    (text,) = wanted.plain(found).values()
    assert "autoconnect=" not in text and "192.0.2.7/24" in text


def test_a_profile_that_network_manager_made_for_itself_is_none_of_the_host(folder, wanted, answers):
    path = folder / "eth0.nmconnection"
    path.write_text(BASE + "\n[.nmmeta]\nnm-generated=true\nexternal=true\n", encoding="utf-8")
    found = manager(wanted, answers, ("1", "eth0", path))
    assert found.base(wanted.SECOND) == ""
    found.interfaces = {**wanted.INTERFACES, "eth0": {**wanted.STATE, "addresses": ["192.0.2.7/24"]}}
    assert "which something other than NetworkManager configures" in found.refuses(wanted.SECOND)


def test_network_manager_asks_for_nothing_at_a_link_without_an_address(folder, wanted):
    found = wanted.plain(network_manager.NetworkManager(wanted.INTERFACES).files(wanted.TRUNK, wanted.STEM))
    text = found["windflow-shop-t.nmconnection"]
    assert "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=disabled\n" in text and "[user]" not in text


def test_network_manager_forgets_a_profile_before_its_interface_goes(folder, monkeypatch, wanted):
    bridge = {"network": wanted.BRIDGE.as_dict(), "backend": "network_manager", "files": []}
    before = {"networks": {"b": bridge}, "before": {"br0": None, "eth1": None}}
    there = {name: {**state, "mode": ""} for name, state in wanted.INTERFACES.items()}
    program = network_manager.NetworkManager(there)
    host = SimpleNamespace(
        interfaces=there,
        routes=[],
        backends={"network_manager": program},
        backend=lambda _network, _known: program,
    )
    monkeypatch.setattr(looking, "Host", lambda _wanted: host)
    monkeypatch.setattr(kept, "read", lambda _owner: before)
    removal = change.Change({"plugin": "shop", "networks": []}).lines()
    assert [line.split(" 2>")[0] for line in removal[:2]] == ["nmcli connection reload", "ip link delete dev br0"]
    before.update(networks={}, before={})
    restore = change.Change({"plugin": "shop", "networks": [wanted.BRIDGE.as_dict()]}).restore_script()
    assert 0 < restore.index("nmcli connection reload") < restore.index("ip link delete dev br0")


def test_a_link_of_ours_has_in_its_profile_what_it_is_a_member_of(folder, wanted, answers):
    answers(network_manager, {})
    links = {**wanted.INTERFACES, "eth0.8": {**wanted.STATE, "kind": "vlan"}}
    found = network_manager.NetworkManager(links, wanted.STACK)
    assert list(wanted.plain(found.files(wanted.ABOVE, wanted.STEM))) == ["windflow-shop-a.nmconnection"]
    made = network_manager.sections(
        wanted.plain(found.files(wanted.BELOW, wanted.STEM))["windflow-shop-w.nmconnection"]
    )
    assert (made["connection"]["master"], made["connection"]["slave-type"]) == ("br1", "bridge")
    assert made["vlan"]["parent"] == "eth0" and not {"ipv4", "ipv6"} & set(made)
    assert found.refuses(wanted.ABOVE) == "" and "cannot become a member" in network_manager.NetworkManager(
        links
    ).refuses(wanted.ABOVE)
    # The bridge brings them up, each once, and again where its own start has taken one down.
    assert len(found.up(wanted.BELOW, wanted.STEM)) == len(found.up(wanted.TRUNK, wanted.STEM)) == 1
    lines = found.up(wanted.ABOVE, wanted.STEM)[1:]
    assert [line.split()[2] for line in lines] == ["0", "30", "0", "30"]
    assert made["connection"]["uuid"] in lines[1] and " || { sleep 1; nmcli --wait 30 connection up uuid " in lines[3]
