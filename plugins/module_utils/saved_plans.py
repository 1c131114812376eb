# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that somebody has looked at: kept as JSON, and compared with what a deploy would do now.

A file is ``{"format": 1, "hosts": {host: agreement}}``. An agreement holds what was agreed to: versions, what is
deployed now, and each step with its digest and the reasons for it; and those of the plugins that are deployed before,
by name, in ``dependencies``. A plan is made of the same inputs again when it is deployed, so nothing else has to be
kept, and no secret is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import Problem, WindflowError

FORMAT = 1


def agreement(plan: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
    """What is agreed to by agreeing to a plan; nothing in it depends on the time."""
    return {
        "plugin": plan["plugin"],
        "version": plan["version"],
        "event": plan["event"],
        "target": plan["target"],
        "environment": plan["environment"],
        "deployed": {"revision": current["revision"], "release": current["release"]} if current else None,
        "digests": dict(sorted(plan["digests"].items())),
        "pending": {name: list(step["why"]) for name, step in plan["steps"].items() if step["pending"]},
    }


def compare(path: str, host: str, now: dict[str, Any], dependency: str = "") -> None:
    """Raises ``WindflowError`` E2022 unless what would be done to ``host`` now is what the file says, E2023 for a file
    that is no saved plan. ``dependency`` is the name of the plugin, if it is deployed because another one needs it."""
    try:
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        hosts = saved["hosts"] if saved["format"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        hosts = None
        got = getattr(error, "strerror", None) or "something else"
    else:
        got = "another content" if isinstance(hosts, dict) else "format %s" % saved["format"]
    if not isinstance(hosts, dict) or not all(isinstance(agreed, dict) for agreed in hosts.values()):
        raise WindflowError(Problem("E2023", "a plan that the playbook plan has saved", got, "plan again", file=path))
    remedy = "plan again, and look at it"
    agreed = hosts.get(host)
    if dependency and agreed is not None:
        others = agreed.get("dependencies")
        agreed = others.get(dependency) if isinstance(others, dict) else None
    if not isinstance(agreed, dict):
        wanted = "a plan for host %s" % host + (", plugin %s" % dependency if dependency else "")
        raise WindflowError(Problem("E2022", wanted, "none", remedy, file=path))
    before = json.loads(json.dumps(agreed))
    differing = [key for key, value in json.loads(json.dumps(now)).items() if before.get(key) != value]
    if differing:
        raise WindflowError(
            [
                Problem(
                    "E2022", "%s as planned: %s" % (key, shown(before.get(key))), shown(now[key]), remedy, file=path
                )
                for key in differing
            ]
        )


def shown(value: Any) -> str:
    """A value in a message: short, and the names alone where it is a map."""
    if isinstance(value, dict):
        return ", ".join("%s: %s" % (key, shown(item)) for key, item in value.items()) or "nothing"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    text = str(value) if value else "none"
    return text if len(text) <= 40 else "%s…" % text[:12]
