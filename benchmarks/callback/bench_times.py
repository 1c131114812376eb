# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appends one JSON line for each task of each host to the file that ``BENCH_TIMES`` names."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: bench_times
type: aggregate
short_description: Durations of tasks as JSON lines
description:
  - Appends the task's name, action, host and duration in seconds to the file named by E(BENCH_TIMES).
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bench_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._started = {}

    def v2_runner_on_start(self, host, task):
        self._started[host.name, task._uuid] = time.monotonic()

    def _ended(self, result):
        task, host = result._task, result._host.name
        started = self._started.pop((host, task._uuid), None)
        if started is None:
            return
        line = {
            "task": task.get_name(),
            "action": task.action,
            "host": host,
            "seconds": time.monotonic() - started,
            "changed": bool(result._result.get("changed")),
        }
        with open(os.environ["BENCH_TIMES"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result):
        self._ended(result)

    def v2_runner_on_skipped(self, result):
        self._ended(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._ended(result)
