# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each place of the inventory says of a variable whose maps merge, lowest first.

Ansible itself takes the last of them whole, which would lose what a host does not repeat of its groups. So the places
are asked one by one, in Ansible's own order: groups by the setting ``precedence``, then by depth, priority and name,
then the host; files beside each other in ``group_vars/<group>/`` count as one place each. What is set above the
inventory, by ``--extra-vars`` or in a play, is one more place at the top.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.inventory.group import InventoryObjectType
from ansible.inventory.helpers import sort_groups
from ansible.utils.vars import combine_vars
from ansible.vars.hostvars import HostVars
from ansible.vars.plugins import get_vars_from_path

from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Given

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    # Not part of what Ansible promises; without it a place has no file and line.
    Origin = None

FOLDERS = {"group": "group_vars", "host": "host_vars"}
FILES_PLUGIN = "host_group_vars"


def layers(name: str, task_vars: Mapping[str, Any], templar: Any) -> tuple[Given, ...]:
    """Values of the variable ``name`` for the host of a task, with their templates filled in; empty if none is set."""
    if name not in task_vars:
        return ()
    hostvars = task_vars.get("hostvars")
    found = []
    if isinstance(hostvars, HostVars):
        found = list(_Places(name, hostvars).of_host(task_vars["inventory_hostname"]))
    if not found or _as_ansible_merges(found) != task_vars[name]:
        found.append(("variables above the inventory" if found else "", task_vars[name]))
    return tuple(_given(name, source, raw, templar.template(raw)) for source, raw in found)


class _Places:
    """Who sets one variable, with the value; ``VariableManager.get_vars`` looks at the same in the same order."""

    def __init__(self, name: str, hostvars: HostVars) -> None:
        self.name = name
        self.inventory, self.loader = hostvars._inventory, hostvars._loader
        self.reads_files = any(
            plugin.rpartition(".")[2] == FILES_PLUGIN for plugin in constants.VARIABLE_PLUGINS_ENABLED
        )

    def of_host(self, host_name: str) -> Iterator[tuple[str, Any]]:
        host = self.inventory.get_host(host_name)
        everyone = [self.inventory.groups["all"]]
        groups = sort_groups([group for group in host.get_groups() if group.name != "all"])
        steps = {
            "all_inventory": (self.own, everyone),
            "groups_inventory": (self.own, groups),
            "all_plugins_inventory": (self.beside_inventory, everyone),
            "all_plugins_play": (self.beside_play, everyone),
            "groups_plugins_inventory": (self.beside_inventory, groups),
            "groups_plugins_play": (self.beside_play, groups),
        }
        order = [steps[step] for step in constants.VARIABLE_PRECEDENCE if step in steps]
        for look, entities in [*order, (self.own, [host]), (self.beside_inventory, [host]), (self.beside_play, [host])]:
            yield from look(entities)

    def own(self, entities: list) -> Iterator[tuple[str, Any]]:
        for entity in entities:
            values = entity.get_vars()
            if self.name in values:
                yield _called(entity), values[self.name]

    def beside_inventory(self, entities: list) -> Iterator[tuple[str, Any]]:
        for source in self.inventory._sources:
            # A list of hosts has nothing beside it.
            if source and ("," not in source or os.path.exists(source)):
                yield from self.beside(source if os.path.isdir(source) else os.path.dirname(source), entities)

    def beside_play(self, entities: list) -> Iterator[tuple[str, Any]]:
        yield from self.beside(self.loader.get_basedir(), entities)

    def beside(self, folder: str, entities: list) -> Iterator[tuple[str, Any]]:
        """Each file of ``group_vars`` and ``host_vars`` by itself, then what other plugins that give variables say."""
        for entity in entities:
            found = [(_called(entity), value) for value in self.in_files(folder, entity)]
            yield from found
            known = get_vars_from_path(self.loader, folder, [entity], "task")
            if self.name in known and not (found and _as_ansible_merges(found) == known[self.name]):
                yield _called(entity), known[self.name]

    def in_files(self, folder: str, entity: Any) -> Iterator[Any]:
        for file in self.files(folder, entity):
            values = self.loader.load_from_file(file, cache="all", unsafe=True, trusted_as_template=True)
            if isinstance(values, Mapping) and self.name in values:
                yield values[self.name]

    def files(self, folder: str, entity: Any) -> list[str]:
        below = os.path.join(folder, FOLDERS[_kind(entity)])
        # A host that is called like a path has no files.
        if not self.reads_files or not os.path.isdir(below) or entity.name.startswith(os.path.sep):
            return []
        return self.loader.find_vars_files(below, entity.name)


def _kind(entity: Any) -> str:
    return "host" if entity.base_type is InventoryObjectType.HOST else "group"


def _called(entity: Any) -> str:
    return "%s %s" % (_kind(entity), entity.name)


def _as_ansible_merges(found: list[tuple[str, Any]]) -> Any:
    """Returns what the setting ``hash_behaviour`` makes of the values."""
    merged: dict[str, Any] = {}
    for _source, value in found:
        merged = combine_vars(merged, {"value": value})
    return merged["value"]


def _given(name: str, source: str, raw: Any, value: Any) -> Given:
    def locate(path: tuple) -> tuple[str, int, int] | None:
        """File, line and column of the value at ``path``, or of what is around it, if Ansible knows them."""
        here, place = raw, _place(raw)
        for part in path:
            if not isinstance(here, Mapping) or part not in here:
                break
            key = next(key for key in here if key == part)
            here = here[part]
            place = _place(key) or _place(here) or place
        return place

    return Given(value, name, source, locate)


def _place(value: Any) -> tuple[str, int, int] | None:
    origin = Origin.get_tag(value) if Origin else None
    if origin is None or not origin.path:
        return None
    path = os.path.relpath(origin.path) if Path(origin.path).is_relative_to(Path.cwd()) else origin.path
    return path, origin.line_num or 0, origin.col_num or 0
