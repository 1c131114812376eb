# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an account is: what windflow makes has a comment that says so, and nothing else is ever deleted."""

from __future__ import annotations

import grp
import pwd

from . import ownership, record
from .errors import WindflowError

MADE = ownership.MARK


def mark(group=""):
    """The comment of an account that windflow makes; ``group``: that it has made, too, for the account."""
    return "%s with group %s" % (MADE, group) if group else MADE


def removable(plugin, user, group, state_dir=record.STATE_DIR):
    """{user, group}: whether windflow has made them and nobody but the plugin uses them; and why one of them stays."""
    found = {"user": False, "group": False}
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return found, []
    why = _foreign(account) or _used(plugin, "user", user, state_dir)
    if why:
        return found, ["The account %s stays: %s." % (user, why)]
    found["user"] = True
    try:
        members = _members(grp.getgrnam(group)) - {user}
    except KeyError:
        return found, []
    why = "" if account.pw_gecos == mark(group) else "windflow has not made it"
    why = why or ("%s is in it" % min(members) if members else _used(plugin, "group", group, state_dir))
    if why:
        return found, ["The group %s stays: %s." % (group, why)]
    found["group"] = True
    return found, []


def _foreign(account):
    made = account.pw_gecos.split(" with group ")[0] == MADE
    return "" if made else "windflow has not made it, or its comment was changed"


def _members(group):
    primary = {account.pw_name for account in pwd.getpwall() if account.pw_gid == group.gr_gid}
    return primary | set(group.gr_mem)


def _used(plugin, key, value, state_dir):
    """Which other plugin, of which anything is on the host, has the same one; "" if none has."""
    for name in record.names(state_dir):
        if name == plugin:
            continue
        try:
            entry = record.remains(record.read(name, state_dir)[0]) or {}
        except WindflowError:
            return "the record of the plugin %s cannot be read" % name
        if (entry.get("host") or {}).get(key) == value:
            return "the plugin %s uses it, too" % name
    return ""
