# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the backend ``compose``: an application in containers. The module is a
``ReleaseBackend``."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace
from typing import Any

from ..compose import rules
from ..compose.effective import one_shot, plain, published_at, reached
from ..compose.model import SHIPPED
from ..config.adoption import adopts
from ..config.loading import Config
from ..errors import Problem
from ..manifest.compose_section import FILE, FOLDER, RELEASE, RELEASE_DIR, SHARED_DIR, published
from ..manifest.reader import Manifest
from ..system.places import adopted as adopted_directories
from ..text.documents import dump
from ..text.encoders import compose_env_value
from . import service_images
from .host_plan import database_is_local, host_header
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
SCALED = "containers"
# Inside its container; on the host it may have another one.
DATABASE_PORT = 5432
BASE_IMAGE = "debian:trixie-slim"
FREE_MB_FOR_IMAGES = 1_500
# Of the files below compose/, what the host's Compose is sent to say what it makes of them.
MODEL_BYTES = 1024 * 1024


def project(plugin: str) -> str:
    """Name of the Compose project."""
    return "windflow-%s" % plugin


def network(plugin: str) -> str:
    """Name of the network that Compose makes for a project."""
    return "%s_default" % project(plugin)


def container(plugin: str, service: str) -> str:
    """Name of the first container of a service, which is the only one of a service that is not scaled."""
    return "%s-%s-1" % (project(plugin), service)


def questions(
    manifest: Manifest, config: Config, source: Source, _tables: dict[str, dict[str, Any]], environment: str = ""
) -> dict[str, Any]:
    """What this backend asks of the host: some of the arguments of ``host_info``."""
    model = own_model(manifest, config, environment)
    return {
        "paths": [layout(manifest, config)["install_dir"]],
        "directories": owned(directory_entries(layout(manifest, config))),
        "port": host_port(manifest, config, model) or None,
        "engine": {"project": project(manifest.name), "model": model_question(manifest, config, source, environment)},
    }


def own_model(manifest: Manifest, config: Config, environment: str, engine: str = "compose") -> dict[str, Any]:
    """What Compose would make of the files, as far as the controller can tell."""
    spec = manifest.compose_section
    values = variables(manifest, config, RELEASE, environment, RELEASE_DIR, SHARED_DIR)
    return spec.model_of(spec.files(environment, engine), manifest.path, values)


def model_question(manifest: Manifest, config: Config, source: Source, environment: str) -> dict[str, Any]:
    """What the host's Compose needs to say what it makes of the files."""
    spec = manifest.compose_section
    files, left = {}, MODEL_BYTES
    for name, _mode, content in source.listing:
        path = manifest.path / name
        if content.startswith("link:") and not path.is_file():
            continue
        size = path.stat().st_size
        if name.startswith(FOLDER + "/") and size <= left:
            files[name] = path.read_bytes().decode("utf-8", "surrogateescape")
            left -= size
    values = variables(manifest, config, RELEASE, environment, RELEASE_DIR, SHARED_DIR)
    for engine in ("compose", "swarm"):
        for name in spec.named_files(spec.files(environment, engine), manifest.path, values):
            files[name] = (manifest.path / name).read_bytes().decode("utf-8", "surrogateescape")
    return {
        "files": files,
        "variables": values,
        "release_dir": RELEASE_DIR,
        "runs": {
            engine: ["app/%s/%s" % (FOLDER, name) for name in spec.files(environment, engine)]
            for engine in ("compose", "swarm")
        },
    }


def judged(manifest: Manifest, config: Config, environment: str) -> list[Problem]:
    """What is to be said of the Compose files with this configuration, before any host is asked."""
    found: dict[tuple[str, str], Problem] = {}
    for engine in ("compose", "swarm"):
        model = own_model(manifest, config, environment, engine)
        for problem in manifest.compose_section.problems(model, manifest.path, project(manifest.name)):
            found[(problem.code, problem.sentence)] = replace(problem, file=manifest.file)
        if manifest.compose_section.app not in (model.get("services") or {}):
            said = "the service %s does not exist in environment %s" % (
                manifest.compose_section.app,
                environment or "(none)",
            )
            remedy = "name the environment, or write it into %s" % FILE
            found[("E1039", "")] = Problem.plain("E1039", said, "", remedy, manifest.file, path="compose.app")
    for name, value in config.declared_environment().items():
        try:
            value.encode()
        except UnicodeEncodeError:
            remedy = "remove it"
            found[("E1058", name)] = Problem(
                "E1058", "text that a variable can have", "half of a surrogate pair", remedy, path=name
            )
    return list(found.values())


def findings(
    manifest: Manifest, config: Config, settings: Settings, source: Source, host: dict[str, Any]
) -> list[Problem]:
    """What the host's Compose makes of the files and a deploy would refuse, and room for images."""
    said = host["engine"].get("models", {}).get(settings.engine, {})
    if "error" in said:
        refusal = "the host's Compose rejects the Compose files"
        return [Problem.plain("E1072", refusal, said["error"], "correct the files", manifest.file, path="compose")]
    model = model_of(manifest, config, settings.environment, settings.engine, host)
    own = rules.Own(project(manifest.name), RELEASE_DIR, SHARED_DIR, tuple(settings.networks))
    found = rules.refused(rules.judge(model, own), manifest.compose_section.allow)
    errors = [replace(rules.problem("E1055", item), file=manifest.file) for item in found]
    builds = service_images.sections(model)
    errors += service_images.missing(builds, source)
    bind = plain(config.get("server.bind"))
    if settings.engine == "swarm" and bind and not ipaddress.ip_address(bind).is_unspecified:
        remedy = "leave it out: a swarm publishes at every address of its nodes"
        errors.append(
            Problem.plain("E1071", "a swarm cannot bind the port to one address", bind, remedy, path="server.bind")
        )
    tags = service_images.tags(project(manifest.name), builds, source)
    free = host["engine"].get("space")
    lacking = any(not host["engine"]["images"].get(tag) for tag in tags.values())
    if free is not None and lacking and free["mb"] < FREE_MB_FOR_IMAGES:
        expected = "at least %d MB free for images" % FREE_MB_FOR_IMAGES
        got = "%d MB" % free["mb"]
        errors.append(Problem("E2008", expected, got, "free some space", path=host["engine"]["root"]))
    return errors


def model_of(manifest: Manifest, config: Config, environment: str, engine: str, host: dict[str, Any]) -> dict[str, Any]:
    """What the host's Compose makes of the files; where it has not said, what the controller makes of them."""
    said = host["engine"].get("models", {}).get(engine, {})
    return said.get("model") or own_model(manifest, config, environment, engine)


def service_of(model: dict[str, Any], name: str) -> dict[str, Any]:
    return (model.get("services") or {}).get(name) or {}


def source_of(manifest: Manifest, source_digest: SourceDigest) -> Source:
    """The Compose files and what images are built from, by the same digest as an application on a host."""
    listing = []
    for folder in SHIPPED:
        if (manifest.path / folder).is_dir():
            found = source_digest(str(manifest.path / folder))[1]
            listing += [("%s/%s" % (folder, name), mode, content) for name, mode, content in found]
    return Source(digest(listing), tuple(listing))


def application_digest(_manifest: Manifest, _config: Config, source: Source, made: dict[str, Any]) -> str:
    """``made`` is the plan."""
    return _application(source, made["compose"]["images"])


def _application(source: Source, images: dict[str, str]) -> str:
    return digest([source.digest, images])


def shipped(manifest: Manifest, config: Config, _source: Source, made: dict[str, Any]) -> Shipped:
    """What a release is packed of; ``made`` is the plan."""
    secrets = secret_files(config)
    return Shipped(
        root=str(manifest.path),
        group=str(manifest.compose_section.group),
        documents=documents(manifest, config, made),
        readable={
            "config.yaml": dump(release_config(manifest, config)),
            **{"secrets/%s" % name: value for name, value in secrets.items()},
        },
        folders=("secrets",),
    )


def host_port(manifest: Manifest, config: Config, model: dict[str, Any], engine: str = "compose") -> int:
    """The port on the host where HTTP is spoken; 0 for an application that publishes none."""
    ports = published(service_of(model, edge(manifest, model)), engine)
    usual = 0 if manifest.compose_section.health is None else 8080
    wanted = config.get("server.host_port", usual)
    known = [int(item["published"]) for item in ports if str(item.get("published", "")).isdigit()]
    if not ports or not wanted:
        return 0
    return wanted if wanted in known or not known else known[0]


def listening(manifest: Manifest, config: Config, model: dict[str, Any], engine: str) -> str:
    """The address that the port is published at; an empty text for every one."""
    if engine == "swarm":
        return ""
    port = host_port(manifest, config, model, engine)
    given = published_at(service_of(model, edge(manifest, model)), port)
    return plain(config.get("server.bind")) or given


def edge(manifest: Manifest, model: dict[str, Any]) -> str:
    """The service that is reached from outside."""
    front = manifest.compose_section.front
    return front if service_of(model, front) else manifest.compose_section.app


def base_image(config: Config) -> str:
    return config.get("images.base", BASE_IMAGE)


def hook_user(_manifest: Manifest, _config: Config) -> str:
    """The account that hooks on the host run as: the application's own is known to its containers only."""
    return "nobody"


def relevant_drift(host: dict[str, Any], _table: Any) -> list[dict[str, Any]]:
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
    model = model_of(manifest, config, settings.environment, settings.engine, host)
    builds = service_images.sections(model)
    tags = service_images.tags(project(manifest.name), builds, source)
    spec = manifest.compose_section
    missing = sorted(tag for tag in tags.values() if not host["engine"]["images"].get(tag))
    folders = [name for name in SHIPPED if (manifest.path / name).is_dir()]
    names = aliases(manifest, config, settings.engine)
    data = {"images": tags, "builds": builds, "missing": missing, "source": str(manifest.path), "folders": folders}
    found = {
        "directories": entries_step(directory_entries(places), adopts(config, "directories")),
        "application": Step(_application(source, tags), data=data),
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
    looked, made = host["facts"]["directories"]["compose"], host["made"]["directories"]
    return adopted_directories(manifest.name, looked, made, entries)


def section(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    host: dict[str, Any],
    _table: Any,
    plan: dict[str, Any],
) -> dict[str, Any]:
    """What the tasks need besides the steps."""
    spec = manifest.compose_section
    places = layout(manifest, config)
    model = model_of(manifest, config, settings.environment, settings.engine, host)
    return {
        "project": project(manifest.name),
        "install_dir": places["install_dir"],
        "shared_dir": places["shared_dir"],
        "files": ["app/%s/%s" % (FOLDER, name) for name in spec.files(settings.environment, settings.engine)],
        "engine": settings.engine,
        "app": spec.app,
        "front": spec.front if service_of(model, spec.front) else "",
        "app_port": spec.port,
        "port": host_port(manifest, config, model, settings.engine),
        "replicas": settings.replicas,
        "health": spec.health or "",
        "health_timeout": spec.health_timeout,
        "host_header": host_header(config.get("app.allowed_hosts", [])),
        "images": plan["steps"]["application"]["images"],
        "base_image": base_image(config),
        "one_shot": one_shot(model),
        # A service that names none has the project's, until another file names one.
        "own_networks": sorted(service_of(model, spec.app).get("networks") or ["default"]),
        "networks": list(settings.networks),
        "allow": list(spec.allow),
        "bind": plain(config.get("server.bind")),
        "address": reached(listening(manifest, config, model, settings.engine)),
        "listening": listening(manifest, config, model, settings.engine),
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
            "one_shot": compose["one_shot"],
        },
    }


def revision(plan: dict[str, Any]) -> dict[str, Any]:
    """What the record keeps of a revision of this backend, besides what it keeps of every one."""
    return {"port": plan["compose"]["port"], "compose": plan["compose"]}


def variables(
    manifest: Manifest, config: Config, release: str, environment: str, release_dir: str, shared_dir: str
) -> dict[str, str]:
    """What Compose interpolates: the declared variables that are no secrets, and the platform's own."""
    secrets = secret_files(config)
    values = {name: value for name, value in config.declared_environment().items() if name not in secrets}
    if stands_in(manifest, config):
        values.update(COMPOSE_PROFILES="database")
        if manifest.compose_section.database != manifest.compose_section.app:
            values.update(database_variables(manifest, config))
    values.update(
        BASE_IMAGE=base_image(config),
        WINDFLOW_PLUGIN=manifest.name,
        WINDFLOW_VERSION=manifest.version,
        WINDFLOW_RELEASE=release,
        WINDFLOW_ENVIRONMENT=environment,
        WINDFLOW_RELEASE_DIR=release_dir,
        WINDFLOW_SHARED_DIR=shared_dir,
        WINDFLOW_FRONT_DIR="%s/front" % shared_dir,
    )
    return values


def documents(manifest: Manifest, config: Config, made: dict[str, Any]) -> dict[str, str]:
    """The files of a release that are made and hold no secret.

    Compose reads the variables from its environment, which holds every value; ``.env`` has them for people, and for
    services that read it.
    """
    compose = made["compose"]
    release_dir = "%s/releases/%s" % (compose["install_dir"], made["release"])
    values = variables(manifest, config, made["release"], made["environment"], release_dir, compose["shared_dir"])
    more: dict[str, Any] = {}
    overlay: dict[str, Any] = {
        service: {"image": tag, "pull_policy": "never"} for service, tag in compose["images"].items()
    }
    app = overlay.setdefault(compose["app"], {})
    app["labels"] = {"windflow.release": made["release"]}
    if compose["networks"]:
        app["networks"] = {name: {} for name in (*compose["own_networks"], *compose["networks"])}
        more["networks"] = {name: {"name": name, "external": True} for name in compose["networks"]}
    for service, names in aliases(manifest, config, compose["engine"]).items():
        overlay.setdefault(service, {}).setdefault("networks", {})["default"] = {"aliases": names}
    return {
        # What a rollback needs to know of a release whose plugin has changed since.
        "compose.json": json.dumps(compose["files"]) + "\n",
        ".env": "".join("%s=%s\n" % (name, compose_env_value(value)) for name, value in sorted(values.items())),
        "variables.json": json.dumps(values, sort_keys=True) + "\n",
        "windflow.yaml": dump({"services": overlay, **more}),
    }


def stands_in(manifest: Manifest, config: Config) -> bool:
    """Whether a service of the plugin is the database."""
    return bool(manifest.compose_section.database) and database_is_local(config)


def database_variables(manifest: Manifest, config: Config) -> dict[str, str]:
    """The declared variables that name the database's place, where a service stands in for it."""
    if config.schema is None:
        return {}
    places = {("database", "host"): manifest.compose_section.database, ("database", "port"): str(DATABASE_PORT)}
    return {name: places[path] for name, path in config.schema.environment.items() if path in places}


def release_config(manifest: Manifest, config: Config) -> dict[str, Any]:
    """The configuration as the containers see it."""
    data = json.loads(json.dumps(config.data))
    if stands_in(manifest, config):
        data["database"].update(host=manifest.compose_section.database, port=DATABASE_PORT)
    return data


def seen_by_others(manifest: Manifest, config: Config) -> dict[str, Any]:
    """The configuration as containers of another plugin on the same host see it, over the project's network."""
    data = json.loads(json.dumps(config.data))
    if stands_in(manifest, config):
        data["database"].update(host=container(manifest.name, manifest.compose_section.database), port=DATABASE_PORT)
    return data


def aliases(manifest: Manifest, config: Config, engine: str) -> dict[str, list[str]]:
    """{service: names} that dependents know a service by, where no container has that name: in a stack."""
    if engine != "swarm" or not manifest.results or not stands_in(manifest, config):
        return {}
    database = manifest.compose_section.database
    return {database: [container(manifest.name, database)]}


def secret_files(config: Config) -> dict[str, str]:
    """{variable: value} of the declared variables that are secrets: each becomes a file."""
    paths = config.schema.environment if config.schema else {}
    return {name: value for name, value in config.declared_environment().items() if config.is_secret(paths[name])}
