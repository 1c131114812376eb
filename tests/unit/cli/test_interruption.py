# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals to the command: when they end the run, and what is said then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from windflow_platform import interruption

# A process that waits for its end, and takes the file of an operator's Ctrl-C for it, as a run does that has begun.
SLOW = """\
import os, signal, sys, time
pid, stop, begun = sys.argv[1:]
if begun:
    open(stop + ".begun", "w").write("web1\\n")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
open(pid, "w").write(str(os.getpid()))
while not begun or not os.path.exists(stop):
    time.sleep(0.02)
time.sleep(float(begun))
"""
WAITER = """\
import sys
from pathlib import Path
from windflow_platform.interruption import Waiting
sys.exit(Waiting(Path(sys.argv[1])).wait_for([sys.executable, *sys.argv[2:]], {}))
"""


@pytest.fixture
def start(tmp_path):
    """Starts a waiter for the process, in a group of its own, and waits until both are there."""

    def started(begun=""):
        (tmp_path / "slow.py").write_text(SLOW)
        pid, stop = tmp_path / "pid", tmp_path / "stop"
        argv = [sys.executable, "-c", WAITER, str(stop), str(tmp_path / "slow.py"), str(pid), str(stop), begun]
        process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
        deadline = time.monotonic() + 20
        while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return process, int(pid.read_text())

    return started


def ended(process, pid):
    """What was said until the end; the exit code is 130, and no process is left."""
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    return said


@pytest.mark.system
@pytest.mark.fault(22)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_has_not_begun_ends_at_once_and_leaves_no_process(start, number):
    process, pid = start()
    # A terminal sends Ctrl-C to the whole group, `kill` a TERM to one process.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    assert "no host was changed yet" in ended(process, pid)


@pytest.mark.system
@pytest.mark.fault(79)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_has_begun_is_left_to_come_to_its_end(start, number):
    process, pid = start("0.1")
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    assert "undoes what it changed" in ended(process, pid)


@pytest.mark.system
@pytest.mark.fault(79)
def test_the_second_ctrl_c_ends_it_at_once(start):
    process, pid = start("60")
    os.killpg(process.pid, signal.SIGINT)
    line = process.stderr.readline() + process.stderr.readline()
    assert "Once more ends it at once" in line
    os.killpg(process.pid, signal.SIGINT)
    assert "in the middle" in ended(process, pid)


AGAIN, LOOK = "platform plugin deploy demo", ["demo", "-i", "hosts"]
FAILED = {"state": "failed", "begun": True, "serves": "r1"}


@pytest.mark.fault(79)
@pytest.mark.parametrize(
    ("hosts", "begun", "words"),
    [
        ({"web1": {**FAILED, "restored": True}}, ["web1"], ["web1: release r1 serves, as before the run", AGAIN]),
        ({"web1": {**FAILED, "restored": False}}, ["web1"], ["which is not what served before", AGAIN]),
        ({"web1": {**FAILED, "serves": "", "restored": True}}, ["web1"], ["web1: no release serves, as before"]),
        ({"web1": {"state": "failed"}}, [], ["nothing was changed on any host", AGAIN]),
        ({"web1": {**FAILED, "restored": True}, "web2": {"state": "failed"}}, ["web1"], ["web2: nothing was changed"]),
        ({"web1": {**FAILED, "state": "changed"}}, ["web1"], ["come to its end, release r1", "plugin rollback demo"]),
        (None, ["web1"], ["web1: unknown", "plugin status demo -i hosts", "plugin unlock demo -i hosts", AGAIN]),
        ({"web1": {"state": "unreachable", "begun": True}}, ["web1"], ["web1: unknown", "plugin unlock demo"]),
        ({}, [], ["nothing was changed on any host"]),
    ],
)
def test_what_an_interrupted_run_came_to_is_said_for_each_host_and_what_to_type(hosts, begun, words):
    said = interruption.account(hosts, begun, AGAIN, LOOK)
    assert all(word in said for word in words), said
    assert all(line.startswith("platform: ") for line in said.splitlines())
