# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ``host_network`` does on a host: a change of networks that undoes itself unless somebody confirms it.

``apply`` saves what is there, arms the restore, starts the change in the background and answers at once. ``confirm``
waits until all is as wanted, and answers with a word. A connection that was opened before that proves nothing: whoever
got the word says it to ``confirm`` over a new one, and the restore is disarmed.
"""

from __future__ import annotations

import contextlib
import glob
import os

from ..errors import Problem, WindflowError
from ..network import kept, looking
from ..network.findings import findings, pending, place_of
from ..network.wanted import faults
from . import confirming, undoing
from .change import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the result of the module for its options."""
    if params["state"] == "confirm":
        return confirming.confirm(params)
    if params["state"] == "restore":
        return restore(params)
    return apply(params)


def apply(params: dict[str, Any]) -> dict[str, Any]:
    """Returns {"changed": False}, or the number of the change that has begun and waits to be confirmed."""
    place = place_of(params["plugin"])
    refuse_faults(params["networks"], place)
    cleared = [] if params["check"] else clear()
    found = looking.look(params)
    reasons = pending(params["networks"], found) if found else []
    problems = findings(params["networks"], found, params["consent"] or not reasons, place) if found else []
    if problems:
        raise WindflowError(problems)
    answer = {"changed": bool(reasons), "change": "", "why": reasons, "warnings": cleared, "moves": ["", ""]}
    answer["diff"] = {"before": "", "after": "".join("%s\n" % reason for reason in reasons)}
    if not reasons or params["check"]:
        return answer
    change = Change(params)
    change.begin(params["seconds"])
    return dict(answer, change=change.number, seconds=params["seconds"], moves=change.moves())


def refuse_faults(entries: list[Any], place: str) -> None:
    """Raises WindflowError for entries that are wrong whatever the host is."""
    problems = []
    for fault in faults(entries, place):
        path = "%s[%d].%s" % (place, fault.index, fault.key)
        got = "nothing" if fault.value is None else "%s" % (fault.value,)
        got = "%s, %s" % (got, fault.note) if fault.note else got
        problems.append(Problem(fault.code, fault.expected, got, fault.remedy, path=path))
    if problems:
        raise WindflowError(problems)


def clear() -> list[Any]:
    """Ends what an earlier run has left: a change that nobody confirmed is undone. Returns what was done, in words."""
    found = []
    for folder in sorted(glob.glob("%s/change-*" % kept.FOLDER)):
        if undoing.claim_of(folder) == "confirm":
            confirming.settle(folder)
        elif not os.path.exists("%s/restored" % folder):
            with contextlib.suppress(OSError):
                os.unlink("%s/claimed" % folder)
            undoing.sh("%s/restore" % folder)
            found.append("a change of networks that an earlier run had left unconfirmed was undone")
        undoing.disarm(folder)
    return found


def restore(params: dict[str, Any]) -> dict[str, Any]:
    """Undoes a change that its own run gives up."""
    folder = "%s/change-%s" % (kept.FOLDER, params["change"])
    if not os.path.isdir(folder):
        return {"changed": False}
    undoing.undo(folder)
    undoing.disarm(folder)
    return {"changed": True}
