# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The begin and the end of a run on a host's record: what the module ``release`` does."""

from __future__ import annotations

import contextlib
import time

from ..errors import Problem, WindflowError
from ..files import atomic
from ..record import dependency_state, dependents, host_secrets, ownership, store
from . import managed, releases, serving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..record.file_format import Record


REMOVE = "remove"
RESTORE = "restore"
ROLLBACK = store.ROLLBACK
STATES = ["started", "renewed", "finished", "failed", "removed", "unlocked"]
ARGUMENTS = {
    "plugin": {"type": "str", "required": True},
    "state": {"type": "str", "required": True, "choices": STATES},
    "run": {"type": "str", "default": ""},
    "holder": {"type": "str", "default": ""},
    "purpose": {"type": "str", "default": "deploy"},
    "seen": {"type": "str", "default": ""},
    "wait": {"type": "int", "default": 0},
    "lease_seconds": {"type": "int"},
    "revision": {"type": "dict", "default": {}},
    "generate": {"type": "list", "elements": "str", "default": []},
    "secrets_of": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "resources": {"type": "dict", "default": {}},
    "install_dir": {"type": "path"},
    "keep_releases": {"type": "int", "default": 5},
    "step": {"type": "str", "default": ""},
    "error": {"type": "str", "default": ""},
}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the result of the module for its options and ``check``, whether it is only asked what it would do."""
    if params["state"] == "unlocked":
        return unlock(params)
    if params["state"] == "renewed":
        return renew(params)
    return wait_to_begin(params) if params["state"] == "started" else end(params)


def unlock(params: dict[str, Any]) -> dict[str, Any]:
    if not store.exists(params["plugin"]):
        # The lock alone would make a directory.
        return {"changed": False, "lease": None, "recorded": False}
    with contextlib.nullcontext() if params["check"] else store.locked(params["plugin"]):
        before = store.load(params["plugin"])
        after = store.unlock(before, params["holder"], time.time())
        if before["lease"] and not params["check"]:
            store.save(after)
    return {"changed": bool(before["lease"]), "lease": before["lease"], "recorded": True}


def renew(params: dict[str, Any]) -> dict[str, Any]:
    """Changes nothing in a check: no run has a lease then."""
    if params["check"]:
        return {"changed": False}
    store.renew(params["plugin"], params["run"], params["step"], params["lease_seconds"], params["revision"])
    return {"changed": False}


def wait_to_begin(params: dict[str, Any]) -> dict[str, Any]:
    """Begins, as soon as no other run has the lease, within ``wait`` seconds."""
    deadline = time.monotonic() + params["wait"]
    while True:
        try:
            return begin(params)
        except WindflowError as error:
            if error.code != "E5001" or time.monotonic() > deadline:
                raise
        time.sleep(store.POLL_SECONDS)


def begin(params: dict[str, Any]) -> dict[str, Any]:
    plugin, run = params["plugin"], params["run"]
    fields = dict(params["revision"], holder=params["holder"])

    def started(before: Record) -> Record:
        return store.begin(
            before,
            run,
            params["holder"],
            params["purpose"],
            time.time(),
            fields,
            params["lease_seconds"] or store.LEASE_SECONDS,
            params["seen"],
        )

    if params["purpose"] == REMOVE:
        refuse_if_needed(plugin)
    with contextlib.nullcontext() if params["check"] else store.locked(plugin):
        before, rebuilt = store.read(plugin)
        before = ownership.settled(before)
        found = serving.other(before, time.time())
        if found is not None:
            fields["found"] = found
        again = bool(before["lease"] and before["lease"]["run"] == run)
        after = started(before)
        if not params["check"]:
            if rebuilt:
                store.set_aside(plugin)
            store.save(after)
            host_secrets.make(plugin, params["generate"])
    lease = after["lease"]
    revision = store.find(after, lease["revision"]) if lease else None
    result = {"changed": not again or params["check"], "revision": revision}
    if params["secrets_of"]:
        result["known"] = dependency_state.run({"plugins": params["secrets_of"], "reveal": False})
    return dict(result, warnings=[rebuilt]) if rebuilt else result


def refuse_if_needed(plugin: str) -> None:
    """Raises WindflowError E5011 where what is deployed here, or about to be, needs the plugin, or nobody knows."""
    found = dependents.survey()
    problems = dependents.not_known("E5011", plugin, found["unreadable"])
    needed = dependents.needing(plugin, found["plugins"], found["at_work"])
    if needed:
        who = ", ".join("%s needs %s %s" % (need["plugin"], need["name"], need["constraint"]) for need in needed)
        remedy = "remove %s first" % ", ".join(sorted({need["plugin"] for need in needed}))
        problems.append(Problem.plain("E5011", "other plugins on the host need %s" % plugin, who, remedy, path=plugin))
    if problems:
        raise WindflowError(problems)


def end(params: dict[str, Any]) -> dict[str, Any]:
    plugin, run, now = params["plugin"], params["run"], time.time()
    if params["check"]:
        return {"changed": True, "revision": dict(params["revision"]), "deleted": []}
    # What the host has now is read before the lock is taken: it may take a while.
    try:
        kept = managed.snapshot(plugin, params["resources"]) if looks_anew(params) else None
    except OSError as error:
        raise WindflowError(atomic.problem(error), outcome="The record was not changed.") from error
    with store.locked(plugin):
        remembered = store.load(plugin)
        known = store.current(remembered) or {}
        if params["state"] == "failed" and not remembered["lease"]:
            # It failed before it could begin, or was unlocked: its error is the one to be told.
            return {"changed": False, "revision": None, "deleted": [], **restored(params, known, {})}
        number = remembered["lease"]["revision"] if remembered["lease"] else 0
        if params["state"] == "finished":
            # A rollback to this revision needs to know what it managed.
            fields = dict(params["revision"], resources=params["resources"])
            remembered = store.finish(remembered, run, now, kept, fields, params["keep_releases"])
        elif params["state"] == "failed":
            remembered = store.fail(remembered, run, now, params["step"], params["error"], params["revision"])
        else:
            remembered = store.remove(remembered, run, now, params["revision"])
        store.save(remembered)
    result: dict[str, Any] = {"changed": True, "revision": store.find(remembered, number), "deleted": []}
    if params["install_dir"]:
        result["serves"] = releases.current_release(params["install_dir"])
    if params["state"] == "failed":
        result.update(restored(params, known, store.find(remembered, number) or {}))
    if params["install_dir"] and params["state"] != "removed":
        kept_releases = store.kept_releases(remembered, params["keep_releases"])
        result["deleted"] = releases.superfluous(params["install_dir"], kept_releases)
        releases.delete(plugin, result["deleted"])
    if params["state"] == "removed":
        releases.forget_trees(plugin)
        if params["revision"].get("purged"):
            host_secrets.remove(plugin)
    try:
        releases.write_local_facts()
    except (OSError, WindflowError) as error:
        # They are derived from the records, which are as they should be: the next run writes them again.
        result["warnings"] = ["%s is not up to date: %s" % (releases.FACTS_FILE, error)]
    return result


def looks_anew(params: dict[str, Any]) -> bool:
    """Returns whether what the host has now is what it should have. A restore has looked at nothing but the database:
    what differed before it still does."""
    if params["state"] != "finished":
        return False
    lease = store.load(params["plugin"])["lease"]
    return not lease or lease["purpose"] != RESTORE


def restored(params: dict[str, Any], known: dict[str, Any], revision: dict[str, Any]) -> dict[str, Any]:
    """Returns the release that serves, and whether it served before the run that failed: by the record, or by the host
    where that was not the same."""
    if not params["install_dir"]:
        return {}
    serves = releases.current_release(params["install_dir"])
    return {"serves": serves, "restored": serves in (known.get("release", ""), revision.get("found"))}
