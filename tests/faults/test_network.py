# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between the controller and the host: slow, stalled, and cut in the middle of an upgrade."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import pytest

from .conftest import NAME
from .network import Network

NEWER = ("build/app/templates/base.html", "</h1>", " newer</h1>")


@pytest.fixture
def network(host):
    """A network of its own to the host, and an inventory that goes through it."""
    data = json.loads(host.inventory.read_text(encoding="utf-8"))
    variables = data["all"]["hosts"][NAME]
    with Network(variables["ansible_port"]) as between:
        # The host's key is known under the port that it has without the network.
        variables["ansible_ssh_common_args"] += " -o HostKeyAlias=[127.0.0.1]:%d" % variables["ansible_port"]
        variables["ansible_port"] = between.port
        between.inventory = host.scratch / "network.json"
        between.inventory.write_text(json.dumps(data), encoding="utf-8")
        host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
        yield between
    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
    assert host.version() == "1.0.0"


@contextlib.contextmanager
def served(host):
    """A request every 50 ms at the host's own port, all of which have to be answered by a release."""
    answers, over = [], threading.Event()

    def ask():
        while not over.wait(0.05):
            status, body = host.request("/healthz")
            answers.append(json.loads(body)["version"] if status == 200 else status)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join(30)
    assert len(answers) > 10 and all(isinstance(answer, str) for answer in answers), set(answers)


def deploy(host, network, version, code=0):
    began = time.monotonic()
    variables = {"plugin": str(host.plugin(version, *NEWER)), "target": "host"}
    output = host.run("deploy.yml", variables, code, network.inventory)
    return output, time.monotonic() - began


@pytest.mark.fault(27)
def test_a_deploy_over_a_network_with_latency_succeeds(host, network):
    network.delay = 0.1
    with served(host) as answers:
        _output, seconds = deploy(host, network, "1.8.0")
    assert host.version() == "1.8.0" and network.sent > 10_000
    assert set(answers) <= {"1.0.0", "1.8.0"} and seconds < 60


@pytest.mark.fault(27)
def test_a_deploy_over_a_network_that_stalls_goes_on_afterwards(host, network):
    network.stall_at, network.stall = 30_000, 8.0
    with served(host):
        _output, seconds = deploy(host, network, "1.8.1")
    assert host.version() == "1.8.1" and 8 < seconds < 60


@pytest.mark.fault(27)
def test_a_deploy_over_a_network_that_loses_packets_succeeds(host, network):
    chains = ("INPUT -p tcp --dport 22", "OUTPUT -p tcp --sport 22")
    lost = "-m statistic --mode random --probability 0.05 -j DROP"
    host.privileged("; ".join(f"iptables -A {chain} {lost}" for chain in chains), "net")
    try:
        with served(host):
            _output, seconds = deploy(host, network, "1.8.3")
        counted = host.privileged("iptables -nvxL | grep statistic", "net").splitlines()
    finally:
        host.privileged("; ".join(f"iptables -D {chain} {lost}" for chain in chains), "net")
    assert host.version() == "1.8.3" and seconds < 120
    assert len(counted) == 2 and all(int(line.split()[0]) > 0 for line in counted), counted


# At which task it is cut, after how many bytes or seconds more, which version serves then, and whether a run has the
# lease. After so few bytes what is sent to the host is not whole, so it does not begin; the seconds are for a switch
# that goes on without anybody who waits for it, and either version may serve then.
MOMENTS = {
    "asking the host": ("Steps 1, 2: Check the host", {"sent": 2000}, ("1.0.0",), False),
    "taking the lease": ("Take the lease of the host", {"sent": 2000}, ("1.0.0",), False),
    "shipping the release": ("Steps 6, 8: Ship the application's files and", {"sent": 20_000}, ("1.0.0",), True),
    "switching": ("Steps 9, 10, 13: Start the release's processes", {"seconds": 1.0}, ("1.0.0", "1.8.2"), True),
    "running the hooks behind the switch": ("Step 14: Run the hooks after", {"sent": 2000}, ("1.8.2",), True),
    "recording": ("Record what is deployed", {"sent": 2000}, ("1.8.2",), True),
}


@pytest.mark.fault(27)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_network_that_is_cut_in_an_upgrade_is_reported_and_one_more_run_converges(host, network, moment):
    task, more, versions, is_leased = MOMENTS[moment]
    variables = {"plugin": str(host.plugin("1.8.2", *NEWER)), "target": "host"}
    began, output = time.monotonic(), ""
    with served(host):
        process = host.start("deploy.yml", variables, network.inventory)
        for line in process.stdout:
            output += line
            if line.startswith("TASK [") and task in line and not network.is_cut:
                if "seconds" in more:
                    time.sleep(more["seconds"])
                    network.cut()
                else:
                    network.cut_at = network.sent + more["sent"]
        assert process.wait(60) == 4 and "UNREACHABLE" in output and network.is_cut, output[-3000:]
        assert time.monotonic() - began < 60
        # What was begun on the host goes on there by itself: Python that reads its program from a pipe.
        host.ssh("timeout 60 sh -c 'while pgrep -f \"^/usr/bin/python3[.0-9]*( -)?$\"; do sleep 0.2; done'")
        network.mend()
        lease = host.record()["lease"]
        assert host.version() in versions and bool(lease) == is_leased
        if lease:
            refused, _seconds = deploy(host, network, "1.8.2", 2)
            assert "E5001" in refused and lease["holder"] in refused
            host.run("playbooks/unlock.yml", {"plugin": "template"}, 0, network.inventory)
        deploy(host, network, "1.8.2")
    assert host.version() == "1.8.2" and "nothing to do" in deploy(host, network, "1.8.2")[0]
    programs = host.ssh("supervisorctl status").splitlines()
    assert len(programs) == 1, programs
