# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions (SemVer 2) and the constraints that dependencies put on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .errors import Problem, WindflowError
from .thirdparty import require, semantic_version
from .wording import show

# The version of the platform, which plugins depend on as ``core``. A test compares it with galaxy.yml.
PLATFORM_VERSION = "1.0.0"

_LONGEST = 64
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|\^|~|=)?\s*(\S.*)\Z")
_FORMS = 'write for example ">=1.0.0", ">=1.0,<3", "^1.2", "~1.2", "==1.2.3" or "*"'


@dataclass(frozen=True)
class Constraint:
    """``text`` as it was written; ``allows`` answers for one version. ``names_prerelease`` is whether a prerelease such
    as 1.2.0-rc.1 is in it: where none is, one that it allows is meant for nobody who did not ask for it."""

    text: str
    _spec: object
    names_prerelease: bool = False

    def allows(self, version: str) -> bool:
        return self._spec.match(parse_version(version))


def parse_version(text: str) -> object:
    """``1.2.3``, ``1.2.3-rc.1`` or ``1.2.3+build`` as an object that compares by SemVer's rules.

    Raises ``WindflowError`` E1033 without a place; whoever knows the file adds it.
    """
    require()
    if not isinstance(text, str):
        raise WindflowError(version_problem(show(text), 'put it in quotes and write all three numbers: "1.0.0"'))
    return _parsed_version(text)


@lru_cache(maxsize=1024)
def _parsed_version(text: str) -> object:
    try:
        if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
            raise ValueError(text)
        return semantic_version.Version(text)
    except ValueError:
        raise WindflowError(version_problem(show(text), _version_remedy(text))) from None


def parse_constraint(text: str) -> Constraint:
    """A constraint such as ``>=1.0,<3``; raises ``WindflowError`` E1036 without a place."""
    require()
    if not isinstance(text, str):
        raise WindflowError(_constraint_problem(show(text), "write it in quotes; " + _FORMS))
    return _parsed_constraint(text)


@lru_cache(maxsize=1024)
def _parsed_constraint(text: str) -> Constraint:
    plain = text.strip()
    if not plain or len(text) > _LONGEST:
        raise WindflowError(_constraint_problem(show(text), _FORMS))
    swapped = re.sub(r"=\s*([<>])", r"\1=", plain)
    if swapped != plain:
        raise WindflowError(_constraint_problem(show(text), "write %s" % show(swapped)))
    clauses = []
    for clause in plain.split(","):
        match = _CLAUSE.match(clause.strip())
        if not match or " " in match.group(2):
            raise WindflowError(_constraint_problem(show(text), "separate the parts with commas; " + _FORMS))
        clauses.append((match.group(1) or "") + match.group(2))
    try:
        return Constraint(text, semantic_version.SimpleSpec(",".join(clauses)), "-" in plain)
    except ValueError:
        hint = "leave out the v; " if re.search(r"v\d", plain) else ""
        raise WindflowError(_constraint_problem(show(text), hint + _FORMS)) from None


def version_problem(got: str, remedy: str) -> Problem:
    return Problem("E1033", "a semantic version such as 1.0.0", got, remedy)


def _constraint_problem(got: str, remedy: str) -> Problem:
    return Problem("E1036", "a version constraint", got, remedy)


def _version_remedy(text: str) -> str:
    match = re.match(r"[vV]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?\Z", text.strip())
    if not match:
        return "write three numbers with dots, such as 1.0.0"
    return 'write "%s"' % ".".join(str(int(part or 0)) for part in match.groups())
