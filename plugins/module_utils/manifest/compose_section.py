# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``compose:`` section of plugin.yml and the Compose files that it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compose.model import Reader, missing_files
from ..compose.rules import ALLOWED, Own, below, judge, problem, refused
from ..compose.stack_file import LOOPBACK, bound
from ..errors import Problem, WindflowError
from ..text.wording import listed, show, use_or_list
from .host_section import URL_PATH

if TYPE_CHECKING:
    from .reader import Reader as ManifestReader

FOLDER = "compose"
FILE = "compose.yaml"
KEYS = ("app", "front", "database", "port", "health", "health_timeout", "group", "allow")
HEALTH_SECONDS = 60
GROUP = 10000
# Where a release and what outlives it are taken to be before that is known.
RELEASE = "00000000T000000Z-00000000"
RELEASE_DIR = "/windflow/releases/%s" % RELEASE
SHARED_DIR = "/windflow/shared"

_SERVICE = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")


@dataclass(frozen=True)
class ComposeSpec:
    """What the Compose backend needs to know beyond the Compose files.

        ``app`` is the service that is scaled and switched, ``front`` the one before it, "" for none; ``database``
        stands in for a database on the host itself. ``port`` and ``health`` are where a container of ``app`` is
        probed, ``health`` None for a program without HTTP. ``group`` is the numeric group that services which read
    secrets run as. ``allow`` is what the services may have beyond what is harmless, ``overlays`` are the names of the
        Compose files beside the first one.
    """

    app: str
    front: str = ""
    database: str = ""
    port: int = 8000
    health: str | None = None
    health_timeout: int = HEALTH_SECONDS
    group: int = GROUP
    allow: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()

    def files(self, environment: str, engine: str = "compose") -> list[str]:
        """Names of the Compose files for an environment and an engine, below ``compose/``, the first one first."""
        wanted = ["compose.%s.yaml" % environment, *(["compose.swarm.yaml"] if engine == "swarm" else [])]
        return [FILE, *[overlay for overlay in wanted if overlay in self.overlays]]

    def reader(self, root: Path, variables: Mapping[str, str]) -> Reader:
        """Returns what reads the files of the plugin at ``root``."""
        places = {
            "WINDFLOW_RELEASE_DIR": RELEASE_DIR,
            "WINDFLOW_SHARED_DIR": SHARED_DIR,
            "WINDFLOW_FRONT_DIR": "%s/front" % SHARED_DIR,
        }
        return Reader(root, "%s/app" % RELEASE_DIR, {**places, **variables})

    def model_of(self, files: list[str], root: Path, variables: Mapping[str, str]) -> dict[str, Any]:
        """Returns what Compose would make of the files of the plugin at ``root``, as far as the controller can tell."""
        return self.reader(root, variables).model(files)

    def named_files(self, files: list[str], root: Path, variables: Mapping[str, str]) -> list[str]:
        """Files outside of ``compose/`` that Compose reads for the model."""
        reader, base = self.reader(root, variables), "%s/app/" % RELEASE_DIR
        found = set()
        for service in (reader.model(files).get("services") or {}).values():
            for key in ("env_file", "label_file"):
                found |= {item["path"][len(base) :] for item in service.get(key) or () if below(item["path"], base)}
        names = {name for name in found | reader.opened if not name.startswith(FOLDER + "/")}
        return sorted(name for name in names if (root / name).is_file())

    def problems(self, model: Mapping[str, Any], root: Path, project: str) -> list[Problem]:
        """Returns what of a model is not allowed (E1055), and which of its files are missing (E1057)."""
        own = Own(project, RELEASE_DIR, SHARED_DIR)
        found = [problem("E1055", item) for item in refused(judge(model, own), self.allow)]
        for path in missing_files(model, "%s/app" % RELEASE_DIR, root):
            said = "a service gets its environment from a file that does not exist"
            found.append(Problem.plain("E1057", said, path, "add it"))
        return found


def parse_compose(reader: ManifestReader, value: Any) -> ComposeSpec | None:
    """Returns the section, which may be left out where the directory ``compose/`` follows the conventions."""
    folder = reader.root / FOLDER
    if not folder.is_dir():
        if value is not None:
            reader.add("E1048", ("compose",), "a directory compose/ with a %s" % FILE, "none", "add it")
        return None
    given = reader.map(("compose",), value, "app: web")
    reader.keys(("compose",), given, KEYS)
    overlays = tuple(sorted(path.name for path in folder.glob("compose.*.yaml")))
    models = _models(reader, ComposeSpec("", overlays=overlays))
    services = _services(reader, models) if models else None
    if services is None:
        return None
    app = _service(reader, "app", given.get("app"), "app", services)
    spec = ComposeSpec(
        app=app,
        front=_service(reader, "front", given.get("front"), "front", services, optional=True),
        database=_service(reader, "database", given.get("database"), "db", services, optional=True),
        port=reader.whole(("compose", "port"), given.get("port"), 8000, 1, 65535, "a TCP port"),
        health=_health(reader, given),
        health_timeout=reader.whole(
            ("compose", "health_timeout"), given.get("health_timeout"), HEALTH_SECONDS, 1, 3600, "seconds"
        ),
        group=reader.whole(("compose", "group"), given.get("group"), GROUP, 1, 4294967294, "a group's number"),
        allow=_allow(reader, given.get("allow")),
        overlays=overlays,
    )
    _judge(reader, spec, models)
    return spec


def _models(reader: ManifestReader, spec: ComposeSpec) -> list[dict[str, Any]]:
    """What Compose makes of the file alone and of each overlay over it, whichever the environment will be, as far as
    that is known without its configuration; none where a file is not right."""
    combined = [[FILE], *([FILE, overlay] for overlay in spec.overlays)]
    try:
        return [spec.model_of(files, reader.root, {}) for files in combined]
    except WindflowError as error:
        reader.problems.extend(error.problems)
        return []


def _services(reader: ManifestReader, models: list[dict[str, Any]]) -> tuple[str, ...] | None:
    """The names of the services of all models together, or None where there are none."""
    names: dict[str, None] = {}
    name = "%s/%s/%s" % (reader.root.name, FOLDER, FILE)
    for model in models:
        services = model.get("services")
        if isinstance(services, dict) and all(isinstance(item, dict) for item in services.values()):
            names.update(dict.fromkeys(str(key) for key in services))
    if not names:
        remedy = "write them as Compose wants them"
        reader.add("E1049", ("compose",), "a map of services in %s" % name, "something else", remedy)
        return None
    return tuple(names)


def _service(
    reader: ManifestReader, key: str, value: Any, usual: str, services: tuple[str, ...], optional: bool = False
) -> str:
    if value is None and (optional or usual in services):
        return usual if usual in services else ""
    if isinstance(value, str) and _SERVICE.match(value) and value in services:
        return value
    got = show(value) if value is not None else "none, and there is no service %s" % usual
    remedy = use_or_list(value if isinstance(value, str) else "", services)
    reader.add("E1039", ("compose", key), "a service of %s/%s" % (FOLDER, FILE), got, remedy)
    return ""


def _health(reader: ManifestReader, given: dict[str, Any]) -> str | None:
    value = given.get("health", "/healthz")
    if value is None or (isinstance(value, str) and len(value) <= 256 and URL_PATH.match(value)):
        return value
    reader.add("E1054", ("compose", "health"), "a URL path that begins with /", show(value), "write /healthz")
    return None


def _allow(reader: ManifestReader, value: Any) -> tuple[str, ...]:
    allowed = value if isinstance(value, list) else []
    if value is not None and not isinstance(value, list):
        reader.add("E1031", ("compose", "allow"), "a list of %s" % listed(ALLOWED), show(value), "write a list")
    for index, name in enumerate(allowed):
        if name not in ALLOWED:
            reader.add(
                "E1039",
                ("compose", "allow", index),
                "one of %s" % listed(ALLOWED),
                show(name),
                "remove it from the list",
            )
    return tuple(name for name in allowed if name in ALLOWED)


def _judge(reader: ManifestReader, spec: ComposeSpec, models: list[dict[str, Any]]) -> None:
    """Refuses what is not allowed in one of the models."""
    found = {}
    for model in models:
        for item in spec.problems(model, reader.root, "windflow-%s" % reader.document.data.get("name")):
            found[(item.code, item.got)] = item
    if found:
        reader.add_placed(("compose",), WindflowError(list(found.values())))


def published(service: dict[str, Any], engine: str) -> list[dict[str, Any]]:
    """Returns the ports that a service has on the host: in a stack a loopback address has none."""
    ports = [item for item in service.get("ports") or () if isinstance(item, dict)]
    return [item for item in ports if engine != "swarm" or bound(item) != LOOPBACK]
