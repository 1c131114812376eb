# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes volumes on the host by piped code; options and result are in the module's documentation."""

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.storage import apply
from ansible_collections.windflow.platform.plugins.plugin_utils.piped_action import PipedAction


class ActionModule(PipedAction):
    MODULE = "windflow.platform.volumes"
    PIECE = apply
