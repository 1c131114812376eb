# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes the begin or the end of a run to the host; options and result are in the module's documentation."""

from __future__ import annotations

import getpass
import socket

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.compatibility import rolled_back
from ansible_collections.windflow.platform.plugins.module_utils.run.recording import ARGUMENTS, ROLLBACK
from ansible_collections.windflow.platform.plugins.module_utils.text.limits import fail_if_any
from ansible_collections.windflow.platform.plugins.plugin_utils import known, stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import deployed_state
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(ARGUMENTS)
        host = task_vars["inventory_hostname"]
        arguments["holder"] = arguments["holder"] or "%s@%s" % (getpass.getuser(), socket.gethostname())
        try:
            if arguments["state"] == "started":
                stopping.check(host)
            if arguments["state"] == "started" and arguments["purpose"] == ROLLBACK:
                # A host has nothing to compare versions with.
                state = deployed_state(self, {"plugins": [], "reveal": False}, task_vars)
                fail_if_any(rolled_back(arguments["plugin"], arguments["revision"], state))
            if arguments["state"] != "renewed":
                known.forget(host)
            result.update(call(self, "run.recording", "windflow.platform.release", arguments, task_vars))
            answer = result.pop("known", None)
            if answer and not self._task.check_mode:
                known.keep(host, answer)
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
        return result
