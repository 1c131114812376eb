# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a directory is, before it becomes an application's.

It is the plugin's if its record says that it was made for it, if nothing is there, or if it is root's and empty and
came with no package. What else is there is used only where that is adopted. Some places are never an application's:
the system's, the platform's own, another plugin's, somebody's home, and what lies where others could exchange it.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
import subprocess

from ..errors import Problem, WindflowError
from ..files import nofollow
from ..files.nofollow import name_of
from ..record import ownership, store
from . import accounts, mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    from ..record.file_format import Record


# Directories that belong to the system: the first ones themselves, the second ones with all below them.
SYSTEM_DIRECTORIES = frozenset(
    "/ /home /media /mnt /opt /root /srv /tmp /usr /usr/local /usr/local/share /usr/share /var /var/backups /var/cache "
    "/var/lib /var/local /var/log /var/mail /var/opt /var/spool /var/tmp /var/www".split()
)
SYSTEM_TREES = tuple(
    "/bin /boot /dev /etc /lib /lib32 /lib64 /libx32 /lost+found /proc /run /sbin /sys /usr/bin /usr/games "
    "/usr/include /usr/lib /usr/lib32 /usr/lib64 /usr/libexec /usr/local/bin /usr/local/etc /usr/local/games "
    "/usr/local/include /usr/local/lib /usr/local/man /usr/local/sbin /usr/local/src /usr/sbin /usr/src /root/.ssh "
    "/var/lib/apt /var/lib/docker /var/lib/dpkg /var/lib/pacman /var/lib/pgsql /var/lib/postgres /var/lib/postgresql "
    "/var/lib/rpm /var/lib/systemd /var/lib/windflow /var/lock /var/run /var/spool/anacron /var/spool/at "
    "/var/spool/cron /var/spool/mail".split()
)
# The platform's own. Plugins have directories by their names in them, and in no other way.
OWN_TREES = ("/etc/windflow", "/var/log/windflow", store.STATE_DIR)
# Of those who ask which package a directory came with, the first that is there is asked.
PACKAGES = (("dpkg-query", "-S"), ("rpm", "-qf"), ("pacman", "-Qoq"))
# What of an application's directory the platform alone writes in.
PARTS = ("releases", "venvs", "run", "current")
# By which a directory is told.
KEPT = ("owner", "group", "mode")
MAX_LINKS = 40


def of_system(path: str) -> bool:
    """Returns whether a path is the system's, whoever asks."""
    path = path.replace("//", "/")
    return path in SYSTEM_DIRECTORIES or any(within(path, tree) for tree in SYSTEM_TREES)


def within(path: str, tree: str) -> bool:
    return (path + "/").startswith(tree.rstrip("/") + "/")


def overlap(path: str, other: str) -> bool:
    return within(path, other) or within(other, path)


def resolve(path: str) -> tuple[str, list[tuple[str, os.stat_result]], str]:
    """(the path without links, what each directory on the way is as (path, stat), what is in the way or "").

    A link counts as root's if root made it where nobody else could have put it. The last component is not followed.
    Nothing waits for a file system that does not answer: the way ends there.
    """
    pending, real, links = path.split("/")[:0:-1], "", 0
    way: list[tuple[str, os.stat_result]] = []
    remote = mounts.of_network()
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            real = os.path.dirname(real)
            continue
        here = "%s/%s" % (real, part)
        try:
            info = mounts.lstat(here, remote)
        except mounts.NotAnswering as error:
            return "/".join([here, *pending[::-1]]), way, "on %s, which does not answer" % error.text
        except OSError:
            return "/".join([here, *pending[::-1]]), way, ""
        if pending and stat.S_ISLNK(info.st_mode):
            links += 1
            if links > MAX_LINKS or info.st_uid != 0 or (way and exchangeable(way[-1][1])):
                return "/".join([here, *pending[::-1]]), way, "behind the link %s, which is not root's" % here
            target = os.readlink(here)
            pending += target.split("/")[::-1]
            if target.startswith("/"):
                real, way = "", []
            continue
        real = here
        if pending and not stat.S_ISDIR(info.st_mode):
            return "/".join([here, *pending[::-1]]), way, "below %s, which is no directory" % here
        if pending:
            way.append((here, info))
    return real or "/", way, ""


def exchangeable(info: os.stat_result) -> bool:
    """Returns whether somebody but root could put something else in the place of what is in a directory."""
    return info.st_uid != 0 or bool(info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX)


def look(
    plugin: str, directories: Mapping[str, str], user: str, made: dict[str, list[str]], state_dir: str = store.STATE_DIR
) -> dict[str, dict[str, Any]]:
    """{path: real, state, owner, group, mode, empty, never, other, silent} of the ``directories`` of a plugin,
    {path: owner}.

    ``never`` is why it cannot be an application's, ``other`` which plugin has it, ``silent`` which mount does not
    answer; "" where nothing speaks against it. ``user`` is the application's account, ``made`` what the record knows to
    be made for the plugin.
    """
    others, homes = of_others(plugin, state_dir), homes_of_others({user, *made["account"]})
    resolved = {path: resolve(path) for path in directories}
    mine = {resolved[path][0]: owner for path, owner in directories.items()}
    found = {}
    for path, owner in directories.items():
        real, way, planted = resolved[path]
        seen = {"silent": "", **state_of(real), "real": real, "never": ""}
        seen["other"] = ""
        if seen["silent"]:
            found[path] = seen
            continue
        if planted:
            seen["never"] = planted
        elif path not in own_directories(plugin):
            seen["other"] = next((text for place, text in others if overlap(real, place)), "")
            seen["never"] = never(real, seen, homes) or exchangeable_part(way, mine, user, owner)
        if not seen["never"] and seen["empty"] and seen["state"] != "absent" and not is_made(path, made["directories"]):
            package = package_of(real)
            seen["never"] = "one that came with the package %s" % package if package else ""
        found[path] = seen
    return found


def own_directories(plugin: str) -> set[str]:
    """Returns where a plugin has its place by its name."""
    return {*OWN_TREES[:2]} | {"%s/%s" % (tree, plugin) for tree in OWN_TREES[:2]}


def state_of(real: str) -> dict[str, Any]:
    try:
        return mounts.answer(real, _state_of, real)
    except mounts.NotAnswering as error:
        return {"state": "unknown", "empty": False, "owner": "", "group": "", "mode": "", "silent": error.text}


def _state_of(real: str) -> dict[str, Any]:
    try:
        info = os.lstat(real)
    except OSError:
        return {"state": "absent", "empty": True}
    kinds = ((stat.S_ISDIR, "directory"), (stat.S_ISLNK, "link"))
    state = next((name for is_it, name in kinds if is_it(info.st_mode)), "other")
    found: dict[str, Any] = {"state": state, "empty": False, "mode": "%04o" % stat.S_IMODE(info.st_mode)}
    found.update(owner=name_of(pwd.getpwuid, info.st_uid), group=name_of(grp.getgrgid, info.st_gid))
    if state == "directory":
        with contextlib.suppress(OSError), os.scandir(real) as entries:
            found["empty"] = next(iter(entries), None) is None
    return found


def never(real: str, seen: dict[str, Any], homes: list[tuple[str, bool, str]]) -> str:
    """Returns why a place is never an application's, whatever is configured."""
    if seen["state"] in ("link", "other"):
        return "a %s, not a directory" % {"other": "file"}.get(seen["state"], seen["state"])
    if of_system(real):
        return "the system's"
    tree = next((tree for tree in OWN_TREES if overlap(real, tree)), "")
    if tree:
        return "in %s, which is the platform's" % tree if within(real, tree) else "above %s" % tree
    return next((text for place, person, text in homes if within(place, real) or (person and within(real, place))), "")


def exchangeable_part(way: list[tuple[str, os.stat_result]], mine: Mapping[str, str], user: str, owner: str) -> str:
    """Returns what of the way to a directory somebody could exchange; ``mine`` has the plugin's own, {path: owner}."""
    for place, info in way:
        name = mine.get(place) or name_of(pwd.getpwuid, info.st_uid)
        if place in mine and name != "root" and owner == "root":
            return "in %s, which the application can change" % place
        if place not in mine and exchangeable(info) and (name != user or owner == "root"):
            return "below %s, where %s could exchange it" % (place, name if info.st_uid else "everybody")
    return ""


def homes_of_others(users: Collection[str], passwd: str = "/etc/passwd") -> list[tuple[str, bool, str]]:
    """[(path, whether a person's, text)] of the homes of everybody but the ``users``."""
    found, low = [("/root", True, "the home of root")], accounts.lowest_uid()
    with contextlib.suppress(OSError), open(passwd, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            fields = line.rstrip("\n").split(":")
            if len(fields) < 7 or fields[0] in users or not fields[2].isdigit() or of_system(fields[5] or "/"):
                continue
            person = low <= int(fields[2]) < accounts.NOBODY
            found.append((resolve(fields[5])[0], person, "the home of %s" % fields[0]))
    return found


def package_of(path: str) -> str:
    """Returns the package that a directory came with, "" if there is none."""
    for program, option in PACKAGES:
        if shutil.which(program):
            try:
                code, said = accounts.ask([program, option, path])
            except (OSError, subprocess.TimeoutExpired):
                return "(unknown)"
            line = said.split("\n")[0]
            return line.rpartition(": ")[0] or line if code == 0 else ""
    return ""


def of_others(plugin: str, state_dir: str = store.STATE_DIR) -> list[tuple[str, str]]:
    """[(path without links, text)] of every directory of other plugins of which anything is on the host."""
    found = []
    for name in store.names(state_dir):
        if name == plugin:
            continue
        with contextlib.suppress(WindflowError):
            for path in of_record(store.load(name, state_dir)):
                if path not in OWN_TREES:
                    found.append((resolve(path)[0], "%s of the plugin %s" % (path, name)))
    return found


def of_record(remembered: Record) -> list[str]:
    """Returns the directories of a plugin, as its record knows."""
    entry = store.latest_present(remembered) or {}
    found = {*ownership.made_resources(remembered)["directories"], *ownership.directories_of(entry)}
    return sorted(found)


def is_made(path: str, made: Iterable[str]) -> bool:
    """Returns whether a directory was made for the plugin, or lies in one that was."""
    return any(within(path, known) for known in made)


def is_free(seen: dict[str, Any], user: str) -> bool:
    """Returns whether nothing of anybody's is there."""
    return seen["state"] == "absent" or (seen["empty"] and seen["owner"] in ("root", user))


def findings(
    plugin: str,
    looked: dict[str, dict[str, Any]],
    made: list[str],
    adopt: Collection[str],
    user: str,
    keys: Mapping[str, str],
) -> list[Problem]:
    """Returns what speaks against the directories of a plugin, by ``look``; ``keys`` has their places in the
    configuration, {path: key}."""
    problems: list[Problem] = []
    refused: list[str] = []
    # What lies on a mount that does not answer is a finding of its own.
    looked = {path: seen for path, seen in looked.items() if not seen.get("silent")}
    install = next(
        (looked[path]["real"] for path, key in keys.items() if key == "app.install_dir" and path in looked), ""
    )
    for path in sorted(looked):
        # Of what lies in a directory that is refused nothing more needs to be said.
        if any(within(path, other) for other in refused):
            continue
        seen, known = looked[path], path in own_directories(plugin) or is_made(path, made)
        code, got, remedy = "E2033", "", "name a directory of the application's own"
        if seen["other"]:
            got = seen["other"]
        elif seen["never"] or (path in keys and path in own_directories(plugin)):
            code, got = "E2034", seen["never"] or "the platform's"
        elif install and keys.get(path, "app.install_dir") != "app.install_dir" and of_platform(seen["real"], install):
            got = "the platform's own part of app.install_dir"
        elif not (known or is_free(seen, user) or "directories" in adopt):
            got = "it %s and belongs to %s" % ("is empty" if seen["empty"] else "is not empty", seen["owner"])
            remedy = ownership.remedy("directories")
        if got:
            refused.append(path)
            key = next((keys[place] for place in sorted(keys, reverse=True) if within(path, place)), "")
            problems.append(
                Problem.plain(code, "the directory %s is not the plugin's own" % path, got, remedy, path=key)
            )
    return problems


def of_platform(real: str, install: str) -> bool:
    """Returns whether a directory is one in which only the platform writes, of a plugin's own."""
    return real == install or any(within(real, "%s/%s" % (install, name)) for name in PARTS)


def adopted(
    plugin: str, looked: dict[str, dict[str, Any]], made: list[str], entries: list[dict[str, Any]]
) -> list[str]:
    """Returns what becomes of the directories that are used though they were not made here, in words."""
    wanted = {entry["path"]: entry for entry in entries if "owner" in entry}
    found = []
    for path in sorted(wanted):
        seen = looked[path]
        if seen["state"] != "directory" or path in own_directories(plugin) or is_made(path, made):
            continue
        has, gets = ("%s:%s %s" % tuple(item[key] for key in KEPT) for item in (seen, wanted[path]))
        becomes = "stays %s" % has if has == gets else "is %s and becomes %s" % (has, gets)
        found.append("directory %s %s; it stays at a purge, with what is in it" % (path, becomes))
    return found


def take(
    plugin: str, entries: Sequence[Mapping[str, Any]], adopt: bool, check: bool, state_dir: str = store.STATE_DIR
) -> None:
    """Notes which of the wanted directories are made now, or are taken because nothing is there.

    Raises WindflowError for one that is somebody else's, and has become so since the plan was made.
    """
    remembered = store.load(plugin, state_dir)
    made, user = ownership.made_resources(remembered)["directories"], application_of(remembered)
    noted, problems = [], []
    for entry in entries:
        path = entry["path"]
        if entry["state"] != "directory" or entry["owner"] is None or path in OWN_TREES or is_made(path, made):
            continue
        seen = state_of(resolve(path)[0])
        if path in own_directories(plugin) or seen["state"] == "absent" or (is_free(seen, user) and not adopt):
            noted.append(path)
        elif not adopt:
            got, remedy = "it belongs to %s" % seen["owner"], ownership.remedy("directories")
            problems.append(Problem.plain("E2033", "the directory %s is not the plugin's own" % path, got, remedy))
    if problems:
        raise WindflowError(problems)
    if noted and not check:
        ownership.note_made(plugin, "directories", noted, state_dir)


def named_by(remembered: Record) -> list[str]:
    """Returns what the configuration of the newest revision names, be it adopted."""
    host = (store.latest_present(remembered) or {}).get("host") or {}
    return [*(host[key] for key in ("install_dir", "data_dir", "log_dir") if host.get(key)), *host.get("volumes", ())]


def application_of(remembered: Record) -> str:
    """Returns the account of the application, as the newest revision of which anything is there has it."""
    return ((store.latest_present(remembered) or {}).get("host") or {}).get("user", "")


def remove(
    plugin: str, wanted: list[str] | None, check: bool, state_dir: str = store.STATE_DIR
) -> tuple[list[str], list[str]]:
    """Removes the ``wanted`` directories as far as they were made for the plugin; without any, all that were.

    Returns what was, or with ``check`` would be, removed, and why others stay. One that an earlier version took though
    it was somebody's stays, too. Raises WindflowError E4058 with what could not be removed, after all others were.
    """
    remembered = store.load(plugin, state_dir)
    known = ownership.made_resources(remembered)
    others = of_others(plugin, state_dir)
    homes = homes_of_others({application_of(remembered), *known["account"]})
    if wanted is None:
        wanted = sorted({*known["directories"], *named_by(remembered)}, reverse=True)
    removed, stays, left = [], [], []
    for path in wanted:
        real = resolve(path)[0]
        why = "" if is_made(path, known["directories"]) else "windflow has not made it"
        why = why or next((text for place, text in others if overlap(real, place)), "")
        remote = mounts.below(real)
        why = why or ("%s, and nothing on a server is deleted" % mounts.named(remote) if remote else "")
        why = why or ("" if path in own_directories(plugin) else never(real, {"state": "directory"}, homes))
        if why:
            stays += ["The directory %s stays: %s." % (path, why)] if remote or os.path.lexists(real) else []
            continue
        try:
            gone = os.path.lexists(real) if check else nofollow.remove(path)
        except (OSError, WindflowError) as error:
            said = nofollow.reason(error) if isinstance(error, OSError) else error.problems[0].sentence
            left.append(
                Problem.plain("E4058", "%s could not be removed" % path, said, "correct that, then remove again")
            )
            continue
        removed += [path] if gone else []
        if not check:
            ownership.forget_made(plugin, "directories", [path], state_dir)
    if left:
        raise WindflowError(left, "Not everything was removed. Removed: %s." % (", ".join(removed) or "nothing"))
    return removed, stays
