# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time at a path, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files.turns import lock_of, turn, worked_at
from ansible_collections.windflow.platform.plugins.module_utils.system import processes

LONG = 30


def begin(path, work):
    """Has ``work`` done by a process that nobody waits for."""
    with turn(path, LONG) as mine:
        mine.detach(work)


def until(path):
    deadline = time.monotonic() + LONG
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "work")


def test_who_comes_next_waits_for_work_that_goes_on_by_itself(path, tmp_path):
    def work():
        (tmp_path / "begun").touch()
        until(tmp_path / "go")
        (tmp_path / "done").touch()

    begin(path, work)
    until(tmp_path / "begun")
    with pytest.raises(TimeoutError), turn(path, 0.2):
        pass
    (tmp_path / "go").touch()
    with turn(path, LONG) as mine:
        assert (tmp_path / "done").exists()
        assert mine.failure is None
    assert sorted(os.listdir(tmp_path)) == ["begun", "done", "go"]


def test_a_failure_that_nobody_saw_is_told_once(path, tmp_path):
    error = WindflowError(Problem.plain("E4063", "pip said no", "ä\nlast line", "look"), "Nothing else.")

    def work():
        raise error

    begin(path, work)
    with turn(path, LONG) as mine:
        assert str(mine.failure) == str(error)
        assert mine.failure.code == "E4063"
    with turn(path, LONG) as mine:
        assert mine.failure is None
    assert os.listdir(tmp_path) == []


def test_a_process_that_was_killed_keeps_nobody_waiting(path, tmp_path):
    def work():
        (tmp_path / "pid.new").write_text(str(os.getpid()))
        (tmp_path / "pid.new").rename(tmp_path / "pid")
        time.sleep(LONG * 2)

    begin(path, work)
    until(tmp_path / "pid")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    with turn(path, LONG) as mine:
        assert mine.failure is None


def test_work_that_is_ended_takes_back_what_it_has_begun(path, tmp_path):
    def work():
        child = subprocess.Popen(["sleep", str(LONG * 2)], start_new_session=True)
        (tmp_path / "child.new").write_text(str(child.pid))
        (tmp_path / "child.new").rename(tmp_path / "child")
        try:
            child.wait()
        finally:
            child.kill()
            child.wait()
            (tmp_path / "ended").touch()

    begin(path, work)
    until(tmp_path / "child")
    assert worked_at(str(tmp_path)) == [path]
    (worker,) = processes.holding(lock_of(path))
    os.kill(worker, signal.SIGTERM)
    with turn(path, LONG) as mine:
        assert mine.failure is None
    assert not Path("/proc", (tmp_path / "child").read_text()).exists()
    assert sorted(os.listdir(tmp_path)) == ["child", "ended"]


@pytest.mark.parametrize("left", ['[[{"code": "E4063", "expec', "\0\0", '{"code": 1}'])
def test_a_failure_that_was_not_written_to_its_end_is_none(path, tmp_path, left):
    (tmp_path / ".work.turn").write_text(left)
    with turn(path, LONG) as mine:
        assert mine.failure is None


def test_who_reads_our_output_does_not_wait_for_the_work(path, tmp_path):
    program = (
        "import sys, time; sys.path[:0] = %r\n"
        "from ansible_collections.windflow.platform.plugins.module_utils.files.turns import turn\n"
        "with turn(%r, 1) as mine: mine.detach(lambda: time.sleep(%d))\n"
        "print('begun')" % (sys.path, path, LONG * 2)
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LONG, check=True)
    assert done.stdout == "begun\n"
    (lock,) = tmp_path.iterdir()
    with pytest.raises(TimeoutError), turn(path, 0):
        pass
    held = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and holds(entry, lock)]
    assert len(held) == 1
    os.kill(held[0], signal.SIGKILL)


def holds(process, file):
    try:
        return any(os.path.realpath(handle) == str(file) for handle in (process / "fd").iterdir())
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another account")
def test_a_lock_of_another_account_is_refused(path, tmp_path):
    place = tmp_path / ".work.turn"
    place.touch()
    os.chown(place, 65534, 65534)
    with pytest.raises(PermissionError), turn(path, LONG):
        pass


def test_a_link_in_place_of_the_lock_is_not_followed(path, tmp_path):
    (tmp_path / ".work.turn").symlink_to("other")
    with pytest.raises(OSError, match="symbolic links"), turn(path, LONG):
        pass
    assert not (tmp_path / "other").exists()
