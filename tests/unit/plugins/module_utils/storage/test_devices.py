# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import devices

needs_ext4 = pytest.mark.skipif(
    not (shutil.which("mke2fs", path=devices.PATH) and shutil.which("blkid", path=devices.PATH)),
    reason="needs mke2fs and blkid",
)


@pytest.fixture
def image(tmp_path):
    """A file of 8 MiB, as large as a small file system."""
    path = tmp_path / "image"
    with open(path, "wb") as stream:
        stream.truncate(8 << 20)
    return str(path)


@needs_ext4
def test_what_a_file_carries_is_said_by_its_name(image):
    assert devices.carried(image) == ""
    subprocess.run([shutil.which("mke2fs", path=devices.PATH), "-q", "-F", "-t", "ext4", image], check=True)
    assert devices.carried(image) == "ext4"


@needs_ext4
def test_data_that_nobody_knows_are_data_all_the_same(image):
    with open(image, "r+b") as stream:
        stream.seek(5000)
        stream.write(b"somebody's")
    assert devices.carried(image) == "data"


@needs_ext4
def test_what_cannot_be_read_carries_something(tmp_path):
    assert devices.carried(str(tmp_path / "absent")) == "No such file or directory"


def test_sizes_are_in_gib_and_nothing_has_none(image, tmp_path):
    assert devices.size(image) == 8 / 1024
    assert devices.size(str(tmp_path / "absent")) == 0


def test_a_source_that_is_no_loop_device_is_itself():
    assert devices.mounted_file("/dev/mapper/disks-data") == "/dev/mapper/disks-data"
    assert devices.mounted_file("/dev/loop4711") == "/dev/loop4711"


def test_only_a_block_device_can_be_part_of_a_group(image, tmp_path):
    assert devices.device(image, {})["state"] == "other"
    absent = devices.device(str(tmp_path / "absent"), {})
    assert absent == {"state": "absent", "group": "", "carries": "", "gib": 0}


def test_a_device_is_found_in_its_group_by_any_of_its_names(image, tmp_path):
    os.symlink(image, tmp_path / "name")
    assert devices.device(str(tmp_path / "name"), {os.path.realpath(image): "disks"})["group"] == "disks"


def test_programs_that_are_missing_or_too_slow_have_the_exit_codes_of_a_shell():
    assert devices.say(["no-such-program"]) == (127, "no-such-program is not installed")
    assert devices.say(["sleep", "30"], 0.2) == (124, "sleep did not end within 0.2 s")
    assert devices.reports("no-such-program", "a,b", "vg") == []
