# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes the switch of processes to the host; options and result are in the module's documentation."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch
from ansible_collections.windflow.platform.plugins.plugin_utils.switch_action import SwitchAction


class ActionModule(SwitchAction):
    MODULE = "windflow.platform.release_switch"
    PIECE = host_switch
