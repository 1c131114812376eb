# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in words: what is deployed, how the last run ended, and the history."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .file_format import Record


ERROR_LINES = 40


def status(
    record: Record,
    serving: dict[str, Any] | None,
    last: dict[str, Any] | None,
    serves: str | None = None,
    silence: str = "",
) -> list[str]:
    """Returns what is deployed, and apart from that how the last action ended and who is at work: one text a line.

    ``serves`` is the release that serves where that is another one than the record says, ``silence`` why what is
    deployed does not answer.
    """
    name = record["plugin"]
    if serving:
        target = ", target %s" % serving["target"] if serving.get("target") else ""
        lines = [
            "%s %s is deployed since %s (revision %d, release %s%s%s)"
            % (
                name,
                serving["version"],
                serving["finished"],
                serving["revision"],
                serving["release"],
                target,
                ", environment %s" % serving["environment"] if serving.get("environment") else "",
            )
        ]
    else:
        lines = ["%s is not deployed%s" % (name, "" if last else ": there is no record of it")]
    if serves is not None:
        lines.append(other(record, serves))
    if silence:
        lines.append("not answering: %s" % silence)
    if last and last is not serving and last["state"] not in ("running", "removed"):
        lines.append("the last action did not end well: %s" % entry(last))
        if last.get("error"):
            # All of it: the cause is seldom in the first line.
            lines += ["  %s" % line for line in last["error"].splitlines()[:ERROR_LINES]]
    lease = record["lease"]
    if lease:
        lines.append(
            "%s by %s since %s, at step %s" % (lease["purpose"], lease["holder"], lease["since"], lease["step"])
        )
    return lines


def other(record: Record, serves: str) -> str:
    """Returns what is said where another release serves than the record names; ``serves`` is "" where none does."""
    found = "release %s" % serves if serves else "no release"
    known = [item["release"] for item in record["revisions"] if item["revision"] == record["current"]]
    named = "the record names %s" % (known[0] if known else "none")
    why = [entry(item) for item in reversed(record["revisions"]) if serves and item.get("release") == serves][:1]
    told = " (revision %s)" % why[0] if why else ""
    return "%s serves%s, but %s: a run was ended in the middle. Deploy again, or roll back" % (found, told, named)


def history(record: Record) -> list[str]:
    """Every revision, the newest first, one text a line."""
    return [
        "%s%s" % (entry(item), " <- serves" if item["revision"] == record["current"] else "")
        for item in reversed(record["revisions"])
    ] or ["no record of %s" % record["plugin"]]


def entry(revision: dict[str, Any]) -> str:
    """One revision in one line."""
    where = " at %s" % revision["step"] if revision["state"] in ("failed", "abandoned", "running") else ""
    by = " by %s" % revision["holder"] if revision.get("holder") else ""
    parts = (
        str(revision["revision"]),
        revision.get("event") or "deploy",
        revision.get("version") or "-",
        "%s%s," % (revision["state"], where),
        "%s%s" % (revision.get("finished") or revision["started"], by),
    )
    return " ".join(parts)
