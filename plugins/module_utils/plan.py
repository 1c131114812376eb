# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifest, configuration and what a host reports, turned into the steps that bring it there.

``build`` is pure: the same inputs give the same plan. A plan holds no secret: where a secret decides
whether a step is pending, its digest takes a slow salted fingerprint of it instead.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .config import Config
from .documents import dump
from .manifest import Manifest
from .plugin_files import HookSpec
from .render import program_file, site_file

SUPPORTED_FAMILIES = ("debian",)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
RELEASE_STEPS = ("application", "virtualenv", "config", "program", "site")
TITLES = {
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
    "services": "13 services",
    "hooks": "hooks",
}
FINGERPRINT_ROUNDS = 10_000
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Settings:
    """What the operator asks for besides configuration."""

    environment: str = ""
    replicas: int = 1
    force: bool = False
    time: str = ""  # UTC, as in a release's name: 20261123T012327Z


@dataclass(frozen=True)
class Source:
    """The application's files: digest of all, and (relative path, mode, sha256) of each."""

    digest: str = ""
    listing: tuple = ()
    requirements: str = ""


@dataclass
class Step:
    """One step: what it manages, why it is pending (empty where it is not), what its tasks need."""

    digest: str = ""
    why: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"pending": bool(self.why), "why": self.why, "digest": self.digest, **self.data}


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@functools.lru_cache(maxsize=256)
def fingerprint(secret: str, salt: str) -> str:
    """A secret's stand-in inside digests. Slow and salted, because digests are kept and shown."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt.encode(), FINGERPRINT_ROUNDS).hex()


def without_secrets(config: Config, plugin: str) -> Any:
    """The configuration with each secret replaced by its fingerprint."""

    def walk(value: Any, path: tuple) -> Any:
        if path in config.secrets:
            return fingerprint(json.dumps(value, sort_keys=True), "windflow:%s:%s" % (plugin, path))
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        return value

    return walk(config.data, ())


def layout(manifest: Manifest, config: Config) -> dict[str, str]:
    """Directories and account of an application, as configured or after the plugin's name."""
    name = manifest.name
    install_dir = config.get("app.install_dir", "/opt/%s" % name)
    user = config.get("app.user", name)
    return {
        "install_dir": install_dir,
        "data_dir": config.get("app.data_dir", "/var/lib/%s" % name),
        "log_dir": config.get("app.log_dir", "/var/log/%s" % name),
        # Supervisor opens its logs as root: not in a directory where the application could plant a link.
        "program_log_dir": "/var/log/windflow/%s" % name,
        "run_dir": "%s/run" % install_dir,
        "shared_dir": "%s/shared" % install_dir,
        "user": user,
        "group": config.get("app.group", user),
        "config_dir": "/etc/windflow/%s" % name,
    }


def questions(manifest: Manifest, config: Config, os_table: dict[str, dict]) -> dict[str, Any]:
    """What the host is asked in the one call before the plan: arguments of ``host_info``."""
    asked: dict[str, Any] = {"plugin": manifest.name, "packages": {}, "services": {}, "paths": []}
    asked.update(port=None, user=None, group=None)
    if manifest.host is None:
        return asked
    places = layout(manifest, config)
    local = database_is_local(config)
    return {
        **asked,
        "packages": {family: package_names(manifest, table, local) for family, table in os_table.items()},
        "services": {family: service_names(table, local) for family, table in os_table.items()},
        "paths": sorted({places["install_dir"], places["data_dir"], places["log_dir"]}),
        "port": config.get("server.host_port", 8080),
        "user": places["user"],
        "group": places["group"],
    }


def package_names(manifest: Manifest, table: dict, local_database: bool) -> list[str]:
    wanted = ["python", "nginx", "supervisor"] + (["postgresql"] if local_database else [])
    names = [name for part in wanted for name in table["packages"][part]]
    return sorted({*names, *manifest.host.packages.get(table["family"], ())})


def service_names(table: dict, local_database: bool) -> list[str]:
    wanted = ["nginx", "supervisor"] + (["postgresql"] if local_database else [])
    return [table["services"][part] for part in wanted]


def database_is_local(config: Config) -> bool:
    return config.get("database.host") in LOCAL_HOSTS


def event_of(manifest: Manifest, current: dict | None) -> str:
    """install, upgrade (another version) or deploy (the same version again)."""
    if current is None:
        return "install"
    return "deploy" if current["version"] == manifest.version else "upgrade"


def events_of(event: str) -> dict[str, list[str]]:
    """The hooks' events of a run: the outer pair runs outside the inner one."""
    outer = [event] if event != "deploy" else []
    return {
        "pre": ["pre-%s" % name for name in (*outer, "deploy")],
        "post": ["post-%s" % name for name in ("deploy", *outer)],
    }


def render_values(
    manifest: Manifest, config: Config, settings: Settings, table: dict, release: str, ipv6: bool
) -> dict:
    """What the templates of Supervisor's and nginx's files are given."""
    places = layout(manifest, config)
    spec = manifest.host
    release_dir = "%s/releases/%s" % (places["install_dir"], release)
    return {
        **places,
        "plugin": manifest.name,
        "release": release,
        "version": manifest.version,
        "environment": settings.environment,
        "replicas": settings.replicas,
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
        "allowed_hosts": list(config.get("app.allowed_hosts", [])),
        "client_max_body_size": "10m",
        "ipv6": ipv6,
        "access_log": "%s/windflow-%s.access.log" % (table["nginx"]["log_dir"], manifest.name),
        "error_log": "%s/windflow-%s.error.log" % (table["nginx"]["log_dir"], manifest.name),
    }


def parents(paths: list[str]) -> list[dict[str, str]]:
    """The directories above ``paths``, outermost first. They have to be there; whose they are is not ours to say."""
    found = {str(parent) for path in paths for parent in Path(path).parents}
    return [{"path": path, "state": "directory"} for path in sorted(found - {"/", *paths})]


def directory_entries(places: dict[str, str], nginx_group: str) -> list[dict[str, str]]:
    """The directories of an application, those above them first."""

    def entry(path: str, owner: str, group: str, mode: str) -> dict[str, str]:
        return {"path": path, "state": "directory", "owner": owner, "group": group, "mode": mode}

    user, group, install_dir = places["user"], places["group"], places["install_dir"]
    entries = [
        entry(install_dir, "root", "root", "0755"),
        entry("%s/releases" % install_dir, "root", "root", "0755"),
        entry("%s/venvs" % install_dir, "root", "root", "0755"),
        entry(places["shared_dir"], user, group, "0750"),
        entry(places["run_dir"], user, nginx_group, "0750"),
        entry(places["data_dir"], user, group, "0750"),
        entry(places["log_dir"], user, group, "0750"),
        entry("/var/log/windflow", "root", "root", "0755"),
        entry(places["program_log_dir"], "root", group, "0750"),
        entry("/etc/windflow", "root", "root", "0755"),
        entry(places["config_dir"], "root", group, "0750"),
    ]
    return parents([item["path"] for item in entries]) + entries


def volume_entries(config: Config, places: dict[str, str]) -> list[dict[str, str]]:
    """The directories of the local volumes, those above them first."""
    entries = [
        {
            "path": volume["path"],
            "state": "directory",
            "owner": places["user"],
            "group": places["group"],
            "mode": "0750",
        }
        for volume in config.get("storage.volumes", [])
        if volume.get("type", "local") == "local"
    ]
    return parents([item["path"] for item in entries]) + entries


def build(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    source: Source,
    host: dict[str, Any],
    table: dict[str, Any] | None,
    target: str,
) -> dict[str, Any]:
    """The plan of one host as plain data; ``host`` is the answer of ``host_info``."""
    current = host["current"]
    drift = relevant_drift(host, table)
    event = event_of(manifest, current)
    release = "%s-%s" % (settings.time, source.digest[:8])
    if target == "host":
        steps = host_steps(manifest, config, settings, source, host, table, release)
    else:
        wanted = [manifest.version, source.digest, without_secrets(config, manifest.name)]
        steps = {"hooks": Step(digest(wanted))}
    mark_pending(steps, current, drift, settings.force)
    pending = any(step.why for step in steps.values())
    new_release = target == "host" and any(steps[name].why for name in RELEASE_STEPS)
    plan = {
        "plugin": manifest.name,
        "version": manifest.version,
        "from_version": current["version"] if current else "",
        "target": target,
        "role": "windflow.platform.%s" % target if target else "",
        "environment": settings.environment,
        "event": event,
        "events": events_of(event),
        "release": release if new_release or current is None else current["release"],
        "new_release": new_release,
        "pending": pending,
        "steps": {name: step.as_dict() for name, step in steps.items()},
        "digests": {name: step.digest for name, step in steps.items() if step.digest},
        "drift": drift,
        "config_before": (current or {}).get("config", ""),
        "config": dump(config.redacted()),
    }
    plan["revision"] = {key: plan[key] for key in ("release", "version", "environment", "target", "event", "digests")}
    plan["revision"]["config"] = plan["config"]
    plan["resources"] = {}
    if target == "host":
        plan["host"] = host_section(manifest, config, settings, host, table, plan)
        plan["resources"] = resources(plan)
        plan["revision"].update(
            venv=steps["virtualenv"].data["name"],
            port=plan["host"]["port"],
            host=plan["host"],
            database=plan["resources"]["database"],
        )
    return plan


def relevant_drift(host: dict[str, Any], table: dict[str, Any] | None) -> list[dict]:
    """The host's drift, less processes that only wait for Supervisor: the step ``services`` starts it,
    and it starts them."""
    supervisor = host["services"].get(table["services"]["supervisor"]) if table else None
    waiting = supervisor is not None and not supervisor["running"]
    return [item for item in host["drift"] if not (waiting and item["attribute"] == "socket")]


def host_steps(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    source: Source,
    host: dict[str, Any],
    table: dict[str, Any],
    release: str,
) -> dict[str, Step]:
    """The steps of the host backend with digests, and with the reasons that the host itself gives."""
    places = layout(manifest, config)
    facts = host["facts"]
    # A release's name must not make its own files differ: digests are taken with a fixed one.
    values = render_values(manifest, config, settings, table, "RELEASE", facts["ipv6"])
    requirements = digest({"requirements": source.requirements, "python": facts["python"].rsplit(".", 1)[0]})
    current = host["current"] or {}
    venv = current.get("venv") or ""
    drifted = any(item["step"] == "virtualenv" for item in host["drift"])
    if not venv.startswith(requirements[:12]) or drifted:
        venv = "%s-%s" % (requirements[:12], settings.time)
    steps = {
        "packages": Step(data={"names": host["missing_packages"], "all": sorted(host["packages"])}),
        "account": account_step(places, table, facts),
        "directories": entries_step(directory_entries(places, table["nginx"]["user"])),
        "application": Step(digest(source.digest)),
        "virtualenv": Step(requirements, data={"name": venv, "path": "%s/venvs/%s" % (places["install_dir"], venv)}),
        "config": Step(digest(without_secrets(config, manifest.name))),
        "program": Step(digest(program_file(values))),
        "site": Step(digest(site_file(values))),
        "database": database_step(manifest, config),
        "volumes": entries_step(volume_entries(config, places)),
        "services": Step(data={"names": stopped_services(host)}),
    }
    if host["missing_packages"]:
        steps["packages"].why.append("missing: %s" % ", ".join(host["missing_packages"]))
    steps["services"].why.extend("%s is not running and enabled" % name for name in stopped_services(host))
    return steps


def entries_step(entries: list[dict[str, str]]) -> Step:
    return Step(digest(entries) if entries else "", data={"entries": entries})


def account_step(places: dict[str, str], table: dict[str, Any], facts: dict[str, Any]) -> Step:
    wanted = {"group": places["group"], "home": places["data_dir"], "shell": table["nologin"]}
    step = Step(data={"user": places["user"], **wanted, "create_group": not facts["group"]})
    found = facts["account"]
    if found is None:
        step.why.append("user %s does not exist" % places["user"])
    else:
        step.why.extend(
            "user %s has %s %s instead of %s" % (places["user"], key, found[key], value)
            for key, value in wanted.items()
            if found[key] != value
        )
    return step


def database_step(manifest: Manifest, config: Config) -> Step:
    wanted = config.get("database")
    if not wanted:
        return Step(data={"managed": False})
    local = database_is_local(config)
    data = {
        "managed": True,
        "local": local,
        "host": wanted.get("host", ""),
        "port": wanted.get("port", 5432),
        "name": wanted.get("name", manifest.name),
        "user": wanted.get("user", manifest.name),
        "max_connections": wanted.get("max_connections", -1),
    }
    return Step(
        digest({**data, "password": without_secrets(config, manifest.name)["database"].get("password")}), data=data
    )


def stopped_services(host: dict[str, Any]) -> list[str]:
    return [name for name, state in host["services"].items() if not (state["running"] and state["enabled"])]


def mark_pending(steps: dict[str, Step], current: dict | None, drift: list[dict], force: bool) -> None:
    """Adds the reasons that come from the record: never applied, changed since, drifted, forced."""
    recorded = current["digests"] if current else {}
    for name, step in steps.items():
        if step.digest and name not in recorded:
            step.why.append("not applied yet")
        elif step.digest and recorded[name] != step.digest:
            step.why.append("changed since revision %d" % current["revision"])
    for item in drift:
        if item["step"] in steps:
            steps[item["step"]].why.append(describe_drift(item))
    if force:
        steps["application" if "application" in steps else "hooks"].why.append("forced")


def describe_drift(item: dict[str, Any]) -> str:
    found, expected = (
        "%s…" % value[:12] if DIGEST.fullmatch(value) else value for value in (item["found"], item["expected"])
    )
    return "%s: %s is %s, was %s" % (item["resource"], item["attribute"], found, expected)


def host_section(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    host: dict[str, Any],
    table: dict[str, Any],
    plan: dict[str, Any],
) -> dict[str, Any]:
    """What the host backend's tasks need besides the steps."""
    values = render_values(manifest, config, settings, table, plan["release"], host["facts"]["ipv6"])
    spec = manifest.host
    return {
        **{key: values[key] for key in layout(manifest, config)},
        "port": values["host_port"],
        "replicas": settings.replicas,
        "health": spec.health or "",
        "health_timeout": spec.health_timeout,
        "host_header": host_header(values["allowed_hosts"]),
        "program": "windflow-%s-%s" % (manifest.name, plan["release"]),
        "sockets": values["sockets"],
        "volumes": [entry["path"] for entry in volume_entries(config, values) if "owner" in entry],
        "os": table,
        "init": host["facts"]["init"],
        "ipv6": host["facts"]["ipv6"],
    }


def host_header(allowed_hosts: list[str]) -> str:
    """A name that nginx answers to: the first allowed one, something below it if it is a pattern."""
    if not allowed_hosts or "*" in allowed_hosts:
        return "localhost"
    name = allowed_hosts[0]
    return "www.%s" % name.lstrip("*.") if name.startswith(("*", ".")) else name


def resources(plan: dict[str, Any]) -> dict[str, Any]:
    """What the host is asked to remember at the end of the run, and is compared with afterwards."""
    host, steps, table = plan["host"], plan["steps"], plan["host"]["os"]
    release_dir = "%s/releases/%s" % (host["install_dir"], plan["release"])
    site = "windflow-%s.conf" % plan["plugin"]
    paths = [
        (entry["path"], name)
        for name in ("directories", "volumes")
        for entry in steps[name]["entries"]
        if "owner" in entry
    ]
    paths += [
        ("%s/config.yaml" % release_dir, "config"),
        ("%s/config.yaml" % host["config_dir"], "config"),
        (
            "%s/%s.%s" % (table["supervisor"]["program_dir"], host["program"], table["supervisor"]["program_ext"]),
            "program",
        ),
        ("%s/%s" % (table["nginx"]["available_dir"], site), "site"),
        ("%s/%s" % (table["nginx"]["enabled_dir"], site), "site"),
        ("%s/current" % host["install_dir"], "application"),
        ("%s/venv" % release_dir, "virtualenv"),
    ]
    database = steps["database"]
    return {
        "paths": [{"path": path, "step": step} for path, step in paths],
        "trees": [
            {"root": "%s/app" % release_dir, "step": "application"},
            {"root": steps["virtualenv"]["path"], "step": "virtualenv"},
        ],
        "program": {"sockets": host["sockets"]},
        "database": (
            {key: database[key] for key in ("name", "user", "port")}
            if database["managed"] and database["local"]
            else {}
        ),
    }


def sources_of(manifest: Manifest, source_digest) -> Source:
    """Reads the application's files, or the hooks of a plugin that has nothing else.

    ``source_digest`` is ``tree.source_digest``.
    """
    spec = manifest.host
    if spec is None:
        return Source(digest([hook_content(manifest, hook) for hooks in manifest.hooks.values() for hook in hooks]))
    total, listing = source_digest(str(spec.source))
    requirements = Path(spec.requirements).read_text(encoding="utf-8") if spec.requirements else ""
    return Source(total, tuple(listing), requirements)


def hook_content(manifest: Manifest, hook: HookSpec) -> list:
    """What a hook is, wherever the plugin's directory lies."""
    content = hashlib.sha256(hook.path.read_bytes()).hexdigest()
    path = str(hook.path.relative_to(manifest.path))
    return [hook.event, path, hook.on, hook.run, hook.timeout, hook.privileged, content]


def as_text(plan: dict[str, Any]) -> str:
    """The pending steps with their reasons, one a line."""
    lines = [
        "%s: %s" % (TITLES[name], reason)
        for name, step in plan["steps"].items()
        if step["pending"]
        for reason in step["why"]
    ]
    return "".join("%s\n" % line for line in lines)
