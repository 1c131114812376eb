# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plugins require of each other, resolved into an order of deployment.

``core`` is the platform itself. Any other name is a plugin or a capability that a plugin provides. Of what everyone
accepts a plugin that is deployed already comes first, in a version that the host does not refuse: none that is older or
that another plugin there does not accept. Then comes a release before a prerelease, unless a constraint names one, then
a plugin of the very name that is asked for, then the newest version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Problem, WindflowError
from ..record.dependents import needing
from ..text.limits import SECONDS, fail_if_any, time_limit
from ..text.thirdparty import require, resolvelib
from ..text.version import PLATFORM_VERSION, parse_constraint, parse_version
from .compatibility import refused_by
from .reader import PLATFORM, Dependency, Manifest

_ROUNDS = 1000


@dataclass(frozen=True)
class _Need:
    """``name`` must be there in a version that ``constraint`` allows, because of ``by``."""

    name: str
    constraint: str
    by: Manifest
    line: int = 0
    exact: Manifest | None = None


@dataclass(frozen=True)
class _Choice:
    """``manifest`` in its role as ``name``, the plugin itself or a capability."""

    name: str
    version: str
    manifest: Manifest


@dataclass(frozen=True)
class Resolution:
    """``order``: every plugin that the root needs, dependencies first and the root last. ``providers``: for each
    direct dependency of the root, by its name, the plugin that was chosen."""

    order: tuple[Manifest, ...]
    providers: dict[str, Manifest]


def resolve(
    root: Manifest,
    candidates: Callable[[str], Iterable[Manifest]] | Iterable[Manifest] = (),
    platform_version: str = PLATFORM_VERSION,
    deployed: Mapping[str, Mapping[str, Any]] | None = None,
    external: Iterable[str] = (),
) -> Resolution:
    """Chooses what ``root`` needs.

    ``candidates`` are the manifests to choose from, or a function that returns those that provide a name;
    ``deployed`` is what the host has, as ``dependents.deployed`` returns it; ``external`` are names of dependencies
    that are met from elsewhere.
    Raises ``WindflowError``: E1201 itself, E1202 a cycle, E1203 missing, E1204 unsatisfiable, E1205 platform.
    """
    require()
    with time_limit(SECONDS, "resolving the dependencies", root.file):
        provider = _Provider(root, candidates, platform_version, deployed or {}, frozenset(external))
        fail_if_any(provider.platform_problems(root))
        resolver: Any = resolvelib.Resolver(provider, resolvelib.BaseReporter())
        try:
            result = resolver.resolve(provider.needs_of(root), max_rounds=_ROUNDS)
        except resolvelib.ResolutionImpossible as error:
            raise WindflowError(provider.explain([cause.requirement for cause in error.causes])) from None
        except resolvelib.ResolutionTooDeep:
            said = "the dependencies do not resolve in %d steps" % _ROUNDS
            raise WindflowError(Problem.plain("E1204", said, "", "narrow the constraints", root.file)) from None
        chosen = {name: choice.manifest for name, choice in result.mapping.items()}
        direct = {need.name: chosen[need.name] for need in provider.needs_of(root)}
        return Resolution(_order(root, chosen), direct)


class _Provider(resolvelib.AbstractProvider if resolvelib else object):  # type: ignore[misc]
    def __init__(
        self,
        root: Manifest,
        candidates: Callable[[str], Iterable[Manifest]] | Iterable[Manifest],
        platform_version: str,
        deployed: Mapping[str, Mapping[str, Any]],
        external: frozenset[str],
    ) -> None:
        self.root = root
        self.platform_version = platform_version
        self.deployed = deployed
        self.external = external
        self.known: dict[str, list[_Choice]] = {}
        self.source: Callable[[str], Iterable[Manifest]]
        if callable(candidates):
            self.source = candidates
        else:
            manifests = list(candidates)
            self.source = lambda name: [found for found in manifests if name in found.provides]

    def platform_problems(self, manifest: Manifest, who: str = "") -> list[Problem]:
        """E1205 where a plugin, which somebody may ask for, does not accept this platform."""
        problems = []
        for dependency in manifest.dependencies:
            if dependency.name == PLATFORM and not _allows(dependency.constraint, self.platform_version):
                got = "version %s" % self.platform_version
                remedy = "install a version of windflow.platform that the plugin accepts"
                expected = "a platform of version %s%s" % (dependency.constraint, " (%s)" % who if who else "")
                path = "dependencies.%s" % PLATFORM
                problems.append(Problem("E1205", expected, got, remedy, manifest.file, dependency.line, path=path))
        return problems

    def needs_of(self, manifest: Manifest) -> list[_Need]:
        return [
            _Need(dependency.name, dependency.constraint, manifest, dependency.line)
            for dependency in manifest.dependencies
            if dependency.name != PLATFORM and dependency.name not in self.external
        ]

    # the interface of resolvelib

    def identify(self, requirement_or_candidate: _Need | _Choice) -> str:
        return requirement_or_candidate.name

    def get_preference(self, identifier: str, *_more: Any, **_named: Any) -> str:
        return identifier

    def find_matches(self, identifier: str, requirements: Any, incompatibilities: Any) -> list[_Choice]:
        needs = list(requirements[identifier])
        refused = list(incompatibilities[identifier])
        prerelease_is_wanted = any(parse_constraint(need.constraint).names_prerelease for need in needs)
        found = [
            choice
            for choice in self._choices(identifier)
            if choice not in refused
            and all(self.is_satisfied_by(need, choice) for need in needs)
            and not self.platform_problems(choice.manifest)
        ]
        found.sort(
            key=lambda choice: (
                choice.manifest.name not in self.deployed,
                self._host_refuses(choice.manifest),
                not prerelease_is_wanted and _is_prerelease(choice),
                choice.manifest.name != identifier,
            )
        )
        return found

    def is_satisfied_by(self, requirement: _Need, candidate: _Choice) -> bool:
        if requirement.exact is not None:
            return candidate.manifest.path == requirement.exact.path
        return _allows(requirement.constraint, candidate.version)

    def get_dependencies(self, candidate: _Choice) -> list[_Need]:
        manifest = candidate.manifest
        if candidate.name != manifest.name:  # a capability: it is the plugin that has dependencies
            return [_Need(manifest.name, "*", manifest, exact=manifest)]
        return self.needs_of(manifest)

    def _choices(self, name: str) -> list[_Choice]:
        if name not in self.known:
            found = [self.root] if name in self.root.provides else list(self.source(name))
            choices = [_Choice(name, manifest.provides[name], manifest) for manifest in found]
            choices.sort(key=lambda choice: parse_version(choice.version), reverse=True)
            choices.sort(key=lambda choice: (choice.manifest.name not in self.deployed, choice.manifest.name != name))
            self.known[name] = choices
        return self.known[name]

    def _host_refuses(self, manifest: Manifest) -> bool:
        """Returns whether it is older than what is deployed, or another plugin on the host does not accept it."""
        version = self.deployed.get(manifest.name, {}).get("version")
        if version and parse_version(manifest.version) < parse_version(version):
            return True
        needs = needing(manifest.name, self.deployed)
        return bool(refused_by(manifest.name, manifest.version, manifest.provides, needs, "%s"))

    def explain(self, needs: list[_Need]) -> list[Problem]:
        """Missing and unsatisfiable names, each with everyone who requires it and how they came in."""
        problems = []
        for name in dict.fromkeys(need.name for need in needs):
            asking = {(need.by.name, need.constraint): need for need in needs if need.name == name}
            first = next(iter(asking.values()))
            place: dict[str, Any] = {"file": first.by.file, "line": first.line, "path": "dependencies.%s" % name}
            who = "; ".join("%s requires %s" % (self._chain(need.by), need.constraint) for need in asking.values())
            choices = self._choices(name)
            allowed = [
                choice for choice in choices if all(self.is_satisfied_by(need, choice) for need in asking.values())
            ]
            too_old = [self.platform_problems(choice.manifest, who) for choice in allowed]
            if allowed and all(too_old):
                problems += [problem for found in too_old[:10] for problem in found]
            elif not choices:
                remedy = (
                    "put the plugin into windflow_plugins/ or a folder of WINDFLOW_PLUGINS_PATH; where it is provided "
                    "from elsewhere, name it in windflow_external"
                )
                said = "no plugin provides %s (%s)" % (name, who)
                problems.append(Problem.plain("E1203", said, "", remedy, **place))
            else:
                got = ", ".join(map(self._shown, choices[:10]))
                remedy = "change a constraint, or add a version that all accept"
                said = "no version of %s fits all that need it (%s)" % (name, who)
                problems.append(Problem.plain("E1204", said, got, remedy, **place))
        return problems

    def _shown(self, choice: _Choice) -> str:
        needs = [need.constraint for need in choice.manifest.dependencies if need.name == PLATFORM]
        unfit = " (needs a platform of %s)" % needs[0] if self.platform_problems(choice.manifest) else ""
        return "%s %s%s" % (choice.manifest.name, choice.version, unfit)

    def _chain(self, manifest: Manifest) -> str:
        """``root -> ... -> manifest``, by the first who asked for each."""
        names = [manifest.name]
        reached = {self.root.name: ""}
        pending = [self.root]
        while pending:
            current = pending.pop(0)
            for dependency in current.dependencies:
                for choice in self.known.get(dependency.name, ()):
                    if choice.manifest.name not in reached:
                        reached[choice.manifest.name] = current.name
                        pending.append(choice.manifest)
        while reached.get(names[0]):
            names.insert(0, reached[names[0]])
        return " -> ".join(names)


def _is_prerelease(choice: _Choice) -> bool:
    return any(parse_version(text).prerelease for text in (choice.version, choice.manifest.version))


def _allows(constraint: str, version: str) -> bool:
    return parse_constraint(constraint).allows(version)


def _order(root: Manifest, chosen: Mapping[str, Manifest]) -> tuple[Manifest, ...]:
    """Depth first, dependencies before dependents; a way back to a plugin on the way is a cycle."""
    ordered, done = [], set()
    pending = [(root, iter(_needed(root, chosen)))]
    way = [root.name]
    while pending:
        manifest, rest = pending[-1]
        following = next(rest, None)
        if following is None:
            pending.pop()
            way.pop()
            done.add(manifest.name)
            ordered.append(manifest)
            continue
        dependency, needed = following
        if needed.name in way:
            chain = " -> ".join([*way[way.index(needed.name) :], needed.name])
            code = "E1201" if needed.name == manifest.name else "E1202"
            path = "dependencies.%s" % dependency.name
            remedy = "remove one of these dependencies"
            place = (manifest.file, dependency.line)
            raise WindflowError(Problem(code, "dependencies without a cycle", chain, remedy, *place, path=path))
        if needed.name not in done:
            way.append(needed.name)
            pending.append((needed, iter(_needed(needed, chosen))))
    return tuple(ordered)


def _needed(manifest: Manifest, chosen: Mapping[str, Manifest]) -> list[tuple[Dependency, Manifest]]:
    return [(dependency, chosen[dependency.name]) for dependency in manifest.dependencies if dependency.name in chosen]
