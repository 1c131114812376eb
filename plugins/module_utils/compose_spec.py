# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``compose:`` section of plugin.yml and the Compose files that it is about."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .compose_documents import read_compose
from .compose_rules import ALLOWED
from .errors import WindflowError
from .host_spec import URL_PATH
from .wording import listed, show, use_or_list

FOLDER = "compose"
FILE = "compose.yaml"
KEYS = ("app", "front", "database", "port", "health", "health_timeout", "group", "allow")
HEALTH_SECONDS = 60
GROUP = 10000
SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")

# A loopback address before a port, as Compose's short form has it.
_LOOPBACK = re.compile(r"(127(\.[0-9]{1,3}){3}|\[?::1\]?):")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")


@dataclass(frozen=True)
class ComposeSpec:
    """What the Compose backend needs to know beyond the Compose files.

    ``app`` is the service that is scaled and switched, ``front`` the one before it, "" for none; ``database``
    stands in for a database on the host itself. ``port`` and ``health`` are where a container of ``app`` is
    probed, ``health`` None for a program without HTTP. ``group`` is the numeric group that services which read
    secrets run as. ``services`` are the services of compose.yaml as they are written there.
    """

    app: str
    front: str = ""
    database: str = ""
    port: int = 8000
    health: str | None = None
    health_timeout: int = HEALTH_SECONDS
    group: int = GROUP
    allow: tuple[str, ...] = ()
    services: dict[str, Any] = field(default_factory=dict)
    overlays: tuple[str, ...] = ()

    def files(self, environment: str, engine: str = "compose") -> list[str]:
        """Names of the Compose files for an environment and an engine, below ``compose/``, the first one first."""
        wanted = ["compose.%s.yaml" % environment, *(["compose.swarm.yaml"] if engine == "swarm" else [])]
        return [FILE, *[overlay for overlay in wanted if overlay in self.overlays]]


def parse_compose(reader: Any, value: object) -> ComposeSpec | None:
    """The section, which may be left out where the directory ``compose/`` follows the conventions."""
    folder = reader.root / FOLDER
    if not folder.is_dir():
        if value is not None:
            reader.add("E1048", ("compose",), "a directory compose/ with a %s" % FILE, "none", "add it")
        return None
    given = reader.map(("compose",), value, "app: web")
    reader.keys(("compose",), given, KEYS)
    services = _services(reader, folder / FILE)
    if services is None:
        return None
    app = _service(reader, "app", given.get("app"), "app", services)
    return ComposeSpec(
        app=app,
        front=_service(reader, "front", given.get("front"), "front", services, optional=True),
        database=_service(reader, "database", given.get("database"), "db", services, optional=True),
        port=reader.whole(("compose", "port"), given.get("port"), 8000, 1, 65535, "a TCP port"),
        health=_health(reader, given),
        health_timeout=reader.whole(
            ("compose", "health_timeout"), given.get("health_timeout"), HEALTH_SECONDS, 1, 3600, "seconds"
        ),
        group=reader.whole(("compose", "group"), given.get("group"), GROUP, 1, 4294967294, "a group's number"),
        allow=_allow(reader, given.get("allow"), services),
        services=services,
        overlays=tuple(sorted(path.name for path in folder.glob("compose.*.yaml"))),
    )


def _services(reader: Any, path: Path) -> dict[str, Any] | None:
    """The services of the Compose file, or None where it has none."""
    name = "%s/%s/%s" % (reader.root.name, FOLDER, FILE)
    try:
        data = read_compose(path, name)
    except WindflowError as error:
        reader.problems.extend(error.problems)
        return None
    services = data.get("services")
    if not isinstance(services, dict) or not services or not all(isinstance(item, dict) for item in services.values()):
        remedy = "write them as Compose wants them"
        reader.add("E1049", ("compose",), "a map of services in %s" % name, "something else", remedy)
        return None
    return services


def _service(reader: Any, key: str, value: object, usual: str, services: dict[str, Any], optional: bool = False) -> str:
    if value is None and (optional or usual in services):
        return usual if usual in services else ""
    if isinstance(value, str) and _SERVICE.match(value) and value in services:
        return value
    got = show(value) if value is not None else "none, and there is no service %s" % usual
    remedy = use_or_list(value if isinstance(value, str) else "", tuple(services))
    reader.add("E1039", ("compose", key), "a service of %s/%s" % (FOLDER, FILE), got, remedy)
    return ""


def _health(reader: Any, given: dict) -> str | None:
    value = given.get("health", "/healthz")
    if value is None or (isinstance(value, str) and len(value) <= 256 and URL_PATH.match(value)):
        return value
    reader.add("E1054", ("compose", "health"), "a URL path that begins with /", show(value), "write /healthz")
    return None


def _allow(reader: Any, value: object, services: dict[str, Any]) -> tuple[str, ...]:
    allowed = value if isinstance(value, list) else []
    if value is not None and not isinstance(value, list):
        reader.add("E1031", ("compose", "allow"), "a list of %s" % listed(ALLOWED), show(value), "write a list")
    for index, name in enumerate(allowed):
        if name not in ALLOWED:
            reader.add(
                "E1039", ("compose", "allow", index), "one of %s" % listed(ALLOWED), show(name), "take it off the list"
            )
    for service, definition in services.items():
        for name in dangers(definition):
            if name not in allowed:
                remedy = "do without it, or write allow: [%s] in the section compose of plugin.yml" % name
                reader.add(
                    "E1055", ("compose",), "no service with the host's rights", "%s: %s" % (service, name), remedy
                )
    return tuple(name for name in allowed if name in ALLOWED)


def dangers(service: dict[str, Any]) -> list[str]:
    """What of ``ALLOWED`` a service asks for."""
    found = []
    if service.get("privileged") not in (None, False):
        found.append("privileged")
    volumes = service.get("volumes")
    for volume in volumes if isinstance(volumes, list) else ():
        source = volume.get("source") if isinstance(volume, dict) else volume
        if isinstance(source, str) and source.split(":")[0] in SOCKETS:
            found.append("docker-socket")
    if "host" in [service.get(key) for key in ("network_mode", "pid", "ipc", "userns_mode")]:
        found.append("host-network")
    return list(dict.fromkeys(found))


def published(service: dict[str, Any], engine: str) -> bool:
    """Whether a service has a port on the host, as it is written: in a stack a loopback address has none."""
    ports = service.get("ports")
    if engine != "swarm" or not isinstance(ports, list):
        return bool(ports)
    places = ("%s:" % item.get("host_ip", "") if isinstance(item, dict) else str(item) for item in ports)
    return not all(_LOOPBACK.match(place) for place in places)


def build_context(service: dict[str, Any]) -> str:
    """The directory that a service's image is built from, relative to the plugin; "" for one that is not built."""
    build = service.get("build")
    context = build.get("context") if isinstance(build, dict) else build
    if not isinstance(context, str) or not context:
        return ""
    return os.path.normpath(os.path.join(FOLDER, context))
