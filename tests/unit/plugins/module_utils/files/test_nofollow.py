# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing what somebody else may write to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import nofollow

pytestmark = pytest.mark.fault(58)


@pytest.fixture
def kept(tmp_path):
    """What lies elsewhere and must stay."""
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "file").write_text("")
    yield tmp_path / "elsewhere"
    assert (tmp_path / "elsewhere" / "deep" / "file").exists()


def test_links_in_a_tree_are_removed_and_not_followed(tmp_path, kept):
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    for place in (tree / "out", tree / "a" / "out", tree / "a" / "b" / "out"):
        place.symlink_to(kept)
    (tree / "a" / "file").write_text("")
    os.mkfifo(tree / "a" / "pipe")
    socket.socket(socket.AF_UNIX).bind(str(tree / "s"))
    os.chmod(tree / "a", 0)
    assert nofollow.remove(str(tree)) and not tree.exists()
    assert not nofollow.remove(str(tree)) and not nofollow.remove(str(tree / "below"))


def test_a_link_in_the_place_of_the_tree_goes_alone(tmp_path, kept):
    (tmp_path / "tree").symlink_to(kept)
    assert nofollow.remove(str(tmp_path / "tree")) and not os.path.lexists(tmp_path / "tree")


def test_nothing_is_removed_behind_a_link_that_somebody_else_made(tmp_path, kept):
    home = tmp_path / "home"
    home.mkdir()
    (home / "data").symlink_to(kept)
    os.chown(home / "data", 1500, 1500, follow_symlinks=False)
    with pytest.raises(WindflowError):
        nofollow.remove(str(home / "data" / "deep"))
    # Nor where one of root's was moved to a place of somebody else's.
    os.chown(home / "data", 0, 0, follow_symlinks=False)
    os.chown(home, 1500, 1500)
    with pytest.raises(WindflowError):
        nofollow.remove(str(home / "data" / "deep"))


def test_a_link_of_roots_on_the_way_is_followed(tmp_path):
    (tmp_path / "disk" / "app" / "x").mkdir(parents=True)
    (tmp_path / "opt").symlink_to("disk")
    os.chmod(tmp_path, 0o755)
    assert nofollow.remove(str(tmp_path / "opt" / "app")) and os.listdir(tmp_path / "disk") == []


def test_a_tree_may_be_deeper_than_paths_and_descriptors_go(tmp_path):
    (tmp_path / "tree").mkdir()
    descriptor = os.open(tmp_path / "tree", os.O_RDONLY)
    for _level in range(3000):
        os.mkdir("d" * 20, dir_fd=descriptor)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert nofollow.remove(str(tmp_path / "tree")) and not (tmp_path / "tree").exists()


def test_what_is_mounted_in_a_tree_stays_and_a_mount_is_emptied(tmp_path):
    program = """
set -e
mount --make-rprivate /
mkdir -p tree/below/mounted kept
mount --bind kept tree/below/mounted
touch kept/file
"$1" -c "$2" tree && exit 1
test -e kept/file
umount tree/below/mounted
mount --bind tree tree
touch tree/file
"$1" -c "$2" tree
test -z "$(ls tree)"
"""
    code = "import sys; sys.path[:0] = %r; from %s import remove; remove(%r + sys.argv[1])"
    code %= (sys.path, nofollow.__name__, "%s/" % tmp_path)
    asked = ["unshare", "--mount", "/bin/sh", "-c", program, "sh", sys.executable, code]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "mounted in it is mounted there" in done.stderr, done.stderr
