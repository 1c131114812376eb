# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ships the plugin's files as one archive to a host that builds images and has no release of the plugin."""

from __future__ import annotations

import os

from ansible_collections.windflow.platform.plugins.module_utils.containers import building
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import archive, sources
from ansible_collections.windflow.platform.plugins.plugin_utils.piped_action import PipedAction
from ansible_collections.windflow.platform.plugins.plugin_utils.sending import send


class ActionModule(PipedAction):
    # What was sent is removed at the end of the task.
    _supports_async = False
    MODULE = "windflow.platform.compose_images"
    PIECE = building

    def answer(self, arguments, task_vars):
        sent = ""
        if arguments["source"]:
            try:
                packed = b"" if self._task.check_mode else pack(arguments["source"], arguments["folders"])
            except WindflowError as error:
                return {**error.as_result(), "failed": True}
            arguments["source"] = sent = send(self, packed, "source.tar.gz")
        arguments["folders"] = []
        answer = super().answer(arguments, task_vars)
        if sent:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return answer


def pack(root: str, folders: list[str]) -> bytes:
    """The files of ``folders`` below ``root`` that are not ignored, below ``app/``. Raises WindflowError."""
    listing = [
        (os.path.join(folder, name), mode, digest)
        for folder in folders
        for name, mode, digest in sources.digest(os.path.join(root, folder))[1]
    ]
    return archive.pack(root, listing, prefix="app/")
