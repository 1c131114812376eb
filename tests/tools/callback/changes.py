# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down which tasks changed which host, so that a check run and a real run can be compared.

Of the runs of a converge.yml. One file for each kind of run in WINDFLOW_CHANGES_DIR, check.json and real.json, as
{host: [task, …]}; the first run of a kind that changes anything is kept.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: changes
type: notification
short_description: Which tasks changed which host
description:
  - Writes the names of the tasks that changed a host to a file for each kind of run.
requirements:
  - the directory of the files in the environment variable E(WINDFLOW_CHANGES_DIR)
"""


class CallbackModule(CallbackBase):
    """Collects changed results and writes them at the end of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._changed: dict[str, list[str]] = {}
        self._converges = False

    def v2_playbook_on_start(self, playbook) -> None:
        """Notice whether this run is one to write down."""
        self._converges = Path(playbook._file_name).name == "converge.yml"

    def v2_runner_on_ok(self, result) -> None:
        """Remember a task that changed its host."""
        if result._result.get("changed"):
            self._changed.setdefault(result._host.get_name(), []).append(result._task.name)

    def v2_playbook_on_stats(self, stats) -> None:
        """Write the file of this kind of run."""
        directory = os.environ.get("WINDFLOW_CHANGES_DIR")
        path = Path(directory or "", "check.json" if context.CLIARGS.get("check") else "real.json")
        if not (directory and self._converges and self._changed) or path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._changed, indent=2), encoding="utf-8")
