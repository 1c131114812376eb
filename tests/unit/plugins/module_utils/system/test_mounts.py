# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.system import mounts, places

MOUNTINFO = r"""
22 1 0:21 / / rw,relatime - ext4 /dev/vda1 rw
31 22 0:30 / /proc/sys/fs/binfmt_misc rw,relatime shared:14 - autofs systemd-1 rw,fd=30
40 22 0:40 / /mnt/two\040words rw,nosuid shared:20 - nfs4 store.example.com:/exports/data rw,vers=4.2,soft,timeo=50
41 22 7:0 / /srv/local rw - ext4 /dev/loop0 rw
"""


@pytest.fixture
def hanging(monkeypatch, tmp_path):
    """A directory on what the table of mounts calls NFS, and a question that nobody answers."""
    monkeypatch.setattr(mounts, "_silent", set())
    text = "40 22 0:40 / %s rw - nfs4 store.example.com:/exports/data rw\n" % tmp_path
    monkeypatch.setattr(mounts, "table", lambda: mounts.parse(text))
    return tmp_path


def test_the_table_of_mounts_is_read_with_its_escapes():
    found = mounts.parse(MOUNTINFO)
    assert [mount["path"] for mount in mounts.of_network(found)] == ["/mnt/two words"]
    (mount,) = mounts.at("/mnt/two words", found)
    assert mount["source"] == "store.example.com:/exports/data" and mount["type"] == "nfs4"
    assert {"rw", "nosuid", "soft", "timeo=50"} <= set(mount["options"])
    assert mounts.unescaped(mounts.escaped("/a b\\c")) == "/a b\\c"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/mnt/two words/a", "/mnt/two words"), ("/mnt", "/mnt/two words"), ("/mnt/two", None), ("/srv/local", None)],
)
def test_what_lies_on_or_above_a_server_is_known(path, expected):
    mount = mounts.below(path, mounts.parse(MOUNTINFO))
    assert (mount["path"] if mount else None) == expected


@pytest.mark.fault(42)
def test_a_file_system_that_does_not_answer_keeps_nobody_waiting_twice(hanging):
    started = time.monotonic()
    for _attempt in range(2):
        with pytest.raises(mounts.NotAnswering, match="store.example.com:/exports/data mounted at"):
            mounts.answer(str(hanging / "x"), time.sleep, 60, seconds=0.3)
    assert time.monotonic() - started < 2


@pytest.mark.fault(42)
def test_a_child_that_is_left_behind_keeps_nothing_of_ours_open():
    """Whoever runs a module waits until nobody can write to what it prints any more."""
    code = (
        "import sys, time\n"
        "from ansible_collections.windflow.platform.plugins.module_utils.system import mounts\n"
        "def stay(): mounts.signal.signal(mounts.signal.SIGTERM, mounts.signal.SIG_IGN); time.sleep(30)\n"
        "mounts.os.killpg = lambda *_: None\n"
        "try: mounts.in_child(stay, (), 0.2)\n"
        "except mounts.NotAnswering: print('left behind')\n"
    )
    started = time.monotonic()
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, time.monotonic() - started < 10) == ("left behind\n", True), done.stderr


def test_a_child_s_answer_and_its_errors_arrive(hanging):
    (hanging / "x").write_text("1")
    assert mounts.answer(str(hanging), os.listdir, str(hanging)) == ["x"]
    with pytest.raises(FileNotFoundError):
        mounts.answer(str(hanging / "y"), os.lstat, str(hanging / "y"))

    def refuse():
        raise WindflowError(Problem("E4014", "this", "that"), "Nothing.")

    with pytest.raises(WindflowError) as caught:
        mounts.answer(str(hanging), refuse)
    assert (caught.value.code, caught.value.outcome) == ("E4014", "Nothing.")


@pytest.mark.fault(42)
def test_the_way_to_a_directory_ends_at_a_mount_that_does_not_answer(hanging, monkeypatch):
    monkeypatch.setattr(mounts, "SECONDS", 0.3)

    def late(*_arguments):
        raise mounts.NotAnswering("late")

    monkeypatch.setattr(mounts, "in_child", late)
    _real, _way, planted = places.resolve(str(hanging / "data"))
    assert "store.example.com:/exports/data" in planted and "does not answer" in planted
    seen = places.state_of(str(hanging / "data"))
    assert seen["state"] == "unknown" and "store.example.com" in seen["silent"]


@pytest.mark.fault(42)
def test_nothing_on_a_server_is_purged(hanging, monkeypatch):
    (hanging / "kept").write_text("1")
    path = str(hanging)
    monkeypatch.setattr(places.ownership, "made_resources", lambda _record: {"directories": [path], "account": []})
    monkeypatch.setattr(places.store, "load", lambda *_: {"revisions": [], "managed": {}})
    monkeypatch.setattr(places.store, "latest_present", lambda _record: None)
    monkeypatch.setattr(places, "of_others", lambda *_: [])
    removed, stays = places.remove("app", [path], False)
    assert removed == [] and "nothing on a server is deleted" in stays[0]
    assert (hanging / "kept").exists()
