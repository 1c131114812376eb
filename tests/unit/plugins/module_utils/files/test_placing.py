# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import nofollow, paths, placing

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as another user")


def applied(*entries, backup_dir=""):
    steps = paths.plan(paths.parse(list(entries)))
    kept = placing.apply(steps, str(backup_dir))
    assert [change for step in paths.plan(paths.parse(list(entries))) for change in step["changes"]] == []
    return kept


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_a_list_of_entries_is_applied_in_one_go_and_then_settled(tmp_path):
    (tmp_path / "old").write_text("")
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    applied(
        {"path": str(tmp_path / "d"), "state": "directory", "mode": "0750"},
        {"path": str(tmp_path / "d" / "f"), "content": "größe\n", "mode": "0640"},
        {"path": str(tmp_path / "d" / "l"), "state": "link", "target": "f"},
        {"path": str(tmp_path / "old"), "state": "absent"},
        {"path": str(tmp_path / "tree"), "state": "absent"},
    )
    assert sorted(os.listdir(tmp_path)) == ["d"]
    assert (tmp_path / "d" / "l").read_text("utf-8") == "größe\n"
    assert (mode(tmp_path / "d"), mode(tmp_path / "d" / "f")) == (0o750, 0o640)


@pytest.mark.fault(16)
@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        applied(
            {"path": str(tmp_path / "d"), "state": "directory"},
            {"path": str(tmp_path / "d" / "f"), "content": ""},
            {"path": str(tmp_path / "d" / "s"), "secret_content": "canary"},
            {"path": str(tmp_path / "d" / "g"), "content": "", "mode": "0660"},
        )
    finally:
        os.umask(before)
    assert [mode(tmp_path / name) for name in ("d", "d/f", "d/s", "d/g")] == [0o755, 0o644, 0o600, 0o660]


def test_a_secret_is_never_readable_by_others_on_its_way(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fchown", lambda descriptor, *_owner: seen.append(os.fstat(descriptor).st_mode & 0o777))
    before = os.umask(0)
    try:
        applied({"path": str(tmp_path / "s"), "secret_content": "canary", "mode": "0640"})
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_a_file_that_becomes_secret_loses_the_rights_of_others(tmp_path):
    (tmp_path / "s").write_text("")
    (tmp_path / "s").chmod(0o644)
    applied({"path": str(tmp_path / "s"), "secret_content": "canary"})
    assert mode(tmp_path / "s") == 0o640


def test_what_is_not_asked_for_stays(tmp_path):
    (tmp_path / "f").write_text("a")
    (tmp_path / "f").chmod(0o604)
    applied({"path": str(tmp_path / "f"), "content": "b"})
    assert mode(tmp_path / "f") == 0o604


@root
@pytest.mark.fault(57)
def test_a_directory_on_the_way_may_be_a_link_that_root_made(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "opt").symlink_to("disk")
    above = {"path": str(tmp_path / "opt"), "state": "directory"}
    applied(above, {"path": str(tmp_path / "opt" / "app"), "state": "directory", "owner": "0", "mode": "0755"})
    assert (tmp_path / "disk" / "app").is_dir() and (tmp_path / "opt").is_symlink()
    for fault in ("somebody else's", "its own mode", "a file's"):
        if fault == "somebody else's":
            os.chown(tmp_path / "opt", 1500, 1500, follow_symlinks=False)
        else:
            (tmp_path / "opt").unlink()
            (tmp_path / "opt").symlink_to("disk" if fault == "its own mode" else "disk/file")
            (tmp_path / "disk" / "file").write_text("")
        with pytest.raises(WindflowError):
            paths.plan(paths.parse([{**above, **({"mode": "0755"} if fault == "its own mode" else {})}]))


@pytest.mark.fault(17)
def test_a_planted_link_at_the_destination_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "victim").chmod(0o600)
    (tmp_path / "f").symlink_to("victim")
    applied({"path": str(tmp_path / "f"), "content": "new", "mode": "0644"})
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "f").read_text() == "new"
    assert ((tmp_path / "victim").read_text(), mode(tmp_path / "victim")) == ("precious", 0o600)


@pytest.mark.fault(17)
def test_a_planted_hard_link_does_not_get_the_mode_of_the_entry(tmp_path):
    (tmp_path / "victim").write_text("same")
    (tmp_path / "victim").chmod(0o600)
    os.link(tmp_path / "victim", tmp_path / "f")
    applied({"path": str(tmp_path / "f"), "content": "same", "mode": "0644"})
    assert (mode(tmp_path / "victim"), mode(tmp_path / "f")) == (0o600, 0o644)


@pytest.mark.fault(17)
def test_a_planted_link_in_place_of_a_directory_is_refused(tmp_path):
    (tmp_path / "victim").mkdir(mode=0o700)
    (tmp_path / "d").symlink_to("victim")
    with pytest.raises(WindflowError, match="E4013"):
        applied({"path": str(tmp_path / "d"), "state": "directory", "mode": "0777"})
    assert mode(tmp_path / "victim") == 0o700


@root
def test_a_link_on_the_way_is_followed_only_if_root_made_it(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "trusted").symlink_to("real")
    (tmp_path / "planted").symlink_to(tmp_path / "real")
    os.lchown(tmp_path / "planted", 1, 1)
    applied({"path": str(tmp_path / "trusted" / "f"), "content": ""})
    assert os.listdir(tmp_path / "real") == ["f"]
    with pytest.raises(WindflowError, match="E4014"):
        applied({"path": str(tmp_path / "planted" / "g"), "content": ""})
    with pytest.raises(WindflowError, match="E4014"):
        nofollow.look(str(tmp_path / "planted" / "f"))
    assert os.listdir(tmp_path / "real") == ["f"]


@pytest.mark.fault(17)
@root
def test_a_directory_that_became_a_link_between_plan_and_apply_is_not_followed(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "victim").mkdir()
    steps = paths.plan(paths.parse([{"path": str(tmp_path / "app" / "f"), "content": "x"}]))
    (tmp_path / "app").rmdir()
    (tmp_path / "app").symlink_to("victim")
    os.lchown(tmp_path / "app", 1, 1)
    with pytest.raises(WindflowError, match="E4014"):
        placing.apply(steps)
    assert os.listdir(tmp_path / "victim") == []


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError) as caught:
        nofollow.look(str(tmp_path / "a" / "f"))
    assert caught.value.errno == errno.ELOOP


def test_relative_and_absolute_links_on_the_way_lead_where_they_should(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "f").write_text("here")
    (tmp_path / "x" / "up").symlink_to("../x/./y/../y")
    (tmp_path / "abs").symlink_to(tmp_path / "x" / "up")
    assert nofollow.read_file(str(tmp_path / "abs" / "f")) == b"here"


@root
def test_owner_and_group_are_set(tmp_path):
    applied(
        {"path": str(tmp_path / "d"), "state": "directory", "owner": "1", "group": "2"},
        {"path": str(tmp_path / "f"), "content": "", "owner": "daemon"},
        {"path": str(tmp_path / "l"), "state": "link", "target": "f", "owner": "1"},
    )
    assert [os.lstat(tmp_path / name).st_uid for name in ("d", "f", "l")] == [1, 1, 1]
    assert os.lstat(tmp_path / "d").st_gid == 2
    applied({"path": str(tmp_path / "l"), "state": "link", "target": "f", "owner": "2"})
    assert (os.lstat(tmp_path / "l").st_uid, os.lstat(tmp_path / "f").st_uid) == (2, 1)


def test_a_hand_edited_file_is_kept(tmp_path):
    (tmp_path / "f").write_text("edited")
    kept = applied({"path": str(tmp_path / "f"), "content": "new", "backup": True}, backup_dir=tmp_path / "kept")
    assert [item["path"] for item in kept] == [str(tmp_path / "f")]
    with open(kept[0]["backup"]) as copy:
        assert copy.read() == "edited"
    assert (mode(kept[0]["backup"]), mode(tmp_path / "kept")) == (0o600, 0o700)


def test_no_copy_is_kept_of_what_was_written_last(tmp_path):
    (tmp_path / "f").write_text("x")
    recorded = nofollow.inspect(str(tmp_path / "f"))["sha256"]
    entry = {"path": str(tmp_path / "f"), "content": "new", "backup": True, "recorded": recorded}
    assert applied(entry, backup_dir=tmp_path / "kept") == []
    assert not (tmp_path / "kept").exists()


def test_a_failure_while_writing_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    steps = paths.plan(
        paths.parse(
            [
                {"path": str(tmp_path / "a"), "content": "new"},
                {"path": str(tmp_path / "d"), "state": "directory"},
                {"path": str(tmp_path / "d" / "b"), "content": "new"},
            ]
        )
    )
    synced = []

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WindflowError, match="No space left on device") as caught:
        placing.apply(steps)
    assert caught.value.outcome == "Nothing was changed."
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_failure_between_two_entries_tells_what_was_changed(tmp_path, monkeypatch):
    steps = paths.plan(paths.parse([{"path": str(tmp_path / name), "content": name} for name in "ab"]))
    rename = os.rename

    def fail(source, target, **options):
        if target == "b":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(WindflowError) as caught:
        placing.apply(steps)
    assert caught.value.outcome == "These were changed before: %s." % (tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.fault(23)
def test_readers_see_the_old_or_the_new_file_and_never_half(tmp_path):
    (tmp_path / "f").write_text("old")
    with open(tmp_path / "f") as reader:
        applied({"path": str(tmp_path / "f"), "content": "new"})
        assert reader.read() == "old"


def test_the_file_system_is_flushed(tmp_path):
    nofollow.flush_filesystem(str(tmp_path))
