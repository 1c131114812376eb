# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of a module that switches releases."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.piped_action import PipedAction


class SwitchAction(PipedAction):
    """Is not begun after the run was asked to stop."""

    _supports_async = False

    def answer(self, arguments, task_vars):
        try:
            stopping.check(task_vars["inventory_hostname"], "The switch was not made: what served before still serves.")
        except WindflowError as error:
            return {**error.as_result(), "failed": True, "changes": []}
        return super().answer(arguments, task_vars)
