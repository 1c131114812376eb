# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application's account and group: whose they are, what they may do, made and removed.

What windflow makes has a comment that says so, and the record knows it. Nothing else is ever changed or deleted.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import subprocess

from ..errors import Problem, WindflowError
from ..files.nofollow import name_of
from ..record import ownership, store
from . import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "user": {"type": "str", "required": True},
    "group": {"type": "str", "required": True},
    "home": {"type": "path"},
    "shell": {"type": "path"},
    "adopt": {"type": "list", "elements": "str", "choices": ["account", "group"], "default": []},
}
# How the options depend on each other.
RULES: dict[str, Any] = {
    "required_if": [("state", "present", ("home", "shell")), ("state", "absent", ("plugin",))],
}
MADE = ownership.MARK
LOGIN_DEFS = "/etc/login.defs"
NOBODY = 65534
# Groups of the system that give an application nothing that is anybody's.
HARMLESS = {"audio", "cdrom", "floppy", "games", "http", "nogroup", "render", "scanner", "users", "video", "www-data"}
# What an account may be given to by its name alone.
LENT = {"http", "users", "www-data"}
SECONDS = 60


def mark(group: str = "") -> str:
    """The comment of an account that windflow makes; ``group``: that it has made, too, for the account."""
    return "%s with group %s" % (MADE, group) if group else MADE


def account(
    user: str, known: Collection[tuple[str, str]] = (), own: Collection[tuple[str, str]] = ()
) -> dict[str, Any] | None:
    """What is known of an account: group, home, shell, uid, and ``never``, why it is never used, or ""; None where it
    does not exist. ``known`` has the accounts and groups that windflow has made on the host, as (kind, name); one in
    ``own`` was made for the plugin itself and is not judged."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    found = {
        "group": name_of(grp.getgrgid, entry.pw_gid),
        "home": entry.pw_dir,
        "shell": entry.pw_shell,
        "uid": entry.pw_uid,
    }
    found["never"] = "" if ("account", user) in own else _never(entry, known)
    return found


def group(
    name: str, known: Collection[tuple[str, str]] = (), own: Collection[tuple[str, str]] = ()
) -> dict[str, Any] | None:
    """The same of a group: gid and ``never``."""
    try:
        entry = grp.getgrnam(name)
    except KeyError:
        return None
    judged = ("group", name) not in known and name not in LENT
    of_system = judged and (entry.gr_gid < lowest_uid() or entry.gr_gid >= NOBODY)
    never = "a group of the system, number %d" % entry.gr_gid if of_system and ("group", name) not in own else ""
    return {"gid": entry.gr_gid, "never": never}


def findings(
    user: str,
    name: str,
    there: dict[str, Any] | None,
    group_there: dict[str, Any] | None,
    made: dict[str, list[str]],
    adopt: Collection[str],
) -> list[Problem]:
    """What speaks against an account and a group for an application: those that are never used, E2035, and those
    that are there, but neither made for the plugin nor adopted, E2036."""
    own, own_group = user in made["account"], name in made["group"]
    found = []
    for key, what, item in (("app.user", user, there), ("app.group", name, group_there)):
        if item and item["never"]:
            remedy = "set %s to another name, which windflow then makes" % key
            kind = "account" if key == "app.user" else "group"
            said = "the %s %s is never used for an application" % (kind, what)
            found.append(Problem.plain("E2035", said, "it is %s" % item["never"], remedy, path=key))
    if found:
        return found
    if there and not own:
        if "account" not in adopt:
            said = "the account %s exists, and windflow did not make it for this plugin" % user
            found.append(Problem.plain("E2036", said, "", ownership.remedy("account"), path="app.user"))
        elif there["group"] != name:
            expected = "%s, the group of the adopted account %s" % (there["group"], user)
            found.append(Problem("E2036", expected, name, "set app.group: %s" % there["group"], path="app.group"))
    # Whose the account's own group is goes with the account.
    of_account = there and there["group"] == name and not own
    if group_there and not own_group and not of_account and "group" not in adopt:
        said = "the group %s exists, and windflow did not make it for this plugin" % name
        found.append(Problem.plain("E2036", said, "", ownership.remedy("group"), path="app.group"))
    return found


def adopted(
    user: str, name: str, there: dict[str, Any] | None, group_there: dict[str, Any] | None, made: dict[str, list[str]]
) -> list[str]:
    """What of them is used as it is, in words."""
    found = []
    if there and user not in made["account"]:
        found.append("account %s is used as it is, and stays at a purge" % user)
    if group_there and name not in made["group"]:
        found.append("group %s is used as it is, and stays at a purge" % name)
    return found


def lowest_uid(path: str = LOGIN_DEFS) -> int:
    """The number from which accounts are people's; below it they are the system's."""
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
        found = re.search(r"^\s*UID_MIN\s+([0-9]+)", stream.read(), re.MULTILINE)
        if found:
            return int(found.group(1))
    return 1000


def _never(entry: pwd.struct_passwd, known: Collection[tuple[str, str]]) -> str:
    """Why an account is never an application's; "" if nothing speaks against it."""
    made = ("account", entry.pw_name) in known
    if entry.pw_uid == 0:
        return "root's"
    if not made and (entry.pw_uid < lowest_uid() or entry.pw_uid >= NOBODY):
        return "one of the system, number %d" % entry.pw_uid
    if entry.pw_uid in logins():
        return "the one that this run has logged in as"
    rights = sorted(name for name in _groups(entry) if _privileged(name, known))
    if rights:
        return "a member of the group %s" % ", ".join(rights)
    return "one that sudo gives rights to" if has_sudo(entry.pw_name) else ""


def _groups(entry: pwd.struct_passwd) -> set[str]:
    members = {item.gr_name for item in grp.getgrall() if entry.pw_name in item.gr_mem}
    return members | {name_of(grp.getgrgid, entry.pw_gid)}


def _privileged(name: str, known: Collection[tuple[str, str]]) -> bool:
    if name in HARMLESS or ("group", name) in known:
        return False
    with contextlib.suppress(KeyError):
        return grp.getgrnam(name).gr_gid < lowest_uid()
    return False


def logins() -> set[int]:
    """Numbers of the accounts that this process was started for: those of the processes above it, and the one that
    sudo names."""
    found, pid = set(), os.getpid()
    while pid > 0:
        try:
            with open("/proc/%d/status" % pid, encoding="utf-8", errors="replace") as stream:
                fields = dict(line.split(":", 1) for line in stream if ":" in line)
        except OSError:
            break
        found.add(int(fields["Uid"].split()[0]))
        pid = int(fields["PPid"])
    named = os.environ.get("SUDO_UID", "")
    return (found | {int(named)} if named.isdigit() else found) - {0}


def has_sudo(user: str) -> bool:
    """Whether sudo lets an account run anything."""
    try:
        return "may run the following commands" in ask(["sudo", "-n", "-l", "-U", user])[1]
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        return True


def ask(argv: list[str]) -> tuple[int, str]:
    """(exit code, what a program of the system's says in English)."""
    return processes.ask(argv, dict(os.environ, LC_ALL="C", PATH="/usr/sbin:/sbin:/usr/bin:/bin"), SECONDS)


def present(params: dict[str, Any], state_dir: str = store.STATE_DIR) -> list[str]:
    """Makes the group and the account where they are missing, and brings those that were made for the plugin to what
    is wanted. Without a plugin, what exists stays as it is. Returns what was, or with ``check`` would be, changed."""
    plugin, user, name = params["plugin"], params["user"], params["group"]
    made: dict[str, list[str]]
    there: Any
    if not plugin:
        made, there, group_there = {"account": [], "group": []}, account_of(user), group(name)
    else:
        made = ownership.made_resources(store.load(plugin, state_dir))
        own = [(kind, item) for kind, items in made.items() for item in items]
        known = ownership.known(state_dir)
        there, group_there = account(user, known, own), group(name, known, own)
        problems = findings(user, name, there, group_there, made, params["adopt"])
        if problems:
            raise WindflowError(problems)
    changes = []
    if group_there is None:
        changes.append("group %s" % name)
        if not params["check"]:
            _make(plugin, "group", name, ["groupadd", "--system", name], state_dir)
    if there is None:
        changes.append("user %s" % user)
        options = ["--gid", name, "--home-dir", params["home"], "--shell", params["shell"]]
        if plugin:
            options += ["--comment", mark(name if group_there is None or name in made["group"] else "")]
        if not params["check"]:
            _make(plugin, "account", user, ["useradd", "--system", "--no-create-home", *options, user], state_dir)
    elif user in made["account"]:
        wanted = {"gid": ("group", name), "home": ("home", params["home"]), "shell": ("shell", params["shell"])}
        changed = {key: value for key, (has, value) in wanted.items() if there[has] != value}
        changes += ["%s of user %s" % (key, user) for key in changed]
        if changed and not params["check"]:
            _do(["usermod", *(part for key, value in changed.items() for part in ("--%s" % key, value)), user])
    return changes


def _make(plugin: str, kind: str, name: str, argv: list[str], state_dir: str) -> None:
    if not plugin:
        _do(argv)
        return
    ownership.note_made(plugin, kind, [name], state_dir)
    try:
        _do(argv)
    except WindflowError:
        if (account(name) if kind == "account" else group(name)) is None:
            ownership.forget_made(plugin, kind, [name], state_dir)
        raise


def _do(argv: list[str]) -> None:
    """Runs a program of the system's. Raises WindflowError E4057 with what it said."""
    try:
        code, output = ask(argv)
        said = "" if code == 0 else output.strip()[-500:] or "nothing"
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said:
        remedy = "correct what it reports, then run again"
        raise WindflowError(Problem.plain("E4057", "%s failed" % argv[0], said, remedy), "Accounts may be half made.")


def absent(params: dict[str, Any], state_dir: str = store.STATE_DIR) -> tuple[list[str], list[str]]:
    """Removes the account and its group as far as they are the plugin's alone. Returns what was, or with ``check``
    would be, removed, and why something stays."""
    plugin, user, name = params["plugin"], params["user"], params["group"]
    found, why = removable(plugin, user, name, state_dir)
    entry = account_of(user)
    if entry and found["user"] and not params["check"]:
        # The next account may get the number, and then what still runs has the rights of that one.
        uid = entry.pw_uid
        stay = processes.end(lambda: processes.of_account(uid))
        if stay:
            return [], [*why, "The account %s stays: its process %d does not end." % (user, min(stay))]
    changes = []
    if found["user"]:
        changes.append("user %s" % user)
        if not params["check"]:
            if not found["group"]:
                # Or else userdel would take along a group of its name that nobody else is in.
                _do(["usermod", "--gid", str(NOBODY), user])
            _do(["userdel", user])
            ownership.forget("account", user, state_dir)
    if found["group"]:
        changes.append("group %s" % name)
        if not params["check"]:
            if group(name):
                _do(["groupdel", name])
            ownership.forget("group", name, state_dir)
    return changes, why


def removable(
    plugin: str, user: str, group: str, state_dir: str = store.STATE_DIR
) -> tuple[dict[str, bool], list[str]]:
    """{user, group}: whether windflow has made them, be it for another plugin, and nobody but the plugin uses them;
    and why one of them stays."""
    known = ownership.known(state_dir)
    found = {"user": False, "group": False}
    entry = account_of(user)
    if entry:
        stays = _foreign(entry, known) or _used(plugin, "user", user, state_dir)
        if stays:
            return found, ["The account %s stays: %s." % (user, stays)]
        found["user"] = True
    try:
        there = grp.getgrnam(group)
    except KeyError:
        return found, []
    others = _members(there) - ({user} if found["user"] else set())
    stays = "" if ("group", group) in known else "windflow has not made it"
    stays = stays or ("%s is in it" % min(others) if others else _used(plugin, "group", group, state_dir))
    found["group"] = not stays
    return found, ["The group %s stays: %s." % (group, stays)] if stays else []


def account_of(user: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


def _foreign(entry: pwd.struct_passwd, known: Collection[tuple[str, str]]) -> str:
    if ("account", entry.pw_name) in known and entry.pw_gecos.split(" with group ")[0] == MADE:
        return ""
    return "windflow has not made it, or its comment was changed"


def _members(group: grp.struct_group) -> set[str]:
    primary = {account.pw_name for account in pwd.getpwall() if account.pw_gid == group.gr_gid}
    return primary | set(group.gr_mem)


def _used(plugin: str, key: str, value: str, state_dir: str) -> str:
    """Which other plugin, of which anything is on the host, has the same one; "" if none has."""
    for name in store.names(state_dir):
        if name == plugin:
            continue
        try:
            entry = store.latest_present(store.read(name, state_dir)[0]) or {}
        except WindflowError:
            return "the record of the plugin %s cannot be read" % name
        if (entry.get("host") or {}).get(key) == value:
            return "the plugin %s uses it, too" % name
    return ""


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.account) to its options. Raises WindflowError."""
    changes, stays = (present(params), []) if params["state"] == "present" else absent(params)
    return {"changed": bool(changes), "changes": changes, "warnings": stays}
