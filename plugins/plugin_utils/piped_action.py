# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of a module whose code is piped to the host."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call, entry_of


class PipedAction(ActionBase):
    """``MODULE`` is the full name of the module. ``PIECE`` is its code, a file of ``module_utils`` with ``ARGUMENTS``,
    ``run``, and perhaps ``RULES``: what AnsibleModule has besides the options, such as ``required_if``."""

    _requires_connection = True
    _supports_async = True
    MODULE = ""
    PIECE: ModuleType

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        # Only the host knows its users and its environment, so paths are not expanded here.
        options = {
            name: {**option, "type": "str"} if option["type"] == "path" else option
            for name, option in self.PIECE.ARGUMENTS.items()
        }
        validation, arguments = self.validate_argument_spec(options, **getattr(self.PIECE, "RULES", {}))
        answer = self.answer(arguments, task_vars)
        result.update(remove_values(answer, validation._no_log_values))
        return result

    def answer(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Returns what the host answers."""
        paths = [arguments[name] or "" for name, option in self.PIECE.ARGUMENTS.items() if option["type"] == "path"]
        expanded = any(map(is_expanded, paths))
        return call(self, entry_of(self.PIECE), self.MODULE, arguments, task_vars, as_module=expanded)


def is_expanded(path: str) -> bool:
    """Returns whether a module makes something else of a path: of ``~`` and of variables of the environment."""
    return path.startswith("~") or "$" in path
