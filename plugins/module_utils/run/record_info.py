# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a host, as views for playbooks: what the module ``release_info`` does."""

from __future__ import annotations

import os
import time

from ..backup import listing
from ..network import kept
from ..record import report, restore_point, store
from ..switch import answering
from . import serving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..record.file_format import Record


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str"},
    "wait": {"type": "int", "default": 0},
    "ask": {"type": "bool", "default": False},
}


def run_identity() -> str:
    return "%s-%d" % (time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), os.getpid())


def view(remembered: Record, ask: bool) -> dict[str, Any]:
    current = store.current(remembered)
    serves = serving.other(remembered, time.time())
    backups = listing.backups_of(remembered, time.time())
    silence = answering.silence(current) if ask and current else ""
    last = remembered["revisions"][-1] if remembered["revisions"] else None
    return {
        "current": current,
        "last": last,
        "status": report.status(remembered, current, last, serves, silence),
        "history": report.history(remembered),
        "remains": store.latest_present(remembered),
        "good": store.good(remembered, serves),
        "restorable": restore_point.label(remembered) or listing.newest_since(backups, current),
        "backups": backups,
        "backup_lines": listing.lines(remembered["plugin"], backups),
        "serves": serves,
        "silence": silence,
        "networks": sorted(kept.read(remembered["plugin"])["networks"]),
        "lease": remembered["lease"],
        "position": store.position(remembered),
        "revisions": remembered["revisions"],
    }


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.release_info) to its options. Raises WindflowError."""
    if params["plugin"]:
        store.wait_until_free(params["plugin"], params["wait"])
    plugins, warnings = {}, []
    for name in [params["plugin"]] if params["plugin"] else store.names():
        remembered, rebuilt = store.read(name)
        plugins[name] = view(remembered, params["ask"])
        warnings += [rebuilt] * bool(rebuilt)
    return {"changed": False, "run": run_identity(), "plugins": plugins, "warnings": warnings}
