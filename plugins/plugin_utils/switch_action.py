# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of all switches do: run their module, unless the operator has ended the run."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping


class SwitchAction(ActionBase):
    """``MODULE`` is the full name of the module that switches."""

    _requires_connection = True
    MODULE = ""

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        try:
            stopping.check(task_vars["inventory_hostname"], "The switch was not made: what served before still serves.")
        except WindflowError as error:
            result.update(error.as_result(), failed=True, changes=[])
            return result
        result.update(self.call_module(task_vars))
        return result

    def call_module(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Returns the module's result on the host."""
        return self._execute_module(module_name=self.MODULE, module_args=self._task.args, task_vars=task_vars)
