# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the plugins on a host still fit together when one of them gets another version. Pure, for the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import Problem
from ..record import dependents
from ..text.version import parse_constraint
from .reader import Manifest


def refused_by(
    plugin: str, version: str, provides: Mapping[str, str], needs: Iterable[Mapping[str, str]], remedy: str
) -> list[Problem]:
    """E2024 for each of ``needs``, which are as ``dependents`` returns them, that does not accept what ``plugin``
    provides in ``version``. ``remedy`` may name the one that needs it as ``%s``."""
    return [
        Problem.plain(
            "E2024",
            "%s needs %s %s here, and would get another" % (need["plugin"], need["name"], need["constraint"]),
            provides.get(need["name"]) or "none in %s %s" % (plugin, version),
            remedy % need["plugin"],
            path=need["name"],
        )
        for need in needs
        if not allows(need["constraint"], provides.get(need["name"]))
    ]


def unknown(
    plugin: str, version: str, current: Mapping[str, Any] | None, unreadable: Mapping[str, Mapping[str, str]]
) -> list[Problem]:
    """E2024 for each record that cannot be read where ``plugin`` gets another version than ``current``, which is
    deployed. A plugin that no other one can need is not checked against their records."""
    if not current or current["version"] == version or not current.get("shared", True):
        return []
    return dependents.not_known("E2024", plugin, unreadable)


def may_be_needed(manifest: Manifest, dependency: bool) -> bool:
    """Returns whether others may need a plugin: somebody did, or it has something for them."""
    return dependency or bool(manifest.results) or set(manifest.provides) != {manifest.name}


def rolled_back(plugin: str, revision: Mapping[str, Any], host: Mapping[str, Any]) -> list[Problem]:
    """Returns what does not fit where ``plugin`` goes back to a revision of its record: E2024 for who needs it, E2029
    for what it needs. ``host`` is what the host has, as ``dependents.survey`` returns it."""
    version, deployed = revision["version"], host["plugins"]
    needs = dependents.needing(plugin, deployed, host["at_work"])
    problems = refused_by(plugin, version, provided(plugin, revision), needs, "roll back %s first")
    problems += unknown(plugin, version, deployed.get(plugin), host["unreadable"])
    for name, need in sorted((revision.get("needs") or {}).items()):
        found = deployed.get(need["plugin"])
        offered = provided(need["plugin"], found).get(name) if found else None
        if not allows(need["constraint"], offered):
            said = "%s %s needs %s %s, and the host has another" % (plugin, version, name, need["constraint"])
            got = offered or "%s is not deployed here" % need["plugin"]
            remedy = "deploy %s in such a version first, or go back to another revision" % need["plugin"]
            problems.append(Problem.plain("E2029", said, got, remedy, path=name))
    return problems


def provided(plugin: str, known: Mapping[str, Any]) -> Mapping[str, str]:
    """{capability: version} of a plugin, of which older records know only the version."""
    return known.get("provides") or {plugin: known["version"]}


def allows(constraint: str, version: str | None) -> bool:
    return version is not None and parse_constraint(constraint).allows(version)
