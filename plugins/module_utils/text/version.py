# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions (SemVer 2) and the constraints that dependencies put on them.

Constraints have npm's grammar: alternatives with ``||``, parts that must all hold with spaces, ``1.2 - 1.4``, ``x`` for
any number, ``^`` and ``~``. Commas between parts, ``==``, ``!=`` and ``~=`` are understood as well. Unlike with npm, a
prerelease lies in a range like any other version; who chooses among versions prefers the others. The class NpmSpec of
semantic_version is not used: it takes ``~1.2.0-rc.1`` for ``<1.2.0``, and finds nothing below a prerelease.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import Problem, WindflowError
from .thirdparty import require, semantic_version
from .wording import show

# The version of the platform, which plugins depend on as ``core``. A test compares it with galaxy.yml.
PLATFORM_VERSION = "1.0.0"

_LONGEST = 64
_LONGEST_CONSTRAINT = 256
_OPERATOR = r">=|<=|==|!=|~=|~>|>|<|\^|~|="
_NUMBER = r"[xX*]|0|[1-9][0-9]{0,14}"
_PARTS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_COMPARATOR = re.compile(
    r"(?P<operator>%s)?[v=]?(?P<major>%s)(?:\.(?P<minor>%s)(?:\.(?P<patch>%s)(?:-(?P<prerelease>%s))?(?:\+%s)?)?)?\Z"
    % (_OPERATOR, _NUMBER, _NUMBER, _NUMBER, _PARTS, _PARTS)
)
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)\Z")
_FORMS = 'write for example ">=1.0.0", ">=1.0 <3", "^1.2 || ^2", "~1.2", "1.x", "1.2.3" or "*"'
# The lowest of all versions with the same three numbers: below it begins what a bound without a prerelease leaves out.
_LOWEST = ("0",)


@dataclass(frozen=True)
class Constraint:
    """``text`` as it was written; ``allows`` answers for one version. ``names_prerelease`` is whether a prerelease such
    as 1.2.0-rc.1 is in it: where none is, one that it allows is meant for nobody who did not ask for it."""

    text: str
    _alternatives: tuple[tuple[_Interval, ...], ...]
    names_prerelease: bool = False

    def allows(self, version: str) -> bool:
        # What is built of a version says nothing about its order.
        found = parse_version(version).truncate("prerelease")
        return any(all(interval.holds(found) for interval in intervals) for intervals in self._alternatives)


@dataclass(frozen=True)
class _Interval:
    """Versions from ``low`` up to, and without, ``high``; ``above`` and ``upto`` move one version over a bound.
    ``outside``: all the others."""

    low: semantic_version.Version | None = None
    high: semantic_version.Version | None = None
    above: bool = False
    upto: bool = False
    outside: bool = False

    def holds(self, version: semantic_version.Version) -> bool:
        inside = (self.low is None or version > self.low or (version == self.low and not self.above)) and (
            self.high is None or version < self.high or (version == self.high and self.upto)
        )
        return inside != self.outside


def parse_version(text: str) -> semantic_version.Version:
    """``1.2.3``, ``1.2.3-rc.1`` or ``1.2.3+build`` as an object that compares by SemVer's rules.

    Raises ``WindflowError`` E1033 without a place; whoever knows the file adds it.
    """
    require()
    if not isinstance(text, str):
        raise WindflowError(version_problem(show(text), 'put it in quotes and write all three numbers: "1.0.0"'))
    return _parsed_version(text)


@lru_cache(maxsize=1024)
def _parsed_version(text: str) -> semantic_version.Version:
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
    if not plain or len(text) > _LONGEST_CONSTRAINT or not plain.isascii():
        raise WindflowError(_constraint_problem(show(text), _FORMS))
    swapped = re.sub(r"=\s*([<>])", r"\1=", plain)
    if swapped != plain:
        raise WindflowError(_constraint_problem(show(text), "write %s" % show(swapped)))
    alternatives, prerelease = [], False
    for alternative in plain.split("||"):
        intervals = []
        for operator, part in _comparators(alternative.strip()):
            match = _COMPARATOR.match(operator + part)
            if not match:
                remedy = "correct the part %s; %s" % (show(part), _FORMS) if part else _FORMS
                raise WindflowError(_constraint_problem(show(text), remedy))
            prerelease = prerelease or match.group("prerelease") is not None
            intervals.append(_interval(match))
        alternatives.append(tuple(intervals))
    return Constraint(text, tuple(alternatives), prerelease)


def _comparators(text: str) -> list[tuple[str, str]]:
    """Returns the parts of an alternative that must all hold, each with an operator that its form stands for."""
    span = _HYPHEN.match(text)
    if span:
        return [(">=", span.group(1)), ("<=", span.group(2))]
    found = []
    for part in text.split(",") if text else []:
        # An operator may stand apart from its number; a comma with nothing beside it is refused.
        found += [("", word) for word in re.sub(r"(%s)\s+" % _OPERATOR, r"\1", part).split() or [""]]
    return found


def _interval(match: re.Match[str]) -> _Interval:
    """Returns what a comparator stands for. Numbers that are left out, or are ``x``, stand for any."""
    numbers = []
    for name in ("major", "minor", "patch"):
        text = match.group(name)
        if text is None or text in "xX*":
            break
        numbers.append(int(text))
    operator = match.group("operator") or "="
    named = match.group("prerelease") if len(numbers) == 3 else None
    if not numbers:
        nothing = operator in ("<", ">", "!=")
        return _Interval(outside=nothing)
    low = _version(numbers, tuple(named.split(".")) if named else ())
    # The first version of the same numbers, and the first beyond what the numbers stand for.
    first = low if named else _version(numbers, _LOWEST)
    beyond = _next(numbers, len(numbers) - 1)
    exact = len(numbers) == 3
    if operator in ("^", "~", "~>", "~="):
        return _Interval(low, _next(numbers, _kept(operator, numbers)))
    if operator in ("=", "=="):
        return _Interval(low, low, upto=True) if exact else _Interval(low, beyond)
    if operator == "!=":
        return _Interval(first, low, upto=True, outside=True) if exact else _Interval(first, beyond, outside=True)
    if operator == ">=":
        return _Interval(low)
    if operator == "<=":
        return _Interval(high=low, upto=True) if exact else _Interval(high=beyond)
    if operator == ">":
        return _Interval(low, above=True) if exact else _Interval(_next(numbers, len(numbers) - 1, ()))
    return _Interval(high=first)


def _kept(operator: str, numbers: list[int]) -> int:
    """Returns the number that the next version beyond the range counts up: the first that is not 0 for ``^``, else the
    second, as far as there is one; for ``~=`` the last but one."""
    last = len(numbers) - 1
    if operator == "^":
        return next((index for index, number in enumerate(numbers) if number), last)
    return min(last, 1) if operator != "~=" else max(last - 1, 0)


def _version(numbers: list[int], prerelease: tuple[str, ...] = ()) -> semantic_version.Version:
    major, minor, patch = [*numbers, 0, 0][:3]
    return semantic_version.Version(major=major, minor=minor, patch=patch, prerelease=prerelease)


def _next(numbers: list[int], index: int, prerelease: tuple[str, ...] = _LOWEST) -> semantic_version.Version:
    """Returns the first version with the number at ``index`` counted up."""
    return _version([*numbers[:index], numbers[index] + 1], prerelease)


def version_problem(got: str, remedy: str) -> Problem:
    return Problem("E1033", "a semantic version such as 1.0.0", got, remedy)


def _constraint_problem(got: str, remedy: str) -> Problem:
    return Problem("E1036", "a version constraint", got, remedy)


def _version_remedy(text: str) -> str:
    match = re.match(r"[vV]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?\Z", text.strip())
    if not match:
        return "write three numbers with dots, such as 1.0.0"
    return 'write "%s"' % ".".join(str(int(part or 0)) for part in match.groups())
