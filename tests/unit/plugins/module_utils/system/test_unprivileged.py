# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
import stat
import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.system import processes, unprivileged

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights away")
GAMES = pwd.getpwnam("games")


@pytest.fixture
def place(tmp_path):
    """A directory of the account games, which it can reach."""
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder) != "/" and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    found = tmp_path / "games"
    found.mkdir()
    os.chown(found, GAMES.pw_uid, GAMES.pw_gid)
    return found


def run(place, script, timeout=10.0, entry=GAMES):
    settings = {"TMPDIR": str(place), "PATH": os.environ["PATH"]}
    return unprivileged.run(["/bin/sh", "-c", script], settings, str(place), timeout, entry)


@pytest.mark.parametrize("user", ["root", "no-such-account"])
def test_what_is_built_is_built_without_rights(user):
    with pytest.raises(WindflowError) as caught:
        unprivileged.account(user)
    assert caught.value.code == "E4062"
    assert unprivileged.account("games").pw_uid == GAMES.pw_uid and unprivileged.account("") is None


def test_a_command_has_the_account_its_own_group_alone_and_what_it_is_told(place):
    status, said = run(place, "id -u; id -G; umask; env | sort | grep -v '^_\\|PWD\\|SHLVL\\|OLDPWD'; cat; exit 3")
    assert status == 3
    assert said.splitlines()[:3] == [str(GAMES.pw_uid), str(GAMES.pw_gid), "0022"]
    assert {line.split("=")[0] for line in said.splitlines()[3:]} == {"PATH", "TMPDIR"}


def test_a_command_that_takes_too_long_is_ended_and_its_words_are_kept(place):
    started = time.monotonic()
    assert run(place, "echo begun; sleep 60", 0.5) == (None, "begun\n")
    assert time.monotonic() - started < 10


def test_nothing_that_a_command_has_started_stays_not_even_in_a_session_of_its_own(place):
    script = "setsid sleep 300 & setsid sh -c 'sleep 301; true' & sleep 0.3; echo over"
    assert run(place, script) == (0, "over\n")
    left = [number for number, _state, _parent, _group in processes.alive() if words(number)[-1:] in (["300"], ["301"])]
    assert left == []


def words(number):
    try:
        with open("/proc/%d/cmdline" % number, "rb") as stream:
            return stream.read().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def owned(path, uid=GAMES.pw_uid, gid=GAMES.pw_gid):
    os.chown(path, uid, gid, follow_symlinks=False)
    return path


def test_what_an_account_has_made_becomes_our_own_with_plain_modes_and_its_times(place, tmp_path):
    made = place / "venv"
    (made / "bin").mkdir(parents=True)
    (made / "bin/run").write_bytes(b"#!/bin/sh\n")
    (made / "bin/run").chmod(0o6777)
    (made / "note").write_bytes(b"x")
    (made / "skipped").touch()
    os.utime(made / "note", ns=(1_000_000_000, 1_000_000_001))
    os.symlink("bin/run", made / "link")
    os.symlink(sys.executable, made / "python")
    for path in (made, *made.rglob("*")):
        owned(path)
    unprivileged.take_over(str(made), str(tmp_path / "copy"), ["skipped"])
    copy = tmp_path / "copy"
    assert sorted(path.name for path in copy.rglob("*")) == ["bin", "link", "note", "python", "run"]
    assert {path.lstat().st_uid for path in (copy, *copy.rglob("*"))} == {0}
    assert stat.S_IMODE((copy / "bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "note").stat().st_mode) == 0o644
    assert (copy / "note").stat().st_mtime_ns == 1_000_000_001 and os.readlink(copy / "link") == "bin/run"
    # Nobody puts anything in while it is copied.
    assert (made.stat().st_uid, stat.S_IMODE(made.stat().st_mode)) == (0, 0o700)


@pytest.mark.parametrize("target", ["/tmp/planted", "bin/../../outside", "{place}/elsewhere"])
def test_a_link_to_what_the_account_can_change_is_refused(place, tmp_path, target):
    made = place / "venv"
    (made / "bin").mkdir(parents=True)
    os.symlink(target.format(place=place), made / "link")
    for path in (made, *made.rglob("*")):
        owned(path)
    with pytest.raises(WindflowError) as caught:
        unprivileged.take_over(str(made), str(tmp_path / "copy"))
    assert caught.value.code == "E4062" and "the link link to" in str(caught.value)


def test_a_pipe_in_the_place_of_a_file_is_refused_and_waits_for_nobody(place, tmp_path):
    made = place / "venv"
    made.mkdir()
    os.mkfifo(made / "pipe")
    for path in (made, made / "pipe"):
        owned(path)
    with pytest.raises(WindflowError) as caught:
        unprivileged.take_over(str(made), str(tmp_path / "copy"))
    assert caught.value.code == "E4062" and "/pipe" in str(caught.value)


def test_a_copy_replaces_nothing(place, tmp_path):
    (place / "venv").mkdir()
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileExistsError):
        unprivileged.take_over(str(place / "venv"), str(tmp_path / "copy"))
