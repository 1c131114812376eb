# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds the host of ``host.connection``; options are in the module's documentation."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.discovery import find_plugin
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import FILE
from ansible_collections.windflow.platform.plugins.module_utils.naming import is_name
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    ARGUMENTS,
    LATER,
    MERGED,
    InputContext,
    read_inputs,
)
from ansible_collections.windflow.platform.plugins.module_utils.text.documents import VAULT
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import place_of

# Ansible's own, where neither -i nor its settings name an inventory.
DEFAULT_SOURCES = ["/etc/ansible/hosts"]
CONNECTION = re.compile(r"\bconnection\b")
SYSTEM_PYTHON = "/usr/bin/python3"


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(ARGUMENTS)
        try:
            inventory_is_silent(task_vars)
            connection, warnings = connection_of(arguments, place_of(self, task_vars))
            # How a host is added differs between versions of ansible-core; its own action knows.
            task = self._task.copy()
            task.args = {"name": connection.get("host", "localhost"), **variables(connection)}
            added = self._shared_loader_obj.action_loader.get(
                "ansible.builtin.add_host",
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            result.update(added.run(task_vars=task_vars))
            # The result carries the password to the inventory and must not show it on the way.
            result.update(changed=False, _ansible_no_log="password" in connection, warnings=warnings)
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
        return result


def inventory_is_silent(task_vars: dict[str, Any]) -> None:
    """Raises E2013 where an inventory was asked for and names no host: then this machine is not meant."""
    sources = list(task_vars.get("ansible_inventory_sources") or [])
    if sources not in ([], DEFAULT_SOURCES) and not task_vars["groups"]["all"]:
        remedy = "name the right one with -i, or none, for host.connection or this machine"
        raise WindflowError(Problem.plain("E2013", "the inventory names no host", ", ".join(sources), remedy))


def connection_of(arguments: dict[str, Any], context: InputContext) -> tuple[dict[str, Any], list[str]]:
    """Returns the ``host.connection`` section, empty for this machine, and warnings.

    What is on a host can be unlocked or removed though its plugin is not in order any more, or not there.
    """
    if not arguments["plugin"]:
        return {}, []
    try:
        return read_inputs(arguments, context, later=LATER).config.get("host.connection") or {}, []
    except WindflowError as error:
        if may_name_host(arguments, context):
            raise
        text = (
            "No inventory and no host.connection names a host, so the run uses this machine. But this is not valid: %s"
        )
        return {}, [text % error.problems[0]]


def may_name_host(arguments: dict[str, Any], context: InputContext) -> bool:
    """Returns whether anything of a plugin that is not in order could say ``host.connection``."""
    files = [Path(context.cwd, os.path.expanduser(name)) for name in arguments["config"] if name]
    try:
        folder = find_plugin(arguments["plugin"], context.cwd, context.environ)
    except WindflowError:
        # A name may be that of a plugin whose directory is gone. It has no configuration, and no other can be read.
        return not is_name(arguments["plugin"]) or bool(files or arguments["sets"])
    files += [path for path in folder.glob("config/**/*") if path.suffix in (".yaml", ".yml", ".json")]
    try:
        texts = [path.read_text(encoding="utf-8") for path in [folder / FILE, *files]]
    except (OSError, ValueError):
        return True
    said = [str(item.value) for variable in MERGED for item in context.said(variable)]
    # What cannot be decrypted may say anything.
    if any(VAULT.decode() in text for text in texts):
        return True
    return any(CONNECTION.search(text) for text in [*texts, *arguments["sets"], *said])


def variables(connection: dict[str, Any]) -> dict[str, Any]:
    """Ansible's connection variables for a ``host.connection`` section; this machine for none."""
    if not connection:
        # The system's Python: discovery would follow PATH, into whatever environment ansible-playbook runs in.
        python = SYSTEM_PYTHON if os.path.exists(SYSTEM_PYTHON) else sys.executable
        return {"ansible_connection": "local", "ansible_python_interpreter": python}
    names = {"port": "ansible_port", "user": "ansible_user", "password": "ansible_password"}
    found = {ours: connection[name] for name, ours in names.items() if name in connection}
    if "key_file" in connection:
        found["ansible_ssh_private_key_file"] = private_key(os.path.expanduser(connection["key_file"]))
    return found


def private_key(path: str) -> str:
    """Returns the path, if there is a file that nobody else can read."""
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        raise WindflowError(
            Problem.plain(
                "E2014",
                "the private key %s cannot be read" % path,
                error.strerror or str(error),
                "correct the path",
                path="host.connection.key_file",
            )
        ) from error
    if mode & 0o077:
        raise WindflowError(
            Problem(
                "E2015",
                "a private key that only its owner can read",
                "mode %04o of %s" % (mode, path),
                "run chmod 600 %s" % path,
                path="host.connection.key_file",
            )
        )
    return path
