# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block devices, logical volumes and files with a file system: what they carry, and how large they are."""

from __future__ import annotations

import json
import os
import stat
import subprocess

from ..system import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


SECONDS = 20.0
GIB = 1 << 30
# What a device or a file may carry without a signature that anybody knows is looked for in its beginning.
PROBED = 1 << 20
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def say(argv: list[str], seconds: float = SECONDS) -> tuple[int, str]:
    """Exit code and words of a program, in English; 127 where there is none, 124 where its time was over."""
    try:
        return processes.ask(argv, dict(os.environ, LC_ALL="C", PATH=PATH), seconds)
    except FileNotFoundError:
        return 127, "%s is not installed" % argv[0]
    except subprocess.TimeoutExpired:
        return 124, "%s did not end within %g s" % (argv[0], seconds)


def carried(path: str) -> str:
    """What a device or a file carries: the name of a file system, of a partition table or of another user, ``data``
    for what nobody knows, "" for nothing."""
    code, said = say(["blkid", "-p", "-o", "export", path])
    values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    found = values.get("TYPE") or values.get("PTTYPE")
    if found:
        return found
    if code == 8:
        return "several signatures"
    try:
        with open(path, "rb") as stream:
            return "data" if any(stream.read(PROBED)) else ""
    except OSError as error:
        return error.strerror or "something that cannot be read"


def mounted_file(source: str) -> str:
    """The file behind a loop device; another source as it is."""
    name = os.path.basename(source)
    if not name.startswith("loop"):
        return source
    try:
        with open("/sys/block/%s/loop/backing_file" % name, encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError:
        return source


def reports(command: str, columns: str, key: str) -> list[dict[str, str]]:
    """What ``lvs``, ``vgs`` or ``pvs`` lists; nothing where LVM is not installed."""
    argv = [command, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", columns]
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, LC_ALL="C", PATH=PATH),
            timeout=SECONDS,
            check=False,
        )
        return json.loads(done.stdout)["report"][0][key]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, IndexError):
        return []


def lvm() -> dict[str, dict[str, Any]]:
    """{"groups": {name: free GiB}, "volumes": {"group/name": GiB}, "devices": {path: group}} of the host."""
    groups = reports("vgs", "vg_name,vg_free", "vg")
    volumes = reports("lvs", "vg_name,lv_name,lv_size", "lv") if groups else []
    return {
        "groups": {item["vg_name"]: int(item["vg_free"]) / GIB for item in groups},
        "volumes": {"%s/%s" % (item["vg_name"], item["lv_name"]): int(item["lv_size"]) / GIB for item in volumes},
        "devices": {
            os.path.realpath(item["pv_name"]): item["vg_name"] for item in reports("pvs", "pv_name,vg_name", "pv")
        },
    }


def device(path: str, groups: dict[str, str]) -> dict[str, Any]:
    """{"state", "group", "carries", "gib"} of a device that a volume group is to be made of."""
    try:
        is_block = stat.S_ISBLK(os.stat(path).st_mode)
    except OSError:
        return {"state": "absent", "group": "", "carries": "", "gib": 0}
    group = groups.get(os.path.realpath(path), "")
    carries = "" if group or not is_block else carried(path) or held(path)
    return {"state": "device" if is_block else "other", "group": group, "carries": carries, "gib": size(path)}


def held(path: str) -> str:
    """What of the kernel uses a device, or ""."""
    holders = "/sys/class/block/%s/holders" % os.path.basename(os.path.realpath(path))
    found = sorted(os.listdir(holders)) if os.path.isdir(holders) else []
    return "a part of %s" % ", ".join(found) if found else ""


def size(path: str) -> float:
    """GiB of a device or a file; 0 where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return os.lseek(descriptor, 0, os.SEEK_END) / GIB
    except OSError:
        return 0
    finally:
        os.close(descriptor)
