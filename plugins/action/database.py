# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the password from the plugin's configuration; options and result are in the module's documentation."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.run import database_state
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import gather
from ansible_collections.windflow.platform.plugins.plugin_utils.piped_action import PipedAction


class ActionModule(PipedAction):
    # The password would lie in a file of the host as long as the task lasts.
    _supports_async = False
    MODULE = "windflow.platform.database"
    PIECE = database_state

    def run(self, tmp=None, task_vars=None):
        given = dict(self._task.args)
        inputs = given.pop("inputs", None)
        if inputs:
            try:
                found = gather(self, inputs, task_vars, "host")
            except WindflowError as error:
                return {**error.as_result(), "failed": True}
            given.update(password=found.config.get("database.password", ""), made=found.made)
        self._task.args = given
        return super().run(tmp, task_vars)
