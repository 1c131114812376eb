# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record in words: what is deployed, how the last run ended, and the history."""

from __future__ import annotations


def status(record, serving, last):
    """What is deployed, and apart from that how the last action ended and who is at work: one text a line."""
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
    if last and last is not serving and last["state"] not in ("running", "removed"):
        lines.append("the last action did not end well: %s" % entry(last))
        if last.get("error"):
            lines.append("  %s" % last["error"].splitlines()[0])
    lease = record["lease"]
    if lease:
        lines.append(
            "%s by %s since %s, at step %s" % (lease["purpose"], lease["holder"], lease["since"], lease["step"])
        )
    return lines


def history(record):
    """Every revision, the newest first, one text a line."""
    return [
        "%s%s" % (entry(item), " <- serves" if item["revision"] == record["current"] else "")
        for item in reversed(record["revisions"])
    ] or ["no record of %s" % record["plugin"]]


def entry(revision):
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
