# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import fstab

FSTAB = """# /etc/fstab
UUID=1 / ext4 defaults 0 1
old:/x /mnt/nfs-data nfs defaults 0 0
  # a comment
old:/x /mnt/nfs-data/ nfs soft
proc /proc proc defaults"""


def test_a_path_has_one_line_in_fstab_and_the_others_stay():
    line = ["nas:/exports/data", "/mnt/nfs-data", "nfs", "soft,bg", "0", "0"]
    text = fstab.changed(FSTAB, "/mnt/nfs-data", line)
    assert fstab.lines_for("/mnt/nfs-data", text) == [line]
    kept = [row for row in FSTAB.splitlines() if "nfs-data" not in row]
    assert [row for row in text.splitlines() if "nfs-data" not in row] == kept
    assert fstab.changed(text, "/mnt/nfs-data", line) == text
    assert fstab.lines_for("/mnt/nfs-data", fstab.changed(text, "/mnt/nfs-data", None)) == []
    with_blank = fstab.changed(FSTAB, "/mnt/a b", ["s:/x", "/mnt/a b", "nfs", "soft", "0", "0"])
    assert with_blank.endswith("\ns:/x /mnt/a\\040b nfs soft 0 0\n")


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a /b ext4", ["a", "/b", "ext4", "defaults", "0", "0"]),
        ("a /b ext4 ro 1 2 more", ["a", "/b", "ext4", "ro", "1", "2"]),
        ("a\\040c /b\\011d ext4 ro", ["a c", "/b\td", "ext4", "ro", "0", "0"]),
        ("  # a /b ext4", []),
        ("a /b", []),
        ("", []),
    ],
)
def test_a_line_has_six_fields_or_is_none(line, fields):
    assert fstab.fields(line) == fields


def test_a_swap_space_is_nobodys_path():
    assert fstab.lines_for("/", "UUID=1 none swap sw 0 0\nUUID=2 / ext4\n") == [
        ["UUID=2", "/", "ext4", "defaults", "0", "0"]
    ]


def test_a_file_is_replaced_with_its_owner_and_mode_and_bytes_that_are_no_text(tmp_path):
    path = str(tmp_path / "fstab")
    with open(path, "wb") as stream:
        stream.write(b"# \xff\n")
    os.chmod(path, 0o600)
    fstab.write(fstab.changed(fstab.read(path), "/b", ["a", "/b", "ext4", "ro", "0", "0"]), path)
    with open(path, "rb") as stream:
        assert stream.read() == b"# \xff\na /b ext4 ro 0 0\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_host_without_the_file_gets_one_that_all_may_read(tmp_path):
    path = str(tmp_path / "fstab")
    assert fstab.read(path) == ""
    fstab.write("a /b ext4\n", path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
