# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C of the command, typed at a terminal, while a deploy to a host over SSH is at work."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest

from .conftest import NAME, ROOT
from .test_network import served

PLATFORM = Path(sys.executable).with_name("platform")
CTRL_C = b"\x03"
NEWER = ("build/app/templates/base.html", "</h1>", " newer</h1>")
# A hook on the controller, and one on the host, that are at work when Ctrl-C comes.
BEFORE = ("hooks/pre-deploy.sh", "set -eu", "set -eu\nsleep 60")
BEHIND = ("hooks/post-deploy.sh", "set -eu", "set -eu\nsleep 3")
BEHIND_HERE = (
    *("hooks/post-deploy.sh", "set -eu", "set -eu\nsleep 60"),
    *("plugin.yml", 'hooks/post-deploy.sh\n    "on": target', 'hooks/post-deploy.sh\n    "on": controller'),
)


class Terminal:
    """The command at a terminal of its own. Whatever is typed reaches its whole process group."""

    def __init__(self, *arguments: str) -> None:
        self.output = ""
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            os.execv(PLATFORM, [str(PLATFORM), "plugin", *arguments])

    def read(self) -> bool:
        """Whether there is more to come."""
        with contextlib.suppress(OSError):
            data = os.read(self.terminal, 65536)
            self.output += data.decode("utf-8", "replace").replace("\r\n", "\n")
            return bool(data)
        return False

    def until(self, text: str) -> None:
        while text not in self.output:
            assert self.read(), self.output[-4000:]

    def type(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def end(self) -> int:
        """The exit code."""
        while self.read():
            pass
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def at_first(host):
    """Version 1.0.0 serves, before a test and after it."""
    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
    yield
    host.deploy(host.plugin("1.0.0"), allow_downgrade=True)
    assert host.version() == "1.0.0" and "nothing to do" in host.deploy(host.plugin("1.0.0"))


def deploy(host, *changes):
    return Terminal(
        "deploy", str(host.plugin("1.7.0", *NEWER, *changes)), "--target", "host", "-i", str(host.inventory)
    )


def serving(host):
    """The release that serves, which is what the record names; the record is at rest."""
    record = host.record()
    (current,) = [entry for entry in record["revisions"] if entry["revision"] == record["current"]]
    assert record["lease"] is None and record["revisions"][-1]["state"] in ("failed", "deployed")
    assert host.version() == current["version"]
    assert host.ssh("readlink /opt/template/current").strip() == "releases/%s" % current["release"]
    assert current["release"] in host.ssh("cat /etc/nginx/sites-enabled/windflow-template.conf")
    assert len(host.ssh("supervisorctl status").splitlines()) == 1
    return current


# When Ctrl-C comes, seconds after it, changes of the plugin, the version that serves at the end.
MOMENTS = {
    "in a hook before the deploy": (
        "TASK [windflow.platform.deploy : Step 1: Run the hooks before",
        1.0,
        BEFORE,
        "1.0.0",
    ),
    "in a step before the switch": ("TASK [windflow.platform.host : Steps 6, 8", 0.2, (), "1.0.0"),
    "within the switch": ("TASK [windflow.platform.host : Steps 9, 10, 13", 0.7, (), "1.0.0"),
    "in a hook behind the switch": (
        "TASK [windflow.platform.deploy : Step 14: Run the hooks after",
        1.0,
        BEHIND_HERE,
        "1.0.0",
    ),
    # What is at work on the host ends by itself, and it is the last that was to be done.
    "in the last hook on the host": (
        "TASK [windflow.platform.deploy : Step 14: Run the hooks after",
        1.0,
        BEHIND,
        "1.7.0",
    ),
    "while the record is closed": ("TASK [windflow.platform.deploy : Record what is deployed", 0.0, (), "1.7.0"),
}


@pytest.mark.fault(79)
@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_a_run_between_two_steps_and_says_what_serves(host, at_first, moment):
    text, seconds, changes, version = MOMENTS[moment]
    with served(host):
        terminal = deploy(host, *changes)
        terminal.until(text)
        time.sleep(seconds)
        terminal.type(CTRL_C)
        began = time.monotonic()
        assert terminal.end() == 130, terminal.output[-4000:]
    # A hook of a minute on the controller is not waited for; how long a switch takes is not said here.
    assert "sleep 60" not in str(changes) or time.monotonic() - began < 45
    current = serving(host)
    assert current["version"] == version, terminal.output[-4000:]
    said = terminal.output.rpartition("PLAY RECAP")[2]
    assert f"platform: {NAME}: " in said and f"release {current['release']} serves" in said, said
    next_command = "deploy" if version == "1.0.0" else "rollback"
    assert "platform plugin status" in said and f"platform plugin {next_command}" in said
    assert "User interrupted" not in terminal.output


@pytest.mark.fault(79)
def test_ctrl_c_before_a_run_has_begun_ends_it_at_once_and_changes_nothing(host, at_first):
    before = host.record()
    terminal = deploy(host)
    terminal.until("TASK [windflow.platform.deploy : Steps 1, 2: Check the host")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert "nothing was changed on any host" in terminal.output and host.record() == before


@pytest.mark.fault(79)
def test_a_second_ctrl_c_ends_at_once_says_what_is_not_known_and_how_to_unlock(host, at_first):
    terminal = deploy(host, *BEHIND)
    terminal.until("TASK [windflow.platform.deploy : Step 14: Run the hooks after")
    time.sleep(0.5)
    terminal.type(CTRL_C)
    terminal.until("Once more ends it at once")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert f"{NAME}: unknown which release serves" in terminal.output
    assert "platform plugin unlock" in terminal.output
    with contextlib.suppress(ProcessLookupError):
        os.kill(terminal.pid, signal.SIGKILL)
        pytest.fail("a process is left")
    assert host.record()["lease"] and host.version() == "1.7.0"
    host.run("playbooks/unlock.yml", {"plugin": "template"})
    # The record names what served before; what serves in truth is found out before it is trusted.
    told = host.run("playbooks/status.yml", {"plugin": "template"}, 2)
    release = host.ssh("readlink /opt/template/current").strip().removeprefix("releases/")
    assert f"release {release} serves" in told and "a run was ended in the middle" in told and "E4049" in told
    assert "E2046" in host.run("playbooks/plan.yml", {"plugin": str(host.plugin("1.7.0", *NEWER)), "target": "host"})
    host.run("playbooks/rollback.yml", {"plugin": "template"})
    assert serving(host)["version"] == "1.0.0"
