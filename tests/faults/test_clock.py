# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock is set back a day between two deploys, on the host and on the controller, by libfaketime.

On the host everything that a run starts, through sudo, sees the clock that was set back; the times of files, and
daemons that run already, keep the true one. The clock that only counts goes back with it: libfaketime can do
otherwise, but then gives a wrong deadline to the kernel for each sleep of Python 3.11.
"""

from __future__ import annotations

import contextlib
import subprocess

import pytest

from .conftest import NAME

BACK = {"FAKETIME": "-1d", "NO_FAKE_STAT": "1"}
RELEASES = "/opt/template/releases"


@contextlib.contextmanager
def set_back(host, scratch):
    """A day back. What is yielded is the environment in which a controller's clock is set back, too."""
    install = "DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends faketime"
    host.ssh(f"apt-get -q update && {install}")
    library = host.ssh("ls /usr/lib/*/faketime/libfaketime.so.1").strip()
    lines = "".join(f"{name}={value}\\n" for name, value in {"LD_PRELOAD": library, **BACK}.items())
    host.ssh(
        f"printf '{lines}' > /etc/faketime.env; echo 'Defaults env_file=/etc/faketime.env' > /etc/sudoers.d/clock"
        "; chmod 0440 /etc/sudoers.d/clock"
    )
    copy = scratch / "libfaketime.so.1"
    subprocess.run(["docker", "cp", "-L", f"windflow-{NAME}:{library}", copy], check=True)
    try:
        days = host.ssh("date +%s; sudo date +%s").split()
        assert 86_000 < int(days[0]) - int(days[1]) < 87_000, days
        yield {"LD_PRELOAD": str(copy), **BACK}
    finally:
        host.ssh("rm /etc/sudoers.d/clock /etc/faketime.env")


def releases(host):
    return set(host.ssh(f"ls {RELEASES}").split())


@pytest.mark.fault(39)
def test_a_clock_that_is_set_back_a_day_changes_neither_order_nor_what_is_pruned(host, tmp_path):
    def deploy(version, code=0, **environment):
        variables = {"plugin": str(host.plugin(version)), "target": "host", "keep_releases": 2}
        return host.run("deploy.yml", variables, code, **environment)

    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
    deploy("1.9.0")
    before = host.record()
    with set_back(host, tmp_path) as controller:
        deploy("1.9.1")
        record = host.record()
        last, earlier = record["revisions"][-1], record["revisions"][-2]
        assert (last["version"], earlier["version"]) == ("1.9.1", "1.9.0") and host.version() == "1.9.1"
        assert record["sequence"] == before["sequence"] + 1 and record["current"] == last["revision"]
        assert last["started"] < last["finished"] < earlier["started"]
        assert releases(host) == {last["release"], earlier["release"]}

        # The controller's clock too: the release's name sorts before those of all the others.
        deploy("1.9.2", **controller)
        newest = host.record()["revisions"][-1]
        assert newest["version"] == "1.9.2" == host.version() and newest["release"] < earlier["release"]
        assert releases(host) == {newest["release"], last["release"]}
        assert "nothing to do" in deploy("1.9.2")

        host.run("playbooks/rollback.yml", {"plugin": "template", "keep_releases": 2}, **controller)
        assert host.version() == "1.9.1" and host.record()["revisions"][-1]["release"] == last["release"]
        assert last["release"] in releases(host)

    # Put right again, the clock shows the same order.
    deploy("1.9.3")
    assert host.version() == "1.9.3"
    host.run("playbooks/rollback.yml", {"plugin": "template"})
    assert host.version() == "1.9.1"
    numbers = [entry["revision"] for entry in host.record()["revisions"]]
    assert numbers == sorted(numbers)
    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)


@pytest.mark.fault(39)
def test_the_lease_of_a_dead_run_from_before_the_clock_was_set_back_can_be_unlocked(host, tmp_path):
    killer = {"ANSIBLE_CALLBACKS_ENABLED": "killer", "ANSIBLE_CALLBACK_PLUGINS": "tests/tools/callback"}
    newer = {"plugin": str(host.plugin("1.9.4")), "target": "host"}
    host.start("deploy.yml", newer, WINDFLOW_KILL_AT="6", **killer).communicate(timeout=300)
    assert host.record()["lease"]
    with set_back(host, tmp_path):
        assert "E5001" in host.run("deploy.yml", newer, 2)
        host.run("playbooks/unlock.yml", {"plugin": "template"})
        host.run("deploy.yml", newer)
        assert host.version() == "1.9.4"
    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
