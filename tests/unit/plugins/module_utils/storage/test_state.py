# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import compare, fstab, nfs, state

NOBODY = pwd.getpwuid(os.geteuid()).pw_name


def volume(path, **changes):
    known = {"name": "data", "path": str(path), "kind": "directory", "source": "", "type": "", "options": []}
    return {**known, "owner": "", "group": "", "mode": "", "size_gb": 0, "backing": "", **changes}


@pytest.fixture(autouse=True)
def lines(tmp_path, monkeypatch):
    monkeypatch.setattr(fstab, "FSTAB", str(tmp_path / "fstab"))
    return tmp_path / "fstab"


def test_a_directory_is_seen_with_its_owner_and_whether_anything_is_in_it(tmp_path):
    place = tmp_path / "data"
    place.mkdir(mode=0o750)
    place.chmod(0o750)
    found = state.look(volume(place))
    assert (found["owner"], found["mode"], found["empty"], found["fault"]) == (NOBODY, "0750", True, "")
    # What a new file system has of its own.
    (place / "lost+found").mkdir()
    assert state.look(volume(place))["empty"]
    (place / "file").touch()
    assert not state.look(volume(place))["empty"]


def test_what_is_not_there_is_empty_and_nobodys(tmp_path):
    found = state.look(volume(tmp_path / "absent"))
    assert (found["owner"], found["mode"], found["empty"], found["fault"]) == ("", "", True, "")
    assert not found["exists"] and found["mounts"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's links are followed")
def test_a_volume_is_looked_at_where_its_path_leads(tmp_path, lines):
    (tmp_path / "real/data").mkdir(parents=True)
    os.symlink("real", tmp_path / "link")
    lines.write_text("a %s ext4\n" % (tmp_path / "real/data"), encoding="utf-8")
    found = state.look(volume(tmp_path / "link/data"))
    assert found["at"] == str(tmp_path / "real/data") and [line[0] for line in found["fstab"]] == ["a"]


def test_a_file_with_a_file_system_is_known_by_its_size(tmp_path):
    backing = tmp_path / "data.img"
    with open(backing, "wb") as stream:
        stream.truncate(1 << 20)
    wanted = volume(tmp_path / "data", kind="file", backing=str(backing), source=str(backing))
    found = state.look(wanted)
    assert found["exists"] and found["size_gb"] == 1 / 1024
    assert not state.look({**wanted, "backing": str(tmp_path / "absent")})["exists"]


def test_a_logical_volume_is_known_by_what_lvm_lists(tmp_path):
    lvm = {"groups": {"disks": 3.5}, "volumes": {"disks/data": 2.0}, "devices": {}}
    wanted = volume(tmp_path / "data", kind="lvm", vg="disks", lv="other", devices=[])
    found = state.look(wanted, lvm)
    assert (found["exists"], found["size_gb"], found["group_gb"]) == (False, 0, 3.5)


def test_a_server_is_asked_only_about_what_is_not_mounted_as_it_should_be(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(nfs, "ask", lambda *what: asked.append(what) or {"state": "silent", "said": "x"})
    wanted = volume(tmp_path / "data", kind="nfs", source="nas:/x", type="nfs", options=["soft"])
    found = state.look_all([wanted, volume(tmp_path)])
    assert asked == [("nas", "/x", ["soft"])] and found[wanted["path"]]["server"]["state"] == "silent"
    assert "server" not in found[str(tmp_path)]
    assert [item["attribute"] for item in state.drift([wanted])] == ["mount", "line in fstab"] and len(asked) == 1
    assert compare.needs_mount(wanted, found[wanted["path"]])
