# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes as they are wanted: ``prepare`` before devices are made, ``mount`` after that, ``unmount``, ``purge``.

A mount that is not as wanted stays until its own turn comes to be mounted: what fails before that takes nothing away.

Each returns the changes that it has made, or with ``check`` would make, as {"path", "attribute", "before", "after"}.
Whatever touches a mount has an end in time.
"""

from __future__ import annotations

import grp
import os
import pwd

from ..errors import Problem, WindflowError
from ..files import atomic
from ..files.nofollow import reason
from ..record import ownership, store
from ..system import mounts, places
from . import compare, devices, fstab, nfs, state
from .fstab import FSTAB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    Change = Dict[str, str]


ARGUMENTS: dict[str, dict[str, Any]] = {
    "volumes": {"type": "list", "elements": "dict", "default": []},
    "state": {
        "type": "str",
        "choices": ["prepared", "mounted", "unmounted", "purged"],
        "default": "mounted",
    },
    "plugin": {"type": "str", "default": ""},
}
MOUNT_SECONDS = 60.0
UNMOUNT_SECONDS = 15.0
TOOL_SECONDS = 300.0
# Options that matter to who reads fstab at the start of a host, and not to mount(8) now: a deploy waits for the result.
AT_START = ("bg", "_netdev", "nofail", "auto", "noauto")
KIND = ownership.VOLUMES


def change(path: str, attribute: str, before: object, after: object) -> Change:
    return {"path": path, "attribute": attribute, "before": str(before), "after": str(after)}


def prepare(plugin: str, volumes: list[dict[str, Any]], check: bool) -> list[Change]:
    """Refuses what is somebody else's and servers that do not answer, notes what is going to be made, and makes the
    files of volumes in files."""
    found = state.look_all(volumes)
    refuse(plugin, volumes, found)
    changes: list[Change] = []
    for volume in (item for item in volumes if compare.is_mounted(item)):
        seen = found[volume["path"]]
        if plugin and compare.mark(volume) and not seen["exists"] and not check:
            ownership.note_made(plugin, KIND, [compare.mark(volume)])
        if volume["kind"] == "file":
            changes += backing_file(volume, seen, check)
    return changes


def refuse(plugin: str, volumes: list[dict[str, Any]], found: dict[str, dict[str, Any]]) -> None:
    """Raises WindflowError for a device, a volume or a file that carries what windflow has not put there, and for a
    server that does not answer. Without a plugin nothing is recorded: there a file system of the wanted type is used as
    it is."""
    remembered = store.load(plugin) if plugin else None
    made = ownership.made_resources(remembered)[KIND] if remembered else None
    known = {
        volume["source"]
        for revision in (remembered["revisions"] if remembered else ())
        for volume in (revision.get("host") or {}).get("storage", ())
    }
    problems = []
    for volume in volumes:
        problems += compare.foreign(volume, found[volume["path"]], made, known)
        problems += nfs.findings(volume, found[volume["path"]])
    if problems:
        raise WindflowError(problems)


def mount_point(plugin: str, volume: dict[str, Any], seen: dict[str, Any], check: bool) -> list[Change]:
    """Makes the directory on which a volume is mounted; root's, so that nothing is written there by mistake."""
    if seen["mounts"]:
        return []
    if plugin and not check:
        # An empty directory that is there already becomes the plugin's, too: what is mounted there fills it.
        entry = {"path": volume["path"], "state": "directory", "owner": volume["owner"]}
        places.take(plugin, [entry], False, False)
    if seen["owner"]:
        return []
    if not check:
        atomic.make_directory(seen["at"])
    return [change(seen["at"], "state", "absent", "directory")]


def backing_file(volume: dict[str, Any], seen: dict[str, Any], check: bool) -> list[Change]:
    """Reserves the whole size in the file, which never shrinks."""
    path = volume["backing"]
    if seen["exists"] and seen["size_gb"] >= volume["size_gb"] - compare.TOLERANCE_GB:
        return []
    if not check:
        atomic.make_directory(os.path.dirname(path), 0o700)
        try:
            reserve(volume)
        except WindflowError:
            if not seen["exists"]:
                os.unlink(path)
            else:
                os.truncate(path, int(seen["size_gb"] * devices.GIB))
            raise
    return [change(path, "size", "%.4g GB" % seen["size_gb"], "%g GB" % volume["size_gb"])]


def reserve(volume: dict[str, Any]) -> None:
    """Reserves the space of each block of the file, made or not. What is in it stays. Raises WindflowError E4023."""
    path = volume["backing"]
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, int(volume["size_gb"] * devices.GIB))
    except OSError as error:
        said, got = "%g GB cannot be reserved in %s" % (volume["size_gb"], path), error.strerror or str(error)
        raise WindflowError(Problem.plain("E4023", said, got, "free space")) from None
    finally:
        os.close(descriptor)


def mount(plugin: str, volumes: list[dict[str, Any]], check: bool) -> list[Change]:
    """Mounts, gives the volumes to their owners, writes the lines of fstab, and lets file systems grow.

    A volume that lies in another comes after it: its mount point is in the other.
    """
    changes: list[Change] = []
    for volume in (item for item in volumes if compare.is_mounted(item)):
        seen = state.look(volume)
        inner = [one["path"] for one in mounts.table() if one["path"].startswith(seen["at"] + "/")]
        try:
            changes += replaced(plugin, volume, seen, check)
        finally:
            # What was mounted below a mount went with it, whoever mounted it.
            for at in [] if check else inner:
                if not mounts.at(at):
                    put_back(at)
        # Only what can be mounted is tried again at the start of the host.
        changes += listed(seen["at"], compare.fstab_line(volume, seen["at"]), check)
        if not check:
            grow(volume, state.look(volume))
            settle(volume)
    return changes


def replaced(plugin: str, volume: dict[str, Any], seen: dict[str, Any], check: bool) -> list[Change]:
    """Takes away a mount that is not as wanted, makes the mount point, and mounts."""
    changes: list[Change] = []
    if seen["mounts"] and compare.needs_mount(volume, seen):
        changes += take_down(seen["at"], check)
        seen["mounts"] = []
        # What lay below the mount is to be seen now.
        seen.update(state.visible(seen["at"]) if not check else {"owner": "root"})
    changes += mount_point(plugin, volume, seen, check)
    return changes + visible_now(volume, seen, check)


def visible_now(volume: dict[str, Any], seen: dict[str, Any], check: bool) -> list[Change]:
    """Mounts a volume where nothing is mounted, and gives it to its owner. If that fails, what fstab still says is
    mounted again: the release that serves works with it."""
    if seen["mounts"]:
        return own(volume, seen, check)
    changes = [change(seen["at"], "mount", "none", volume["source"])]
    if check:
        return changes
    if volume["backing"]:
        # mke2fs gives back the blocks of the journal that it makes.
        reserve(volume)
    try:
        mount_now(volume, seen["at"])
        return changes + own(volume, state.look(volume), check)
    except WindflowError as error:
        take_down(seen["at"], False)
        raise WindflowError(list(error.problems), put_back(seen["at"])) from None


def put_back(at: str) -> str:
    """Mounts what fstab says of a path, and returns what has become of it."""
    for source, _at, kind, options, *_rest in fstab.lines_for(at, fstab.read())[:1]:
        code, _said = say_mount(kind, options.split(","), source, at)
        return "%s is mounted again." % source if code == 0 else "%s could not be mounted again." % source
    return "Nothing is mounted there."


def listed(at: str, line: list[str] | None, check: bool) -> list[Change]:
    """Brings the lines of fstab for a path to one, or to none."""
    text = fstab.read()
    wanted = fstab.changed(text, at, line)
    if wanted == text:
        return []
    before = "; ".join(" ".join(fields) for fields in fstab.lines_for(at, text))
    if not check:
        fstab.write(wanted)
        reload_systemd()
    return [change(FSTAB, "line for %s" % at, before or "none", " ".join(line) if line else "none")]


def has_systemd() -> bool:
    """Returns whether systemd mounts what fstab lists."""
    return os.path.isdir("/run/systemd/system")


def reload_systemd() -> None:
    """systemd makes its units for mounts from fstab when it is told to."""
    if has_systemd():
        devices.say(["systemctl", "daemon-reload"], TOOL_SECONDS)


def mount_now(volume: dict[str, Any], at: str) -> None:
    """Mounts once, in the foreground, and checks that the mount is where it should be."""
    if has_systemd():
        # It may be trying the same since the host has started.
        devices.say(["systemctl", "stop", at], UNMOUNT_SECONDS)
    code, said = say_mount(volume["type"], volume["options"], volume["source"], at)
    if code == 0 and len(mounts.at(at)) == 1:
        return
    if code == 0:
        # A link was put in the place of the directory meanwhile.
        said = "it is not mounted at %s" % at
    remedy = "correct what it says, then run again"
    # What mount(8) says comes first: services that it starts speak before it.
    lines = sorted(filter(str.strip, said.splitlines()), key=lambda line: not line.startswith("mount"))
    problem = Problem.plain("E4024", "%s cannot be mounted at %s" % (volume["source"], at), "; ".join(lines), remedy)
    raise WindflowError(problem)


def say_mount(kind: str, options: list[str], source: str, at: str) -> tuple[int, str]:
    """Exit code and words of one attempt to mount."""
    chosen = [option for option in options if option not in AT_START and not option.lower().startswith("x-")]
    if kind == "nfs":
        chosen = [option for option in chosen if not option.startswith("retry=")] + ["retry=0"]
    given = ["-o", ",".join(chosen)] if chosen else []
    return devices.say(["mount", "-t", kind, *given, source, at], MOUNT_SECONDS)


def grow(volume: dict[str, Any], seen: dict[str, Any]) -> None:
    """A file system in a file that has become larger takes its whole size; LVM does that by itself."""
    if volume["kind"] != "file" or not seen["mounts"]:
        return
    loop = next((one["source"] for one in mounts.at(seen["at"])), "")
    devices.say(["losetup", "--set-capacity", loop])
    code, said = devices.say(["resize2fs", loop], TOOL_SECONDS)
    if code:
        problem = Problem.plain("E4025", "the file system in %s cannot grow" % volume["backing"], said.strip(), "")
        raise WindflowError(problem, "Its data are as they were.")
    # What grows may have given back blocks that it filled with zeros.
    reserve(volume)


def own(volume: dict[str, Any], seen: dict[str, Any], check: bool) -> list[Change]:
    """Gives the root of what is mounted to the wanted owner."""
    has = {key: seen[key] for key in compare.OWNED}
    wanted = {key: volume[key] or has[key] for key in has}
    if check and not seen["mounts"]:
        return []
    found = [change(seen["at"], key, is_now, expected) for key, expected, is_now in compare.owned(volume, seen)]
    if not found or check:
        return found
    try:
        mounts.answer(seen["at"], _own, seen["at"], wanted)
    except (OSError, KeyError) as error:
        said = getattr(error, "text", "") or getattr(error, "strerror", "") or str(error)
        remedy = "create the owner first"
        if volume["kind"] == "nfs" and isinstance(error, PermissionError):
            # What root may do is the server's to say.
            remedy = (
                "the server takes root's rights away (root_squash): give the export to %d:%d on the server, "
                "or write its present owner and group into options" % numbers(wanted)
            )
        what = "%s cannot be given to %s:%s with mode %s" % (seen["at"], *wanted.values())
        outcome = "It belongs to %s:%s with mode %s." % tuple(has.values())
        raise WindflowError(Problem.plain("E4026", what, said, remedy), outcome) from None
    return found


def _own(at: str, wanted: dict[str, str]) -> None:
    user, group = numbers(wanted)
    descriptor = os.open(at, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        info = os.fstat(descriptor)
        if (info.st_uid, info.st_gid) != (user, group):
            os.fchown(descriptor, user, group)
        if os.fstat(descriptor).st_mode & 0o7777 != int(wanted["mode"], 8):
            os.fchmod(descriptor, int(wanted["mode"], 8))
    finally:
        os.close(descriptor)


def numbers(wanted: dict[str, str]) -> tuple[int, int]:
    """User and group by number. Raises KeyError for one that the host does not have."""
    user, group = wanted["owner"], wanted["group"]
    return (
        int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid,
        int(group) if group.isdigit() else grp.getgrnam(group).gr_gid,
    )


def settle(volume: dict[str, Any]) -> None:
    """Raises WindflowError for what is still not as wanted."""
    left = compare.differences(volume, state.look(volume))
    if left:
        texts = ["%s: %s instead of %s" % (name, has or "none", expected) for name, expected, has in left]
        what = "%s is not as it should be" % compare.resource(volume)
        raise WindflowError(
            Problem.plain("E4027", what, "; ".join(texts), "correct that on the host, then run again"),
            "What was done stays.",
        )


def take_down(at: str, check: bool) -> list[Change]:
    """Unmounts everything at a path: at once from sight where it does not go otherwise, as of a server that is away or
    while somebody has a file of it open."""
    found = mounts.at(at)
    for one in [] if check else reversed(found):
        argv = ["umount", "-i", "-c", at]
        # A server that is away would keep the first attempt waiting for all of its time.
        if state.visible(at)["fault"] or devices.say(argv, UNMOUNT_SECONDS)[0] and one in mounts.at(at):
            code, said = devices.say([*argv, "-l"], UNMOUNT_SECONDS)
            # It may wait for the server after the mount has gone.
            if code and one in mounts.at(at):
                problem = Problem.plain("E4028", "%s cannot be unmounted" % at, said.strip(), "unmount it by hand")
                raise WindflowError(problem, "It is still mounted.")
        mounts.forget(at)
    return [change(at, "mount", one["source"], "none") for one in reversed(found)]


def unmount(volumes: list[dict[str, Any]], check: bool) -> list[Change]:
    """Takes volumes out of fstab and unmounts them. What is on them stays."""
    changes: list[Change] = []
    for volume in (item for item in volumes if compare.is_mounted(item)):
        at = places.resolve(volume["path"])[0]
        changes += listed(at, None, check)
        if any(state.source_of(one, volume) == volume["source"] for one in mounts.at(at)):
            changes += take_down(at, check)
    return changes


def purge(plugin: str, check: bool) -> list[Change]:
    """Deletes the logical volumes and files that were made for the plugin. Nothing of NFS is among them."""
    changes: list[Change] = []
    for name in ownership.made_resources(store.load(plugin))[KIND]:
        kind, _colon, what = name.partition(":")
        path = "/dev/%s" % what if kind == "lvm" else what
        if kind != "nfs" and os.path.lexists(path):
            changes.append(change(what, "state", "present", "absent"))
        if check:
            continue
        if kind == "lvm" and os.path.lexists(path):
            code, said = devices.say(["lvremove", "--yes", "--force", what], TOOL_SECONDS)
            if code:
                problem = Problem.plain("E4029", "the logical volume %s cannot be deleted" % what, said.strip(), "")
                raise WindflowError(problem, "It is there, with its data.")
        elif kind == "file":
            atomic.remove(path)
        ownership.forget_made(plugin, KIND, [name])
    return changes


def bring(params: dict[str, Any], check: bool) -> list[Change]:
    """The changes that bring the volumes to the state that is asked for."""
    plugin, volumes = params["plugin"], params["volumes"]
    if params["state"] == "prepared":
        return prepare(plugin, volumes, check)
    if params["state"] == "mounted":
        return mount(plugin, volumes, check)
    if params["state"] == "unmounted":
        return unmount(volumes, check)
    return purge(plugin, check)


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.volumes) to its options. Raises WindflowError."""
    try:
        found = bring(params, params["check"])
    except OSError as error:
        problem = Problem.plain("E4046", "the host refused the change", reason(error), "correct it, then run again")
        raise WindflowError(problem, "What was done before stays.") from error
    diff = [
        {
            "before_header": "%(path)s: %(attribute)s" % item,
            "after_header": "%(path)s: %(attribute)s" % item,
            "before": item["before"],
            "after": item["after"],
        }
        for item in found
    ]
    return {"changed": bool(found), "changes": found, "diff": diff}
