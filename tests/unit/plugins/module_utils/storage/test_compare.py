# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import compare

VOLUME = {
    "name": "data",
    "path": "/srv/data",
    "kind": "lvm",
    "vg": "disks",
    "lv": "data",
    "source": "/dev/mapper/disks-data",
    "type": "ext4",
    "options": ["defaults", "nodev"],
    "size_gb": 10,
    "owner": "app",
    "group": "app",
    "mode": "0750",
    "backing": "",
    "devices": [],
}


def seen(**changes):
    """A host that has the volume as it is wanted."""
    mounted = {"source": VOLUME["source"], "type": "ext4", "options": ["rw", "nodev", "relatime"]}
    line = [VOLUME["source"], "/srv/data", "ext4", "defaults,nodev", "0", "0"]
    found = {
        "at": "/srv/data",
        "mounts": [mounted],
        "fstab": [line],
        "size_gb": 10.0,
        "carries": "ext4",
        "exists": True,
    }
    found.update(devices={}, group_gb=5.0, owner="app", group="app", mode="0750", empty=False, fault="")
    return {**found, **changes}


def device(**changes):
    return {"/dev/sdb": {"state": "device", "group": "", "carries": "", "gib": 11, **changes}}


@pytest.mark.parametrize(
    ("wanted", "has", "lacking"),
    [
        (["soft"], ["rw", "hard"], ["soft"]),
        (["soft"], ["rw"], []),
        (["nodev", "noexec"], ["nodev"], ["noexec"]),
        (["timeo=50"], ["timeo=600"], ["timeo=50"]),
        (["nfsvers=4"], ["vers=4.2"], []),
        (["proto=tcp"], ["proto=tcp6"], []),
        (["bg", "_netdev", "nofail", "x-systemd.requires=y"], ["rw"], []),
    ],
    ids=["opposite", "not said", "flag", "value", "minor version", "IPv6", "not the kernel's"],
)
def test_options_count_as_far_as_the_kernel_reports_them(wanted, has, lacking):
    assert compare.differing_options(wanted, has) == lacking


def test_mounts_of_one_file_system_have_the_time_limits_of_the_first():
    assert compare.differing_options(["timeo=50", "noexec"], ["timeo=600"], True) == ["noexec"]


@pytest.mark.parametrize(
    ("wanted", "has", "left"),
    [
        (["soft"], ["rw", "soft", "relatime"], []),
        (["soft"], ["ro", "noexec", "soft"], ["rw", "exec"]),
        (["ro", "users"], ["ro", "noexec", "nosuid", "nodev"], []),
    ],
)
def test_an_option_that_is_wanted_no_more_is_a_difference_of_nfs(wanted, has, left):
    assert compare.unwanted_options(wanted, has) == left
    volume = {**VOLUME, "kind": "nfs", "options": wanted}
    mounted = {"source": VOLUME["source"], "type": "nfs4", "options": has}
    assert compare.needs_mount(volume, seen(mounts=[mounted])) is bool(left)


def test_an_account_may_be_named_by_its_number():
    volume = {**VOLUME, "owner": "4242", "group": "app"}
    assert compare.owned(volume, seen(uid="4242", gid="7")) == []
    assert compare.owned(volume, seen(uid="7", gid="7")) == [("owner", "4242", "7")]


@pytest.mark.parametrize(
    ("changes", "attributes"),
    [
        ({}, []),
        ({"size_gb": 9.99}, []),
        ({"size_gb": 9.9}, ["size"]),
        ({"mode": "0700", "owner": "root"}, ["owner", "mode"]),
        # Whose what lies below a mount is, is not known.
        ({"mode": "0700", "mounts": []}, ["mount"]),
    ],
)
def test_what_a_volume_lacks_is_named_the_mount_first(changes, attributes):
    assert [name for name, _expected, _has in compare.differences(VOLUME, seen(**changes))] == attributes


def test_a_directory_has_nothing_that_could_differ_here():
    directory = {**VOLUME, "kind": "directory"}
    assert compare.differences(directory, seen(mounts=[], mode="0777")) == [] and compare.mark(directory) == ""


def test_drift_says_which_volume_it_is_of():
    (found,) = compare.drift(VOLUME, seen(size_gb=4))
    assert found == {
        "step": "volumes",
        "resource": "volume data at /srv/data",
        "attribute": "size",
        "expected": "10 GB",
        "found": "4 GB",
    }


def foreign(made=(), known=(), **changes):
    return [problem.message for problem in compare.foreign(VOLUME, seen(**changes), made, known)]


def test_storage_that_windflow_has_not_made_is_somebody_elses():
    own = [compare.mark(VOLUME)]
    assert own == ["lvm:disks/data"] and foreign(own) == []
    (said,) = foreign()
    assert said == "/dev/mapper/disks-data is there already, and windflow has not made it"


def test_a_device_with_something_on_it_is_not_taken():
    away = {"exists": False, "carries": "", "mounts": [], "empty": True}
    assert foreign(devices=device(), **away) == []
    assert foreign(devices=device(carries="xfs"), **away) == ["the device /dev/sdb is not empty"]
    (said,) = foreign(devices=device(group="theirs", carries="LVM2_member"), **away)
    assert "another volume group" in said


def test_a_directory_with_something_in_it_is_not_hidden_by_a_mount():
    own = [compare.mark(VOLUME)]
    (said,) = foreign(own, mounts=[], empty=False)
    assert "is not empty, and a mount would hide that" in said
    (said,) = foreign(own, mounts=[{"source": "/dev/sdz", "type": "ext4", "options": []}])
    assert said == "something else is mounted at /srv/data"
    assert foreign(own, ["/dev/sdz"], mounts=[{"source": "/dev/sdz", "type": "ext4", "options": []}]) == []
