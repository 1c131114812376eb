# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes from the controller into a file of the action's temporary directory on the host."""

from __future__ import annotations

import tempfile
from typing import Any


def send(action: Any, content: bytes, name: str) -> str:
    """Returns the file's path on the host of ``action``. Only the user who connects or becomes can read it."""
    shell = action._connection._shell
    if not shell.tmpdir:
        action._make_tmp_path()
    remote = shell.join_path(shell.tmpdir, name)
    with tempfile.NamedTemporaryFile(prefix="windflow-") as local:
        local.write(content)
        local.flush()
        action._transfer_file(local.name, remote)
    action._fixup_perms2((shell.tmpdir, remote))
    return remote
