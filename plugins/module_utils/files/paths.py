# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories, files and links: what is, what should be, and what has to change.

``parse`` -> ``plan`` -> ``placing.apply``. This module only reads; whatever would stop ``apply``
and can be known before is found here, all at once. A link at the destination of a file is
replaced, never followed; links on the way are followed as ``nofollow`` says, also where a directory on
the way is an entry itself.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import re

from ..errors import Problem, WindflowError
from .nofollow import leads_to_directory, look, read_file, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypedDict

    class Entry(TypedDict):
        """What ``parse`` makes of a given entry. ``recorded`` is the SHA-256 of what was last written, or empty."""

        path: str
        state: str
        data: bytes | None
        source: str
        target: str
        owner: str | None
        group: str | None
        mode: int | None
        secret: bool
        backup: bool
        recorded: str
        keep_existing: bool

    class Wanted(Entry):
        """An entry with what the host knows of it; a user or group that does not exist yet has no number."""

        uid: int | None
        gid: int | None
        sha256: str

    class Change(TypedDict):
        path: str
        attribute: str
        before: str
        after: str

    class Step(TypedDict):
        """``actual`` is what ``nofollow.look`` returns, ``before`` the content of a file that will change."""

        wanted: Wanted
        actual: dict[str, Any]
        changes: list[Change]
        before: bytes | None


KEYS = {
    "path",
    "state",
    "content",
    "secret_content",
    "source",
    "target",
    "owner",
    "group",
    "mode",
    "secret",
    "backup",
    "recorded",
    "keep_existing",
}
STATES = ("directory", "file", "link", "absent")

_MODE = re.compile(r"0[0-7]{3,4}\Z")
# Directories above this depth (/etc, /var) are never removed, whatever is asked for.
_DEPTH = 2


def parse(entries: list[dict[str, Any]]) -> list[Entry]:
    """Checks entries and fills in what they leave out. Raises WindflowError with every finding.

    An entry is a dict with the keys of ``KEYS``; one that is None counts as not given.
    """
    problems: list[Problem] = []
    wanted: list[Entry] = []
    seen: dict[str, str] = {}
    for number, given in enumerate(entries):
        entry = {key: value for key, value in given.items() if value is not None}
        place = "entries[%d]" % number
        path = entry.get("path", "")
        faults = list(_faults(entry))
        if path in seen:
            faults.append(("a path that is named once", "%s, also %s" % (path, seen[path]), "merge the two entries"))
        seen.setdefault(path, place)
        problems += [Problem("E4010", expected, got, remedy, path=place) for expected, got, remedy in faults]
        if faults:
            continue
        secret = "secret_content" in entry
        text = entry.get("secret_content") if secret else entry.get("content")
        state = entry.get("state", "file")
        wanted.append(
            {
                "path": path,
                "state": state,
                "data": text.encode("utf-8") if text is not None else None,
                "source": entry.get("source", ""),
                "target": entry.get("target", ""),
                "owner": entry.get("owner"),
                "group": entry.get("group"),
                "mode": int(entry["mode"], 8) if "mode" in entry else None,
                "secret": secret or bool(entry.get("secret")),
                "backup": bool(entry.get("backup")),
                "recorded": entry.get("recorded", ""),
                "keep_existing": bool(entry.get("keep_existing")),
            }
        )
    if problems:
        raise WindflowError(problems)
    return wanted


def parents(entries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Entries for the directories above ``entries``, outermost first. Whose they are does not matter."""
    named = {entry["path"] for entry in entries}
    found = set()
    for entry in entries:
        path = os.path.dirname(entry["path"])
        while entry.get("state") != "absent" and path.startswith("/") and path != "/" and path not in found:
            found.add(path)
            path = os.path.dirname(path)
    return [{"path": path, "state": "directory"} for path in sorted(found - named)]


def _faults(entry: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(expected, got, remedy) of everything that is wrong with one entry by itself."""
    path = entry.get("path", "")
    state = entry.get("state", "file")
    contents = [key for key in ("content", "secret_content", "source") if key in entry]
    if not path.startswith("/") or os.path.normpath(path) != path or path == "/" or path.startswith("//"):
        yield "an absolute path without . and .. or a slash at the end", ascii(path), "write the path out"
    if any(ord(char) < 32 or ord(char) == 127 for key in ("path", "target", "source") for char in entry.get(key, "")):
        yield "names without control characters", ascii(path), "rename it"
    for key in sorted(set(entry) - KEYS):
        yield "a key that is known", key, "remove it"
    if state not in STATES:
        yield "state to be one of %s" % ", ".join(STATES), state, "correct it"
    if state == "file" and len(contents) != 1:
        yield "one of content, secret_content and source", ", ".join(contents) or "none", "give exactly one"
    if state != "file" and contents:
        yield "no content for a %s" % state, ", ".join(contents), "remove it"
    if state == "link" and not entry.get("target"):
        yield "the target of the link", "none", "add target"
    if state != "link" and entry.get("target"):
        yield "a target for links only", state, "remove target"
    if "mode" in entry and (state == "link" or not _MODE.match(entry["mode"])):
        got = "one for a link" if state == "link" else entry["mode"]
        yield "a mode in octal with a leading zero", got, 'quote it: "0644"'
    if entry.get("keep_existing") and state == "absent":
        yield "keep_existing for what has to exist", "state absent", "remove keep_existing"
    if entry.get("secret") and "content" in entry:
        yield "the content of a secret file in secret_content", "it in content", "rename the key"


def differences(wanted: Wanted, actual: dict[str, Any]) -> list[Change]:
    """What has to change: [{path, attribute, before, after}], empty if nothing.

    ``wanted`` is an entry of ``parse`` with sha256, uid and gid filled in by ``plan`` (None for
    a user or group that does not exist yet). attribute is state, content, target, mode, owner or
    group; contents are told by digest, those of secret files not at all.
    """

    def change(attribute: str, before: str, after: str) -> Change:
        return {"path": wanted["path"], "attribute": attribute, "before": before, "after": after}

    if wanted["state"] != actual["state"]:
        return [change("state", actual["state"], wanted["state"])]
    if wanted["state"] == "absent":
        return []
    found = []
    if wanted["state"] == "file" and wanted["sha256"] != actual["sha256"]:
        hidden = wanted["secret"]
        found.append(
            change(
                "content",
                "(secret)" if hidden else "sha256:" + actual["sha256"],
                "(secret)" if hidden else "sha256:" + (wanted["sha256"] or "unknown"),
            )
        )
    if wanted["state"] == "link" and wanted["target"] != actual["target"]:
        found.append(change("target", actual["target"], wanted["target"]))
    if wanted["mode"] is not None and wanted["mode"] != actual["mode"]:
        found.append(change("mode", "%04o" % actual["mode"], "%04o" % wanted["mode"]))
    if wanted["owner"] is not None and wanted["uid"] != actual["uid"]:
        found.append(change("owner", actual["owner"], wanted["owner"]))
    if wanted["group"] is not None and wanted["gid"] != actual["gid"]:
        found.append(change("group", actual["group"], wanted["group"]))
    return found


def plan(wanted: Sequence[Entry], predict: bool = False) -> list[Step]:
    """Reads the host: [{wanted, actual, changes, before}] in order, one for each entry of ``parse``.

    ``before`` is the present content (bytes) of a file that will change, None where there is none.
    ``predict``: a user, a source or a parent that is not there yet is taken as coming, as in a check
    of a blank host. Otherwise it is a finding, as is everything else that would stop ``apply``.
    Raises WindflowError with all findings.
    """
    steps = []
    problems: list[Problem] = []
    listed: set[str] = set()
    for entry in wanted:
        try:
            steps.append(_step({**entry, "uid": None, "gid": None, "sha256": ""}, listed, predict))
        except WindflowError as error:
            problems += error.problems
        except OSError as error:
            problems.append(
                Problem.plain(
                    "E4015",
                    "%s cannot be read" % entry["path"],
                    reason(error),
                    "correct it on the host",
                    path=entry["path"],
                )
            )
        if entry["state"] == "directory":
            listed.add(entry["path"])
    if problems:
        raise WindflowError(problems)
    return steps


def _step(wanted: Wanted, listed: set[str], predict: bool) -> Step:
    path = wanted["path"]
    problems: list[Problem] = []
    wanted["uid"] = _number(wanted["owner"], "user", path, predict, problems)
    wanted["gid"] = _number(wanted["group"], "group", path, predict, problems)
    if wanted["source"]:
        wanted["data"] = _source(wanted["source"], path, predict, problems)
    wanted["sha256"] = hashlib.sha256(wanted["data"]).hexdigest() if wanted["data"] is not None else ""
    actual = look(path)
    if actual["state"] == "link" and _only_there(wanted) and leads_to_directory(path):
        actual = {"state": "directory"}
    if wanted["keep_existing"] and actual["state"] != "absent":
        return {"wanted": wanted, "actual": actual, "changes": [], "before": None}
    before = None
    if not predict and wanted["state"] != "absent" and actual["state"] == "absent":
        parent = os.path.dirname(path)
        if not os.path.isdir(parent) and parent not in listed:
            problems.append(
                Problem.plain(
                    "E4012", "the directory %s does not exist" % parent, "", "list it before the entry", path=path
                )
            )
    if not _replaceable(wanted["state"], actual["state"]):
        problems.append(
            Problem(
                "E4013",
                "a %s" % wanted["state"],
                "a %s" % actual["state"],
                "move it away or name another path",
                path=path,
            )
        )
    if wanted["state"] == "absent" and actual["state"] == "directory" and path.count("/") < _DEPTH:
        problems.append(
            Problem.plain(
                "E4013", "a directory so high in the tree is never deleted", path, "remove it by hand", path=path
            )
        )
    if problems:
        raise WindflowError(problems)
    changes = differences(wanted, actual)
    if actual["state"] == "file" and any(change["attribute"] in ("content", "state") for change in changes):
        before = read_file(path)
    return {"wanted": wanted, "actual": actual, "changes": changes, "before": before}


def _only_there(wanted: Entry) -> bool:
    """Whether a directory has to be there, as those above others, and whose it is does not matter."""
    return wanted["state"] == "directory" and all(wanted[key] is None for key in ("owner", "group", "mode"))


def _replaceable(wanted: str, actual: str) -> bool:
    """A directory is never replaced (what is in it would be lost), nor is anything by a directory
    (a link there may be an operator's mount, or planted: neither is ours to follow or to remove)."""
    if actual == "absent" or wanted in (actual, "absent"):
        return True
    return wanted in ("file", "link") and actual in ("file", "link")


def reversal(steps: list[Step]) -> list[Wanted]:
    """The entries that put back what the steps change, in order. Raises WindflowError for a directory that would be
    removed: what was in it cannot be put back."""
    entries: list[Wanted] = []
    for step in reversed([step for step in steps if step["changes"]]):
        path, actual = step["wanted"]["path"], step["actual"]
        entry = step["wanted"].copy()
        entry.update({"state": actual["state"], "data": None, "source": "", "target": "", "backup": False})
        if actual["state"] == "absent":
            entry.update({"owner": None, "group": None, "mode": None})
        elif actual["state"] == "directory" and step["wanted"]["state"] == "absent":
            expected = "no directory to be removed where a test can fail"
            raise WindflowError(Problem("E4010", expected, "state absent", "remove it in a task of its own", path=path))
        else:
            entry.update({"owner": str(actual["uid"]), "group": str(actual["gid"]), "mode": actual["mode"]})
        if actual["state"] == "link":
            entry.update({"target": actual["target"], "mode": None})
        if actual["state"] == "file":
            entry["data"] = read_file(path) if step["before"] is None else step["before"]
        entries.append(entry)
    return entries


def diffs(steps: list[Step]) -> list[dict[str, Any]]:
    """What Ansible's --diff shows: attributes as dicts, contents as text; never a secret content."""
    shown = []
    for step in steps:
        path = step["wanted"]["path"]
        attributes = [change for change in step["changes"] if change["attribute"] != "content"]
        if attributes:
            shown.append(
                {
                    "before_header": path,
                    "after_header": path,
                    "before": {change["attribute"]: change["before"] for change in attributes},
                    "after": {change["attribute"]: change["after"] for change in attributes},
                }
            )
        if rewritten(step) and step["wanted"]["state"] == "file" and not step["wanted"]["secret"]:
            before, after = _text(step["before"]), _text(step["wanted"]["data"])
            if before != after:
                shown.append(
                    {
                        "before_header": path + " (content)",
                        "after_header": path + " (content)",
                        "before": before,
                        "after": after,
                    }
                )
    return shown


def _source(source: str, path: str, predict: bool, problems: list[Problem]) -> bytes | None:
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        if not (predict and error.errno == errno.ENOENT):
            problems.append(
                Problem.plain("E4016", "the source cannot be read", reason(error), "correct source", path=path)
            )
        return None


def _number(name: str | None, kind: str, path: str, predict: bool, problems: list[Problem]) -> int | None:
    if name is None:
        return None
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        if not predict:
            problems.append(
                Problem.plain("E4011", "the host has no such %s" % kind, name, "create it first", path=path)
            )
        return None


def rewritten(step: Step) -> bool:
    """Whether a file or link is made anew. A file with further hard links always is: the other
    names may be somebody else's, and must not get our owner and mode."""
    if step["wanted"]["state"] not in ("file", "link"):
        return False
    if any(change["attribute"] in ("state", "content", "target") for change in step["changes"]):
        return True
    return step["wanted"]["state"] == "file" and bool(step["changes"]) and step["actual"]["links"] > 1


def _text(content: bytes | None) -> str:
    if content is None:
        return ""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return "(binary, sha256:%s)\n" % hashlib.sha256(content).hexdigest()
