# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after a removal: nothing is mounted, and all data are there."""

from __future__ import annotations


def test_nothing_is_mounted_now_or_at_the_next_start(app):
    places = ("/mnt/nfs-data", "/srv/logical", "/srv/contained")
    for name in ("/proc/self/mounts", "/etc/fstab"):
        text = app.host.file(name).content_string
        assert not [place for place in places if f" {place} " in text], name


def test_local_volumes_keep_their_data(app):
    assert app.host.check_output("lvs --noheadings -o lv_name fast").strip() == "physical-host_logical"
    assert app.host.file("/var/lib/windflow-volumes/physical-host_contained.img").is_file
    assert app.host.file("/var/lib/app/data/kept").is_file
