# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of a host before anything is written to it. All findings at once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from . import accounts, compose_plan, database_owners, host_plan
from .compatibility import refused_by, unknown
from .config import Config
from .errors import Problem
from .manifest import Manifest
from .places import findings as findings_of_places
from .steps import Settings, layout, owned, places_in
from .version import parse_version

TARGET_PYTHON = (3, 9)
# What a deploy needs at least: the application's and the virtual environment's files, and, where
# packages are missing, those too (nginx, Supervisor and PostgreSQL take about 300 MB on Debian 13).
FREE_MB = 300
FREE_MB_WITH_PACKAGES = 800
FREE_INODES = 5_000
FREE_MB_FOR_IMAGES = 1_500
# The first that can reset a value in an overlay file.
COMPOSE = (2, 18)


def findings(
    manifest: Manifest, config: Config, settings: Settings, host: dict[str, Any], target: str
) -> tuple[list[Problem], list[Problem]]:
    """Errors and warnings about one host, each at the place of the value that it is about."""
    errors, warnings = _findings(manifest, config, settings, host, target)
    return [placed(config, problem) for problem in errors], [placed(config, problem) for problem in warnings]


def placed(config: Config, problem: Problem) -> Problem:
    """The problem with file and line of its path, if that is a key of the configuration."""
    path = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", problem.path))
    if not path or path[0] not in config.data:
        return problem
    file, line, column = config.place(path)
    return replace(problem, file=file, line=line, column=column)


def _findings(
    manifest: Manifest, config: Config, settings: Settings, host: dict[str, Any], target: str
) -> tuple[list[Problem], list[Problem]]:
    facts = host["facts"]
    errors: list[Problem] = []
    warnings: list[Problem] = []
    if not facts["root"]:
        errors.append(
            Problem(
                "E2001",
                "root's rights on the host",
                "those of an ordinary user",
                "set become: true, or connect as root",
            )
        )
    errors += downgrade(manifest, settings, host)
    errors += dependents(manifest, host)
    if not target:
        return errors, warnings
    errors += unmet(target, config, host)
    too_small = resources(config, facts)
    (errors if settings.environment == "production" else warnings).extend(too_small)
    errors += port(config, host, target)
    errors += directories(manifest, config, host, target)
    if target == "host":
        warnings += os_version(config, facts)
        errors += space(facts, bool(host["missing_packages"]))
        errors += not_supported_yet(config)
        errors += account(manifest, config, host)
        errors += database(manifest, config, host)
    else:
        errors += space(facts, False)
        errors += engine_space(host["engine"])
        errors += swarm(host["engine"]) if settings.engine == "swarm" else []
    return errors, warnings


def downgrade(manifest: Manifest, settings: Settings, host: dict[str, Any]) -> list[Problem]:
    """An older version than the deployed one may not know what a newer one has done to the data."""
    current = host["current"]
    if settings.downgrade or not current or parse_version(manifest.version) >= parse_version(current["version"]):
        return []
    remedy = "run the playbook rollback, or deploy it by its own name with allow_downgrade=true"
    expected = "version %s, which is deployed, or a newer one" % current["version"]
    return [Problem("E2021", expected, manifest.version, remedy, path=manifest.name)]


def dependents(manifest: Manifest, host: dict[str, Any]) -> list[Problem]:
    """Whoever needs the plugin on the host still gets a version that it accepts, as far as that can be known."""
    remedy = "deploy a version of %s that accepts it first"
    found = refused_by(manifest.name, manifest.version, manifest.provides, host["dependents"], remedy)
    return found + unknown(manifest.name, manifest.version, host["current"], host["unreadable"])


def unmet(target: str, config: Config, host: dict[str, Any]) -> list[Problem]:
    """What makes a target impossible on a host, whatever is configured."""
    if target == "compose":
        return container_engine(host["engine"])
    return operating_system(config, host["facts"])


def container_engine(engine: dict[str, Any]) -> list[Problem]:
    """Whether a Docker Engine answers and Compose is new enough."""
    if not engine.get("version"):
        remedy = "install Docker Engine and start it"
        return [Problem("E2017", "a Docker Engine that answers", engine.get("error") or "none", remedy)]
    found = tuple(int(part) for part in re.findall(r"[0-9]+", engine["compose"])[:2])
    if found < COMPOSE:
        remedy = "install Compose v2 as the client's plugin: docker-compose-plugin, or Debian 13's docker-compose"
        return [Problem("E2018", "Compose %d.%d or newer" % COMPOSE, engine["compose"] or "none", remedy)]
    return []


def swarm(engine: dict[str, Any]) -> list[Problem]:
    """Whether the host manages a swarm."""
    found = engine.get("swarm", {})
    if not engine.get("version") or found.get("manager"):
        return []
    got = "a node that manages none" if found.get("state") == "active" else "no swarm (%s)" % found.get("state")
    remedy = "name a manager, or make one: docker swarm init"
    return [Problem("E2020", "a manager of a Docker Swarm", got, remedy)]


def engine_space(engine: dict[str, Any]) -> list[Problem]:
    """Room for images, where some are missing."""
    free = engine.get("space")
    missing = any(not identity for identity in engine.get("images", {}).values())
    if free is None or not missing or free["mb"] >= FREE_MB_FOR_IMAGES:
        return []
    expected = "at least %d MB free for images" % FREE_MB_FOR_IMAGES
    return [Problem("E2008", expected, "%d MB" % free["mb"], "free some space", path=engine["root"])]


def operating_system(config: Config, facts: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    family = facts["os"]["family"]
    shown = "%s (%s %s)" % (family or "an unknown family", facts["os"]["id"], facts["os"]["version"])
    wanted = config.get("host.os.family")
    if wanted and family and wanted != family:
        found.append(
            Problem(
                "E2002",
                "OS family %s, as configured" % wanted,
                shown,
                "correct host.os.family, or the inventory",
                path="host.os.family",
            )
        )
    if family not in host_plan.SUPPORTED_FAMILIES:
        found.append(
            Problem(
                "E2003",
                "an OS family that the host backend supports (%s)" % ", ".join(host_plan.SUPPORTED_FAMILIES),
                shown,
                "choose another host",
            )
        )
    if tuple(int(part) for part in facts["python"].split(".")[:2]) < TARGET_PYTHON:
        found.append(
            Problem(
                "E2005", "Python %d.%d or newer on the host" % TARGET_PYTHON, facts["python"], "install a newer Python"
            )
        )
    return found


def os_version(config: Config, facts: dict[str, Any]) -> list[Problem]:
    wanted, found = config.get("host.os.version"), facts["os"]["version"]
    if not wanted or not found or wanted.split(".")[0] == found.split(".")[0]:
        return []
    return [
        Problem(
            "E2004",
            "OS version %s, as configured" % wanted,
            found,
            "correct host.os.version, or the inventory",
            path="host.os.version",
        )
    ]


def resources(config: Config, facts: dict[str, Any]) -> list[Problem]:
    found = []
    for code, key, unit in (("E2006", "cpu_threads", "processor threads"), ("E2007", "ram_mb", "MB of memory")):
        wanted = config.get("host.resources.%s" % key)
        if wanted and facts[key] < wanted:
            found.append(
                Problem(
                    code,
                    "at least %d %s" % (wanted, unit),
                    str(facts[key]),
                    "take a larger host, or lower the value",
                    path="host.resources.%s" % key,
                )
            )
    return found


def space(facts: dict[str, Any], packages_missing: bool) -> list[Problem]:
    needed = FREE_MB_WITH_PACKAGES if packages_missing else FREE_MB
    found = []
    for path, free in sorted(facts["space"].items()):
        if free["mb"] < needed:
            found.append(
                Problem("E2008", "at least %d MB free" % needed, "%d MB" % free["mb"], "free some space", path=path)
            )
        if free["inodes"] is not None and free["inodes"] < FREE_INODES:
            found.append(
                Problem(
                    "E2008",
                    "at least %d inodes free" % FREE_INODES,
                    str(free["inodes"]),
                    "remove some files",
                    path=path,
                )
            )
    return found


def account(manifest: Manifest, config: Config, host: dict[str, Any]) -> list[Problem]:
    """Whether the application's account and group are the plugin's own, or adopted."""
    if not manifest.host.program:
        return []
    places, facts = layout(manifest, config), host["facts"]
    return accounts.findings(
        places["user"], places["group"], facts["account"], facts["group"], host["made"], config.adopt
    )


def database(manifest: Manifest, config: Config, host: dict[str, Any]) -> list[Problem]:
    """Whether the database and its roles are the plugin's own, or adopted."""
    wanted = host_plan.own_database(manifest, config)
    if not wanted:
        return []
    there = host["facts"]["database"]
    return database_owners.findings(wanted["name"], wanted["user"], there, host["made"], config.adopt)


def directories(manifest: Manifest, config: Config, host: dict[str, Any], target: str) -> list[Problem]:
    """Whether the directories are the plugin's own, or adopted, and are no place of somebody else's."""
    places = layout(manifest, config)
    if target == "compose":
        entries, keys = compose_plan.directory_entries(places), {places["install_dir"]: "app.install_dir"}
    elif manifest.host.program:
        entries, keys = host_plan.all_entries(config, places, "root"), places_in(config, places)
    else:
        return []
    looked = {path: host["facts"]["directories"][path] for path in owned(entries)}
    made = host["made"]["directories"]
    return findings_of_places(manifest.name, looked, made, config.adopt, places["user"], keys)


def port(config: Config, host: dict[str, Any], target: str) -> list[Problem]:
    owner = host["facts"]["port_owner"]
    wanted = config.get("server.host_port", 8080)
    if owner is None:
        return []
    if owner["name"] == "nginx" and not host["port_sites"] and target == "host":
        return []
    name = "nginx (%s)" % ", ".join(host["port_sites"]) if host["port_sites"] else owner["name"]
    return [
        Problem(
            "E2009",
            "TCP port %d to be free" % wanted,
            "%s, process %d" % (name, owner["pid"]),
            "stop it, or set another server.host_port",
            path="server.host_port",
        )
    ]


def not_supported_yet(config: Config) -> list[Problem]:
    found = []
    for index, volume in enumerate(config.get("storage.volumes", [])):
        if volume.get("type", "local") != "local":
            found.append(
                Problem(
                    "E2010",
                    "a local volume (type %s is not supported yet)" % volume["type"],
                    volume.get("name", ""),
                    "remove it, or mount it yourself and name its directory as a local volume",
                    path="storage.volumes[%d]" % index,
                )
            )
    for index, network in enumerate(config.get("network.networks", [])):
        found.append(
            Problem(
                "E2011",
                "no network (interfaces are not supported yet)",
                network.get("name", ""),
                "remove it and configure the interface yourself",
                path="network.networks[%d]" % index,
            )
        )
    return found
