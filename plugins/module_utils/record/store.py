# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host remembers of a plugin: revisions, the lease of a run, and what is managed.

A record is plain data::

    {"format": 1, "plugin": str, "sequence": int,
     "current": int or None,                     # the revision that serves
     "lease": None or {"run", "holder", "purpose", "since", "seconds", "expires", "step", "revision"},
     "revisions": [{"revision", "release", "version", "environment", "target", "event", "state",
                    "started", "finished", "step", "error", "digests", "venv", ...}],
     "managed": {...},                           # see ``managed.py``
     "made": {kind: [name]}}                     # see ``ownership.py``; a record of before has none

States of a revision: running, deployed, superseded, failed, rolled_back, abandoned, removed.
Times are UTC, ISO 8601; ``now`` and ``expires`` are seconds since the epoch. Order is by revision
number and never by time, so that a clock that was set back changes nothing.

On the disk there are two files of it: ``record.json``, and ``record.json.previous``, a copy of the record
as it last was at rest, which is without a lease. After a run both say the same; during one the copy is what
was before it. So what is rebuilt from the copy never looks like a run at work.

The functions that change a record return a new one. Only the last ones, from ``read`` on, touch the disk.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import json
import os
import time

from .. import naming
from ..errors import Problem, WindflowError
from ..files import atomic
from . import file_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .file_format import Lease, Record


STATE_DIR = "/var/lib/windflow"
FORMAT = file_format.FORMAT
LEASE_SECONDS = 900
# What is of use only while the revision's release is there.
DETAILS = ("compose", "config", "database", "digests", "host", "resources")
GOOD = ("deployed", "superseded")
ROLLBACK = "rollback"
COPY = ".previous"
REJECTED = ".rejected"
RESERVE = ".reserve"
# Beyond twice of what a record is when a run begins: what the run may add to it.
RESERVE_BYTES = 256 << 10
POLL_SECONDS = 1.0


def stamp(now: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def empty(plugin: str) -> Record:
    return {
        "format": FORMAT,
        "plugin": plugin,
        "sequence": 0,
        "current": None,
        "lease": None,
        "revisions": [],
        "managed": {},
        "made": {},
    }


def find(record: Record, revision: int) -> dict[str, Any] | None:
    """Returns the revision with that number, or None."""
    for entry in record["revisions"]:
        if entry["revision"] == revision:
            return entry
    return None


def current(record: Record) -> dict[str, Any] | None:
    """Returns the revision that serves, or None."""
    return find(record, record["current"]) if record["current"] else None


def latest_present(record: Record) -> dict[str, Any] | None:
    """Returns the newest revision of which anything is on the host: what a removal has to look at."""
    if record["current"]:
        return current(record)
    for entry in reversed(record["revisions"]):
        if entry.get("purged"):
            return None
        if entry.get("host") or entry.get("compose"):
            return entry
    return None


def position(record: Record) -> str:
    """Returns what says whether any run began or ended between two looks at a record; opaque."""
    last = record["revisions"][-1]["state"] if record["revisions"] else "none"
    return "%d %s %s" % (record["sequence"], record["current"] or 0, last)


def free(record: Record, now: float) -> bool:
    """Returns whether a run may begin: none is at work, or its lease ran out."""
    return not record["lease"] or record["lease"]["expires"] <= now


def good(record: Record, serves: str | None = None) -> list[dict[str, Any]]:
    """Returns the revisions that a rollback may go to, newest first, one for each release: those that were deployed
    well, are not the one that serves, and whose release is still on the host as far as the record knows. ``serves`` is
    the release that serves where that is another one than the record says. A removal has deleted what was before it."""
    found, seen = [], {what_it_brings(current(record) or {}) if serves is None else (serves, "")}
    for entry in reversed(record["revisions"]):
        if entry["state"] == "removed":
            break
        if entry["state"] in GOOD and entry.get("digests") and what_it_brings(entry) not in seen:
            seen.add(what_it_brings(entry))
            found.append(entry)
    return found


def what_it_brings(revision: dict[str, Any]) -> tuple[str | None, str]:
    """Returns what a rollback to a revision brings back: its release and, of a plugin without a program, whose release
    stays the same, its networks."""
    host = revision.get("host") or {}
    networks = "" if host.get("program") else json.dumps(host.get("networks") or "", sort_keys=True)
    return revision.get("release"), networks if host else ""


def begin(
    record: Record,
    run: str,
    holder: str,
    purpose: str,
    now: float,
    fields: dict[str, Any],
    lease_seconds: float = LEASE_SECONDS,
    seen: str = "",
) -> Record:
    """Takes the lease and opens a revision in the state ``running``.

    A lease of another run that has not run out is an error that names its holder. One that ran out
    belongs to a run that died: its revision becomes ``abandoned`` at its step. The same run may
    begin again; its revision stays. ``seen`` is the position of the record when it was decided what the
    run does: one that has moved since is an error, E5005.
    """
    record = copy.deepcopy(record)
    lease = record["lease"]
    if lease and lease["run"] == run:
        lease.update({"seconds": lease_seconds, "expires": now + lease_seconds})
        return record
    if lease and not free(record, now):
        raise WindflowError(
            Problem.plain(
                code="E5001",
                path=record["plugin"],
                message="another run has the lease of the plugin on this host",
                got="%s by %s since %s, at step %s"
                % (lease["purpose"], lease["holder"], lease["since"], lease["step"]),
                remedy="wait until it ends (lock_wait) or its lease expires at %s; if it is certainly dead, "
                "run the playbook unlock" % stamp(lease["expires"]),
            )
        )
    if seen and position(record) != seen:
        raise WindflowError(
            Problem.plain(
                code="E5005",
                path=record["plugin"],
                message="another run ended since this one was planned",
                got=_last_run(record),
                remedy="look at its status, then run again",
            )
        )
    if lease:
        _close(record, lease["revision"], "abandoned", now, lease["step"], "the run ended without recording how")
    record["sequence"] += 1
    record["revisions"].append(
        dict(fields, revision=record["sequence"], state="running", started=stamp(now), finished=None, step="begin")
    )
    record["lease"] = {
        "run": run,
        "holder": holder,
        "purpose": purpose,
        "since": stamp(now),
        "seconds": lease_seconds,
        "expires": now + lease_seconds,
        "step": "begin",
        "revision": record["sequence"],
    }
    return record


def unlock(record: Record, by: str, now: float) -> Record:
    """Takes the lease away from whoever holds it; its revision is ``abandoned`` at its step."""
    record = copy.deepcopy(record)
    lease = record["lease"]
    if lease:
        _close(record, lease["revision"], "abandoned", now, lease["step"], "unlocked by %s" % by)
        record["lease"] = None
    return record


def at_step(
    record: Record,
    run: str,
    step: str,
    now: float,
    lease_seconds: float | None = None,
    fields: dict[str, Any] | None = None,
) -> Record:
    """Notes the step that the run is at, and ``fields`` of its revision, and renews its lease for as long as it was
    taken, or for longer. Raises WindflowError E5002 where another run has it meanwhile."""
    record = copy.deepcopy(record)
    lease = _own_lease(record, run)
    expires = now + max(lease.get("seconds", LEASE_SECONDS), lease_seconds or 0)
    lease.update({"step": step, "expires": expires})
    _leased(record, lease).update(fields or {}, step=step)
    return record


def finish(
    record: Record, run: str, now: float, managed: dict[str, Any] | None, fields: dict[str, Any], keep: int
) -> Record:
    """Ends a run well: its revision is deployed and current, the one before superseded.

    Revisions whose release is not among the ``keep`` that stay on disk lose their ``DETAILS``. ``managed`` is what
    the host has now; None leaves what was noted.
    """
    record = copy.deepcopy(record)
    lease = _own_lease(record, run)
    before = current(record)
    if before:
        # What was rolled back from is never gone back to.
        left = lease["purpose"] == ROLLBACK and what_it_brings(before) != what_it_brings(_leased(record, lease))
        before["state"] = "rolled_back" if left else "superseded"
    _close(record, lease["revision"], "deployed", now, "done", "")
    _leased(record, lease).update(fields)
    record.update({"current": lease["revision"], "lease": None})
    if managed is not None:
        record["managed"] = managed
    kept = kept_releases(record, keep)
    for entry in record["revisions"]:
        if entry.get("release") not in kept:
            for key in DETAILS:
                entry.pop(key, None)
    return record


def fail(record: Record, run: str, now: float, step: str, error: str, fields: dict[str, Any] | None = None) -> Record:
    """Ends a run badly: its revision failed; what served before is still current."""
    record = copy.deepcopy(record)
    lease = _own_lease(record, run)
    _close(record, lease["revision"], "failed", now, step or lease["step"], error)
    _leased(record, lease).update(fields or {})
    record["lease"] = None
    return record


def remove(record: Record, run: str, now: float, fields: dict[str, Any]) -> Record:
    """Ends a removal: nothing is current or managed any more; the history stays."""
    record = copy.deepcopy(record)
    lease = _own_lease(record, run)
    before = current(record)
    if before:
        before["state"] = "superseded"
    _close(record, lease["revision"], "removed", now, "done", "")
    _leased(record, lease).update(fields)
    record.update({"current": None, "managed": {}, "lease": None})
    return record


def kept_releases(record: Record, keep: int) -> list[str]:
    """Names of the releases that pruning must leave: the current one, the newest good ones up to
    ``keep``, and whatever a run is working on."""
    names = []
    for entry in sorted(record["revisions"], key=lambda item: item["revision"], reverse=True):
        name = entry.get("release")
        if not name or name in names:
            continue
        if entry["revision"] == record["current"] or entry["state"] == "running":
            names.append(name)
        elif entry["state"] in GOOD and len(names) < keep:
            names.append(name)
    return names


def _own_lease(record: Record, run: str) -> Lease:
    lease = record["lease"]
    if not lease or lease["run"] != run:
        raise WindflowError(
            Problem.plain(
                code="E5002",
                path=record["plugin"],
                message="run %s lost its lease" % run,
                got="run %s by %s has it now" % (lease["run"], lease["holder"]) if lease else "no run has it now",
                remedy="run again",
            ),
            outcome="The record was not changed.",
        )
    return lease


def _leased(record: Record, lease: Lease) -> dict[str, Any]:
    """Returns the revision of the run that has the lease."""
    return next(entry for entry in record["revisions"] if entry["revision"] == lease["revision"])


def _last_run(record: Record) -> str:
    last = record["revisions"][-1] if record["revisions"] else {"revision": 0}
    return "revision %d, %s" % (last["revision"], last["state"]) if last["revision"] else "none is remembered"


def _close(record: Record, revision: int, state: str, now: float, step: str, error: str) -> None:
    entry = find(record, revision)
    if entry:
        entry.update(state=state, finished=stamp(now), step=step, error=error)


def directory(plugin: str, state_dir: str = STATE_DIR) -> str:
    """Raises WindflowError E1032 for what is no name: it would be some other place."""
    naming.refuse_unless_name(plugin)
    return os.path.join(state_dir, plugin)


def path_of(plugin: str, state_dir: str = STATE_DIR) -> str:
    return os.path.join(directory(plugin, state_dir), "record.json")


def exists(plugin: str, state_dir: str = STATE_DIR) -> bool:
    """Returns whether the plugin has a record, be it one that cannot be read."""
    path = path_of(plugin, state_dir)
    return os.path.exists(path) or os.path.exists(path + COPY)


def names(state_dir: str = STATE_DIR) -> list[str]:
    """Every plugin with a record."""
    try:
        found = sorted(os.listdir(state_dir))
    except FileNotFoundError:
        return []
    return [name for name in found if naming.is_name(name) and exists(name, state_dir)]


def read(plugin: str, state_dir: str = STATE_DIR) -> tuple[Record, str]:
    """Returns the record of a plugin, an empty one where there is none; and "", or why it was taken from the copy.

    The copy is taken if the record is missing, cut off, or was edited: an edit is never used silently.
    Raises WindflowError E5003 if the copy is of no use either.
    """
    path = path_of(plugin, state_dir)
    if not exists(plugin, state_dir):
        return empty(plugin), ""
    reasons = []
    try:
        with open(path + COPY, "rb") as stream:
            left = stream.read()
    except OSError:
        left = b""
    for place in (path, path + COPY):
        try:
            with open(place, "rb") as stream:
                record = file_format.decode(stream.read(), plugin, left)
        except OSError as error:
            reasons.append(error.strerror)
        except ValueError as error:
            reasons.append(str(error))
        else:
            if place == path:
                return record, ""
            if not record["lease"]:
                return record, (
                    "%s is not used (%s), but its copy %s, which is what the last run left. The next run that changes "
                    "something writes it again and keeps the present one as %s"
                    % (path, reasons[0], place, os.path.basename(path + REJECTED))
                )
            reasons.append("it is of a run that had not ended")
    raise WindflowError(
        Problem.plain(
            code="E5003",
            file=path,
            message="neither the record of %s nor its copy is usable" % plugin,
            got="the record: %s; %s: %s" % (reasons[0], path + COPY, reasons[1]),
            remedy="restore it from a backup; or, if somebody edited it on purpose, remove its line checksum; "
            "or move both files away to deploy as on a new host",
        )
    )


def load(plugin: str, state_dir: str = STATE_DIR) -> Record:
    """Returns the record alone, wherever it was taken from."""
    return read(plugin, state_dir)[0]


def set_aside(plugin: str, state_dir: str = STATE_DIR) -> None:
    """Keeps a record that cannot be used beside the one that will be written in its place."""
    path = path_of(plugin, state_dir)
    if os.path.lexists(path):
        with _kept(path):
            os.replace(path, path + REJECTED)


def save(record: Record, state_dir: str = STATE_DIR) -> None:
    """Writes the record so that a power cut leaves the old one or the new one, never half of one.

    While a run is at work, room is reserved for its end: a disk that was filled meanwhile cannot leave a
    switched release without a record. Raises WindflowError E5004; then the record on the disk is the old one.
    """
    parent = directory(record["plugin"], state_dir)
    path = path_of(record["plugin"], state_dir)
    data = file_format.encode(record)
    at_rest = not record["lease"]
    with _kept(path):
        atomic.make_directory(parent, 0o700)
        reserved = not at_rest and _reserve(path + RESERVE, 2 * len(data) + RESERVE_BYTES)
        try:
            _write(path, data, at_rest)
        except OSError:
            # A run that cannot begin leaves no reserve behind; one that ends has it for that.
            given_back = (at_rest or reserved) and atomic.remove(path + RESERVE)
            if not (at_rest and given_back):
                raise
            _write(path, data, at_rest)
        if at_rest:
            atomic.remove(path + RESERVE)
        # The rename itself has to reach the disk too.
        folder = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write(path: str, data: bytes, at_rest: bool) -> None:
    if at_rest:
        # The copy first: if the second of the two fails, the record still names the run that has to be ended.
        atomic.write(path + COPY, data, 0o600)
    atomic.write(path, data, 0o600)


def _reserve(path: str, size: int) -> bool:
    """A file of about that size, whose blocks are its own. Returns whether it was made now."""
    with contextlib.suppress(FileNotFoundError):
        # A record that grew a little in the run does not give up what is reserved: it might not be had again.
        if os.lstat(path).st_size >= size - RESERVE_BYTES // 2:
            return False
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)
    return True


@contextlib.contextmanager
def _kept(path: str) -> Iterator[None]:
    """E5004 for what the system refuses."""
    try:
        yield
    except OSError as error:
        raise WindflowError(
            Problem.plain(
                code="E5004",
                file=path,
                message="the record could not be written",
                got=error.strerror or str(error),
                remedy="free some space (df, df -i) or repair the disk, then run again",
            ),
            outcome="The record was not changed.",
        ) from error


@contextlib.contextmanager
def locked(plugin: str, state_dir: str = STATE_DIR) -> Iterator[None]:
    """Holds the plugin's lock file, so that reading, changing and saving a record is one action."""
    parent = directory(plugin, state_dir)
    with _kept(path_of(plugin, state_dir)):
        atomic.make_directory(parent, 0o700)
        lock = os.path.join(parent, "lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def renew(
    plugin: str,
    run: str,
    step: str = "",
    lease_seconds: float | None = None,
    fields: dict[str, Any] | None = None,
    state_dir: str = STATE_DIR,
) -> None:
    """``at_step`` on the disk; without a step, at the one that it was."""
    with locked(plugin, state_dir):
        record = load(plugin, state_dir)
        step = step or (record["lease"]["step"] if record["lease"] else "")
        renewed = at_step(record, run, step, time.time(), lease_seconds, fields)
        try:
            save(renewed, state_dir)
        except WindflowError as error:
            # The lease is the run's all the same, for as long as it was. A full disk must not keep it from going back.
            if fields or error.code != "E5004":
                raise


def wait_until_free(plugin: str, seconds: float, state_dir: str = STATE_DIR) -> None:
    """Waits for the end of the run that is at work, at most so long. Whoever begins then is told if it goes on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not free(load(plugin, state_dir), time.time()):
        time.sleep(POLL_SECONDS)
