# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes the switch to the host, unless the operator has ended the run; options and result are in the module's
documentation.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.windflow.platform.plugins.module_utils.switch.host_switch import ARGUMENTS
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call
from ansible_collections.windflow.platform.plugins.plugin_utils.switch_action import SwitchAction


class ActionModule(SwitchAction):
    MODULE = "windflow.platform.release_switch"

    def call_module(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _unused, arguments = self.validate_argument_spec(ARGUMENTS)
        return call(self, "switch.host_switch", self.MODULE, arguments, task_vars)
