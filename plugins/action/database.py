# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the password from the plugin's configuration; options and result are in the module's documentation."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import gather


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        inputs = arguments.pop("inputs", None)
        if inputs:
            try:
                found = gather(self, inputs, task_vars, "host")
                arguments.update(password=found.config.get("database.password", ""), made=found.made)
            except WindflowError as error:
                result.update(error.as_result(), failed=True)
                return result
        module = "windflow.platform.database"
        result.update(self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars))
        return result
