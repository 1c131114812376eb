# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of all switches do: pipe the switch to the host, unless the operator has ended the run."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call


class SwitchAction(ActionBase):
    """``MODULE`` is the full name of the module that switches, ``ENTRY`` that of its code for ``piped``, and
    ``ARGUMENTS`` are its options."""

    _requires_connection = True
    MODULE = ""
    ENTRY = ""
    ARGUMENTS: dict[str, dict[str, Any]] = {}

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(self.ARGUMENTS)
        try:
            stopping.check(task_vars["inventory_hostname"], "The switch was not made: what served before still serves.")
        except WindflowError as error:
            result.update(error.as_result(), failed=True, changes=[])
            return result
        result.update(call(self, self.ENTRY, self.MODULE, arguments, task_vars))
        return result
