# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record as the text of its file and back: checksum and shape.

The file holds the record and ``checksum``, sha256 of the record's text without it. So an edit by hand is
noticed even where what it leaves is a record. Without a checksum the shape alone decides: that is how the
files of before were, and how somebody says that an edit is meant. Such an edit may change values and leave out
revisions, but what a run has noted of a revision stays there and stays of its kind: everything else relies on that.
"""

from __future__ import annotations

import hashlib
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NotRequired, TypedDict

    class Lease(TypedDict):
        """``seconds``, for how long it is renewed, is missing in older records."""

        run: str
        holder: str
        purpose: str
        since: str
        seconds: NotRequired[float]
        expires: float
        step: str
        revision: int

    class Record(TypedDict):
        """See ``store``. Revisions have more keys than those that all of them have: what their backend notes."""

        format: int
        plugin: str
        sequence: int
        current: int | None
        lease: Lease | None
        revisions: list[dict[str, Any]]
        managed: dict[str, Any]
        made: NotRequired[dict[str, list[str]]]


FORMAT = 1
STATES = ("running", "deployed", "superseded", "failed", "rolled_back", "abandoned", "removed")
CHECKSUM = "checksum"
# What a part of a record may hold; a key that is not named may hold anything.
NUMBER, WHOLE, TEXT, MAP, LIST = (int, float), (int,), (str,), (dict,), (list,)
NOTHING = (type(None),)
RECORD = {
    "sequence": WHOLE,
    "current": WHOLE + NOTHING,
    "lease": MAP + NOTHING,
    "revisions": LIST,
    "managed": MAP,
}
LEASE = {
    "run": TEXT,
    "holder": TEXT,
    "purpose": TEXT,
    "since": TEXT,
    "expires": NUMBER,
    "step": TEXT,
    "revision": WHOLE,
}
REVISION = {"revision": WHOLE, "state": TEXT, "started": TEXT, "finished": TEXT + NOTHING, "step": TEXT}
NOTED = {
    **dict.fromkeys(("release", "version", "environment", "target", "event", "holder", "error"), TEXT + NOTHING),
    **dict.fromkeys(("digests", "resources", "compose", "host", "database"), MAP + NOTHING),
    **dict.fromkeys(("needs", "provides", "results", "by_hand", "local_database"), MAP + NOTHING),
}
# What serves, or may be gone back to, has these.
SERVING = {"version": TEXT, "release": TEXT, "target": TEXT}
NEED = {"plugin": TEXT, "constraint": TEXT}
# Maps whose keys are names of things, which may be fewer or others after an edit.
BY_NAME = ("paths", "digests", "results", "by_hand", "needs", "provides", "images", "services")
LATEST = 10**11  # seconds; a time beyond it is none
MANAGED = {"paths": MAP, "trees": LIST, "program": MAP, "database": MAP, "compose": MAP, "volumes": LIST}


def encode(record: Record) -> bytes:
    """Returns the bytes of the record's file."""
    text = as_text(record)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return as_text({**record, CHECKSUM: checksum}).encode()


def as_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True)


def decode(data: bytes, plugin: str, copy: bytes = b"") -> Record:
    """Returns the record in the bytes of its file. Raises ValueError, with the reason, if it is none of that plugin.

    ``copy`` is what the last run left, as bytes: what a record without a checksum is compared with.
    """
    record = parsed(data, plugin)
    if CHECKSUM in record:
        checksum = record.pop(CHECKSUM)
        if checksum != hashlib.sha256(as_text(record).encode()).hexdigest():
            raise ValueError("the record was changed, so its checksum does not match")
    else:
        check(record)
        try:
            left = decode(copy, plugin)
        except ValueError:
            return record
        alike(record["managed"], left["managed"], "managed")
        before = {entry["revision"]: entry for entry in left["revisions"]}
        for place, entry in enumerate(record["revisions"]):
            alike(entry, before.get(entry["revision"], {}), "revisions[%d]" % place)
    return record


def parsed(data: bytes, plugin: str) -> Any:
    """Returns the map in the bytes of a record's file. Raises ValueError for anything else."""
    try:
        record = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ValueError("no JSON, or not all of it") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT or record.get("plugin") != plugin:
        raise ValueError("no record of plugin %s in format %d" % (plugin, FORMAT))
    return record


def alike(found: Any, left: Any, where: str) -> None:
    """Raises ValueError, with the place, unless ``found`` has the keys of ``left`` and values of the same kinds."""
    if isinstance(left, dict):
        if not isinstance(found, dict):
            raise ValueError("%s is no map" % where)
        by_name = where.rpartition(".")[2] in BY_NAME
        for key, part in left.items():
            if key in found:
                alike(found[key], part, "%s.%s" % (where, key))
            elif not by_name:
                raise ValueError("%s without %s" % (where, key))
    elif isinstance(left, list):
        if not isinstance(found, list):
            raise ValueError("%s is no list" % where)
        for place, part in enumerate(found if left else []):
            alike(part, left[min(place, len(left) - 1)], "%s[%d]" % (where, place))
    elif left is not None and kind(found) is not kind(left):
        raise ValueError("%s is of another kind" % where)


def kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def check(record: dict[str, Any]) -> None:
    """Raises ValueError, with the place, if a record cannot have come from a run."""
    typed(record, RECORD, "the record", {"made": MAP})
    for kind, names in record.get("made", {}).items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("made with an unexpected %s" % kind)
    typed(record["managed"], {}, "managed", MANAGED)
    for path, entry in record["managed"].get("paths", {}).items():
        typed(entry, {"step": TEXT}, "managed.paths[%s]" % path)
    for entry in record["managed"].get("trees", []):
        typed(entry, {"step": TEXT, "root": TEXT}, "managed.trees")
    numbers = [0]
    for place, entry in enumerate(record["revisions"]):
        where = "revisions[%d]" % place
        typed(entry, REVISION, where, NOTED)
        if entry["state"] not in STATES:
            raise ValueError("%s with an unknown state" % where)
        if entry["revision"] <= numbers[-1]:
            raise ValueError("%s with a number that is not above the one before" % where)
        numbers.append(entry["revision"])
        if entry.get("digests") or entry["revision"] == record["current"]:
            typed(entry, SERVING, where)
        for name, need in (entry.get("needs") or {}).items():
            typed(need, NEED, "%s.needs[%s]" % (where, name))
        for name, version in (entry.get("provides") or {}).items():
            typed({name: version}, {name: TEXT}, "%s.provides" % where)
    if record["sequence"] < numbers[-1]:
        raise ValueError("a sequence below that of the last revision")
    states = {entry["revision"]: entry["state"] for entry in record["revisions"]}
    if record["current"] is not None and states.get(record["current"]) != "deployed":
        raise ValueError("a current revision that is not deployed")
    if record["lease"] is not None:
        typed(record["lease"], LEASE, "lease", {"seconds": NUMBER})
        for key in ("expires", "seconds"):
            if not abs(record["lease"].get(key, 0)) < LATEST:
                raise ValueError("lease with an impossible %s" % key)
        if states.get(record["lease"]["revision"]) != "running":
            raise ValueError("a lease without a running revision")


def typed(
    part: Any,
    needed: Mapping[str, tuple[type, ...]],
    where: str,
    possible: Mapping[str, tuple[type, ...]] | None = None,
) -> None:
    """Raises ValueError unless ``part`` is a map with what is needed, and all of it is of the type it should be."""
    if not isinstance(part, dict):
        raise ValueError("%s is no map" % where)
    for key, types in (*needed.items(), *(possible or {}).items()):
        if key not in part:
            if key in needed:
                raise ValueError("%s without %s" % (where, key))
        # True and False are whole numbers to Python.
        elif not isinstance(part[key], types) or isinstance(part[key], bool):
            raise ValueError("%s with an unexpected %s" % (where, key))
