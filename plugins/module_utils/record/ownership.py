# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose something on a host is: the record says what windflow has made for a plugin, ``made``, by kind.

What it does not name is somebody else's: it is used only where the configuration adopts it, is left as it is, and is
never deleted. A name is noted before the thing is made, so that a run that dies in between leaves nothing that nobody
answers for.
"""

from __future__ import annotations

import contextlib
import copy
import pwd

from ..errors import WindflowError
from . import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .file_format import Record


# The key of a configuration that names the kinds of what may be used all the same.
ADOPT = "adopt"
KINDS = ("account", "database", "directories", "group", "role")
# Logical volumes and files with file systems, "lvm:group/name" and "file:/path", and what was mounted of servers,
# "nfs:server:/export". What is somebody else's is never used.
VOLUMES = "volumes"
MADE = (*KINDS, VOLUMES)
# What a revision says of its directories.
DIRECTORIES = ("install_dir", "data_dir", "log_dir", "program_log_dir", "config_dir", "shared_dir", "run_dir")
# The comment of an account that windflow has made.
MARK = "Made by windflow"


def remedy(kind: str) -> str:
    """Returns what to write where something that windflow has not made is meant to be used."""
    return "to use it all the same, write %s: [%s] into the plugin's configuration of this host" % (ADOPT, kind)


def made_resources(remembered: Record) -> dict[str, list[str]]:
    """{kind: names} of what windflow has made of a plugin, as its record knows."""
    noted = remembered.get("made")
    found = made_before(remembered) if noted is None else noted
    return {kind: list(found.get(kind, ())) for kind in MADE}


def made_before(remembered: Record) -> dict[str, list[str]]:
    """Returns the same for a record that was written before such things were noted: what it managed was made then, and
    of an account and its group the account's own comment tells."""
    entry, kept = store.latest_present(remembered) or {}, remembered["managed"]
    host = entry.get("host") or {}
    found: dict[str, list[str]] = {kind: [] for kind in MADE}
    if host.get("user"):
        comment = _comment(host["user"])
        found["account"] = [host["user"]] if comment.split(" with group ")[0] == MARK else []
        found["group"] = [host["group"]] if comment == "%s with group %s" % (MARK, host["group"]) else []
    found["directories"] = directories_of(entry)
    database = kept.get("database") or entry.get("database") or {}
    if database:
        found["database"] = [database["name"]]
        found["role"] = sorted({database["user"], "%s_owner" % database["name"]})
    return found


def directories_of(entry: dict[str, Any]) -> list[str]:
    """Returns the directories of a revision."""
    found: set[str] = set()
    for place in (entry.get("host") or {}, entry.get("compose") or {}):
        found.update(place[key] for key in DIRECTORIES if place.get(key))
        found.update(place.get("volumes") or ())
    return sorted(found)


def settled(remembered: Record) -> Record:
    """The record with what was made in it: to be done to one of before, before it gets a new revision."""
    return {**remembered, "made": made_resources(remembered)}


def with_made(remembered: Record, kind: str, names: Iterable[str]) -> Record:
    """The record with those names among what was made."""
    return _changed(remembered, kind, lambda known: sorted({*known, *names}))


def without_made(remembered: Record, kind: str, names: Iterable[str]) -> Record:
    """The record without those names among what was made."""
    return _changed(remembered, kind, lambda known: [name for name in known if name not in names])


def note_made(plugin: str, kind: str, names: Iterable[str], state_dir: str = store.STATE_DIR) -> None:
    """Notes on the disk that those names are about to be made for the plugin. Before they are."""
    _save(plugin, with_made, kind, names, state_dir)


def forget_made(plugin: str, kind: str, names: Iterable[str], state_dir: str = store.STATE_DIR) -> None:
    """Notes on the disk that those names are gone, or were not made after all."""
    _save(plugin, without_made, kind, names, state_dir)


def is_made(plugin: str, kind: str, name: str, state_dir: str = store.STATE_DIR) -> bool:
    """Returns whether windflow has made that for the plugin."""
    return name in made_resources(store.load(plugin, state_dir))[kind]


def known(state_dir: str = store.STATE_DIR) -> set[tuple[str, str]]:
    """{(kind, name)} of what windflow has made on the host, for whichever plugin, as far as records can be read."""
    found: set[tuple[str, str]] = set()
    for plugin in store.names(state_dir):
        with contextlib.suppress(WindflowError):
            items = made_resources(store.load(plugin, state_dir)).items()
            found.update((kind, name) for kind, names in items for name in names)
    return found


def forget(kind: str, name: str, state_dir: str = store.STATE_DIR) -> None:
    """Notes for whichever plugin it was made that something is gone."""
    for plugin in store.names(state_dir):
        with contextlib.suppress(WindflowError):
            forget_made(plugin, kind, [name], state_dir)


def _changed(remembered: Record, kind: str, change: Callable[[list[str]], list[str]]) -> Record:
    remembered = copy.deepcopy(remembered)
    known = made_resources(remembered)
    remembered["made"] = dict(known, **{kind: change(known[kind])})
    return remembered


def _save(
    plugin: str,
    change: Callable[[Record, str, Iterable[str]], Record],
    kind: str,
    names: Iterable[str],
    state_dir: str,
) -> None:
    with store.locked(plugin, state_dir):
        before = store.load(plugin, state_dir)
        after = change(before, kind, names)
        if after != before:
            store.save(after, state_dir)


def _comment(user: str) -> str:
    try:
        return pwd.getpwnam(user).pw_gecos
    except KeyError:
        return ""
