# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch or a removal on the host, from the options of ``windflow.platform.release_switch`` to its result."""

from __future__ import annotations

import os

from ..files import atomic
from . import transaction
from .host import Switch
from .installed import HostOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Of the module; "check" and "diff" are its modes.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str", "required": True},
    "run": {"type": "str", "default": ""},
    "release": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "install_dir": {"type": "path", "required": True},
    "replicas": {"type": "int", "default": 1},
    "health": {"type": "str", "default": ""},
    "health_timeout": {"type": "int", "default": 30},
    "settle": {"type": "int", "default": 7},
    "drain_timeout": {"type": "int", "default": 30},
    "host_header": {"type": "str", "default": "localhost"},
    "address": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 0},
    "program_dir": {"type": "path", "default": "/etc/supervisor/conf.d"},
    "program_ext": {"type": "str", "default": "conf"},
    "supervisor_conf": {"type": "path", "default": "/etc/supervisor/supervisord.conf"},
    "supervisor_socket": {"type": "path", "default": ""},
    "site_available_dir": {"type": "path", "default": "/etc/nginx/sites-available"},
    "site_enabled_dir": {"type": "path", "default": "/etc/nginx/sites-enabled"},
    "nginx_conf": {"type": "path", "default": "/etc/nginx/nginx.conf"},
    "nginx_binary": {"type": "path", "default": "/usr/sbin/nginx"},
    "remove_default_site": {"type": "bool", "default": False},
    "default_site": {"type": "path", "default": ""},
    "config_copy": {
        "type": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str", "default": "0640"},
        },
    },
    "log_dir": {"type": "path", "default": ""},
    "backup_dir": {"type": "path", "default": ""},
}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the module's result. An error is in it too, with "failed" and what is known of the host."""

    def work(switch: Switch) -> dict[str, Any]:
        options = switch.options
        result: dict[str, Any] = {}
        pending = find_pending(switch)
        if params["diff"]:
            result["diff"] = differences(pending, (options.config_copy or {}).get("path"))
        if params["check"]:
            switch.changes = [path for path, _saved, _data in pending]
        else:
            transaction.end_by_exception()
            switch.renew_lease(options.health_timeout + options.drain_timeout)
            result.update(switch.deploy() if options.state == "present" else switch.remove())
        return result

    return transaction.run(HostOptions(**{name: params[name] for name in ARGUMENTS}), Switch, work)


def find_pending(switch: Switch) -> list[tuple[str, atomic.Saved, bytes | None]]:
    """Returns what would be written, as [(path, as it is, wanted data)]."""
    if switch.options.state == "absent":
        return switch.pending_removal()
    if not os.path.isdir(switch.release_dir):
        # In check mode no earlier task has made the release; without it the switch says what is missing.
        return [(switch.current_path, atomic.save(switch.current_path), None)]
    return switch.pending()


def differences(
    pending: Iterable[tuple[str, atomic.Saved, bytes | None]], config_path: str | None
) -> list[dict[str, str]]:
    """Returns the diffs of files that were or would be written. ``config_path`` holds secrets and is left out."""
    diffs = []
    for path, saved, data in pending:
        if path != config_path:
            before = (saved.data or b"").decode("utf-8", "replace") or (saved.target or "")
            after = (data or b"").decode("utf-8", "replace")
            diffs.append({"before_header": path, "after_header": path, "before": before, "after": after})
    return diffs
