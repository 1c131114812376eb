# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a volume lacks, from what is wanted of it and what the host has. The plan and the search for drift ask the same.

A volume that is wanted is a map with ``name``, ``path``, ``kind`` (directory, lvm, file or nfs), ``size_gb`` (0 for
none), ``owner``, ``group``, ``mode``, ``source``, ``type`` and ``options`` (a list) of its mount, ``vg``, ``lv``,
``devices`` and ``backing`` (a path). What the host has of it is the answer of ``state.look``.
"""

from __future__ import annotations

from ..errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


# The kinds that are mounted.
MOUNTED = ("lvm", "file", "nfs")
OWNED = ("owner", "group", "mode")
# Sizes are told apart from here on: an extent of LVM is much smaller.
TOLERANCE_GB = 0.02
# Options of a mount that the kernel reports as they were given. Others are for mount(8) and systemd, are negotiated
# with the server, or have other names in the kernel.
REPORTED = ("soft", "hard", "ro", "rw", "nolock", "lock", "noac", "noexec", "nosuid", "nodev", "noatime")
REPORTED_VALUES = ("timeo", "retrans", "vers", "nfsvers", "proto", "sec")
# What mounts of one file system of a server share: the kernel keeps what the first of them was given.
SHARED_VALUES = ("timeo", "retrans")
# Options that a mount has only if they were given, and options of fstab that bring some of them.
GIVEN_ONLY = ("ro", "nolock", "noac", "noexec", "nosuid", "nodev", "noatime")
BRINGING = ("user", "users", "owner", "group")
OPPOSITES = {"soft": "hard", "hard": "soft", "ro": "rw", "rw": "ro", "lock": "nolock", "nolock": "lock"}


def mode_text(mode: int) -> str:
    """A mode as it is written everywhere: in octal, with a leading zero."""
    return "0%03o" % mode


def is_mounted(volume: dict[str, Any]) -> bool:
    """Returns whether a volume has a file system of its own."""
    return volume["kind"] in MOUNTED


def fstab_line(volume: dict[str, Any], at: str) -> list[str]:
    """The fields of fstab(5) for a volume."""
    return [volume["source"], at, volume["type"], ",".join(volume["options"]), "0", "0"]


def differing_options(wanted: list[str], has: list[str], shared: bool = False) -> list[str]:
    """The wanted options that a mount does not have, as far as the kernel reports them; ``shared`` says that other
    mounts have the same file system."""
    found, values = [], dict(option.split("=", 1) for option in has if "=" in option)
    for option in wanted:
        name, _is, value = option.partition("=")
        if not value and name in REPORTED:
            lacking = OPPOSITES[name] in has if name in OPPOSITES else name not in has
        elif value and name in REPORTED_VALUES:
            key = "vers" if name == "nfsvers" else name
            # A version without its minor number leaves that to the server; the kernel calls TCP over IPv6 tcp6.
            lacking = key in values and not values[key].startswith(value) and not (shared and key in SHARED_VALUES)
        else:
            continue
        if lacking:
            found.append(option)
    return found


def unwanted_options(wanted: list[str], has: list[str]) -> list[str]:
    """The opposites of options that a mount of NFS has and that are not wanted any more."""
    brought = ("noexec", "nosuid", "nodev") if set(BRINGING) & set(wanted) else ()
    left = [name for name in GIVEN_ONLY if name in has and name not in wanted and name not in brought]
    return ["rw" if name == "ro" else name[2:] for name in left]


def owned(volume: dict[str, Any], seen: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(attribute, expected, found) of owner, group and mode that differ. What is not named is the server's to say, and
    an account may be named by its number."""
    has = {key: seen[key] for key in OWNED}
    for key, number in (("owner", "uid"), ("group", "gid")):
        if volume[key].isdigit():
            has[key] = seen.get(number, "")
    return [(key, volume[key], has[key]) for key in OWNED if volume[key] not in ("", has[key])]


def differences(volume: dict[str, Any], seen: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(attribute, expected, found) of everything that is not as wanted, the mount first."""
    if not is_mounted(volume):
        return []
    found = []
    mounts, line = seen["mounts"], fstab_line(volume, seen["at"])
    if not mounts:
        found.append(("mount", volume["source"], "none"))
    elif len(mounts) > 1:
        found.append(("mounts", "1", str(len(mounts))))
    elif mounts[-1]["source"] != volume["source"]:
        found.append(("mount", volume["source"], mounts[-1]["source"]))
    else:
        has, shared = mounts[-1]["options"], mounts[-1].get("shared", False)
        lacking = differing_options(volume["options"], has, shared)
        lacking += unwanted_options(volume["options"], has) if volume["kind"] == "nfs" else []
        if lacking:
            found.append(("options of the mount", ",".join(lacking), ",".join(has)))
        elif seen["fault"]:
            found.append(("answer", "in time", seen["fault"]))
    if seen["fstab"] != [line]:
        lines = "; ".join(" ".join(fields) for fields in seen["fstab"])
        found.append(("line in fstab", " ".join(line), lines or "none"))
    if volume["kind"] != "nfs" and abs(seen["size_gb"] - volume["size_gb"]) > TOLERANCE_GB:
        found.append(("size", "%g GB" % volume["size_gb"], "%.4g GB" % seen["size_gb"]))
    if not any(attribute in ("mount", "mounts", "answer") for attribute, _expected, _has in found):
        found += owned(volume, seen)
    return found


def mark(volume: dict[str, Any]) -> str:
    """The name of a volume's storage in the list of what was made, of NFS that of its mount; "" for a directory."""
    if volume["kind"] == "nfs":
        return "nfs:%s" % volume["source"]
    if volume["kind"] == "lvm":
        return "lvm:%s/%s" % (volume["vg"], volume["lv"])
    return "file:%s" % volume["backing"] if volume["kind"] == "file" else ""


def foreign(
    volume: dict[str, Any], seen: dict[str, Any], made: Collection[str] | None, known: Collection[str], key: str = ""
) -> list[Problem]:
    """What of a volume's place belongs to somebody else. ``made`` is what the record says was made; where there is no
    record, None, a file system of the wanted type is used as it is. ``known`` are sources of earlier revisions."""
    found: list[Problem] = []

    def add(what: str, got: str, remedy: str) -> None:
        found.append(Problem.plain("E2062", what, got, remedy, path=key))

    own = made is None or mark(volume) in made
    remedy = "name the volume otherwise, or save what is there and delete it yourself"
    if seen["exists"] and not own:
        got = seen["carries"] or "it carries nothing"
        add("%s is there already, and windflow has not made it" % volume["source"], got, remedy)
    elif seen["exists"] and seen["carries"] not in ("", volume["type"]):
        what = "%s carries another file system than %s" % (volume["source"], volume["type"])
        add(what, seen["carries"], remedy)
    for path, device in seen["devices"].items():
        if device["state"] == "device" and not device["group"] and device["carries"]:
            erase = "wipefs --all %s && dd if=/dev/zero of=%s bs=1M count=1" % (path, path)
            remedy = "name another device, or save what is there and run: %s" % erase
            add("the device %s is not empty" % path, device["carries"], remedy)
        elif device["group"] not in ("", volume["vg"]):
            add("the device %s belongs to another volume group" % path, device["group"], "name another device")
    if is_mounted(volume):
        mounted = seen["mounts"][-1]["source"] if seen["mounts"] else ""
        # A run that died has noted what it was going to mount.
        if mounted not in ("", volume["source"], *known) and "nfs:%s" % mounted not in (made or ()):
            add("something else is mounted at %s" % volume["path"], mounted, "unmount it, or name another path")
        elif not mounted and not seen["empty"] and not seen["fault"]:
            remedy = "move its content away, or name another path"
            add("the directory %s is not empty, and a mount would hide that" % volume["path"], "", remedy)
    return found


def needs_mount(volume: dict[str, Any], seen: dict[str, Any]) -> bool:
    """Returns whether what is mounted has to go before the volume can be mounted, or nothing is mounted."""
    again = ("mount", "mounts", "options of the mount", "answer")
    return any(attribute in again for attribute, _expected, _has in differences(volume, seen))


def resource(volume: dict[str, Any]) -> str:
    """A volume in words."""
    return "volume %s at %s" % (volume["name"], volume["path"])


def drift(volume: dict[str, Any], seen: dict[str, Any]) -> list[dict[str, str]]:
    """The differences in the form of a host's drift."""
    return [
        {"step": "volumes", "resource": resource(volume), "attribute": name, "expected": expected, "found": has}
        for name, expected, has in differences(volume, seen)
    ]
