# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of a host before anything is written to it. All findings at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ..backends import compose_plan, host_entries, host_system
from ..backends.backend import Backend, Settings, Source
from ..backends.compose_plan import ComposeBackend
from ..backends.families import load_all
from ..backends.host_plan import HostBackend
from ..backends.steps import owned, places_in
from ..config.loading import Config
from ..database import owners
from ..errors import Problem
from ..manifest.compatibility import refused_by, unknown
from ..manifest.reader import Manifest
from ..network.findings import findings as findings_of_networks
from ..network.wanted import valid
from ..storage import volumes as storage
from ..system import accounts, selinux
from ..system.inspect_host import choose
from ..system.places import findings as findings_of_places
from ..text.version import parse_version

NOTHING = Source()
TARGET_PYTHON = (3, 9)
# What a deploy needs at least: the application's and the virtual environment's files, and, where
# packages are missing, those too (nginx, Supervisor and PostgreSQL take about 300 MB on Debian 13).
FREE_MB = 300
FREE_MB_WITH_PACKAGES = 800
FREE_INODES = 5_000
# The first that can reset a value in an overlay file.
COMPOSE = (2, 18)


def findings(backend: Backend, host: dict[str, Any], source: Source = NOTHING) -> tuple[list[Problem], list[Problem]]:
    """Errors and warnings about one host, each at the place of the value that it is about."""
    errors = everywhere(backend, host)
    warnings: list[Problem] = []
    if backend.TARGET:
        errors += unmet(backend.TARGET, backend.config, host)
        too_small = resources(backend.config, host["facts"])
        (errors if backend.settings.environment == "production" else warnings).extend(too_small)
        errors += port(backend.config, host, backend.TARGET)
        errors += directories(backend, host)
    if isinstance(backend, HostBackend):
        errors += on_the_machine(backend, host)
        warnings += packages_of_others(backend.manifest, host["facts"])
    elif isinstance(backend, ComposeBackend):
        errors += in_containers(backend, host, source)
    config = backend.config
    return [placed(config, problem) for problem in errors], [placed(config, problem) for problem in warnings]


def placed(config: Config, problem: Problem) -> Problem:
    """The problem with file and line of its path, if that is a key of the configuration."""
    path = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", problem.path))
    if not path or path[0] not in config.data:
        return problem
    file, line, column = config.place(path)
    return replace(problem, file=file, line=line, column=column)


def everywhere(backend: Backend, host: dict[str, Any]) -> list[Problem]:
    """What every plugin needs, whatever its target."""
    found = []
    if not host["facts"]["root"]:
        remedy = "set become: true, or connect as root"
        found.append(Problem.plain("E2001", "the run has no root rights on the host", "", remedy))
    found += downgrade(backend.manifest, backend.settings, host)
    return found + dependents(backend.manifest, host)


def on_the_machine(backend: HostBackend, host: dict[str, Any]) -> list[Problem]:
    """What an application needs that is straight on the machine."""
    facts, volumes = host["facts"], host_entries.volume_sizes(backend.config)
    return [
        *services(backend.manifest, host),
        *silent(facts),
        *space(facts, bool(host["missing_packages"]), volumes),
        *mount_options(facts, volumes, backend.layout["install_dir"] if runs_its_own(backend.manifest) else ""),
        *shared_memory(backend.manifest, facts),
        *home_labels(backend, facts),
        *volume_space(facts, volumes, host["current"]),
        *mounted(backend, host),
        *networks(backend.config, backend.settings, host),
        *account(backend, host),
        *backend.built_from_source(),
        *database(backend, host),
    ]


def in_containers(backend: ComposeBackend, host: dict[str, Any], source: Source) -> list[Problem]:
    """What an application needs that is in containers."""
    found = space(host["facts"], False) + mount_options(host["facts"])
    if backend.settings.engine == "swarm":
        found += swarm(host["engine"])
    if not container_engine(host["engine"]):
        found += backend.findings(source, host)
    return found


def downgrade(manifest: Manifest, settings: Settings, host: dict[str, Any]) -> list[Problem]:
    """An older version than the deployed one may not know what a newer one has done to the data."""
    current = host["current"]
    if settings.downgrade or not current or parse_version(manifest.version) >= parse_version(current["version"]):
        return []
    remedy = "run the playbook rollback, or deploy it by its own name with allow_downgrade=true"
    said = "version %s is deployed, which is newer" % current["version"]
    return [Problem.plain("E2021", said, manifest.version, remedy, path=manifest.name)]


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
        return [Problem.plain("E2017", "no Docker Engine answers", engine.get("error") or "", remedy)]
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


def operating_system(config: Config, facts: dict[str, Any]) -> list[Problem]:
    """Whether the host is what is configured, and one that the platform has a table for."""
    found: list[Problem] = []
    tables = load_all()
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
    found += os_version(config, facts)
    if not (choose(tables, facts["os"]) or {}).get("supported"):
        supported = ", ".join(dict.fromkeys(table["supported"] for table in tables.values() if table["supported"]))
        expected = "an operating system that is supported"
        found.append(Problem("E2003", expected, shown, "choose a host with one of: %s" % supported))
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


def packages_of_others(manifest: Manifest, facts: dict[str, Any]) -> list[Problem]:
    """Packages that plugin.yml names for other families alone: the application may need theirs here, too."""
    named, family = manifest.host_section.packages, facts["os"]["family"]
    if not any(named.values()) or family in named:
        return []
    said = "plugin.yml names packages for other OS families, and none for %s" % family
    remedy = "add %s to host.packages of plugin.yml, with an empty list if it needs none" % family
    return [Problem.plain("E2068", said, ", ".join(sorted(named)), remedy, file=str(manifest.path / "plugin.yml"))]


def volume_space(facts: dict[str, Any], volumes: dict[str, Any], current: dict[str, Any] | None) -> list[Problem]:
    """Room for volumes that are not there yet, those on one file system together."""
    there = ((current or {}).get("host") or {}).get("volumes", [])
    found: list[Problem] = []
    wanted: dict[Any, float] = {}
    for path, (key, size) in volumes.items():
        free = facts["space"].get(path)
        if free is None or path in there or "silent" in free:
            continue
        device = free.get("device", path)
        wanted[device] = wanted.get(device, 0) + size
        if free["mb"] < wanted[device] * 1024:
            others = "" if wanted[device] == size else ", %g with the volumes before it" % wanted[device]
            expected = "%g GB free at %s%s" % (size, path, others)
            remedy = "free some space, lower size_gb, or choose another path"
            found.append(Problem("E2048", expected, "%.1f GB" % (free["mb"] / 1024), remedy, path=key))
    return found


def silent(facts: dict[str, Any]) -> list[Problem]:
    """Mounts that the application's directories lie on, and that do not answer. A volume's own is told with it."""
    seen = [*facts["space"].values(), *(item for group in facts["directories"].values() for item in group.values())]
    own = {item["fault"].replace("none from ", "", 1) for item in facts["volumes"].values()}
    texts = {item["silent"] for item in seen if item.get("silent")} - own
    remedy = "start the server, or unmount it (umount --lazy) on the host"
    return [Problem.plain("E2066", "a mount of the host does not answer", text, remedy) for text in sorted(texts)]


def mounted(backend: HostBackend, host: dict[str, Any]) -> list[Problem]:
    """What keeps volumes from being made and mounted."""
    wanted, facts = host_entries.mounted_volumes(backend, host), host["facts"]
    given = enumerate(backend.config.get("storage.volumes", []))
    keys = {volume["path"]: "storage.volumes[%d]" % index for index, volume in given}
    known = [volume["source"] for volume in host_entries.recorded_volumes(host)]
    found = storage.findings(wanted, facts["volumes"], host["made"].get("volumes", []), known, keys)
    free = facts["space"].get(storage.BACKING_DIR, {}).get("mb")
    needed = 0.0
    for volume in (item for item in wanted if item["kind"] == "file"):
        needed += max(0.0, volume["size_gb"] - facts["volumes"][volume["path"]]["size_gb"])
        if free is not None and free < needed * 1024:
            expected = "%g GB free in %s" % (needed, storage.BACKING_DIR)
            remedy, key = "free some space, or lower size_gb", "%s.size_gb" % keys[volume["path"]]
            found.append(Problem("E2048", expected, "%.1f GB" % (free / 1024), remedy, path=key))
    return found


def space(facts: dict[str, Any], packages_missing: bool, volumes: Collection[str] = ()) -> list[Problem]:
    needed = FREE_MB_WITH_PACKAGES if packages_missing else FREE_MB
    found = []
    for path, free in sorted(facts["space"].items()):
        if path in volumes or path == storage.BACKING_DIR or "silent" in free:
            continue
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


def runs_its_own(manifest: Manifest) -> bool:
    """Whether the application's program is one of its virtual environment or of its source."""
    spec = manifest.host_section
    return bool(spec.wsgi or spec.asgi or (spec.command and not spec.command[0].startswith("/")))


def mount_options(facts: dict[str, Any], volumes: Collection[str] = (), programs: str = "") -> list[Problem]:
    """File systems that can hold no directory of the application as they are mounted. From ``programs`` some run."""
    found = []
    for path, free in sorted(facts["space"].items()):
        if path not in volumes and free.get("ro"):
            remedy = "mount it writable (mount -o remount,rw), or choose another directory"
            found.append(Problem("E2067", "a file system that can be written to", "a read-only one", remedy, path=path))
        elif path == programs and free.get("noexec"):
            remedy = "mount it without noexec, or set another app.install_dir"
            found.append(Problem("E2067", "a file system that programs run from", "one with noexec", remedy, path=path))
    return found


def shared_memory(manifest: Manifest, facts: dict[str, Any]) -> list[Problem]:
    """Whether gunicorn's workers can have the files by which it sees that they live."""
    spec = manifest.host_section
    if not (spec.wsgi or spec.asgi) or facts.get("shared_memory", True):
        return []
    expected = "a directory that the application can write to, for gunicorn"
    remedy = "mount it (mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm), or set its mode to 1777"
    return [Problem("E2067", expected, "none, or one that only others can write to", remedy, path="/dev/shm")]


def home_labels(backend: HostBackend, facts: dict[str, Any]) -> list[Problem]:
    """Whether SELinux lets the plugin give the sockets' directory a label."""
    given = (facts.get("selinux") or {}).get("overruled")
    if not given or not host_system.needs_selinux(backend):
        return []
    directory = backend.layout["run_dir"]
    remedy = "set another app.install_dir, such as /opt/%s, or run: semanage fcontext --add --type %s '%s(/.*)?'" % (
        backend.manifest.name,
        selinux.SOCKET_TYPE,
        re.escape(directory),
    )
    expected = "a directory that a SELinux module can label for nginx"
    got = "one that the labels of home directories or of semanage make %s" % given
    return [Problem("E2069", expected, got, remedy, path=directory)]


def account(backend: HostBackend, host: dict[str, Any]) -> list[Problem]:
    """Whether the application's account and group are the plugin's own, or adopted."""
    if not backend.manifest.host_section.program:
        return []
    places, facts = backend.layout, host["facts"]
    return accounts.findings(
        places["user"], places["group"], facts["account"], facts["group"], host["made"], backend.config.adopt
    )


def database(backend: HostBackend, host: dict[str, Any]) -> list[Problem]:
    """Whether the database and its roles are the plugin's own, or adopted."""
    wanted = host_system.own_database(backend)
    if not wanted:
        return []
    there = host["facts"]["database"]
    return owners.findings(wanted["name"], wanted["user"], there, host["made"], backend.config.adopt)


def directories(backend: Backend, host: dict[str, Any]) -> list[Problem]:
    """Whether the directories are the plugin's own, or adopted, and are no place of somebody else's."""
    places, adopt = backend.layout, backend.config.adopt
    if isinstance(backend, ComposeBackend):
        entries, keys = compose_plan.directory_entries(places), {places["install_dir"]: "app.install_dir"}
    elif isinstance(backend, HostBackend) and backend.manifest.host_section.program:
        entries, keys = host_entries.all_entries(backend, "root"), places_in(backend.config, places)
    else:
        return []
    looked = {path: host["facts"]["directories"][backend.TARGET][path] for path in owned(entries)}
    made = host["made"]["directories"]
    return findings_of_places(backend.manifest.name, looked, made, adopt, places["user"], keys)


def port(config: Config, host: dict[str, Any], target: str) -> list[Problem]:
    owner = host["facts"]["port_owner"]
    wanted = config.get("server.host_port", 8080)
    if owner is None:
        return []
    if owner["name"] == "nginx" and not host["port_sites"] and target == "host":
        return []
    name = "nginx (%s)" % ", ".join(host["port_sites"]) if host["port_sites"] else owner["name"]
    got = "%s, process %d" % (name, owner["pid"])
    remedy = "stop it, or set another server.host_port"
    if owner["name"] == "nginx" and host["port_sites"]:
        remedy = "let that site listen elsewhere, or set another server.host_port"
        if all(is_default(path) for path in host["port_sites"]):
            got += ": the site that the distribution has made, not one of yours"
            steps = "%s && systemctl reload nginx" % without(host["port_sites"])
            remedy = "disable that site (%s), or set another server.host_port" % steps
    return [Problem.plain("E2009", "TCP port %d is in use" % wanted, got, remedy, path="server.host_port")]


def is_default(path: str) -> bool:
    """Whether nginx's package brought the site: Debian's default, or that of nginx.org."""
    return path.endswith(("/sites-enabled/default", "/conf.d/default.conf"))


def without(sites: list[str]) -> str:
    """What an operator types to take the distribution's sites out of use: Debian's is a link."""
    return " && ".join("mv %s %s.off" % (path, path) if "/conf.d/" in path else "rm %s" % path for path in sites)


def services(manifest: Manifest, host: dict[str, Any]) -> list[Problem]:
    """Whether nginx and Supervisor, where they are there already, can start and take what is put there for them."""
    if not manifest.host_section.program:
        return []
    found = []
    for conflict in host.get("port_conflicts", []):
        got = "%s, process %d, uses port %d" % (conflict["name"], conflict["pid"], conflict["port"])
        remedy = "remove what listens there from nginx (%s), or stop the other server" % ", ".join(conflict["files"])
        if all(is_default(path) for path in conflict["files"]):
            steps = without(conflict["files"])
            remedy = "disable the distribution's own site (%s), or stop the other server" % steps
        said = "nginx cannot start with %s" % ", ".join(conflict["files"])
        found.append(Problem.plain("E2032", said, got, remedy))
    for name, said in host.get("layout", {}).items():
        if said.get("problem"):
            fault = "%s reads no directory for files of plugins" % {"nginx": "nginx", "supervisor": "Supervisor"}[name]
            found.append(Problem.plain("E2047", fault, said["problem"], "correct that file, then run again"))
    return found


def networks(config: Config, settings: Settings, host: dict[str, Any]) -> list[Problem]:
    """Whether the interfaces are as the networks assert, or can be made so."""
    entries = valid(config.get("network.networks", []))
    return findings_of_networks(entries, host["facts"]["networks"], settings.network_consent) if entries else []
