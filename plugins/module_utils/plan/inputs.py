# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks for, read from disk: one plugin with its configuration, and what it needs.

Tasks hand around paths and never values: each action that needs a secret reads the files again.

A dependency is configured by the inventory's ``windflow_plugin_config``, and by nothing that is meant for the plugin
that the operator names: neither files, nor environment variables, nor single values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..backends import compose_files
from ..backends.backend import BackendBase, Settings, database_is_given, database_is_local
from ..backends.compose_plan import ComposeBackend
from ..config.checks import LOCAL_HOSTS, check_config
from ..config.layers import INVENTORY, Given, Provided
from ..config.loading import Config, load_config, texts
from ..errors import Problem, WindflowError
from ..manifest.dependencies import Resolution, resolve
from ..manifest.discovery import available_plugins, find_plugin
from ..manifest.reader import PLATFORM, Manifest, load_manifest
from ..text.version import PLATFORM_VERSION

ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str", "required": True},
    "environment_name": {"type": "str", "default": ""},
    "config": {"type": "list", "elements": "str", "default": []},
    "sets": {"type": "list", "elements": "str", "default": []},
    "dependency": {"type": "bool", "default": False},
}
# The inventory's variables that are read for each host: maps that merge from the group ``all`` to the host, a list.
PLUGIN_CONFIG = "windflow_plugin_config"
MERGED = (INVENTORY, PLUGIN_CONFIG)
EXTERNAL = "windflow_external"


# Findings about secrets, which change nothing of what a host is asked: told together with what it lacks.
LATER = ("E1086", "E1138", "E1150")


@dataclass(frozen=True)
class InputContext:
    """Where inputs are read: ``inventory`` has the variables that are set for the host, ``environ`` the process's
    environment, ``cwd`` is where relative paths begin. Of a variable that merges the inventory has what each place
    says, as ``Given``, lowest first; or one plain value.

    ``host`` is what the host knows of plugins and their dependencies, as ``dependency_state.run`` returns it; None
    where no host was asked: then what only a host knows is left out. ``decrypt`` is for configuration
    files that Ansible Vault has encrypted.
    """

    inventory: Mapping[str, Any]
    environ: Mapping[str, str]
    cwd: Path
    host: Mapping[str, Any] | None = None
    decrypt: Callable[[bytes], bytes] | None = None

    @property
    def deployed(self) -> dict[str, dict[str, Any]]:
        """{plugin: its version, target, needs and results} of what is deployed on the host."""
        return dict(self.host["plugins"]) if self.host else {}

    def kept(self, plugin: str) -> dict[str, str]:
        """Returns the secrets that were made on the host for a plugin, by their marks unless they were revealed."""
        return dict(self.host["secrets"].get(plugin, {})) if self.host else {}

    def said(self, variable: str) -> list[Given]:
        """Returns what the inventory's places say of a variable that merges, lowest first; a place that leaves it empty
        says nothing."""
        value = self.inventory.get(variable)
        given = value if isinstance(value, tuple) else (Given(value, variable),)
        return [item for item in given if item.value]

    def config_of(self, plugin: str, dependency: bool) -> list[Given]:
        """Returns the inventory's configuration of a plugin, lowest first."""
        known = self.said(PLUGIN_CONFIG)
        for item in known:
            if not isinstance(item.value, Mapping):
                file, line, column = item.place()
                expected = "a map from a plugin's name to its configuration"
                raise WindflowError(Problem("E1101", expected, type(item.value).__name__, "", file, line, column))
        own = [item.at(plugin) for item in known if plugin in item.value]
        return own or ([] if dependency else self.said(INVENTORY))

    @property
    def external(self) -> list[str]:
        """Dependencies that are met from elsewhere."""
        given = self.inventory.get(EXTERNAL) or []
        if isinstance(given, str) or not all(isinstance(name, str) for name in given):
            expected = "a list of names of dependencies"
            raise WindflowError(Problem("E1101", expected, type(given).__name__, file=EXTERNAL))
        return [str.__str__(name) for name in given]


@dataclass(frozen=True)
class Inputs:
    """A plugin and its configuration for one host.

    ``resolution`` is what was chosen for its dependencies, ``providers`` the inputs of each direct one by its name,
    ``provided`` what these give it, ``refused`` what is wrong with values that are values all the same.
    """

    manifest: Manifest
    config: Config
    environment: str
    warnings: tuple[Problem, ...]
    arguments: dict[str, Any]  # as ARGUMENTS, with absolute paths: gives the same inputs again
    resolution: Resolution
    providers: dict[str, Inputs] = field(default_factory=dict)
    provided: tuple[Provided, ...] = ()
    # {mark: (plugin, key in dots)} of secrets that the host has made: those that the plugin may have, and all of which
    # it could show something.
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    masked: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: tuple[Problem, ...] = ()

    def secret_values(self) -> set[str]:
        """Every text by which a secret of the plugin's, or of what it is given, could show up in output."""
        return set().union(self.config.secret_values(), *(found.secret_values() for found in self.providers.values()))

    @property
    def needs(self) -> dict[str, dict[str, str]]:
        """{dependency: its plugin and constraint}: what a record keeps, so that nobody takes it away."""
        constraints = {dependency.name: dependency.constraint for dependency in self.manifest.dependencies}
        return {
            name: {"plugin": manifest.name, "constraint": constraints[name]}
            for name, manifest in self.resolution.providers.items()
        }


def manifest_of(arguments: Mapping[str, Any], context: InputContext) -> Manifest:
    """Returns the plugin that is asked for."""
    return load_manifest(find_plugin(arguments["plugin"], context.cwd, context.environ))


def asks_host(
    manifest: Manifest, context: InputContext, own_secrets: bool = True, resolution: Resolution | None = None
) -> list[str]:
    """Names of the plugins whose secrets the host has to be asked for before the inputs are read; none if the host
    knows nothing of interest. A plan does without secrets that are only the plugin's own: it is the same with any.
    ``resolution`` is that of the context, from those who have made it already."""
    if any(dependency.name not in (PLATFORM, *context.external) for dependency in manifest.dependencies):
        return [found.name for found in (resolution or chosen(manifest, context)).order]
    schema = manifest.config_schema if own_secrets else None
    return [manifest.name] if schema is not None and b'"x-generate"' in schema.read_bytes() else []


def chosen(manifest: Manifest, context: InputContext) -> Resolution:
    candidates = available_plugins(context.cwd, context.environ)
    return resolve(manifest, candidates, PLATFORM_VERSION, context.deployed, context.external)


def read_inputs(
    arguments: Mapping[str, Any],
    context: InputContext,
    target: str = "",
    manifest: Manifest | None = None,
    later: tuple[str, ...] = (),
) -> Inputs:
    """Reads, merges and validates; raises WindflowError with every finding. Where all have codes that are in
    ``later``, the inputs come with them: who goes on to ask the host tells them together with what it lacks.

    ``target`` is what the plugin is deployed to, as far as that is known: containers reach a dependency elsewhere
    than processes of the host do. ``manifest`` is that of the arguments, from those who have read it already.
    """
    path = find_plugin(arguments["plugin"], context.cwd, context.environ)
    manifest = manifest or load_manifest(path)
    resolution = chosen(manifest, context)
    dependency = bool(arguments.get("dependency"))
    files = [Path(context.cwd, os.path.expanduser(name)) for name in arguments["config"] if name]
    environment = arguments["environment_name"] or ""
    providers = {
        name: read_inputs(
            {"plugin": str(found.path), "environment_name": environment, "config": [], "sets": [], "dependency": True},
            context,
            target_of(found, target, context),
        )
        for name, found in resolution.providers.items()
    }
    provided = tuple(
        provide(name, found, target_of(found.manifest, target, context), target, context)
        for name, found in providers.items()
    )
    config = load_config(
        manifest,
        environment or None,
        context.config_of(manifest.name, dependency),
        files,
        {} if dependency else context.environ,
        list(arguments["sets"]),
        provided=provided,
        kept=context.kept(manifest.name),
        dependency=dependency,
        decrypt=context.decrypt,
    )
    errors, warnings = check_config(config, environment or None, "host" in manifest.targets)
    errors += exposed_secrets(config, arguments["sets"])
    if "compose" in manifest.targets:
        errors += ComposeBackend(manifest, config, Settings(environment)).judged()
    if any(problem.code not in later for problem in errors):
        raise WindflowError(errors)
    return Inputs(
        manifest,
        config,
        environment,
        tuple(warnings),
        {
            "plugin": str(path),
            "environment_name": environment,
            "config": [str(file) for file in files],
            "sets": list(arguments["sets"]),
            "dependency": dependency,
        },
        resolution,
        providers,
        provided,
        *made_on_host(
            config, provided, [manifest.name, *(found.manifest.name for found in providers.values())], context
        ),
        tuple(errors),
    )


def made_on_host(
    config: Config, provided: tuple[Provided, ...], plugins: list[str], context: InputContext
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Returns the marks that a plugin may have filled in, and all that it may not show: {mark: (plugin, key in dots)}.

    It may have those that came to it as secrets of its own or by its dependencies. One that somebody wrote into a file
    stays what it is.
    """
    known = {mark: (plugin, key) for plugin in plugins for key, mark in context.kept(plugin).items()}
    given = set()
    for path in config.secrets:
        if config.origin(path).layer in ("generated", "dependency"):
            given |= config.texts_at(path)
    for item in provided:
        for key in item.secrets:
            given |= texts(item.values.get(key))
    return {mark: known[mark] for mark in sorted(known.keys() & given)}, known


def target_of(manifest: Manifest, wanted: str, context: InputContext) -> str:
    """Returns what a dependency is deployed to, or will be: the same as its dependent, if it can."""
    deployed = context.deployed.get(manifest.name)
    if deployed:
        return deployed["target"]
    return wanted if wanted in manifest.targets else next(iter(manifest.targets), "")


def provide(name: str, provider: Inputs, at: str, target: str, context: InputContext) -> Provided:
    """Returns what a dependent with ``target`` gets of a provider that is deployed to ``at``: the results that
    plugin.yml declares, and over them what its hooks have returned."""
    manifest, config = provider.manifest, provider.config
    inside = at == target == "compose"
    data = compose_files.seen_by_others(BackendBase(manifest, config)) if inside else config.data
    values, secrets = {}, set()
    for key, path in manifest.results.items():
        value: Any = data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            values[key] = value
        # A map with a secret in it is one as a whole.
        if config.is_secret(path) or any(secret[: len(path)] == path for secret in config.secrets):
            secrets.add(key)
    # A hook returns no secret.
    returned = context.deployed.get(manifest.name, {}).get("results") or {}
    values.update((key, value) for key, value in returned.items() if key not in secrets)
    return Provided(name, "%s %s" % (manifest.name, manifest.version), values, frozenset(secrets))


def out_of_reach(inputs: Inputs, target: str, context: InputContext) -> list[Problem]:
    """Dependencies that a deploy to ``target`` could not reach: containers have a localhost of their own."""
    if target != "compose":
        return []
    return [
        Problem.plain(
            "E2025",
            "containers cannot reach the dependency %s" % item.name,
            "%s is deployed straight on the host" % item.plugin,
            "deploy both to the host (target=host)",
            path="dependencies.%s" % item.name,
        )
        for item in inputs.provided
        if target_of(inputs.providers[item.name].manifest, target, context) == "host"
        and item.values.get("host") in LOCAL_HOSTS
    ]


def unreachable_dependencies(inputs: Inputs, target: str, engine: str, context: InputContext) -> list[Problem]:
    """Dependencies in containers that ``engine`` does not run, and that are out of reach for that: only stacks join a
    stack's network, only a host's own containers a project's, and a stack publishes nothing at a loopback address."""
    found = []
    for item in inputs.provided:
        provider = inputs.providers[item.name].manifest
        if target_of(provider, target, context) != "compose":
            continue
        theirs = context.deployed[provider.name]["engine"] if provider.name in context.deployed else engine
        if target == "compose":
            reached, here = theirs == engine, "engine %s" % engine
        else:
            reached = theirs != "swarm" or item.values.get("host") not in LOCAL_HOSTS
            here = "target %s" % (target or "none")
        if not reached:
            said = "the dependency %s cannot be reached with %s" % (item.name, here)
            remedy = "deploy both to containers of one engine, or name the dependency in windflow_external"
            got = "%s is deployed with engine %s" % (provider.name, theirs)
            found.append(Problem.plain("E2027", said, got, remedy, path="dependencies.%s" % item.name))
    return found


def database_on_host(inputs: Inputs, target: str, context: InputContext) -> dict[str, Any]:
    """Returns where the plugin's database is on the host: its name, port and, if it is in one, its container; and the
    plugin that it is of, which others may need, too. Empty where the database is elsewhere, or there is none."""
    config, container = inputs.config, ""
    owner, at = inputs.manifest, target
    if database_is_given(config):
        owner = inputs.providers["database"].manifest
        at = target_of(owner, target, context)
    elif not database_is_local(config):
        return {}
    if at == "compose":
        if not owner.compose_section.database:
            return {}
        container = compose_files.container(owner.name, owner.compose_section.database)
    elif config.get("database.host") not in LOCAL_HOSTS:
        return {}
    port = config.get("database.port", compose_files.DATABASE_PORT)
    return {
        "name": config.get("database.name", owner.name),
        "port": compose_files.DATABASE_PORT if container else port,
        "container": container,
        "plugin": owner.name,
    }


def exposed_secrets(config: Config, sets: list[str]) -> list[Problem]:
    """Secrets among ``key=value``: those stand in the list of processes for everyone to read."""
    keys = [text.partition("=")[0] for text in sets]

    def holds_secret(key: str) -> bool:
        path = tuple(key.split("."))
        return config.is_secret(path) or any(secret[: len(path)] == path for secret in config.secrets)

    return [
        Problem.plain(
            "E1150",
            "a secret on the command line can be read by other users",
            key,
            "set it in a configuration file, a vaulted windflow_config or its environment variable",
            path=key,
        )
        for key in keys
        if holds_secret(key)
    ]
