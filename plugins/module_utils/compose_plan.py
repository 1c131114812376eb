# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the backend ``compose``: an application in containers. The same names as in ``host_plan``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from .adoption import adopts
from .compose_spec import FOLDER, build_context, published
from .config import Config
from .documents import dump
from .encoders import env_file_value
from .errors import WindflowError
from .host_plan import database_is_local, host_header
from .manifest import Manifest
from .places import adopted as adopted_directories
from .steps import (
    Settings,
    Shipped,
    Source,
    SourceDigest,
    Step,
    digest,
    entries_step,
    layout,
    owned,
    parents,
    without_secrets,
)

TITLES = {
    "directories": "5 directories",
    "application": "6 files and images",
    "config": "8 application configuration",
    "containers": "9, 10 containers",
}
RELEASE_STEPS = ("application", "config", "containers")
FORCED = "application"
# Inside its container; on the host it may have another one.
DATABASE_PORT = 5432
BASE_IMAGE = "debian:trixie-slim"
# What a release may consist of, below the plugin's directory.
SHIPPED = (FOLDER, "build")


def project(plugin: str) -> str:
    """Name of the Compose project."""
    return "windflow-%s" % plugin


def network(plugin: str) -> str:
    """Name of the network that Compose makes for a project."""
    return "%s_default" % project(plugin)


def container(plugin: str, service: str) -> str:
    """Name of the first container of a service, which is the only one of a service that is not scaled."""
    return "%s-%s-1" % (project(plugin), service)


def questions(manifest: Manifest, config: Config, source: Source, _os_table: dict[str, dict]) -> dict[str, Any]:
    """What this backend asks of the host: some of the arguments of ``host_info``."""
    return {
        "paths": [layout(manifest, config)["install_dir"]],
        "directories": owned(directory_entries(layout(manifest, config))),
        "port": host_port(manifest, config) or None,
        "engine": {"project": project(manifest.name), "images": sorted(images(manifest, config, source).values())},
    }


def source_of(manifest: Manifest, source_digest: SourceDigest) -> Source:
    """The Compose files and what images are built from, by the same digest as an application on a host."""
    listing = []
    for folder in SHIPPED:
        if (manifest.path / folder).is_dir():
            found = source_digest(str(manifest.path / folder))[1]
            listing += [("%s/%s" % (folder, name), mode, content) for name, mode, content in found]
    return Source(digest(listing), tuple(listing))


def images(manifest: Manifest, config: Config, source: Source) -> dict[str, str]:
    """{service: tag} of the images that are built. A tag is made of what goes into the image: the files of its
    build context and the base image's name."""
    found = {}
    for service, definition in manifest.compose.services.items():
        context = build_context(definition)
        if context:
            files = [item for item in source.listing if item[0].startswith(context + "/")]
            made_of = digest([files, definition.get("build"), base_image(config)])
            found[service] = "%s-%s:%s" % (project(manifest.name), service, made_of[:12])
    return found


def application_digest(manifest: Manifest, config: Config, source: Source) -> str:
    return digest([source.digest, images(manifest, config, source)])


def shipped(manifest: Manifest, config: Config, _source: Source, made: dict[str, Any]) -> Shipped:
    """What a release is packed of; ``made`` is the plan."""
    secrets = secret_files(config)
    return Shipped(
        root=str(manifest.path),
        group=str(manifest.compose.group),
        documents=documents(manifest, config, made),
        readable={
            "config.yaml": dump(release_config(manifest, config)),
            **{"secrets/%s" % name: value for name, value in secrets.items()},
        },
    )


def host_port(manifest: Manifest, config: Config, engine: str = "compose") -> int:
    """The port on the host where HTTP is spoken; 0 for an application that publishes none."""
    spec = manifest.compose
    usual = 0 if spec.health is None else 8080
    there = published(spec.services[spec.front or spec.app], engine)
    return config.get("server.host_port", usual) if there else 0


def base_image(config: Config) -> str:
    return config.get("images.base", BASE_IMAGE)


def hook_user(_manifest: Manifest, _config: Config) -> str:
    """The account that hooks on the host run as: the application's own is known to its containers only."""
    return "nobody"


def relevant_drift(host: dict[str, Any], _table: Any) -> list[dict]:
    return host["drift"]


def steps(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    source: Source,
    host: dict[str, Any],
    _table: Any,
) -> dict[str, Step]:
    """The steps with digests, and with the reasons that the host itself gives."""
    places = layout(manifest, config)
    tags = images(manifest, config, source)
    spec = manifest.compose
    missing = sorted(tag for tag in tags.values() if not host["engine"]["images"].get(tag))
    folders = [name for name in SHIPPED if (manifest.path / name).is_dir()]
    names = aliases(manifest, config, settings.engine)
    data = {"images": tags, "missing": missing, "source": str(manifest.path), "folders": folders}
    found = {
        "directories": entries_step(directory_entries(places), adopts(config, "directories")),
        "application": Step(application_digest(manifest, config, source), data=data),
        "config": Step(digest(without_secrets(config, manifest.name))),
        "containers": Step(
            digest(
                [
                    manifest.version,
                    spec.files(settings.environment, settings.engine),
                    settings.environment,
                    settings.replicas,
                    settings.engine,
                    *([list(settings.networks)] if settings.networks else []),
                    *([names] if names else []),
                ]
            )
        ),
    }
    if host["current"] and missing:
        found["application"].why.append("images that are not there: %s" % ", ".join(missing))
    return found


def directory_entries(places: dict[str, str]) -> list[dict[str, str]]:
    """The directories of an application, those above them first."""

    def entry(path: str, mode: str) -> dict[str, str]:
        return {"path": path, "state": "directory", "owner": "root", "group": "root", "mode": mode}

    install_dir = places["install_dir"]
    entries = [
        entry(install_dir, "0755"),
        entry("%s/releases" % install_dir, "0755"),
        entry(places["shared_dir"], "0755"),
        entry("%s/front" % places["shared_dir"], "0755"),
        entry("%s/secrets" % places["shared_dir"], "0700"),
    ]
    return parents([item["path"] for item in entries]) + entries


def adopted(manifest: Manifest, config: Config, host: dict[str, Any], _table: Any) -> list[str]:
    """What is used though windflow has not made it, in words."""
    entries = directory_entries(layout(manifest, config))
    looked, made = host["facts"]["directories"], host["made"]["directories"]
    return adopted_directories(manifest.name, looked, made, entries)


def section(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    _host: dict[str, Any],
    _table: Any,
    plan: dict[str, Any],
) -> dict[str, Any]:
    """What the tasks need besides the steps."""
    spec = manifest.compose
    places = layout(manifest, config)
    return {
        "project": project(manifest.name),
        "install_dir": places["install_dir"],
        "shared_dir": places["shared_dir"],
        "files": ["app/%s/%s" % (FOLDER, name) for name in spec.files(settings.environment, settings.engine)],
        "engine": settings.engine,
        "app": spec.app,
        "front": spec.front,
        "app_port": spec.port,
        "port": host_port(manifest, config, settings.engine),
        "replicas": settings.replicas,
        "health": spec.health or "",
        "health_timeout": spec.health_timeout,
        "host_header": host_header(config.get("app.allowed_hosts", [])),
        "images": plan["steps"]["application"]["images"],
        "base_image": base_image(config),
        "networks": list(settings.networks),
    }


def resources(plan: dict[str, Any]) -> dict[str, Any]:
    """What the host is asked to remember at the end of the run, and is compared with afterwards."""
    compose = plan["compose"]
    release_dir = "%s/releases/%s" % (compose["install_dir"], plan["release"])
    paths = [(entry["path"], "directories") for entry in plan["steps"]["directories"]["entries"] if "owner" in entry]
    paths += [("%s/%s" % (release_dir, name), "config") for name in (".env", "config.yaml")]
    paths += [("%s/windflow.yaml" % release_dir, "containers"), ("%s/current" % compose["install_dir"], "application")]
    if compose["front"] and compose["engine"] == "compose":
        paths.append(("%s/front/%s.cfg" % (compose["shared_dir"], compose["app"]), "containers"))
    return {
        "paths": [{"path": path, "step": step} for path, step in paths],
        "trees": [
            {"root": "%s/app" % release_dir, "step": "application"},
            {"root": "%s/secrets" % release_dir, "step": "config"},
        ],
        "compose": {
            "project": compose["project"],
            "app": compose["app"],
            "release": plan["release"],
            "images": sorted(compose["images"].values()),
            "engine": compose["engine"],
        },
    }


def revision(plan: dict[str, Any]) -> dict[str, Any]:
    """What the record keeps of a revision of this backend, besides what it keeps of every one."""
    return {"port": plan["compose"]["port"], "compose": plan["compose"]}


def documents(manifest: Manifest, config: Config, made: dict[str, Any]) -> dict[str, str]:
    """The files of a release that are made and hold no secret.

    ``.env`` is what Compose interpolates: the declared variables that are no secrets, and the platform's own.
    Raises ``WindflowError`` E1189 for a value that such a file cannot hold.
    """
    compose = made["compose"]
    secrets = secret_files(config)
    values = {name: value for name, value in config.declared_environment().items() if name not in secrets}
    if stands_in(manifest, config):
        values.update(COMPOSE_PROFILES="database")
        if manifest.compose.database != manifest.compose.app:
            values.update(database_variables(manifest, config))
    values.update(
        BASE_IMAGE=compose["base_image"],
        WINDFLOW_PLUGIN=made["plugin"],
        WINDFLOW_VERSION=made["version"],
        WINDFLOW_RELEASE=made["release"],
        WINDFLOW_ENVIRONMENT=made["environment"],
        WINDFLOW_RELEASE_DIR="%s/releases/%s" % (compose["install_dir"], made["release"]),
        WINDFLOW_SHARED_DIR=compose["shared_dir"],
        WINDFLOW_FRONT_DIR="%s/front" % compose["shared_dir"],
    )
    more: dict[str, Any] = {}
    overlay: dict[str, Any] = {
        service: {"image": tag, "pull_policy": "never"} for service, tag in compose["images"].items()
    }
    app = overlay.setdefault(compose["app"], {})
    app["labels"] = {"windflow.release": made["release"]}
    if compose["networks"]:
        own = manifest.compose.services[compose["app"]].get("networks")
        app["networks"] = {**({} if own else {"default": {}}), **{name: {} for name in compose["networks"]}}
        more["networks"] = {name: {"name": name, "external": True} for name in compose["networks"]}
    for service, names in aliases(manifest, config, compose["engine"]).items():
        overlay.setdefault(service, {}).setdefault("networks", {})["default"] = {"aliases": names}
    return {
        # What a rollback needs to know of a release whose plugin has changed since.
        "compose.json": json.dumps(compose["files"]) + "\n",
        ".env": "".join("%s=%s\n" % (name, _encoded(name, value)) for name, value in sorted(values.items())),
        "windflow.yaml": dump({"services": overlay, **more}),
    }


def _encoded(name: str, value: object) -> str:
    try:
        return env_file_value(value)
    except WindflowError as error:
        raise WindflowError([replace(problem, path=name) for problem in error.problems]) from None


def stands_in(manifest: Manifest, config: Config) -> bool:
    """Whether a service of the plugin is the database."""
    return bool(manifest.compose.database) and database_is_local(config)


def database_variables(manifest: Manifest, config: Config) -> dict[str, str]:
    """The declared variables that name the database's place, where a service stands in for it."""
    if config.schema is None:
        return {}
    places = {("database", "host"): manifest.compose.database, ("database", "port"): str(DATABASE_PORT)}
    return {name: places[path] for name, path in config.schema.environment.items() if path in places}


def release_config(manifest: Manifest, config: Config) -> dict[str, Any]:
    """The configuration as the containers see it."""
    data = json.loads(json.dumps(config.data))
    if stands_in(manifest, config):
        data["database"].update(host=manifest.compose.database, port=DATABASE_PORT)
    return data


def seen_by_others(manifest: Manifest, config: Config) -> dict[str, Any]:
    """The configuration as containers of another plugin on the same host see it, over the project's network."""
    data = json.loads(json.dumps(config.data))
    if stands_in(manifest, config):
        data["database"].update(host=container(manifest.name, manifest.compose.database), port=DATABASE_PORT)
    return data


def aliases(manifest: Manifest, config: Config, engine: str) -> dict[str, list[str]]:
    """{service: names} that dependents know a service by, where no container has that name: in a stack."""
    if engine != "swarm" or not manifest.results or not stands_in(manifest, config):
        return {}
    database = manifest.compose.database
    return {database: [container(manifest.name, database)]}


def secret_files(config: Config) -> dict[str, str]:
    """{variable: value} of the declared variables that are secrets: each becomes a file."""
    paths = config.schema.environment if config.schema else {}
    return {name: value for name, value in config.declared_environment().items() if config.is_secret(paths[name])}
