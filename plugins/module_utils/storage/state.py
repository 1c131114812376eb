# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of the volumes that are wanted. Nothing here waits for a file system that does not answer."""

from __future__ import annotations

import grp
import os
import pwd
import stat

from ..files.nofollow import name_of
from ..system import mounts, places
from . import compare, devices, fstab, nfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def look(volume: dict[str, Any], lvm: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """What is there of one volume.

    ``at`` is its path without links; ``mounts`` what is mounted at exactly that; ``fstab`` the lines for it; ``fault``
    why the mount does not answer; ``owner``, ``group``, ``mode`` of what is visible; ``empty`` whether anything is in a
    directory on which nothing is mounted; ``size_gb`` and ``carries`` of the device or file behind it.
    """
    at, table = places.resolve(volume["path"])[0], mounts.table()
    found = {
        "at": at,
        "mounts": [
            {**one, "source": source_of(one, volume), "shared": is_shared(one, table)} for one in mounts.at(at, table)
        ],
        "fstab": fstab.lines_for(at, fstab.read()),
        "size_gb": 0,
        "carries": "",
        "exists": False,
        "devices": {},
        "group_gb": None,
        **visible(at),
    }
    if volume["kind"] == "lvm":
        known = devices.lvm() if lvm is None else lvm
        name = "%s/%s" % (volume["vg"], volume["lv"])
        found.update(
            exists=name in known["volumes"],
            size_gb=known["volumes"].get(name, 0),
            group_gb=known["groups"].get(volume["vg"]),
            devices={path: devices.device(path, known["devices"]) for path in volume["devices"]},
        )
    elif volume["kind"] == "file":
        found.update(exists=os.path.lexists(volume["backing"]), size_gb=devices.size(volume["backing"]))
    if found["exists"]:
        found["carries"] = devices.carried(volume["source"])
    return found


def source_of(mount: dict[str, Any], volume: dict[str, Any]) -> str:
    """What is mounted, by the name that the volume has for it: a device may have several."""
    if volume["kind"] == "file":
        return devices.mounted_file(mount["source"])
    if volume["kind"] == "lvm" and mount["source"].startswith("/dev/"):
        same = os.path.realpath(mount["source"]) == os.path.realpath(volume["source"])
        return volume["source"] if same else mount["source"]
    if volume["kind"] == "nfs" and nfs.is_same(mount, volume):
        return volume["source"]
    return mount["source"]


def is_shared(mount: dict[str, Any], table: list[dict[str, Any]]) -> bool:
    """Returns whether the file system of a mount is mounted elsewhere, too."""
    return any(one["device"] == mount["device"] and one["path"] != mount["path"] for one in table)


def visible(at: str) -> dict[str, Any]:
    """Owner and group of a directory by name and by number, its mode, whether it is empty, and why none can be said."""
    try:
        return {"fault": "", **mounts.answer(at, _visible, at)}
    except mounts.NotAnswering as error:
        fault = "none from %s" % error.text
    except OSError as error:
        fault = error.strerror or str(error)
    return {"owner": "", "group": "", "mode": "", "uid": "", "gid": "", "empty": False, "fault": fault}


def _visible(at: str) -> dict[str, Any]:
    try:
        info = os.lstat(at)
    except FileNotFoundError:
        return {"owner": "", "group": "", "mode": "", "uid": "", "gid": "", "empty": True}
    found = {
        "owner": name_of(pwd.getpwuid, info.st_uid),
        "group": name_of(grp.getgrgid, info.st_gid),
        "mode": compare.mode_text(stat.S_IMODE(info.st_mode)),
        "uid": str(info.st_uid),
        "gid": str(info.st_gid),
        "empty": False,
    }
    if stat.S_ISDIR(info.st_mode):
        try:
            with os.scandir(at) as entries:
                # What a new file system has of its own is nobody's data.
                found["empty"] = all(entry.name == "lost+found" for entry in entries)
        except PermissionError:
            # An NFS server that takes root's rights away still says whose the directory is.
            found["empty"] = False
    return found


def look_all(volumes: list[dict[str, Any]], ask_servers: bool = True) -> dict[str, dict[str, Any]]:
    """{path: what is there} of several volumes. The server of a volume that is not mounted as it should be is asked."""
    lvm = devices.lvm() if any(volume["kind"] == "lvm" for volume in volumes) else None
    found = {volume["path"]: look(volume, lvm) for volume in volumes}
    for volume in volumes:
        seen = found[volume["path"]]
        if ask_servers and volume["kind"] == "nfs" and compare.needs_mount(volume, seen):
            seen["server"] = nfs.ask(*nfs.parts(volume), volume["options"])
    return found


def drift(volumes: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What of recorded volumes is not as it was left."""
    found = look_all(volumes, ask_servers=False)
    return [item for volume in volumes for item in compare.drift(volume, found[volume["path"]])]
