# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes the begin or the end of a run to the host; options and result are in the module's documentation."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.recording import ARGUMENTS
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(ARGUMENTS)
        result.update(call(self, "recording", "windflow.platform.release", arguments, task_vars))
        return result
