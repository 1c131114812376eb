# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import compare, state, volumes

NFS = {
    "name": "nfs-data",
    "path": "/mnt/nfs-data",
    "size_gb": 100,
    "type": "nfs",
    "options": {"server": "nfs-server.example.com", "export": "/exports/data"},
}
LVM = {"name": "data", "path": "/srv/data", "size_gb": 10, "type": "local", "options": {"vg": "fast-disks"}}
FILE = {"name": "data", "path": "/srv/data", "size_gb": 2, "type": "local", "options": {"backing": "file"}}


def wanted(given, **options):
    given = {**given, "options": {**given["options"], **options}}
    (volume,) = volumes.volumes([given], "app", "app", True, "shop")
    return volume


def seen(volume, **changes):
    """A host that has the volume as it is wanted."""
    at = volume["path"]
    options = ["rw", "soft", "timeo=50", "retrans=2", "vers=4.2", "addr=192.0.2.1"]
    return {
        "at": at,
        "mounts": [{"path": at, "source": volume["source"], "type": volume["type"], "options": options}],
        "fstab": [compare.fstab_line(volume, at)],
        "size_gb": volume["size_gb"] if volume["kind"] != "nfs" else 0,
        "carries": volume["type"],
        "exists": volume["kind"] != "nfs",
        "devices": {},
        "group_gb": 5.0,
        "owner": "app",
        "group": "app",
        "mode": "0750",
        "empty": False,
        "fault": "",
        **changes,
    }


def test_the_documentation_s_nfs_volume_is_mounted_softly_and_keeps_no_start_waiting():
    volume = wanted(NFS)
    assert volume["source"] == "nfs-server.example.com:/exports/data"
    assert {"soft", "timeo=50", "retrans=2", "bg", "_netdev", "nofail"} <= set(volume["options"])
    assert (volume["owner"], volume["group"], volume["mode"]) == ("app", "app", "")
    (plain,) = volumes.volumes([NFS], "app", "app", False, "shop")
    assert not [option for option in plain["options"] if option.startswith("x-systemd")]


@pytest.mark.parametrize(
    ("given", "has", "has_not"),
    [("hard", "hard", "soft"), ("timeo=100,ro", "timeo=100", "timeo=50"), ("fg", "fg", "bg")],
)
def test_an_option_that_is_given_takes_the_place_of_the_usual_one(given, has, has_not):
    options = wanted(NFS, options=given)["options"]
    assert has in options and has_not not in options


def test_storage_of_a_plugin_has_the_plugin_s_name():
    assert wanted(LVM)["source"] == "/dev/mapper/fast--disks-shop_data"
    assert wanted(FILE)["backing"] == "/var/lib/windflow-volumes/shop_data.img"
    assert volumes.tools([NFS, LVM, FILE, {"path": "/srv/x"}]) == ["ext4", "lvm", "nfs"]


@pytest.mark.parametrize("given", [NFS, LVM, FILE], ids=["nfs", "lvm", "file"])
def test_a_volume_as_it_is_wanted_lacks_nothing(given):
    volume = wanted(given)
    assert compare.differences(volume, seen(volume)) == []
    assert (
        volumes.findings([volume], {volume["path"]: seen(volume)}, [compare.mark(volume)], [], {volume["path"]: "k"})
        == []
    )


def mount(**changes):
    return {"source": "nfs-server.example.com:/exports/data", "type": "nfs4", "options": ["rw", "soft"], **changes}


@pytest.mark.parametrize(
    ("changes", "attribute", "again"),
    [
        ({"mounts": []}, "mount", True),
        ({"mounts": [mount(source="other:/x")]}, "mount", True),
        ({"mounts": [mount(), mount()]}, "mounts", True),
        ({"mounts": [mount(options=["rw", "hard"])]}, "options of the mount", True),
        ({"mounts": [mount(options=["rw", "soft", "timeo=600"])]}, "options of the mount", True),
        ({"fault": "Stale file handle"}, "answer", True),
        ({"fstab": []}, "line in fstab", False),
        ({"owner": "root"}, "owner", False),
    ],
)
def test_what_a_mount_lacks_is_named_and_whether_it_has_to_be_mounted_again(changes, attribute, again):
    volume = wanted(NFS)
    found = compare.differences(volume, seen(volume, **changes))
    assert attribute in [name for name, _expected, _has in found]
    assert compare.needs_mount(volume, seen(volume, **changes)) is again
    assert compare.drift(volume, seen(volume, **changes))[0]["step"] == "volumes"


def test_a_reason_is_given_once():
    volume = wanted(NFS)
    here = {volume["path"]: seen(volume, mounts=[])}
    assert len(volumes.reasons([volume], here, [])) == 1
    assert volumes.reasons([volume], here, compare.drift(volume, here[volume["path"]])) == []


def codes(volume, made=(), known=(), **changes):
    found = volumes.findings(
        [volume], {volume["path"]: seen(volume, **changes)}, list(made), list(known), {volume["path"]: "k"}
    )
    assert all(problem.remedy for problem in found)
    return [problem.code for problem in found]


def test_a_server_that_is_silent_or_refuses_is_a_finding_of_the_preflight():
    volume = wanted(NFS)
    assert codes(volume, mounts=[], empty=True, server={"state": "silent", "said": "port 2049: timed out"}) == ["E2060"]
    assert codes(volume, mounts=[], empty=True, server={"state": "refused", "said": "No such file"}) == ["E2061"]
    assert codes(volume, mounts=[], empty=True, server={"state": "unknown", "said": "no mount.nfs"}) == []


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"mounts": [], "empty": True, "carries": "xfs"}, True),
        ({"mounts": [], "empty": True, "carries": "data"}, True),
        ({"mounts": [], "empty": True, "carries": "ext4"}, False),
        ({"mounts": [], "empty": True, "carries": ""}, False),
        ({"mounts": [], "empty": False}, True),
        ({"mounts": [mount(source="/dev/sdz1")]}, True),
        ({"devices": {"/dev/sdb": {"state": "device", "group": "", "carries": "ntfs", "gib": 9}}}, True),
        ({"devices": {"/dev/sdb": {"state": "device", "group": "other", "carries": "", "gib": 9}}}, True),
    ],
)
def test_what_somebody_else_has_put_there_is_refused(changes, made):
    volume = wanted(LVM)
    assert codes(volume, [compare.mark(volume)] if made else [], **changes) == ["E2062"]


def test_a_mount_of_an_earlier_revision_is_no_stranger():
    volume, before = wanted(NFS), {"mounts": [mount(source="old:/x")]}
    assert codes(volume, known=["old:/x"], **before) == [] and codes(volume, **before) == ["E2062"]
    assert codes(volume, made=["nfs:old:/x"], **before) == []


def test_a_volume_never_shrinks_and_has_to_fit():
    volume = wanted(LVM)
    own = [compare.mark(volume)]
    assert codes(volume, own, size_gb=20) == ["E2063"]
    assert codes(volume, own, size_gb=6) == [] and codes(volume, own, size_gb=4) == ["E2064"]
    assert codes(volume, own, size_gb=0, exists=False, group_gb=None) == ["E2064"]
    disk = {"/dev/sdb": {"state": "device", "group": "", "carries": "", "gib": 11}}
    assert codes(volume, own, mounts=[], empty=True, size_gb=0, exists=False, group_gb=None, devices=disk) == []
    gone = {"/dev/sdb": {"state": "absent", "group": "", "carries": "", "gib": 0}}
    assert codes(volume, own, mounts=[], empty=True, size_gb=0, exists=False, group_gb=None, devices=gone) == ["E2064"]


@pytest.mark.parametrize(("given", "mode"), [("0750", "0750"), ("2770", "02770"), ("02770", "02770"), ("755", "0755")])
def test_a_mode_has_one_form_with_and_without_bits_for_the_group(given, mode, tmp_path):
    options = {"backing": "file", "mode": given}
    (volume,) = volumes.volumes([{"path": "/srv/x", "size_gb": 1, "options": options}], "a", "a", True)
    tmp_path.chmod(int(given, 8))
    assert volume["mode"] == mode == state.visible(str(tmp_path))["mode"]
