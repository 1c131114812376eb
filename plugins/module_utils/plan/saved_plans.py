# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that somebody has looked at: kept as JSON, and compared with what a deploy would do now.

A file is ``{"format": 1, "hosts": {host: agreement}}``. An agreement holds what was agreed to: versions, what is
deployed now, each step with its digest and the reasons for it, the hooks that run, what is adopted, and what is needed;
and those of the plugins that are deployed before, by name, in ``dependencies``. A plan is made of the same inputs again
when it is deployed, so nothing else has to be kept, and no secret is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError

FORMAT = 1
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def agreement(plan: dict[str, Any], current: dict[str, Any] | None, hooks: dict[str, list[str]]) -> dict[str, Any]:
    """Returns what is agreed to by agreeing to a plan; nothing in it depends on the time. ``hooks`` are those that
    run."""
    return {
        "plugin": plan["plugin"],
        "version": plan["version"],
        "event": plan["event"],
        "target": plan["target"],
        "environment": plan["environment"],
        "deployed": {"revision": current["revision"], "release": current["release"]} if current else None,
        "digests": dict(sorted(plan["digests"].items())),
        "pending": {name: list(step["why"]) for name, step in plan["steps"].items() if step["pending"]},
        "hooks": hooks,
        "adopted": plan["adopted"],
        "needs": {needed["name"]: needed["version"] for needed in plan["dependencies"]},
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
        raise WindflowError(Problem("E2023", "a plan that the playbook plan saved", got, "make a new plan", file=path))
    remedy = "make a new plan and look at it"
    agreed = hosts.get(host)
    if dependency and agreed is not None:
        others = agreed.get("dependencies")
        agreed = others.get(dependency) if isinstance(others, dict) else None
    if not isinstance(agreed, dict):
        said = "there is no plan for host %s" % host + (", plugin %s" % dependency if dependency else "")
        raise WindflowError(Problem.plain("E2022", said, "", remedy, file=path))
    now = json.loads(json.dumps(now))
    problems = []
    # What a dependency's own plan says is compared with that.
    for key in sorted({*now, *agreed} - {"dependencies"}):
        then, is_now = agreed.get(key), now.get(key)
        if then != is_now:
            expected = "%s as planned: %s" % (key, shown(then, is_now))
            problems.append(Problem("E2022", expected, shown(is_now, then), remedy, file=path))
    if problems:
        raise WindflowError(problems)


def shown(value: Any, other: Any = None) -> str:
    """A value in a message: short, and of a map only what is not the same in the ``other``."""
    if isinstance(value, dict):
        same = [key for key in value if isinstance(other, dict) and key in other and other[key] == value[key]]
        return ", ".join("%s: %s" % (key, shown(value[key])) for key in value if key not in same) or "nothing"
    if isinstance(value, list):
        return "; ".join(_DIGEST.sub(r"\1…", str(item)) for item in value)
    text = str(value) if value else "none"
    return text if len(text) <= 40 else "%s…" % text[:12]
