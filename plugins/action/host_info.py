# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the host by piped code what it is; options and result are in the module's documentation."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.run import host_state
from ansible_collections.windflow.platform.plugins.plugin_utils.piped_action import PipedAction


class ActionModule(PipedAction):
    MODULE = "windflow.platform.host_info"
    PIECE = host_state
