# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hook on the host that it was shipped to: what the module ``hook`` does there."""

from __future__ import annotations

import base64
import json
import os
import pwd
from dataclasses import asdict

from ..record import host_secrets
from . import hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def existing(user: str) -> str:
    """Returns the account, or nobody as long as it was not created."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return "nobody"
    return user


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Writes the script to a directory that it alone can look into and runs it there. The result of the module."""
    made, masked = json.loads(params["made"]), json.loads(params["masked"])
    environment, secrets = host_secrets.fill(params["environment"], made), host_secrets.fill(params["secrets"], masked)
    user = existing(params["user"])
    entry = hook.account(user)
    content = base64.b64decode(params["script"])
    with hook.private_directory(entry) as directory:
        path = os.path.join(directory, os.path.basename(params["script_name"]) or "hook")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o555)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o555)
            stream.write(content)
        call = hook.hook_argv(path, params["events"][0], params["old_version"], params["new_version"])
        result = hook.run_hook(
            [*hook.script_argv(content, path), *call[1:]],
            json.loads(environment),
            directory,
            params["timeout"],
            user,
            json.loads(secrets),
            params["script_name"],
            params["host"],
        )
    return {"changed": False, "hook": asdict(result)}
