# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the target ``host``: an application straight on the machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from ..compose.effective import plain, reached
from ..config.adoption import adopts
from ..database import owners
from ..errors import Problem
from ..manifest import requirements
from ..network.wanted import valid
from ..storage import volumes
from ..system import accounts
from ..system.places import adopted as adopted_directories
from ..text.documents import dump
from ..text.render import program_file, site_file
from ..text.wording import show
from . import host_entries, host_resources, host_system
from .backend import BackendBase, Shipped, Source, SourceDigest, host_header
from .families import with_python
from .steps import Step, digest, entries_step, owned, without_secrets

PACKAGES_DIR = "/var/lib"
PRODUCTION = "production"


class HostBackend(BackendBase):
    """A ``ReleaseBackend``."""

    TARGET: ClassVar[str] = "host"
    TITLES: ClassVar[dict[str, str]] = {
        "packages": "3 packages",
        "account": "4 user and group",
        "directories": "5 directories",
        "application": "6 application files",
        "virtualenv": "7 virtual environment",
        "config": "8 application configuration",
        "program": "9 Supervisor program",
        "site": "10 nginx site",
        "database": "11 database",
        "volumes": "12 volumes",
        "network": "12 network interfaces",
        "services": "13 services",
    }
    # A plugin without a program has none of them.
    RELEASE_STEPS: ClassVar[tuple[str, ...]] = ("application", "virtualenv", "config", "program", "site")
    FORCED: ClassVar[str] = "application"
    SCALED: ClassVar[str] = "program"

    def source_of(self, source_digest: SourceDigest) -> Source:
        """The application's files."""
        manifest, spec = self.manifest, self.manifest.host_section
        if spec.source is None:
            return Source(digest([manifest.name, manifest.version]))
        total, listing = source_digest(str(spec.source))
        return Source(total, tuple(listing), requirements.collect(manifest.path, spec.source, spec.requirements))

    def questions(self, _source: Source, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
        manifest, config, places = self.manifest, self.config, self.layout
        parts = host_system.surroundings(self)
        tools = volumes.tools(config.get("storage.volumes", [])) if manifest.host_section.program else []
        tools += ["selinux"] if host_system.own_label(self) else []
        tables = {name: with_python(table, config.get("app.python", "")) for name, table in tables.items()}
        found = {
            "packages": {
                name: host_system.package_names(manifest, table, [*parts, *tools]) for name, table in tables.items()
            },
            "services": {name: host_system.service_names(table, parts) for name, table in tables.items()},
            "available": host_system.available(config, tables, parts),
            "database": host_system.own_database(self),
            "volumes": host_entries.mounted_volumes(self),
            "networks": valid(config.get("network.networks", [])),
        }
        if not manifest.host_section.program:
            return {**found, "paths": [PACKAGES_DIR]}
        return {
            **found,
            "paths": sorted(
                {
                    places["install_dir"],
                    places["data_dir"],
                    places["log_dir"],
                    *host_entries.volume_sizes(config),
                    *host_entries.backing_places(config),
                }
            ),
            "port": config.get("server.host_port", 8080) if manifest.host_section.serves else None,
            "user": places["user"],
            "group": places["group"],
            "directories": owned(host_entries.all_entries(self, "root")),
            "socket_dir": places["run_dir"] if manifest.host_section.serves else "",
        }

    def relevant_drift(self, host: dict[str, Any], table: dict[str, Any]) -> list[dict[str, Any]]:
        """The host's drift, less processes that only wait for Supervisor: the step ``services`` starts it,
        and it starts them."""
        supervisor = host["services"].get(table["services"]["supervisor"])
        waiting = supervisor is not None and not supervisor["running"]
        return [item for item in host["drift"] if not (waiting and item["attribute"] == "socket")]

    def steps(self, source: Source, host: dict[str, Any], table: dict[str, Any]) -> dict[str, Step]:
        found = self.surrounding_steps(host, table)
        if self.manifest.host_section.program:
            found.update(self.program_steps(source, host, table))
        return {name: found[name] for name in self.TITLES}

    def surrounding_steps(self, host: dict[str, Any], table: dict[str, Any]) -> dict[str, Step]:
        """What every plugin has, and the other steps with nothing to do."""
        found = {name: Step() for name in self.TITLES}
        found["packages"] = Step(data={"names": host["missing_packages"], "all": sorted(host["packages"])})
        if host["missing_packages"]:
            found["packages"].why.append("missing: %s" % ", ".join(host["missing_packages"]))
        if not self.manifest.host_section.program:
            # Nothing else of such a plugin has its version.
            found["packages"].digest = digest([self.manifest.version, sorted(host["packages"])])
        found["directories"].data = {"entries": [], "adopt": False}
        found["volumes"].data = {"entries": [], "adopt": False, "mounted": [], "gone": []}
        found["network"] = host_system.network_step(self.config, host)
        found["virtualenv"].data = {"name": ""}
        found["database"] = host_system.database_step(self)
        found["services"] = host_system.services_step(self, host, table)
        return found

    def program_steps(self, source: Source, host: dict[str, Any], table: dict[str, Any]) -> dict[str, Step]:
        """The steps of a plugin that has a program."""
        manifest, config, places, facts = self.manifest, self.config, self.layout, host["facts"]
        # A release's name must not make its own files differ: digests are taken with a fixed one.
        mounted = host_entries.mounted_volumes(self, host)
        values = self.render_values(table, "RELEASE", facts["ipv6"], host_entries.mount_points(mounted, facts))
        program = program_file(values)
        nginx_group = table["nginx"]["user"] if manifest.host_section.serves else places["group"]
        policy = self.packages_policy()
        interpreter = table["python"]["interpreter"]
        version = re.search(r"[0-9]\.[0-9]+\Z", interpreter)
        python = version.group() if version else facts["python"].rsplit(".", 1)[0]
        environment = digest({"requirements": source.requirements.digest, "python": python, **policy})
        current = host["current"] or {}
        venv = current.get("venv") or ""
        drifted = any(item["step"] == "virtualenv" for item in host["drift"])
        if not venv.startswith(environment[:12]) or drifted:
            venv = "%s-%s" % (environment[:12], self.settings.time)
        return {
            "account": host_entries.account_step(self, host, table),
            "directories": entries_step(
                host_entries.directory_entries(places, nginx_group), adopts(config, "directories")
            ),
            "application": Step(self.application_digest(source, {})),
            "virtualenv": Step(
                environment,
                data={
                    "name": venv,
                    "path": "%s/venvs/%s" % (places["install_dir"], venv),
                    "python": interpreter,
                    "requirements": source.requirements.main,
                    "application_at": source.requirements.application_at,
                    **policy,
                },
            ),
            "config": Step(digest(without_secrets(config, manifest.name))),
            # Processes that have files of another mount open have to make place for new ones. To grow changes no mount.
            "program": Step(digest([program, host_entries.mount_lines(mounted)] if mounted else program)),
            "site": Step(digest(site_file(values)) if manifest.host_section.serves else ""),
            "volumes": host_entries.volumes_step(self, host),
        }

    def application_digest(self, source: Source, _plan: dict[str, Any]) -> str:
        return digest(source.digest)

    def hook_user(self) -> str:
        return self.layout["user"] if self.manifest.host_section.program else "nobody"

    def adopted(self, host: dict[str, Any], table: dict[str, Any]) -> list[str]:
        places, facts, made = self.layout, host["facts"], host["made"]
        wanted = host_system.own_database(self)
        found = owners.adopted(wanted["name"], wanted["user"], facts["database"], made) if wanted else []
        if not self.manifest.host_section.program:
            return found
        entries = host_entries.directory_entries(places, table["nginx"]["user"]) + host_entries.volume_entries(self)
        return [
            *found,
            *accounts.adopted(places["user"], places["group"], facts["account"], facts["group"], made),
            *adopted_directories(self.manifest.name, facts["directories"]["host"], made["directories"], entries),
        ]

    def section(self, host: dict[str, Any], table: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
        manifest, config, spec = self.manifest, self.config, self.manifest.host_section
        if not spec.program:
            networks = plan["steps"]["network"]["networks"]
            return {"port": 0, "program": "", "os": table, "init": host["facts"]["init"], "networks": networks}
        values = self.render_values(table, plan["release"], host["facts"]["ipv6"])
        return {
            **{key: values[key] for key in self.layout},
            "port": values["host_port"] if spec.serves else 0,
            "address": reached(values["bind"]),
            "listening": values["bind"],
            "replicas": self.settings.replicas,
            "health": spec.health or "",
            "health_timeout": spec.health_timeout,
            "host_header": host_header(values["allowed_hosts"]),
            "program": "windflow-%s-%s" % (manifest.name, plan["release"]),
            "sockets": values["sockets"] if spec.serves else [],
            "volumes": [volume["path"] for volume in config.get("storage.volumes", [])],
            "storage": plan["steps"]["volumes"]["mounted"],
            "mounts": host_entries.mount_points(plan["steps"]["volumes"]["mounted"], host["facts"]),
            "os": table,
            "init": host["facts"]["init"],
            "ipv6": host["facts"]["ipv6"],
            "firewall": plan["steps"]["services"]["firewall"],
            "selinux": plan["steps"]["services"]["selinux"],
            "networks": plan["steps"]["network"]["networks"],
        }

    def resources(self, plan: dict[str, Any]) -> dict[str, Any]:
        return host_resources.resources(plan)

    def revision(self, plan: dict[str, Any]) -> dict[str, Any]:
        return host_resources.revision(plan)

    def shipped(self, source: Source, plan: dict[str, Any]) -> Shipped:
        manifest, host = self.manifest, plan["host"]
        values = self.render_values(host["os"], plan["release"], host["ipv6"], host["mounts"])
        return Shipped(
            root=str(manifest.host_section.source),
            group=host["group"],
            documents={
                "supervisor.conf": program_file(values),
                **({"nginx.conf": site_file(values)} if manifest.host_section.serves else {}),
            },
            readable={"config.yaml": dump(self.config.data)},
            files=tuple(("requirements/%s" % path, mode, content) for path, mode, content in source.requirements.files),
            venv=plan["steps"]["virtualenv"]["name"],
        )

    def render_values(
        self, table: dict[str, Any], release: str, ipv6: bool, mounts: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What the templates of Supervisor's and nginx's files are given."""
        manifest, config, settings, places = self.manifest, self.config, self.settings, self.layout
        spec = manifest.host_section
        release_dir = "%s/releases/%s" % (places["install_dir"], release)
        return {
            **places,
            "plugin": manifest.name,
            "release": release,
            "version": manifest.version,
            "environment": settings.environment,
            "replicas": self.settings.replicas,
            "release_dir": release_dir,
            "app_dir": "%s/app" % release_dir,
            "venv_dir": "%s/venv" % release_dir,
            "config_path": "%s/config.yaml" % release_dir,
            "wsgi": spec.wsgi,
            "asgi": spec.asgi,
            "command": list(spec.command or ()),
            "static": dict(spec.static),
            "workers": config.get("server.workers", 2),
            "timeout": config.get("server.timeout", 30),
            "sockets": ["%s/%s-%d.sock" % (places["run_dir"], release, number) for number in range(settings.replicas)],
            "host_port": config.get("server.host_port", 8080),
            "bind": plain(config.get("server.bind")),
            "allowed_hosts": list(config.get("app.allowed_hosts", [])),
            "client_max_body_size": str(config.get("server.max_body_size", "10m")),
            "ipv6": ipv6,
            "mounts": list(mounts),
            "access_log": "%s/windflow-%s.access.log" % (table["nginx"]["log_dir"], manifest.name),
            "error_log": "%s/windflow-%s.error.log" % (table["nginx"]["log_dir"], manifest.name),
        }

    def packages_policy(self) -> dict[str, Any]:
        """What pip may build from source: everything, but in production only what is named."""
        return {
            "only_binary": self.settings.environment == PRODUCTION,
            "source_packages": sorted(self.config.get("app.source_packages", [])),
        }

    def built_from_source(self) -> list[Problem]:
        """Requirements whose code would run when they are installed, and that nobody has named for it."""
        manifest, policy = self.manifest, self.packages_policy()
        spec = manifest.host_section
        if spec.source is None or not policy["only_binary"]:
            return []
        allowed = {requirements.canonical(name) for name in policy["source_packages"]}
        found = []
        for item in requirements.from_source(manifest.path, spec.source, spec.requirements):
            text = re.sub(r"://[^/\s@]*@", "://", item.text)
            if item.name and requirements.canonical(item.name) in allowed:
                continue
            remedy = "ship a wheel with the plugin"
            if not item.name:
                address = "file://%s" % text if text.startswith("/") else text
                remedy += ", or name the package (name @ %s) and add the name to app.source_packages" % address
            elif item.name != ":all:":
                remedy += ", or write app.source_packages: [%s] if its code may run on the host" % item.name
            said = "in production only wheels are installed, and this would be built from source"
            file = "%s/%s" % (manifest.path.name, item.file)
            found.append(Problem.plain("E2037", said, show(text), remedy, file, item.line))
        return found
