# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.system import processes


def test_this_process_and_its_parent_are_among_those_that_live():
    found = {number: (state, parent, group) for number, state, parent, group in processes.alive()}
    assert found[os.getpid()][1:] == (os.getppid(), os.getpgrp()) and os.getppid() in found


def test_a_name_with_blanks_and_brackets_confuses_nobody(tmp_path):
    odd = tmp_path / "a) Z 1 (b"
    os.symlink("/bin/sleep", odd)
    with subprocess.Popen([str(odd), "30"]) as process:
        try:
            deadline = time.monotonic() + 5
            while b"(b" not in open("/proc/%d/comm" % process.pid, "rb").read() and time.monotonic() < deadline:
                time.sleep(0.01)
            (found,) = [item for item in processes.alive() if item[0] == process.pid]
            assert found[1] in "RSD" and found[2] == os.getpid()
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a process of another account")
def test_the_processes_of_an_account_are_those_with_its_rights(tmp_path):
    with subprocess.Popen(["sleep", "30"], user=54321, group=54321) as process:
        try:
            assert processes.of_account(54321) == {process.pid}
            assert processes.end(lambda: processes.of_account(54321) - {process.pid}) == set()
            assert process.poll() is None
            assert processes.end(lambda: processes.of_account(54321)) == set()
            assert process.wait(5) == -signal.SIGTERM
        finally:
            process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a namespace")
def test_a_container_s_account_of_the_same_number_is_another_one():
    inner = ["setpriv", "--reuid=54322", "--clear-groups", "sh", "-c", "echo begun; exec sleep 30"]
    command = ["unshare", "--pid", "--fork", "--kill-child", *inner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            assert processes.of_account(54322) == set()
        finally:
            process.kill()


def test_who_has_a_file_open_is_known_by_the_file(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    link.symlink_to("file")
    with open(file, "rb") as stream, subprocess.Popen(["sleep", "30"], stdin=stream) as process:
        try:
            assert processes.holding(str(file)) == {process.pid}
            assert processes.holding(str(link)) == set() == processes.holding(str(tmp_path / "none"))
        finally:
            process.kill()


def test_a_process_that_cannot_be_ended_is_named(monkeypatch):
    monkeypatch.setattr(processes, "_GRACE", 0.1)
    monkeypatch.setattr(processes.os, "kill", lambda pid, sign: None)
    assert processes.end(lambda: [12]) == {12}


def test_a_program_is_asked_without_input_and_both_streams_are_heard():
    code = "import sys; print(len(sys.stdin.read())); sys.stdout.flush(); sys.stderr.write('no\\n'); sys.exit(3)"
    assert processes.ask([sys.executable, "-c", code], os.environ, 10) == (3, "0\nno\n")


def test_a_program_that_outlives_its_time_ends_with_what_it_has_started(tmp_path):
    note = tmp_path / "child"
    script = "sleep 60 & echo $! > %s; wait" % note
    started = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        processes.ask(["/bin/sh", "-c", script], os.environ, 0.5)
    assert time.monotonic() - started < 5
    child, deadline = int(note.read_text()), time.monotonic() + 5
    while any(item[0] == child and item[1] != "Z" for item in processes.alive()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_that_is_not_there_is_an_error_of_the_system():
    with pytest.raises(FileNotFoundError):
        processes.ask(["/nowhere/program"], os.environ, 5)


def test_a_stream_without_a_pipe_is_refused():
    with pytest.raises(ValueError):
        processes.pipe(None)


def test_a_process_that_takes_connections_is_told_from_one_that_only_has_a_socket(tmp_path):
    with socket.socket(socket.AF_UNIX) as own, socket.socket() as other:
        own.bind(str(tmp_path / "own.sock"))
        assert not processes.listens(os.getpid())
        own.listen()
        assert processes.listens(os.getpid())
        own.close()
        assert not processes.listens(os.getpid())
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert processes.listens(os.getpid())
    assert not processes.listens(0)
