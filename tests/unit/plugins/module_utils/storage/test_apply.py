# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume in a file, with the machine's own kernel; the scenario `storage` has NFS and LVM."""

from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.storage import (
    apply,
    compare,
    devices,
    fstab,
    nfs,
    volumes,
)
from ansible_collections.windflow.platform.plugins.module_utils.storage import state as storage

SIZE_GB = 0.03125


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Returns a function that brings one volume of a role to what is wanted; what it mounts goes at the end."""
    monkeypatch.setattr(fstab, "FSTAB", str(tmp_path / "fstab"))
    monkeypatch.setattr(apply, "FSTAB", str(tmp_path / "fstab"))
    monkeypatch.setattr(volumes, "BACKING_DIR", str(tmp_path / "files"))
    monkeypatch.setattr(apply, "reload_systemd", lambda: None)
    monkeypatch.setattr(compare, "TOLERANCE_GB", 0.001)
    (tmp_path / "fstab").write_text("proc /proc proc defaults 0 0\n")
    path = str(tmp_path / "data")

    def volume(size_gb: float = SIZE_GB) -> dict:
        given = {"name": "data", "path": path, "size_gb": size_gb, "options": {"backing": "file", "owner": "nobody"}}
        return volumes.volumes([given], "root", "root", False)[0]

    def bring(size_gb: float = SIZE_GB) -> list:
        wanted = volume(size_gb)
        changes = apply.prepare("", [wanted], False)
        if not devices.carried(wanted["source"]):
            subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0", wanted["source"]], check=True)
        return changes + apply.mount("", [wanted], False)

    bring.volume = volume
    yield bring
    subprocess.run(["umount", "-l", path], check=False, capture_output=True)


@pytest.mark.system
def test_a_volume_in_a_file_is_made_and_mounted_once(make):
    assert make()
    assert make() == []
    volume = make.volume()
    seen = storage.look(volume)
    assert len(seen["mounts"]) == 1 and seen["owner"] == "nobody" and seen["mode"] == "0750"
    assert os.stat(volume["source"]).st_blocks * 512 >= SIZE_GB * devices.GIB


@pytest.mark.system
@pytest.mark.parametrize("mounted", [False, True], ids=["mke2fs", "growing"])
def test_space_that_was_given_back_is_reserved(make, mounted):
    make()
    volume = make.volume()
    if not mounted:
        apply.unmount([volume], False)
    subprocess.run(["fallocate", "--dig-holes", volume["source"]], check=True)
    assert os.stat(volume["source"]).st_blocks * 512 < SIZE_GB * devices.GIB
    make()
    assert os.stat(volume["source"]).st_blocks * 512 >= SIZE_GB * devices.GIB


@pytest.mark.system
@pytest.mark.fault(44)
def test_a_file_with_something_else_in_it_is_refused_and_stays(make):
    source = make.volume()["source"]
    os.makedirs(os.path.dirname(source))
    with open(source, "wb") as stream:
        stream.write(b"somebody's data" + bytes(1 << 20))
    with pytest.raises(WindflowError) as caught:
        make()
    assert caught.value.code == "E2062"
    with open(source, "rb") as stream:
        assert stream.read(15) == b"somebody's data"


@pytest.mark.system
def test_a_volume_goes_from_sight_and_leaves_its_data_also_while_it_is_in_use(make):
    make()
    volume = make.volume()
    kept = os.path.join(volume["path"], "kept")
    with open(kept, "w", encoding="utf-8") as stream:
        stream.write("1")
        changes = apply.unmount([volume], False)
    assert {item["attribute"] for item in changes} == {"mount", "line for %s" % volume["path"]}
    assert not os.path.exists(kept) and storage.look(volume)["mounts"] == []
    assert apply.unmount([volume], False) == []
    assert make() and os.path.exists(kept)


@pytest.mark.system
def test_a_mount_that_cannot_be_given_to_its_owner_goes_and_the_one_of_before_comes_back(make, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(apply, "_own", refuse)
        with pytest.raises(WindflowError) as caught:
            make()
    volume = make.volume()
    assert caught.value.code == "E4026" and caught.value.outcome == "Nothing is mounted there."
    assert storage.look(volume)["mounts"] == [] and storage.look(volume)["fstab"] == []
    make()
    apply.take_down(volume["path"], False)

    def fail(*_arguments):
        raise WindflowError([], "")

    with monkeypatch.context() as patched:
        patched.setattr(apply, "own", fail)
        with pytest.raises(WindflowError) as caught:
            make()
    assert caught.value.outcome == "%s is mounted again." % volume["source"]
    assert len(storage.look(volume)["mounts"]) == 1


@pytest.mark.system
def test_check_mode_tells_the_changes_and_makes_none(make):
    volume = make.volume()
    told = [item["attribute"] for item in apply.prepare("", [volume], True) + apply.mount("", [volume], True)]
    assert told == ["size", "state", "mount", "line for %s" % volume["path"]]
    assert not os.path.exists(volume["source"]) and not os.path.exists(volume["path"])


@pytest.mark.system
def test_a_volume_in_another_one_is_made_in_it_and_comes_back_with_it_also_where_the_other_fails(make, monkeypatch):
    inner = {"name": "in", "path": make.volume()["path"] + "/in", "size_gb": SIZE_GB, "options": {"backing": "file"}}
    both = [make.volume(), volumes.volumes([inner], "root", "root", False)[0]]
    assert "mount" in [item["attribute"] for item in apply.prepare("", both, True) + apply.mount("", both, True)]
    assert "mount" not in [item["attribute"] for item in apply.prepare("", both, False)]
    for volume in both:
        subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0", volume["source"]], check=True)
    apply.mount("", both, False)
    assert apply.prepare("", both, False) + apply.mount("", both, False) == []
    apply.take_down(both[1]["path"], False)
    apply.take_down(both[0]["path"], False)
    assert os.listdir(both[0]["path"]) == []
    apply.mount("", both, False)
    monkeypatch.setattr(compare, "needs_mount", lambda volume, _seen: volume is both[0])

    def fail(*_arguments):
        raise WindflowError([], "")

    monkeypatch.setattr(apply, "mount_now", fail)
    with pytest.raises(WindflowError):
        apply.mount("", both, False)
    assert [len(storage.look(volume)["mounts"]) for volume in both] == [1, 1]


@pytest.mark.system
def test_a_mount_stays_where_its_server_is_away_also_if_it_does_not_answer(make, monkeypatch):
    make()
    volume = make.volume()
    silent = {"path": volume["path"], "kind": "nfs", "source": "srv:/data", "type": "nfs"}
    monkeypatch.setattr(storage, "source_of", lambda _mount, _volume: "srv:/data")
    unknown = {**dict.fromkeys(compare.OWNED, ""), "empty": False, "fault": "none"}
    monkeypatch.setattr(storage, "visible", lambda _at: unknown)
    monkeypatch.setattr(nfs, "ask", lambda *_arguments: {"state": "silent", "said": "no answer"})
    for check in (True, False):
        with pytest.raises(WindflowError) as caught:
            apply.prepare("", [{**volume, **silent, "backing": ""}], check)
        assert caught.value.code == "E2060"
    assert subprocess.run(["mountpoint", "-q", volume["path"]], check=False).returncode == 0
