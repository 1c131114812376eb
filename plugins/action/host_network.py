# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begins a change on the host, and confirms it over a new connection; options and result are in the module's
documentation."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.network import kept
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.new_connection import fresh, is_ssh, known_key, leads_to
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call

MODULE = "windflow.platform.host_network"
LEAST_SECONDS = 20
# How long the restore itself may take before the host counts as lost.
RESTORE_SECONDS = 120
PAUSE = 2.0
DEFAULTS = {
    "plugin": "",
    "networks": [],
    "consent": False,
    "seconds": 60,
    "command": "",
    "state": "apply",
    "change": "",
    "settled": "",
}


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        spec = {
            "plugin": {"type": "str", "default": ""},
            "networks": {"type": "list", "elements": "dict", "default": []},
            "consent": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 60},
            "address": {"type": "str", "default": ""},
            "command": {"type": "str", "default": ""},
        }
        _unused, arguments = self.validate_argument_spec(spec)
        arguments["seconds"] = max(arguments["seconds"], LEAST_SECONDS)
        self.options = {**DEFAULTS, **arguments}
        self.task_vars = task_vars
        try:
            stopping.check(task_vars["inventory_hostname"], "No network was changed.")
            result.update(self.change(arguments))
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
        return result

    def change(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Returns the result of the task."""
        begun = self.ask(state="apply")
        number = begun.get("change")
        told = {key: value for key, value in begun.items() if key not in ("change", "moves", "seconds")}
        if begun.get("failed") or not number:
            return told
        end = time.monotonic() + arguments["seconds"]
        address = arguments["address"] or self.new_address(begun["moves"])
        answer = self.confirm(number, end, address)
        # What failed was undone.
        more = {"changed": False} if answer.get("failed") else {"connection": self.variables(address)}
        return {**told, **answer, **more}

    def ask(self, **more: Any) -> dict[str, Any]:
        """Returns what the host answers."""
        return call(self, "network_change.host_network", MODULE, {**self.options, **more}, self.task_vars)

    def new_address(self, moves: list[str]) -> str:
        """Returns where the host is reached, if the change takes away the address that the controller uses; else ""."""
        known = self._connection.get_option("host") if is_ssh(self._connection) else ""
        return moves[1] if moves[0] and known and leads_to(known, moves[0]) else ""

    def confirm(self, number: str, end: float, address: str) -> dict[str, Any]:
        """Returns the answer of the host that was reached over a new connection, at whatever time."""
        self.drop()
        try:
            with fresh(self._connection, address):
                answer = self.reach(number, end)
        except BaseException:
            # Whatever ends the run here, nothing of it stays.
            with contextlib.suppress(AnsibleError), fresh(self._connection):
                self.ask(state="restore", change=number)
            raise
        if answer is None:
            # The host restores itself, and can then be reached as before.
            self._display.warning("the host was not reached after the change of its networks; waiting for its restore")
            with fresh(self._connection):
                answer = self.reach(number, end + RESTORE_SECONDS)
        self.drop()
        if answer is None:
            script = "%s/change-%s/restore" % (kept.FOLDER, number)
            remedy = "look at the host from its console; sh %s undoes the change" % script
            said = "the host cannot be reached after a change of its networks, nor after the time of its restore"
            raise AnsibleConnectionFailure(str(Problem.plain("E4102", said, "", remedy)))
        return answer

    def reach(self, number: str, end: float) -> dict[str, Any] | None:
        """Returns the host's answer to the confirmation; None where it cannot be reached in time.

        The host says first that all is as wanted. Only a connection that is opened after that confirms it.
        """
        settled = ""
        while time.monotonic() < end:
            time.sleep(0 if settled else PAUSE)
            try:
                answer = self.ask(state="confirm", change=number, settled=settled)
            except AnsibleConnectionFailure:
                continue
            if answer.get("unreachable"):
                continue
            if not answer.get("settled"):
                return answer
            settled = answer["settled"]
        return None

    def drop(self) -> None:
        """Ends the connection that Ansible keeps open: later tasks would wait for it."""
        with contextlib.suppress(AnsibleError, AttributeError, OSError):
            self._connection.reset()

    def variables(self, address: str) -> dict[str, str]:
        """Returns the variables of the connection that later tasks need."""
        if not address or not is_ssh(self._connection):
            return {}
        more = self._connection.get_option("ssh_extra_args") or ""
        more = ("%s %s" % (more, known_key(self._connection))).strip()
        return {"ansible_host": address, "ansible_ssh_extra_args": more}
