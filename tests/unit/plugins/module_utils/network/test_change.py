# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of real interfaces in a network namespace of their own, with ifupdown's files in a temporary directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).parents[5] / "collections"
PROGRAM = """
import json, sys
from pathlib import Path
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.network import (
    change, ifupdown, interfaces, kept, looking
)

place = Path(sys.argv[1])
kept.FOLDER, looking.BACKENDS = str(place / "kept"), (ifupdown.Ifupdown,)
ifupdown.PROGRAM, ifupdown.MAIN, ifupdown.FOLDER = "/bin/sh", str(place / "interfaces"), str(place / "interfaces.d")
change.SETTLE_SECONDS, change.STEADY_SECONDS, change.CONFIRMED = 1.0, 0.1, str(place / "confirmed")
if len(sys.argv) > 3:
    interfaces.connection_address = lambda: sys.argv[3]
try:
    print(json.dumps(change.run(json.loads(sys.argv[2]))))
except WindflowError as error:
    print(json.dumps({"failed": True, "code": error.code, "msg": str(error)}))
"""
LINKS = """
ip link set lo up
ip link add eth0 type veth peer name peer0
ip link add eth1 type veth peer name peer1
ip link set eth0 up
ip link set peer0 netns %d
ip address add 10.0.0.2/24 dev eth0
ip route add default via 10.0.0.1
"""
LAN = {"name": "lan", "interface": "eth0", "cidr": "10.0.0.0/24"}
SECOND = {"name": "second", "interface": "eth0", "cidr": "10.5.0.0/24", "address": "10.5.0.9/24", "mtu": 1400}
LINK = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"]}
BRIDGE = {"name": "br", "type": "bridge", "interface": "br0", "members": ["eth1"], "address": "10.6.0.1/24"}

pytestmark = [pytest.mark.system, pytest.mark.fault(43)]


class Machine:
    """A network namespace, and a directory in the place of the host's files."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "interfaces.d").mkdir()
        (place / "interfaces").write_text("source /etc/network/interfaces.d/*\n", encoding="utf-8")
        # It lives as long as this process does.
        self.holder, self.outside = (subprocess.Popen(["unshare", "--net", "sleep", "600"]) for _once in range(2))

    def inside(self, *argv: str, holder: subprocess.Popen | None = None) -> str:
        """Runs a program in the namespace of the host, or in the one of the router."""
        number = (holder or self.holder).pid
        # unshare needs a moment: before it, the namespace would be that of the machine.
        mine = Path("/proc/self/ns/net").readlink()
        while Path("/proc/%d/ns/net" % number).readlink() == mine:
            pass
        command = ["nsenter", "--net", "--target", str(number), *argv]
        environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def router(self, lines: str) -> str:
        return self.inside("sh", "-ec", lines, holder=self.outside)

    def sh(self, lines: str) -> str:
        return self.inside("sh", "-ec", lines)

    def call(self, networks: list, state: str = "apply", change: str = "", connection: str = "", **more) -> dict:
        options = {"plugin": "shop", "networks": networks, "consent": False, "seconds": 60, "check": False}
        options.update({"command": "", "settled": "", **more})
        arguments = [str(self.place), json.dumps({**options, "state": state, "change": change})]
        answer = self.inside(sys.executable, "-c", PROGRAM, *arguments, *([connection] if connection else []))
        return json.loads(answer)

    def change(self, networks: list, **more) -> dict:
        """Begins a change and confirms it."""
        begun = self.call(networks, **more)
        return self.confirm(networks, begun["change"], **more) if begun.get("change") else begun

    def confirm(self, networks: list, change: str, **more) -> dict:
        """Waits until all is as wanted, and confirms it then."""
        answer = self.call(networks, "confirm", change, **more)
        return (
            self.call(networks, "confirm", change, settled=answer["settled"], **more) if "settled" in answer else answer
        )

    def look(self) -> tuple:
        """Everything that a change may touch: interfaces without their counters, routes, files."""
        found = json.loads(self.inside("ip", "-j", "address"))
        links = {
            item["ifname"]: (item["mtu"], "UP" in item["flags"], item.get("master"), sorted(addresses(item)))
            for item in found
        }
        routes = sorted(line.replace(" linkdown", "").strip() for line in self.inside("ip", "route").splitlines())
        return links, routes, self.files()

    def files(self) -> dict:
        return {path.name: path.read_text(encoding="utf-8") for path in (self.place / "interfaces.d").iterdir()}

    def kept(self) -> list:
        return sorted(path.name for path in (self.place / "kept").iterdir())


def addresses(item: dict) -> list:
    return ["%s/%d" % (one["local"], one["prefixlen"]) for one in item["addr_info"] if one["scope"] != "link"]


@pytest.fixture
def machine(tmp_path):
    found = Machine(tmp_path)
    found.router("ip link set lo up")
    found.sh(LINKS % found.outside.pid)
    found.router("ip link set peer0 up; ip address add 10.0.0.1/24 dev peer0")
    yield found
    for process in (found.holder, found.outside):
        process.kill()
        process.wait()


def wait(machine: Machine, seconds: float = 15) -> None:
    """Until a restore has ended by itself."""
    machine.sh(
        "for i in $(seq %d); do ls %s/kept/change-*/restored && exit; sleep 0.5; done; false"
        % (seconds * 2, machine.place)
    )


def test_a_confirmed_change_stays_and_is_none_the_second_time(machine):
    wanted = [LAN, SECOND, BRIDGE]
    before = machine.look()
    foreseen = machine.call(wanted, check=True)
    assert foreseen["changed"] and "br0 is not there" in foreseen["why"] and machine.look() == before
    assert machine.change(wanted) == {"changed": True}
    links = machine.look()[0]
    assert links["eth0"] == (1400, True, None, ["10.0.0.2/24", "10.5.0.9/24"])
    assert links["eth1"][2] == "br0" and links["br0"][3] == ["10.6.0.1/24"]
    assert sorted(machine.files()) == ["windflow-shop-br", "windflow-shop-second"]
    assert machine.kept() == ["shop.json"]
    assert machine.call(wanted)["changed"] is False


def test_a_link_loses_its_address_and_gets_it_back(machine):
    machine.change([LINK])
    links, _routes, _files = machine.look()
    assert links["br0"][1:] == (True, None, []) and links["eth1"][2] == "br0"
    assert machine.call([LINK])["changed"] is False
    assert machine.change([BRIDGE])["changed"] and machine.look()[0]["br0"][3] == ["10.6.0.1/24"]
    assert machine.change([LINK])["changed"] and machine.look()[0] == links


def test_an_earlier_list_brings_back_what_it_had_and_nothing_else(machine):
    machine.change([SECOND])
    before = machine.look()
    machine.change([{**SECOND, "address": "10.5.0.7/24"}, BRIDGE])
    assert machine.look() != before
    assert machine.change([SECOND]) == {"changed": True} and machine.look() == before


def test_removal_puts_back_what_was_there(machine):
    before = machine.look()
    machine.change([SECOND, BRIDGE])
    assert machine.look() != before
    assert machine.change([]) == {"changed": True}
    assert machine.look() == before and machine.kept() == []


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ("ip link add br0 type bridge", "br0 is still there"),
        ("ip address add 10.5.0.9/24 dev eth0", "eth0 still has the address 10.5.0.9/24"),
    ],
)
def test_what_comes_back_after_its_removal_is_told_and_the_removal_undone(machine, again, said):
    machine.change([SECOND, BRIDGE])
    before = machine.look()
    begun = machine.call([])
    machine.sh("for i in $(seq 100); do ls %s/kept/change-*/applied && exit; sleep 0.1; done; false" % machine.place)
    machine.sh(again)
    ended = machine.call([], "confirm", begun["change"])
    assert ended["code"] == "E4100" and said in ended["msg"]
    assert machine.look() == before and machine.call([SECOND, BRIDGE])["changed"] is False


def test_a_change_is_confirmed_only_with_the_word_that_came_when_all_was_as_wanted(machine):
    wanted = [LAN, SECOND]
    before = machine.look()
    begun = machine.call(wanted, seconds=250)
    for guessed in ("", "guessed"):
        assert machine.call(wanted, "confirm", begun["change"], settled=guessed)["settled"]
    # Nobody has confirmed it.
    assert machine.call(wanted, "restore", begun["change"]) == {"changed": True}
    assert machine.look() == before


def test_a_change_whose_confirmation_was_not_heard_is_confirmed_again(machine):
    begun = machine.call([SECOND])
    assert machine.confirm([SECOND], begun["change"]) == {"changed": True}
    after = machine.look()
    assert machine.call([SECOND], "confirm", begun["change"]) == {"changed": True}
    assert machine.look() == after


def test_a_change_that_nobody_confirms_undoes_itself(machine):
    machine.change([SECOND, BRIDGE])
    before = machine.look()
    begun = machine.call([{**SECOND, "address": "10.5.0.7/24", "mtu": 1300}], seconds=4)
    machine.sh("for i in $(seq 40); do ip address show eth0 | grep -q 10.5.0.7 && exit; sleep 0.1; done; false")
    wait(machine)
    assert machine.look() == before
    late = machine.call([], "confirm", begun["change"])
    assert late["code"] == "E4101" and late["msg"].endswith("The networks are again as they were before.")
    assert machine.kept() == ["shop.json"]
    assert machine.call([SECOND, BRIDGE])["changed"] is False


def test_a_restart_before_the_confirmation_brings_back_the_files(machine):
    machine.change([SECOND])
    files = machine.files()
    machine.call([{**SECOND, "address": "10.5.0.7/24"}, BRIDGE], seconds=280)
    machine.sh("for i in $(seq 40); do ls %s/kept/change-*/applied && exit; sleep 0.1; done; false" % machine.place)
    assert machine.files() != files
    machine.sh("sh %s/kept/change-*/restore boot" % machine.place)
    # What configures the interfaces at a start comes after it, and finds them as the kernel has made them.
    assert machine.files() == files and machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.5.0.7/24"]
    machine.sh("ip address delete 10.5.0.7/24 dev eth0; ip link delete br0; ip address add 10.5.0.9/24 dev eth0")
    assert machine.call([SECOND])["changed"] is False and machine.kept() == ["shop.json"]


def test_a_gateway_that_does_not_answer_is_undone_at_once(machine):
    machine.sh("ip route delete default")
    before = machine.look()
    failed = machine.change([{**SECOND, "gateway": "10.5.0.1"}])
    assert failed["code"] == "E4100" and "the gateway 10.5.0.1 does not answer on eth0" in failed["msg"]
    assert machine.look() == before and machine.kept() == []


def test_a_gateway_that_answers_becomes_the_default_route(machine):
    machine.sh("ip route delete default")
    machine.router("ip address add 10.5.0.1/24 dev peer0")
    machine.change([{**SECOND, "gateway": "10.5.0.1"}])
    assert "default via 10.5.0.1 dev eth0" in machine.look()[1]
    machine.change([SECOND])
    assert not [route for route in machine.look()[1] if route.startswith("default")]


def test_a_command_that_fails_is_undone_at_once_with_what_it_said(machine):
    machine.sh("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6")
    before = machine.look()
    failed = machine.change([BRIDGE, {**SECOND, "cidr": "2001:db8::/64", "address": "2001:db8::9/64"}])
    assert failed["code"] == "E4100" and "a command failed" in failed["msg"]
    assert machine.look() == before and machine.kept() == []


def test_a_command_of_the_operator_s_confirms_a_change_or_has_it_undone(machine):
    before = machine.look()
    answer = machine.change([SECOND], command="ip address show eth0 | grep 10.5.0.9; echo not there; exit 3")
    assert answer["code"] == "E4100" and "ended with 3:" in answer["msg"] and "not there" in answer["msg"]
    assert machine.look() == before and machine.kept() == []
    assert machine.change([SECOND], command="ip address show eth0 | grep -q 10.5.0.9") == {"changed": True}


def test_what_an_earlier_run_has_left_is_undone_first(machine):
    machine.change([SECOND])
    machine.call([{**SECOND, "address": "10.5.0.7/24"}], seconds=300)
    machine.sh("for i in $(seq 40); do ls %s/kept/change-*/applied && exit; sleep 0.1; done; false" % machine.place)
    answer = machine.call([SECOND])
    assert answer["changed"] is False and "left unconfirmed was undone" in answer["warnings"][0]
    assert machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.5.0.9/24"] and machine.kept() == ["shop.json"]
    assert "sleep 300" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def test_a_run_that_gives_up_undoes_its_change(machine):
    before = machine.look()
    begun = machine.call([BRIDGE])
    assert machine.call([], "restore", begun["change"]) == {"changed": True}
    assert machine.look() == before and machine.kept() == []


def test_a_directory_that_goes_with_its_last_file_comes_back_with_it(machine):
    machine.change([SECOND])
    files = machine.files()
    begun = machine.call([])
    machine.sh("rm -r %s/interfaces.d" % machine.place)
    machine.call([], "restore", begun["change"])
    assert machine.files() == files


def test_an_address_that_moves_takes_no_other_away(machine):
    own = {**SECOND, "address": "10.0.0.9/24", "cidr": "10.0.0.0/24"}
    machine.sh("ip address delete 10.0.0.2/24 dev eth0")
    machine.change([own])
    # The kernel deletes what came after the first address of a network together with it.
    machine.sh("ip address add 10.0.0.2/24 dev eth0")
    machine.change([{**own, "address": "10.0.0.8/24"}])
    assert machine.look()[0]["eth0"][3] == ["10.0.0.2/24", "10.0.0.8/24"]


def test_the_address_that_the_connection_uses_moves_only_with_consent(machine):
    machine.change([SECOND])
    moved = [{**SECOND, "address": "10.5.0.7/24"}]
    assert machine.call(moved, connection="10.5.0.9")["code"] == "E2073"
    begun = machine.call(moved, connection="10.5.0.9", consent=True)
    assert begun["moves"] == ["10.5.0.9", "10.5.0.7"]
    assert machine.confirm(moved, begun["change"]) == {"changed": True}
    assert machine.call([BRIDGE], connection="10.5.0.7")["code"] == "E2073"


def test_members_with_an_address_of_their_own_are_refused(machine):
    machine.sh("ip address add 10.7.0.1/24 dev eth1")
    refused = machine.call([BRIDGE])
    assert refused["code"] == "E2076" and "eth1 would lose its address" in refused["msg"]


def test_a_default_route_of_the_host_is_never_replaced(machine):
    refused = machine.call([{**SECOND, "gateway": "10.5.0.1"}])
    assert refused["code"] == "E2074" and "via 10.0.0.1 on eth0" in refused["msg"]


def test_an_interface_of_somebody_elses_is_not_taken(machine):
    machine.sh("ip link add br0 type bridge; ip link set br0 up")
    refused = machine.call([BRIDGE])
    assert refused["code"] == "E2077" and "eth1 is no member of br0" in refused["msg"]


def test_entries_that_are_wrong_change_nothing(machine):
    wrong = machine.call([{**SECOND, "address": "10.5.0.9"}])
    assert wrong["code"] == "E1170" and "networks[0].address" in wrong["msg"]
