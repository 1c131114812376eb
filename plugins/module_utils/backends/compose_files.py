# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a release in containers hold: variables, secrets, the overlay; and the names of its project."""

from __future__ import annotations

import json
from typing import Any

from ..config.loading import Config
from ..text.documents import dump
from ..text.encoders import compose_env_value
from .backend import BackendBase, database_is_local

# Inside its container; on the host it may have another one.
DATABASE_PORT = 5432
BASE_IMAGE = "debian:trixie-slim"


def project(plugin: str) -> str:
    """Name of the Compose project."""
    return "windflow-%s" % plugin


def network(plugin: str) -> str:
    """Name of the network that Compose makes for a project."""
    return "%s_default" % project(plugin)


def container(plugin: str, service: str) -> str:
    """Name of the first container of a service, which is the only one of a service that is not scaled."""
    return "%s-%s-1" % (project(plugin), service)


def base_image(config: Config) -> str:
    return config.get("images.base", BASE_IMAGE)


def variables(backend: BackendBase, release: str, release_dir: str, shared_dir: str) -> dict[str, str]:
    """What Compose interpolates: the declared variables that are no secrets, and the platform's own."""
    manifest, config = backend.manifest, backend.config
    secrets = secret_files(config)
    values = {name: value for name, value in config.declared_environment().items() if name not in secrets}
    if stands_in(backend):
        values.update(COMPOSE_PROFILES="database")
        if manifest.compose_section.database != manifest.compose_section.app:
            values.update(database_variables(backend))
    values.update(
        BASE_IMAGE=base_image(config),
        WINDFLOW_PLUGIN=manifest.name,
        WINDFLOW_VERSION=manifest.version,
        WINDFLOW_RELEASE=release,
        WINDFLOW_ENVIRONMENT=backend.settings.environment,
        WINDFLOW_RELEASE_DIR=release_dir,
        WINDFLOW_SHARED_DIR=shared_dir,
        WINDFLOW_FRONT_DIR="%s/front" % shared_dir,
    )
    return values


def documents(backend: BackendBase, plan: dict[str, Any]) -> dict[str, str]:
    """The files of a release that are made and hold no secret.

    Compose reads the variables from its environment, which holds every value; ``.env`` has them for people, and for
    services that read it.
    """
    compose = plan["compose"]
    release_dir = "%s/releases/%s" % (compose["install_dir"], plan["release"])
    values = variables(backend, plan["release"], release_dir, compose["shared_dir"])
    more: dict[str, Any] = {}
    overlay: dict[str, Any] = {
        service: {"image": tag, "pull_policy": "never"} for service, tag in compose["images"].items()
    }
    app = overlay.setdefault(compose["app"], {})
    app["labels"] = {"windflow.release": plan["release"]}
    if compose["networks"]:
        app["networks"] = {name: {} for name in (*compose["own_networks"], *compose["networks"])}
        more["networks"] = {name: {"name": name, "external": True} for name in compose["networks"]}
    for service, names in aliases(backend).items():
        overlay.setdefault(service, {}).setdefault("networks", {})["default"] = {"aliases": names}
    return {
        # What a rollback needs to know of a release whose plugin has changed since.
        "compose.json": json.dumps(compose["files"]) + "\n",
        ".env": "".join("%s=%s\n" % (name, compose_env_value(value)) for name, value in sorted(values.items())),
        "variables.json": json.dumps(values, sort_keys=True) + "\n",
        "windflow.yaml": dump({"services": overlay, **more}),
    }


def stands_in(backend: BackendBase) -> bool:
    """Whether a service of the plugin is the database."""
    return bool(backend.manifest.compose_section.database) and database_is_local(backend.config)


def database_variables(backend: BackendBase) -> dict[str, str]:
    """The declared variables that name the database's place, where a service stands in for it."""
    manifest, config = backend.manifest, backend.config
    if config.schema is None:
        return {}
    places = {("database", "host"): manifest.compose_section.database, ("database", "port"): str(DATABASE_PORT)}
    return {name: places[path] for name, path in config.schema.environment.items() if path in places}


def release_config(backend: BackendBase) -> dict[str, Any]:
    """The configuration as the containers see it."""
    data = json.loads(json.dumps(backend.config.data))
    if stands_in(backend):
        data["database"].update(host=backend.manifest.compose_section.database, port=DATABASE_PORT)
    return data


def seen_by_others(backend: BackendBase) -> dict[str, Any]:
    """The configuration as containers of another plugin on the same host see it, over the project's network."""
    data = json.loads(json.dumps(backend.config.data))
    if stands_in(backend):
        manifest = backend.manifest
        data["database"].update(host=container(manifest.name, manifest.compose_section.database), port=DATABASE_PORT)
    return data


def aliases(backend: BackendBase) -> dict[str, list[str]]:
    """{service: names} that dependents know a service by, where no container has that name: in a stack."""
    manifest = backend.manifest
    if backend.settings.engine != "swarm" or not manifest.results or not stands_in(backend):
        return {}
    database = manifest.compose_section.database
    return {database: [container(manifest.name, database)]}


def secret_files(config: Config) -> dict[str, str]:
    """{variable: value} of the declared variables that are secrets: each becomes a file."""
    paths = config.schema.environment if config.schema else {}
    return {name: value for name, value in config.declared_environment().items() if config.is_secret(paths[name])}
