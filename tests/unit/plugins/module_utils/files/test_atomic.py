# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and links that are replaced whole and put back."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.files import atomic


def test_new_file_has_content_owner_and_mode_whatever_the_umask(tmp_path):
    path = str(tmp_path / "f")
    old = os.umask(0)
    try:
        atomic.write(path, b"x", 0o640, 65534, 65534)
    finally:
        os.umask(old)
    state = os.stat(path)
    assert (stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid) == (0o640, 65534, 65534)


@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_directories_have_their_modes_whatever_the_umask_and_so_do_those_above(tmp_path, umask):
    (tmp_path / "there").mkdir(mode=0o711)
    old = os.umask(umask)
    try:
        atomic.make_directory(str(tmp_path / "there" / "above" / "made"), 0o700)
        atomic.make_directory(str(tmp_path / "there"), 0o700)
        atomic.back_up("/f", b"x", str(tmp_path / "backups" / "kept"))
    finally:
        os.umask(old)
    modes = [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("there", "there/above", "there/above/made")]
    assert modes == [0o711, 0o755, 0o700]
    assert [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("backups", "backups/kept")] == [0o755, 0o700]


def test_file_is_replaced_and_not_written_through_a_link(tmp_path):
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "f").symlink_to("victim")
    atomic.write(str(tmp_path / "f"), b"new")
    assert (tmp_path / "victim").read_text() == "untouched" and not (tmp_path / "f").is_symlink()


@pytest.mark.parametrize("before", ["absent", "file", "link"])
def test_what_was_there_comes_back(tmp_path, before):
    path = tmp_path / "f"
    if before == "file":
        path.write_text("old")
        os.chown(path, 65534, 65534)
        path.chmod(0o604)
    if before == "link":
        path.symlink_to("elsewhere")
    saved = atomic.save(str(path))
    atomic.write(str(path), b"new")
    atomic.restore(str(path), saved)
    assert atomic.save(str(path)) == saved


def test_failure_leaves_nothing_behind(tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError):
        atomic.write(str(tmp_path / "f"), b"x")
    with pytest.raises(OSError):
        atomic.link(str(tmp_path / "f"), "x")
    assert os.listdir(tmp_path) == ["f"]


def test_link_is_switched_in_one_step(tmp_path):
    path = str(tmp_path / "current")
    atomic.link(path, "releases/a")
    atomic.link(path, "releases/b")
    assert os.readlink(path) == "releases/b" and os.listdir(tmp_path) == ["current"]


def test_backup_is_private(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    copy = atomic.back_up(str(path), path.read_bytes(), str(tmp_path / "backup"))
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "backup").st_mode) == 0o700
