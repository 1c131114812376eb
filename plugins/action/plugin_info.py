# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a plugin on the controller; options and result are in the module's documentation."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import ARGUMENTS, Inputs, read_inputs
from ansible_collections.windflow.platform.plugins.module_utils.text.documents import dump
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import place_of


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(
            {**ARGUMENTS, "explain": {"type": "list", "elements": "str", "default": []}}
        )
        try:
            inputs = read_inputs(arguments, place_of(self, task_vars))
            unknown = [inputs.config.unknown_key(key) for key in arguments["explain"]]
            problems = [problem for problem in unknown if problem]
            if problems:
                raise WindflowError(problems)
            result.update(view(inputs), explained=[str(inputs.config.explain(key)) for key in arguments["explain"]])
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
        return result


def view(inputs: Inputs) -> dict:
    manifest, config = inputs.manifest, inputs.config
    return {
        "changed": False,
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "path": str(manifest.path),
        "targets": list(manifest.targets),
        "hooks": {
            event: [
                {
                    "path": str(hook.path),
                    "on": hook.on,
                    "run": hook.run,
                    "timeout": hook.timeout,
                    "privileged": hook.privileged,
                }
                for hook in hooks
            ]
            for event, hooks in manifest.hooks.items()
        },
        "environment_variables": {}
        if config.schema is None
        else {name: ".".join(path) for name, path in sorted(config.schema.environment.items())},
        "config": dump(config.redacted()),
        "warnings": [str(problem) for problem in inputs.warnings],
    }
