# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths per OS family: the files ``roles/host/vars/<family>.yml``."""

from __future__ import annotations

import functools
from typing import Any

from ..collection import ROOT
from ..errors import Problem, WindflowError
from ..text.documents import read
from ..text.wording import show

VARS = ROOT / "roles" / "host" / "vars"


@functools.lru_cache(maxsize=None)
def _documents() -> dict[str, dict[str, Any]]:
    """{family: what its file has}."""
    return {path.stem: read(path).data for path in sorted(VARS.glob("*.yml"))}


def load_all() -> dict[str, dict[str, Any]]:
    """{family: table}; each table knows its family."""
    return {family: {**document["__host_os"], "family": family} for family, document in _documents().items()}


def find(name: str) -> dict[str, Any]:
    """The table of a family, by its name or by what ``ansible_facts.os_family`` calls it.

    Raises WindflowError (E2003) for a family that no table is for.
    """
    for family, document in _documents().items():
        if name.lower() in (family, document["__host_os_family"].lower()):
            return load_all()[family]
    remedy = "choose another host, or name its family" if name else "gather facts, or name the family"
    expected = "an OS family that the roles support (%s)" % ", ".join(_documents())
    raise WindflowError(Problem("E2003", expected, show(name) if name else "none", remedy))
