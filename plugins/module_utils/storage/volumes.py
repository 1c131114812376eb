# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration's volumes as the host is to have them (``compare`` says in which form), and what speaks against
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import Problem
from . import compare, nfs

MODE = "0750"
FILESYSTEM = "ext4"
# A request is given up after about half a minute: whoever waits gets an error and can say so. The mount is tried again
# for as long as the server is away when the host starts, and nothing else of the start waits for it.
NFS_OPTIONS = ("soft", "timeo=50", "retrans=2", "bg", "_netdev", "nofail")
NFS_OPTIONS_SYSTEMD = ("x-systemd.mount-timeout=infinity",)
LOCAL_OPTIONS = ("nofail",)
LOCAL_OPTIONS_SYSTEMD = ("x-systemd.device-timeout=30s",)
# Trimming would give back the space that is reserved in the file, and so would the kernel: it fills inode tables with
# zeros behind the back of a file system that has grown, which they do not need.
FILE_OPTIONS = ("loop", "X-fstrim.notrim", "noinit_itable")
# Where the files of volumes in files lie: a place of root's own.
BACKING_DIR = "/var/lib/windflow-volumes"
# What LVM and its file systems take for themselves.
OVERHEAD_GB = 0.01


def kind_of(volume: Mapping[str, Any]) -> str:
    """directory, lvm, file or nfs."""
    options = volume.get("options") or {}
    if volume.get("type", "local") == "nfs":
        return "nfs"
    if options.get("vg"):
        return "lvm"
    return "file" if options.get("backing") == "file" else "directory"


def tools(volumes: Iterable[Mapping[str, Any]]) -> list[str]:
    """What of the tables of OS families the volumes need: packages by use."""
    found: set[str] = set()
    for volume in volumes:
        kind = kind_of(volume)
        found.update({"nfs": ["nfs"], "lvm": ["lvm"]}.get(kind, ()))
        if kind in ("lvm", "file"):
            found.add((volume.get("options") or {}).get("filesystem") or FILESYSTEM)
    return sorted(found)


def volumes(
    given: Iterable[Mapping[str, Any]],
    owner: str,
    group: str,
    systemd: bool,
    plugin: str = "",
) -> list[dict[str, Any]]:
    """The volumes of a configuration or of a role's variable."""
    # One that lies in another one is mounted after it.
    ordered = sorted(given, key=lambda item: str(item["path"]))
    return [_volume(item, owner, group, systemd, plugin) for item in ordered]


def _volume(given: Mapping[str, Any], owner: str, group: str, systemd: bool, plugin: str) -> dict[str, Any]:
    options = {key: value for key, value in (given.get("options") or {}).items() if value is not None}
    kind = kind_of(given)
    found = {
        "name": given.get("name") or given["path"].strip("/").replace("/", "-"),
        "path": given["path"],
        "kind": kind,
        "size_gb": given.get("size_gb") or 0,
        "owner": options.get("owner") or owner,
        "group": options.get("group") or group,
        # On a server it is the server's to say, unless it is named.
        "mode": _mode(options.get("mode")) or ("" if kind == "nfs" else MODE),
        "source": "",
        "type": "",
        "options": [],
        "vg": "",
        "lv": "",
        "devices": [],
        "backing": "",
    }
    own_name = "%s_%s" % (plugin, found["name"]) if plugin else found["name"]
    filesystem = options.get("filesystem") or FILESYSTEM
    local = [*LOCAL_OPTIONS, *(LOCAL_OPTIONS_SYSTEMD if systemd else ())]
    if kind == "nfs":
        defaults = [*NFS_OPTIONS, *(NFS_OPTIONS_SYSTEMD if systemd else ())]
        found.update(
            source=nfs.source(options["server"], options["export"]),
            type="nfs",
            options=merged(defaults, options.get("options") or ""),
        )
    elif kind == "lvm":
        found.update(
            vg=options["vg"],
            lv=own_name,
            devices=list(options.get("devices") or ()),
            source="/dev/mapper/%s-%s" % (options["vg"].replace("-", "--"), own_name.replace("-", "--")),
            type=filesystem,
            options=local,
        )
    elif kind == "file":
        path = "%s/%s.img" % (BACKING_DIR, own_name)
        found.update(backing=path, source=path, type=filesystem, options=[*FILE_OPTIONS, *local])
    return found


def _mode(given: Any) -> Any:
    """A mode in one form for all. What is none is refused elsewhere."""
    try:
        return compare.mode_text(int(given, 8))
    except (TypeError, ValueError):
        return given


def merged(defaults: Iterable[str], given: str) -> list[str]:
    """The options of a mount: what is given goes before a default of the same name, or of the opposite meaning."""
    own = [option.strip() for option in given.split(",") if option.strip()]
    names = {option.split("=")[0] for option in own}
    opposite = {compare.OPPOSITES.get(name, name) for name in names} | ({"bg"} if "fg" in names else set())
    return [option for option in defaults if option.split("=")[0] not in names | opposite] + own


def findings(
    wanted: list[dict[str, Any]],
    seen: Mapping[str, dict[str, Any]],
    made: list[str],
    known: list[str],
    keys: Mapping[str, str],
) -> list[Problem]:
    """What keeps the volumes from being made; ``made`` and ``known`` are as ``compare.foreign`` has them, and ``keys``
    has their places in the configuration, {path: key}."""
    found: list[Problem] = []
    for volume in wanted:
        has, key = seen.get(volume["path"]), keys[volume["path"]]
        if has is None:
            continue
        found += compare.foreign(volume, has, made, known, key)
        if volume["kind"] == "nfs":
            found += nfs.findings(volume, has, key)
        elif volume["kind"] in ("lvm", "file"):
            found += shrinking(volume, has, key)
    return found + without_room(wanted, seen, keys)


def shrinking(volume: dict[str, Any], has: dict[str, Any], key: str) -> list[Problem]:
    """A volume that is larger than what is wanted."""
    if has["size_gb"] <= volume["size_gb"] + compare.TOLERANCE_GB:
        return []
    said = "the volume %s has %.4g GB and is never made smaller" % (volume["name"], has["size_gb"])
    remedy = "write at least %.4g" % has["size_gb"]
    return [Problem.plain("E2063", said, "%g GB" % volume["size_gb"], remedy, path="%s.size_gb" % key)]


def without_room(
    wanted: list[dict[str, Any]], seen: Mapping[str, dict[str, Any]], keys: Mapping[str, str]
) -> list[Problem]:
    """Volume groups that are missing or too small for all of their volumes together."""
    found: list[Problem] = []
    taken: dict[str, float] = {}
    for volume in (item for item in wanted if item["kind"] == "lvm" and item["path"] in seen):
        has, key, name = seen[volume["path"]], keys[volume["path"]], volume["vg"]
        absent = [path for path, device in has["devices"].items() if device["state"] != "device"]
        for path in absent:
            said = "the device %s is missing" % path
            if has["devices"][path]["state"] == "other":
                said = "%s is not a block device" % path
            found.append(Problem.plain("E2064", said, "", "correct options.devices", path="%s.options.devices" % key))
        fresh = [item for item in has["devices"].values() if item["state"] == "device" and not item["group"]]
        if has["group_gb"] is None and not fresh:
            if not absent:
                remedy = "write options.devices, or create the group yourself"
                what = "the volume group %s does not exist, and no device is named for it" % name
                found.append(Problem.plain("E2064", what, "", remedy, path="%s.options.vg" % key))
            continue
        taken[name] = taken.get(name, 0) + max(0.0, volume["size_gb"] - has["size_gb"])
        free = (has["group_gb"] or 0) + sum(item["gib"] - OVERHEAD_GB for item in fresh)
        if taken[name] > free:
            what = "%g GB free in the volume group %s" % (taken[name], name)
            remedy = "lower size_gb, or name another device in options.devices"
            found.append(Problem("E2064", what, "%.4g GB" % free, remedy, path="%s.size_gb" % key))
    return found


def reasons(
    wanted: list[dict[str, Any]], seen: Mapping[str, dict[str, Any]], drift: Iterable[Mapping[str, str]]
) -> list[str]:
    """Why the step is pending: what the volumes lack, besides what is known as drift already."""
    known = {(item["resource"], item["attribute"]) for item in drift}
    return [
        "%s: %s is %s, should be %s" % (compare.resource(volume), attribute, has or "none", expected)
        for volume in wanted
        if volume["path"] in seen
        for attribute, expected, has in compare.differences(volume, seen[volume["path"]])
        if (compare.resource(volume), attribute) not in known
    ]
