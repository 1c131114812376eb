# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs a release on the controller and has it unpacked on the host."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.backends.steps import digest, without_secrets
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import archive, sources
from ansible_collections.windflow.platform.plugins.module_utils.plan import plan
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import Inputs
from ansible_collections.windflow.platform.plugins.module_utils.text import documents
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import gather
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call
from ansible_collections.windflow.platform.plugins.plugin_utils.sending import send

# A larger archive goes as a file of its own: a module's arguments are parsed as one string.
INLINE_BYTES = 8 * 1024 * 1024


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(
            {"inputs": {"type": "dict", "required": True}, "plan": {"type": "dict", "required": True}}
        )
        made = arguments["plan"]
        try:
            stopping.check(task_vars["inventory_hostname"], "What served before still serves.")
            inputs = gather(self, arguments["inputs"], task_vars, made["target"])
            module_arguments, packed = prepare(inputs, made)
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
            return result
        if self._task.check_mode:
            packed = b""
        module_arguments.update(archive=None, archive_path=None)
        if len(packed) <= INLINE_BYTES:
            module_arguments["archive"] = base64.b64encode(packed).decode("ascii")
        else:
            module_arguments["archive_path"] = send(self, packed, "release.tar.gz")
        result.update(call(self, "run.staging", "windflow.platform.release_unpack", module_arguments, task_vars))
        result.pop("invocation", None)
        if module_arguments["archive_path"]:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result


def prepare(inputs: Inputs, made: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The module's arguments and the archive; raises if the plugin is not what was planned."""
    manifest, config = inputs.manifest, inputs.config
    backend = plan.release_backend(manifest, config, made)
    source = backend.source_of(sources.digest)
    found = {
        "application": backend.application_digest(source, made),
        "config": digest(without_secrets(config, manifest.name)),
    }
    for step, value in found.items():
        if made["digests"][step] != value:
            raise WindflowError(
                Problem.plain(
                    "E4002",
                    "the plugin's %s changed after the plan was made" % step,
                    remedy="run again",
                    file=str(manifest.path),
                )
            )
    shipped = backend.shipped(source, made)
    shipped.private["secrets.json"] = json.dumps(sorted(inputs.secret_values()))
    extra = {name: (text.encode(), 0o644) for name, text in shipped.documents.items()}
    for files in (shipped.private, shipped.readable):
        extra.update({name: (text.encode(), 0o600) for name, text in files.items()})
    extra.update({name: (content, mode) for name, mode, content in shipped.files})
    packed = archive.pack(shipped.root, list(source.listing), extra, prefix="app/")
    return (
        {
            "plugin": manifest.name,
            "run": made["run"],
            "release": made["release"],
            "install_dir": made["install_dir"],
            "group": shipped.group,
            "readable": sorted(shipped.readable),
            "private": sorted([*shipped.private, *(name for name, mode, _content in shipped.files if mode != 0o755)]),
            "venv": shipped.venv,
            "made": inputs.made,
            "masked": inputs.masked,
            "folders": list(shipped.folders),
            "documents": shipped.documents,
            "config_before": made["config_before"],
            "config_after": documents.dump(config.redacted()),
            "listing": [list(item) for item in source.listing],
        },
        packed,
    )
