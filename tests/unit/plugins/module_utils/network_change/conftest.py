# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real interfaces in a network namespace of their own, with ifupdown's files in a temporary directory."""

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
from ansible_collections.windflow.platform.plugins.module_utils.network import ifupdown, interfaces, kept, looking
from ansible_collections.windflow.platform.plugins.module_utils.network_change import confirming, host_network

place = Path(sys.argv[1])
kept.FOLDER, looking.BACKENDS = str(place / "kept"), (ifupdown.Ifupdown,)
ifupdown.PROGRAM, ifupdown.MAIN, ifupdown.FOLDER = "/bin/sh", str(place / "interfaces"), str(place / "interfaces.d")
confirming.SETTLE_SECONDS, confirming.STEADY_SECONDS, confirming.CONFIRMED = 1.0, 0.1, str(place / "confirmed")
if len(sys.argv) > 3:
    interfaces.connection_address = lambda: sys.argv[3]
try:
    print(json.dumps(host_network.run(json.loads(sys.argv[2]))))
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

    def wait(self, name: str, seconds: int = 15) -> None:
        """Until the change has that file: ``applied`` or ``restored``."""
        pattern = "%s/kept/change-*/%s" % (self.place, name)
        self.sh("for i in $(seq %d); do ls %s && exit; sleep 0.1; done; false" % (seconds * 10, pattern))

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
