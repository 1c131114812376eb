# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the controller's whole process group where a task begins, as a power cut of the controller would.

WINDFLOW_KILL_AT is the number of the task, counted from 1 over tasks that are not skipped by their nature (an include
counts). What was begun on hosts before goes on there, as after a real one.
"""

from __future__ import annotations

import os
import signal
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: killer
type: notification
short_description: Kills the controller at a task
description:
  - Sends KILL to its own process group where the task with the number in E(WINDFLOW_KILL_AT) begins.
requirements:
  - the number in the environment variable E(WINDFLOW_KILL_AT)
"""


class CallbackModule(CallbackBase):
    """Counts tasks."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "killer"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._left = int(os.environ.get("WINDFLOW_KILL_AT", "0"))

    def v2_runner_on_start(self, host, task) -> None:
        """Count, and kill."""
        self._left -= 1
        if self._left == 0:
            print(f"killed at: {task.get_name()}", flush=True)
            sys.stdout.flush()
            os.killpg(os.getpgrp(), signal.SIGKILL)
