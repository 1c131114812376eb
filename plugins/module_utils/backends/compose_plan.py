# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the target ``compose``: an application in containers."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any, ClassVar

from ..compose import rules
from ..compose.effective import one_shot, plain, published_at, reached
from ..compose.model import SHIPPED
from ..config.adoption import adopts
from ..errors import Problem
from ..manifest.compose_section import FILE, FOLDER, RELEASE, RELEASE_DIR, SHARED_DIR, published
from ..system.places import adopted as adopted_directories
from ..text.documents import dump
from . import compose_files, service_images
from .backend import BackendBase, Shipped, Source, SourceDigest, host_header
from .compose_files import project
from .steps import Step, digest, entries_step, owned, parents, without_secrets

FREE_MB_FOR_IMAGES = 1_500
# Of the files below compose/, what the host's Compose is sent to say what it makes of them.
MODEL_BYTES = 1024 * 1024


class ComposeBackend(BackendBase):
    """A ``ReleaseBackend``. Both engines, Compose and a swarm, are its."""

    TARGET: ClassVar[str] = "compose"
    TITLES: ClassVar[dict[str, str]] = {
        "directories": "5 directories",
        "application": "6 files and images",
        "config": "8 application configuration",
        "containers": "9, 10 containers",
    }
    RELEASE_STEPS: ClassVar[tuple[str, ...]] = ("application", "config", "containers")
    FORCED: ClassVar[str] = "application"
    SCALED: ClassVar[str] = "containers"

    def source_of(self, source_digest: SourceDigest) -> Source:
        """The Compose files and what images are built from, by the same digest as an application on a host."""
        manifest, listing = self.manifest, []
        for folder in SHIPPED:
            if (manifest.path / folder).is_dir():
                found = source_digest(str(manifest.path / folder))[1]
                listing += [("%s/%s" % (folder, name), mode, content) for name, mode, content in found]
        return Source(digest(listing), tuple(listing))

    def questions(self, source: Source, _tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {
            "paths": [self.layout["install_dir"]],
            "directories": owned(directory_entries(self.layout)),
            "port": self.host_port(self.own_model()) or None,
            "engine": {"project": project(self.manifest.name), "model": self.model_question(source)},
        }

    def own_model(self, engine: str = "compose") -> dict[str, Any]:
        """What Compose would make of the files, as far as the controller can tell."""
        spec = self.manifest.compose_section
        values = compose_files.variables(self, RELEASE, RELEASE_DIR, SHARED_DIR)
        return spec.model_of(spec.files(self.settings.environment, engine), self.manifest.path, values)

    def model_question(self, source: Source) -> dict[str, Any]:
        """What the host's Compose needs to say what it makes of the files."""
        manifest, environment, spec = self.manifest, self.settings.environment, self.manifest.compose_section
        files, left = {}, MODEL_BYTES
        for name, _mode, content in source.listing:
            path = manifest.path / name
            if content.startswith("link:") and not path.is_file():
                continue
            size = path.stat().st_size
            if name.startswith(FOLDER + "/") and size <= left:
                files[name] = path.read_bytes().decode("utf-8", "surrogateescape")
                left -= size
        values = compose_files.variables(self, RELEASE, RELEASE_DIR, SHARED_DIR)
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

    def judged(self) -> list[Problem]:
        """What is to be said of the Compose files with this configuration, before any host is asked."""
        manifest = self.manifest
        found: dict[tuple[str, str], Problem] = {}
        for engine in ("compose", "swarm"):
            model = self.own_model(engine)
            for problem in manifest.compose_section.problems(model, manifest.path, project(manifest.name)):
                found[(problem.code, problem.sentence)] = replace(problem, file=manifest.file)
            if manifest.compose_section.app not in (model.get("services") or {}):
                said = "the service %s does not exist in environment %s" % (
                    manifest.compose_section.app,
                    self.settings.environment or "(none)",
                )
                remedy = "name the environment, or write it into %s" % FILE
                found[("E1039", "")] = Problem.plain("E1039", said, "", remedy, manifest.file, path="compose.app")
        for name, value in self.config.declared_environment().items():
            try:
                value.encode()
            except UnicodeEncodeError:
                remedy = "remove it"
                found[("E1058", name)] = Problem(
                    "E1058", "text that a variable can have", "half of a surrogate pair", remedy, path=name
                )
        return list(found.values())

    def relevant_drift(self, host: dict[str, Any], _table: Any) -> list[dict[str, Any]]:
        return host["drift"]

    def steps(self, source: Source, host: dict[str, Any], _table: Any) -> dict[str, Step]:
        manifest, config, settings = self.manifest, self.config, self.settings
        model = self.model_of(host)
        builds = service_images.sections(model)
        tags = service_images.tags(project(manifest.name), builds, source)
        spec = manifest.compose_section
        missing = sorted(tag for tag in tags.values() if not host["engine"]["images"].get(tag))
        folders = [name for name in SHIPPED if (manifest.path / name).is_dir()]
        names = compose_files.aliases(self)
        data = {"images": tags, "builds": builds, "missing": missing, "source": str(manifest.path), "folders": folders}
        found = {
            "directories": entries_step(directory_entries(self.layout), adopts(config, "directories")),
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

    def hook_user(self) -> str:
        # The application's own account is known to its containers only.
        return "nobody"

    def adopted(self, host: dict[str, Any], _table: Any) -> list[str]:
        entries = directory_entries(self.layout)
        looked, made = host["facts"]["directories"]["compose"], host["made"]["directories"]
        return adopted_directories(self.manifest.name, looked, made, entries)

    def section(self, host: dict[str, Any], _table: Any, plan: dict[str, Any]) -> dict[str, Any]:
        config, settings, spec = self.config, self.settings, self.manifest.compose_section
        model = self.model_of(host)
        return {
            "project": project(self.manifest.name),
            "install_dir": self.layout["install_dir"],
            "shared_dir": self.layout["shared_dir"],
            "files": ["app/%s/%s" % (FOLDER, name) for name in spec.files(settings.environment, settings.engine)],
            "engine": settings.engine,
            "app": spec.app,
            "front": spec.front if service_of(model, spec.front) else "",
            "app_port": spec.port,
            "port": self.host_port(model),
            "replicas": settings.replicas,
            "health": spec.health or "",
            "health_timeout": spec.health_timeout,
            "host_header": host_header(config.get("app.allowed_hosts", [])),
            "images": plan["steps"]["application"]["images"],
            "base_image": compose_files.base_image(config),
            "one_shot": one_shot(model),
            # A service that names none has the project's, until another file names one.
            "own_networks": sorted(service_of(model, spec.app).get("networks") or ["default"]),
            "networks": list(settings.networks),
            "allow": list(spec.allow),
            "bind": plain(config.get("server.bind")),
            "address": reached(self.listening(model)),
            "listening": self.listening(model),
        }

    def resources(self, plan: dict[str, Any]) -> dict[str, Any]:
        compose = plan["compose"]
        release_dir = "%s/releases/%s" % (compose["install_dir"], plan["release"])
        paths = [
            (entry["path"], "directories") for entry in plan["steps"]["directories"]["entries"] if "owner" in entry
        ]
        paths += [("%s/%s" % (release_dir, name), "config") for name in (".env", "config.yaml")]
        paths += [
            ("%s/windflow.yaml" % release_dir, "containers"),
            ("%s/current" % compose["install_dir"], "application"),
        ]
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

    def revision(self, plan: dict[str, Any]) -> dict[str, Any]:
        return {"port": plan["compose"]["port"], "compose": plan["compose"]}

    def application_digest(self, source: Source, plan: dict[str, Any]) -> str:
        return _application(source, plan["compose"]["images"])

    def shipped(self, _source: Source, plan: dict[str, Any]) -> Shipped:
        secrets = compose_files.secret_files(self.config)
        return Shipped(
            root=str(self.manifest.path),
            group=str(self.manifest.compose_section.group),
            documents=compose_files.documents(self, plan),
            readable={
                "config.yaml": dump(compose_files.release_config(self)),
                **{"secrets/%s" % name: value for name, value in secrets.items()},
            },
            folders=("secrets",),
        )

    def findings(self, source: Source, host: dict[str, Any]) -> list[Problem]:
        """What the host's Compose makes of the files and a deploy would refuse, and room for images."""
        manifest, settings = self.manifest, self.settings
        said = host["engine"].get("models", {}).get(settings.engine, {})
        if "error" in said:
            refusal = "the host's Compose rejects the Compose files"
            return [Problem.plain("E1072", refusal, said["error"], "correct the files", manifest.file, path="compose")]
        model = self.model_of(host)
        own = rules.Own(project(manifest.name), RELEASE_DIR, SHARED_DIR, tuple(settings.networks))
        found = rules.refused(rules.judge(model, own), manifest.compose_section.allow)
        errors = [replace(rules.problem("E1055", item), file=manifest.file) for item in found]
        builds = service_images.sections(model)
        errors += service_images.missing(builds, source)
        bind = plain(self.config.get("server.bind"))
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

    def model_of(self, host: dict[str, Any]) -> dict[str, Any]:
        """What the host's Compose makes of the files; where it has not said, what the controller makes of them."""
        said = host["engine"].get("models", {}).get(self.settings.engine, {})
        return said.get("model") or self.own_model(self.settings.engine)

    def host_port(self, model: dict[str, Any]) -> int:
        """The port on the host where HTTP is spoken; 0 for an application that publishes none."""
        ports = published(service_of(model, self.edge(model)), self.settings.engine)
        usual = 0 if self.manifest.compose_section.health is None else 8080
        wanted = self.config.get("server.host_port", usual)
        known = [int(item["published"]) for item in ports if str(item.get("published", "")).isdigit()]
        if not ports or not wanted:
            return 0
        return wanted if wanted in known or not known else known[0]

    def listening(self, model: dict[str, Any]) -> str:
        """The address that the port is published at; an empty text for every one."""
        if self.settings.engine == "swarm":
            return ""
        port = self.host_port(model)
        given = published_at(service_of(model, self.edge(model)), port)
        return plain(self.config.get("server.bind")) or given

    def edge(self, model: dict[str, Any]) -> str:
        """The service that is reached from outside."""
        front = self.manifest.compose_section.front
        return front if service_of(model, front) else self.manifest.compose_section.app


def service_of(model: dict[str, Any], name: str) -> dict[str, Any]:
    return (model.get("services") or {}).get(name) or {}


def _application(source: Source, images: dict[str, str]) -> str:
    return digest([source.digest, images])


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
