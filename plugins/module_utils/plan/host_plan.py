# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the backend ``host``: an application straight on the machine.

The module is a ``ReleaseBackend``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from ..compose.effective import plain, reached
from ..config.adoption import adopts
from ..config.checks import LOCAL_HOSTS
from ..config.loading import Config
from ..database import owners
from ..errors import Problem
from ..manifest import requirements
from ..manifest.reader import Manifest
from ..network.findings import pending
from ..network.wanted import configured, valid
from ..storage import compare, volumes
from ..system import accounts, selinux
from ..system.places import adopted as adopted_directories
from ..text.documents import dump
from ..text.render import program_file, site_file
from ..text.wording import show
from .families import OWN_SERVICE, with_python
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

PACKAGES_DIR = "/var/lib"
PRODUCTION = "production"
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
    "network": "12 network interfaces",
    "services": "13 services",
}
# The steps of a release: if one of them is pending, a new release is made with all of them. A plugin without a program
# has none of them.
RELEASE_STEPS = ("application", "virtualenv", "config", "program", "site")
FORCED = "application"
# The step whose digest the number of instances is part of.
SCALED = "program"


def questions(
    manifest: Manifest, config: Config, _source: Source, tables: dict[str, dict[str, Any]], _environment: str = ""
) -> dict[str, Any]:
    """What this backend asks of the host: some of the arguments of ``host_info``."""
    places = layout(manifest, config)
    parts = surroundings(manifest, config)
    tools = volumes.tools(config.get("storage.volumes", [])) if manifest.host_section.program else []
    tools += ["selinux"] if own_label(manifest, config) else []
    tables = {name: with_python(table, config.get("app.python", "")) for name, table in tables.items()}
    found = {
        "packages": {name: package_names(manifest, table, [*parts, *tools]) for name, table in tables.items()},
        "services": {name: service_names(table, parts) for name, table in tables.items()},
        "available": available(config, tables, parts),
        "database": own_database(manifest, config),
        "volumes": mounted_volumes(manifest, config),
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
                *volume_sizes(config),
                *backing_places(config),
            }
        ),
        "port": config.get("server.host_port", 8080) if manifest.host_section.serves else None,
        "user": places["user"],
        "group": places["group"],
        "directories": owned(all_entries(config, places, "root")),
        "socket_dir": places["run_dir"] if manifest.host_section.serves else "",
    }


def all_entries(config: Config, places: dict[str, str], nginx_group: str) -> list[dict[str, str]]:
    """The directories of an application, its volumes among them, and where volumes are mounted."""
    mounted = [
        {"path": volume["path"], "state": "directory", "owner": places["user"], "group": places["group"], "mode": ""}
        for volume in config.get("storage.volumes", [])
        if volumes.kind_of(volume) != "directory"
    ]
    return directory_entries(places, nginx_group) + volume_entries(config, places) + mounted


def surroundings(manifest: Manifest, config: Config) -> list[str]:
    """What of the system the plugin uses, by the names in the tables of OS families."""
    program = ["supervisor"] if manifest.host_section.program else []
    program += ["nginx"] if manifest.host_section.serves else []
    return program + (["postgresql"] if database_is_local(config) else [])


def own_label(manifest: Manifest, config: Config) -> bool:
    """Whether SELinux, where it is, has to be told that nginx may listen at the port."""
    return bool(manifest.host_section.serves) and config.get("server.host_port", 8080) not in selinux.PORTS


def mounted_volumes(manifest: Manifest, config: Config, host: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The volumes that have a file system of their own; without ``host``, as far as they are known before it is
    asked."""
    if not manifest.host_section.program:
        return []
    places = layout(manifest, config)
    systemd = host is None or host["facts"]["init"] == "systemd"
    given = config.get("storage.volumes", [])
    found = volumes.volumes(given, places["user"], places["group"], systemd, manifest.name)
    return [volume for volume in found if compare.is_mounted(volume)]


def package_names(manifest: Manifest, table: dict[str, Any], parts: list[str]) -> list[str]:
    wanted = ["python", *parts] if manifest.host_section.program else parts
    names = [name for part in wanted for name in table["packages"][part]]
    return sorted({*names, *manifest.host_section.packages.get(table["family"], ())})


def service_names(table: dict[str, Any], parts: list[str]) -> list[str]:
    """The services, and the one of a Supervisor from PyPI, which takes the place of the package's."""
    own = [OWN_SERVICE] if "supervisor" in parts else []
    return [*(table["services"][part] for part in parts), *own]


def available(config: Config, tables: dict[str, dict[str, Any]], parts: list[str]) -> dict[str, list[str]]:
    """Packages of Supervisor by table, for whose repositories it matters whether they have them."""
    if "supervisor" not in parts or config.get("host.supervisor_source", "auto") != "auto":
        return {}
    return {name: table["packages"]["supervisor"] for name, table in tables.items() if table["family"] != "debian"}


def database_is_given(config: Config) -> bool:
    """Whether the database is that of another plugin, which sees to it."""
    return config.layer_of("database.host") == "dependency"


def database_is_local(config: Config) -> bool:
    """Whether the database is on the application's own host and the plugin's own."""
    return config.get("database.host") in LOCAL_HOSTS and not database_is_given(config)


def own_database(manifest: Manifest, config: Config) -> dict[str, Any]:
    """The database on the host that the plugin sees to itself: name, user, port; empty where there is none."""
    found = database_step(manifest, config).data
    return {key: found[key] for key in ("name", "user", "port")} if found["managed"] and found["local"] else {}


def render_values(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    table: dict[str, Any],
    release: str,
    ipv6: bool,
    mounts: Sequence[str] = (),
) -> dict[str, Any]:
    """What the templates of Supervisor's and nginx's files are given."""
    places = layout(manifest, config)
    spec = manifest.host_section
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
        "bind": plain(config.get("server.bind")),
        "allowed_hosts": list(config.get("app.allowed_hosts", [])),
        "client_max_body_size": str(config.get("server.max_body_size", "10m")),
        "ipv6": ipv6,
        "mounts": list(mounts),
        "access_log": "%s/windflow-%s.access.log" % (table["nginx"]["log_dir"], manifest.name),
        "error_log": "%s/windflow-%s.error.log" % (table["nginx"]["log_dir"], manifest.name),
    }


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
        # Of nginx's group is what the program makes there, too, and so the socket that it listens on.
        entry(places["run_dir"], user, nginx_group, "02750"),
        entry(places["data_dir"], user, group, "0750"),
        entry(places["log_dir"], user, group, "0750"),
        entry("/var/log/windflow", "root", "root", "0755"),
        entry(places["program_log_dir"], "root", group, "0750"),
        entry("/etc/windflow", "root", "root", "0755"),
        entry(places["config_dir"], "root", group, "0750"),
    ]
    # Data and logs may be in one.
    entries = list({item["path"]: item for item in entries}.values())
    return parents([item["path"] for item in entries]) + entries


def backing_places(config: Config) -> list[str]:
    """Where volumes in files need room, if there are any."""
    given = config.get("storage.volumes", [])
    return [volumes.BACKING_DIR] if any(volumes.kind_of(volume) == "file" for volume in given) else []


def volume_sizes(config: Config) -> dict[str, tuple[str, float]]:
    """{path: (its key in the configuration, GB that have to be free)} of the volumes that are directories and say
    so."""
    return {
        volume["path"]: ("storage.volumes[%d].size_gb" % index, volume["size_gb"])
        for index, volume in enumerate(config.get("storage.volumes", []))
        if volumes.kind_of(volume) == "directory" and volume.get("size_gb")
    }


def volume_entries(config: Config, places: dict[str, str]) -> list[dict[str, str]]:
    """The volumes that are directories, and the directories above them first."""
    entries = [
        {
            "path": volume["path"],
            "state": "directory",
            "owner": places["user"],
            "group": places["group"],
            "mode": volumes.MODE,
            **{key: given for key, given in (volume.get("options") or {}).items() if key in compare.OWNED and given},
        }
        for volume in config.get("storage.volumes", [])
        if volumes.kind_of(volume) == "directory"
    ]
    return parents([item["path"] for item in entries]) + entries


def source_of(manifest: Manifest, source_digest: SourceDigest) -> Source:
    """The application's files."""
    spec = manifest.host_section
    if spec.source is None:
        return Source(digest([manifest.name, manifest.version]))
    total, listing = source_digest(str(spec.source))
    return Source(total, tuple(listing), requirements.collect(manifest.path, spec.source, spec.requirements))


def application_digest(_manifest: Manifest, _config: Config, source: Source, _made: dict[str, Any]) -> str:
    return digest(source.digest)


def shipped(manifest: Manifest, config: Config, source: Source, made: dict[str, Any]) -> Shipped:
    """What a release is packed of; ``made`` is the plan."""
    host = made["host"]
    settings = Settings(made["environment"], host["replicas"])
    values = render_values(manifest, config, settings, host["os"], made["release"], host["ipv6"], host["mounts"])
    return Shipped(
        root=str(manifest.host_section.source),
        group=host["group"],
        documents={
            "supervisor.conf": program_file(values),
            **({"nginx.conf": site_file(values)} if manifest.host_section.serves else {}),
        },
        readable={"config.yaml": dump(config.data)},
        files=tuple(("requirements/%s" % path, mode, content) for path, mode, content in source.requirements.files),
        venv=made["steps"]["virtualenv"]["name"],
    )


def hook_user(manifest: Manifest, config: Config) -> str:
    """The account that hooks on the host run as."""
    return layout(manifest, config)["user"] if manifest.host_section.program else "nobody"


def relevant_drift(host: dict[str, Any], table: dict[str, Any]) -> list[dict[str, Any]]:
    """The host's drift, less processes that only wait for Supervisor: the step ``services`` starts it,
    and it starts them."""
    supervisor = host["services"].get(table["services"]["supervisor"])
    waiting = supervisor is not None and not supervisor["running"]
    return [item for item in host["drift"] if not (waiting and item["attribute"] == "socket")]


def steps(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    source: Source,
    host: dict[str, Any],
    table: dict[str, Any],
) -> dict[str, Step]:
    """The steps with digests, and with the reasons that the host itself gives."""
    found = surrounding_steps(manifest, config, host, table)
    if manifest.host_section.program:
        found.update(program_steps(manifest, config, settings, source, host, table))
    return {name: found[name] for name in TITLES}


def surrounding_steps(
    manifest: Manifest, config: Config, host: dict[str, Any], table: dict[str, Any]
) -> dict[str, Step]:
    """What every plugin has, and the other steps with nothing to do."""
    found = {name: Step() for name in TITLES}
    found["packages"] = Step(data={"names": host["missing_packages"], "all": sorted(host["packages"])})
    if host["missing_packages"]:
        found["packages"].why.append("missing: %s" % ", ".join(host["missing_packages"]))
    if not manifest.host_section.program:
        # Nothing else of such a plugin has its version.
        found["packages"].digest = digest([manifest.version, sorted(host["packages"])])
    found["directories"].data = {"entries": [], "adopt": False}
    found["volumes"].data = {"entries": [], "adopt": False, "mounted": [], "gone": []}
    found["network"] = network_step(config, host)
    found["virtualenv"].data = {"name": ""}
    found["database"] = database_step(manifest, config)
    found["services"] = Step(data={"names": stopped_services(host), "all": sorted(host["services"])})
    found["services"].why.extend("%s is not running and enabled" % name for name in stopped_services(host))
    wall = firewall(manifest, config, host)
    closed = bool(wall["backend"] and wall["port"]) and not host["facts"]["firewall"]["open"]
    found["services"].data["firewall"] = {**wall, "pending": closed}
    if closed:
        found["services"].why.append("port %d is closed in %s" % (wall["port"], wall["backend"]))
    rules, lacking = selinux_rules(manifest, config, host)
    found["services"].data["selinux"] = {**rules, "pending": bool(lacking)}
    found["services"].why.extend(lacking)
    if manifest.host_section.serves and table["nginx"]["include"]:
        found["services"].why.append("%s does not include %s" % (table["nginx"]["conf"], table["nginx"]["include"]))
    return found


def network_step(config: Config, host: dict[str, Any]) -> Step:
    """The networks whose interfaces are configured. What the others assert has been checked by the preflight."""
    networks = [network.as_dict() for network in configured(config.get("network.networks", []))]
    found = host["facts"].get("networks") or {}
    files = sorted(path for paths in found.get("files", {}).values() for path in paths)
    step = Step(digest(networks) if networks else "", data={"networks": networks, "files": files})
    step.why.extend(pending(networks, found) if found else [])
    return step


def firewall(manifest: Manifest, config: Config, host: dict[str, Any]) -> dict[str, Any]:
    """Returns {"backend", "port", "opened", "close"}: the port that the host's active firewall has to let in, whether
    windflow opens or has opened it, and the port of the revision before, if another that windflow has opened."""
    facts = host["facts"].get("firewall") or {"backend": "", "open": True}
    before = ((host["current"] or {}).get("host") or {}).get("firewall") or {"port": 0, "opened": False}
    port = config.get("server.host_port", 8080) if manifest.host_section.serves and reached_from_outside(config) else 0
    backend = facts["backend"] if port else ""
    opened = bool(backend) and (not facts["open"] or before["opened"] and before["port"] == port)
    close = before["port"] if before["opened"] and before["port"] != port and facts["backend"] else 0
    return {"backend": backend or (facts["backend"] if close else ""), "port": port, "opened": opened, "close": close}


def selinux_rules(manifest: Manifest, config: Config, host: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What SELinux of the host has to allow, and what of it is not there yet, in words.

    The rules are {"name", "text", "module": the text's digest, "directory", "port", "label": the port if windflow has
    to label it or has done so, else 0, "unlabel": the same of the revision before, if it is another port}. Without
    SELinux, the name is "".
    """
    facts = host["facts"].get("selinux") or {"mode": ""}
    before = (((host["current"] or {}).get("host") or {}).get("selinux") or {}).get("label", 0)
    if not facts["mode"] or not (manifest.host_section.program and manifest.host_section.serves):
        return {"name": "", "unlabel": 0, "label": 0}, []
    directory = layout(manifest, config)["run_dir"]
    text, port = selinux.module_text(directory), config.get("server.host_port", 8080)
    label = port if not facts["port"] or before == port else 0
    lacking = []
    if facts["module"] != selinux.digest(text) or not facts["labelled"]:
        lacking.append("SELinux does not let nginx reach %s" % directory)
    if not facts["port"]:
        lacking.append("SELinux does not let nginx listen at port %d" % port)
    rules = {
        "name": selinux.module_name(manifest.name),
        "text": text,
        "module": selinux.digest(text),
        "directory": directory,
        "port": port,
        "label": label,
        "unlabel": before if before != port else 0,
    }
    return rules, lacking


def reached_from_outside(config: Config) -> bool:
    """Whether nginx listens at an address that is not of the host alone."""
    bind = plain(config.get("server.bind"))
    return not bind or not ipaddress.ip_address(bind).is_loopback


def program_steps(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    source: Source,
    host: dict[str, Any],
    table: dict[str, Any],
) -> dict[str, Step]:
    """The steps of a plugin that has a program."""
    places = layout(manifest, config)
    facts = host["facts"]
    # A release's name must not make its own files differ: digests are taken with a fixed one.
    mounted = mounted_volumes(manifest, config, host)
    values = render_values(manifest, config, settings, table, "RELEASE", facts["ipv6"], mount_points(mounted, facts))
    policy = packages_policy(config, settings)
    interpreter = table["python"]["interpreter"]
    version = re.search(r"[0-9]\.[0-9]+\Z", interpreter)
    python = version.group() if version else facts["python"].rsplit(".", 1)[0]
    environment = digest({"requirements": source.requirements.digest, "python": python, **policy})
    current = host["current"] or {}
    venv = current.get("venv") or ""
    drifted = any(item["step"] == "virtualenv" for item in host["drift"])
    if not venv.startswith(environment[:12]) or drifted:
        venv = "%s-%s" % (environment[:12], settings.time)
    return {
        "account": account_step(places, table, config, host),
        "directories": entries_step(
            directory_entries(places, table["nginx"]["user"] if manifest.host_section.serves else places["group"]),
            adopts(config, "directories"),
        ),
        "application": Step(application_digest(manifest, config, source, {})),
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
        # Processes that have files of another mount open have to make place for new ones.
        "program": Step(digest([program_file(values), mounted] if mounted else program_file(values))),
        "site": Step(digest(site_file(values)) if manifest.host_section.serves else ""),
        "volumes": volumes_step(manifest, config, host),
    }


def recorded_volumes(host: dict[str, Any]) -> list[dict[str, Any]]:
    """The mounted volumes of the deployed revision; one of an earlier version of the platform has none."""
    return ((host["current"] or {}).get("host") or {}).get("storage", [])


def mount_points(mounted: list[dict[str, Any]], facts: dict[str, Any]) -> list[str]:
    """Where the volumes are mounted, without links, as the host's table of mounts names it."""
    return [facts["volumes"][volume["path"]]["at"] for volume in mounted]


def volumes_step(manifest: Manifest, config: Config, host: dict[str, Any]) -> Step:
    """Directories, and what is mounted. ``gone`` are volumes of the deployed revision that are not wanted any more."""
    step = entries_step(volume_entries(config, layout(manifest, config)), adopts(config, "directories"))
    mounted = mounted_volumes(manifest, config, host)
    paths = {volume["path"] for volume in config.get("storage.volumes", [])}
    recorded = recorded_volumes(host)
    gone = [volume for volume in recorded if volume["path"] not in paths]
    if mounted or recorded:
        step.digest = digest([step.data["entries"], mounted])
    drift = [item for item in host["drift"] if item["step"] == "volumes"]
    step.why.extend(volumes.reasons(mounted, host["facts"]["volumes"], drift))
    step.data.update(mounted=mounted, gone=gone)
    return step


def packages_policy(config: Config, settings: Settings) -> dict[str, Any]:
    """What pip may build from source: everything, but in production only what is named."""
    return {
        "only_binary": settings.environment == PRODUCTION,
        "source_packages": sorted(config.get("app.source_packages", [])),
    }


def built_from_source(manifest: Manifest, config: Config, settings: Settings) -> list[Problem]:
    """Requirements whose code would run when they are installed, and that nobody has named for it."""
    spec, policy = manifest.host_section, packages_policy(config, settings)
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


def account_step(places: dict[str, str], table: dict[str, Any], config: Config, host: dict[str, Any]) -> Step:
    """What was made for the plugin is brought to what is wanted; what is adopted is used as it is."""
    wanted = {"group": places["group"], "home": places["data_dir"], "shell": table["nologin"]}
    adopt = [kind for kind in ("account", "group") if adopts(config, kind)]
    step = Step(data={"user": places["user"], **wanted, "adopt": adopt})
    found = host["facts"]["account"]
    if found is None:
        step.why.append("user %s does not exist" % places["user"])
    elif places["user"] in host["made"]["account"]:
        step.why.extend(
            "user %s has %s %s instead of %s" % (places["user"], key, found[key], value)
            for key, value in wanted.items()
            if found[key] != value
        )
    return step


def adopted(manifest: Manifest, config: Config, host: dict[str, Any], table: dict[str, Any]) -> list[str]:
    """What is used though windflow has not made it, in words."""
    places, facts, made = layout(manifest, config), host["facts"], host["made"]
    wanted = own_database(manifest, config)
    found = owners.adopted(wanted["name"], wanted["user"], facts["database"], made) if wanted else []
    if not manifest.host_section.program:
        return found
    entries = directory_entries(places, table["nginx"]["user"]) + volume_entries(config, places)
    return [
        *found,
        *accounts.adopted(places["user"], places["group"], facts["account"], facts["group"], made),
        *adopted_directories(manifest.name, facts["directories"]["host"], made["directories"], entries),
    ]


def database_step(manifest: Manifest, config: Config) -> Step:
    wanted = config.get("database")
    if not wanted or database_is_given(config):
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
    password = without_secrets(config, manifest.name)["database"].get("password")
    adopt = [kind for kind in owners.KINDS if adopts(config, kind)]
    return Step(digest({**data, "password": password}), data={**data, "adopt": adopt})


def stopped_services(host: dict[str, Any]) -> list[str]:
    return [name for name, state in host["services"].items() if not (state["running"] and state["enabled"])]


def section(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    host: dict[str, Any],
    table: dict[str, Any],
    plan: dict[str, Any],
) -> dict[str, Any]:
    """What the tasks need besides the steps."""
    if not manifest.host_section.program:
        networks = plan["steps"]["network"]["networks"]
        return {"port": 0, "program": "", "os": table, "init": host["facts"]["init"], "networks": networks}
    values = render_values(manifest, config, settings, table, plan["release"], host["facts"]["ipv6"])
    spec = manifest.host_section
    return {
        **{key: values[key] for key in layout(manifest, config)},
        "port": values["host_port"] if spec.serves else 0,
        "address": reached(values["bind"]),
        "listening": values["bind"],
        "replicas": settings.replicas,
        "health": spec.health or "",
        "health_timeout": spec.health_timeout,
        "host_header": host_header(values["allowed_hosts"]),
        "program": "windflow-%s-%s" % (manifest.name, plan["release"]),
        "sockets": values["sockets"] if spec.serves else [],
        "volumes": [volume["path"] for volume in config.get("storage.volumes", [])],
        "storage": plan["steps"]["volumes"]["mounted"],
        "mounts": mount_points(plan["steps"]["volumes"]["mounted"], host["facts"]),
        "os": table,
        "init": host["facts"]["init"],
        "ipv6": host["facts"]["ipv6"],
        "firewall": plan["steps"]["services"]["firewall"],
        "selinux": plan["steps"]["services"]["selinux"],
        "networks": plan["steps"]["network"]["networks"],
    }


def host_header(allowed_hosts: list[str]) -> str:
    """A name that nginx answers to: the first allowed one, something below it if it is a pattern."""
    if not allowed_hosts or "*" in allowed_hosts:
        return "localhost"
    name = allowed_hosts[0]
    return "www.%s" % name.lstrip("*.") if name.startswith(("*", ".")) else name


def resources(plan: dict[str, Any]) -> dict[str, Any]:
    """What the host is asked to remember at the end of the run, and is compared with afterwards."""
    steps = plan["steps"]
    database = steps["database"]
    mine = database["managed"] and database["local"]
    wall = steps["services"]["firewall"]
    found = {
        "packages": steps["packages"]["all"],
        "services": steps["services"]["all"],
        "database": {key: database[key] for key in ("name", "user", "port")} if mine else {},
    }
    if wall["backend"] and wall["port"]:
        found["firewall"] = {key: wall[key] for key in ("backend", "port")}
    rules = steps["services"]["selinux"]
    if rules["name"]:
        found["selinux"] = {key: rules[key] for key in ("name", "module", "directory", "port")}
    if steps["network"]["networks"]:
        found["networks"] = steps["network"]["networks"]
    if plan["host"]["program"]:
        found.update(program_resources(plan))
    if steps["network"]["files"]:
        files = [{"path": path, "step": "network"} for path in steps["network"]["files"]]
        found["paths"] = [*found.get("paths", []), *files]
    return found


def program_resources(plan: dict[str, Any]) -> dict[str, Any]:
    """The same, of a program."""
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
        ("%s/current" % host["install_dir"], "application"),
        ("%s/venv" % release_dir, "virtualenv"),
    ]
    if host["port"]:
        directories = (table["nginx"]["available_dir"], table["nginx"]["enabled_dir"])
        paths += [("%s/%s" % (directory, site), "site") for directory in directories]
    return {
        "volumes": host["storage"],
        "paths": [{"path": path, "step": step} for path, step in paths],
        "trees": [
            {"root": "%s/app" % release_dir, "step": "application"},
            {"root": steps["virtualenv"]["path"], "step": "virtualenv"},
        ],
        "program": {"sockets": host["sockets"]},
    }


def revision(plan: dict[str, Any]) -> dict[str, Any]:
    """What the record keeps of a revision of this backend, besides what it keeps of every one."""
    return {
        "venv": plan["steps"]["virtualenv"]["name"],
        "port": plan["host"]["port"],
        "host": plan["host"],
        "database": plan["resources"]["database"],
    }
