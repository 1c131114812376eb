# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application that is straight on the machine needs of its system: packages, services, database, network."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..compose.effective import plain
from ..config.adoption import adopts
from ..config.loading import Config
from ..database import owners
from ..manifest.reader import Manifest
from ..network.findings import pending
from ..network.wanted import configured
from ..system import selinux
from .backend import BackendBase, database_is_given, database_is_local
from .families import OWN_SERVICE
from .steps import Step, digest, without_secrets


def surroundings(backend: BackendBase) -> list[str]:
    """What of the system the plugin uses, by the names in the tables of OS families."""
    program = ["supervisor"] if backend.manifest.host_section.program else []
    program += ["nginx"] if backend.manifest.host_section.serves else []
    return program + (["postgresql"] if database_is_local(backend.config) else [])


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


def own_database(backend: BackendBase) -> dict[str, Any]:
    """The database on the host that the plugin sees to itself: name, user, port; empty where there is none."""
    found = database_step(backend).data
    return {key: found[key] for key in ("name", "user", "port")} if found["managed"] and found["local"] else {}


def database_step(backend: BackendBase) -> Step:
    manifest, config = backend.manifest, backend.config
    # A section of the plugin's own, such as that of SQLite, names no server.
    if not config.get("database.host") or database_is_given(config):
        return Step(data={"managed": False})
    wanted, local = config.get("database"), database_is_local(config)
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


def network_step(config: Config, host: dict[str, Any]) -> Step:
    """The networks whose interfaces are configured. What the others assert has been checked by the preflight."""
    networks = [network.as_dict() for network in configured(config.get("network.networks", []))]
    found = host["facts"].get("networks") or {}
    files = sorted(path for paths in found.get("files", {}).values() for path in paths)
    step = Step(digest(networks) if networks else "", data={"networks": networks, "files": files})
    step.why.extend(pending(networks, found) if found else [])
    return step


def services_step(backend: BackendBase, host: dict[str, Any], table: dict[str, Any]) -> Step:
    """Services that have to run, and what has to let clients reach them: a firewall, SELinux, nginx's own file."""
    stopped = [name for name, state in host["services"].items() if not (state["running"] and state["enabled"])]
    step = Step(data={"names": stopped, "all": sorted(host["services"])})
    step.why.extend("%s is not running and enabled" % name for name in stopped)
    wall = firewall(backend, host)
    closed = bool(wall["backend"] and wall["port"]) and not host["facts"]["firewall"]["open"]
    step.data["firewall"] = {**wall, "pending": closed}
    if closed:
        step.why.append("port %d is closed in %s" % (wall["port"], wall["backend"]))
    rules, lacking = selinux_rules(backend, host)
    step.data["selinux"] = {**rules, "pending": bool(lacking)}
    step.why.extend(lacking)
    if backend.manifest.host_section.serves and table["nginx"]["include"]:
        step.why.append("%s does not include %s" % (table["nginx"]["conf"], table["nginx"]["include"]))
    return step


def firewall(backend: BackendBase, host: dict[str, Any]) -> dict[str, Any]:
    """Returns {"backend", "port", "opened", "close"}: the port that the host's active firewall has to let in, whether
    windflow opens or has opened it, and the port of the revision before, if another that windflow has opened."""
    spec, config = backend.manifest.host_section, backend.config
    facts = host["facts"].get("firewall") or {"backend": "", "open": True}
    before = ((host["current"] or {}).get("host") or {}).get("firewall") or {"port": 0, "opened": False}
    port = config.get("server.host_port", 8080) if spec.serves and reached_from_outside(config) else 0
    active = facts["backend"] if port else ""
    opened = bool(active) and (not facts["open"] or before["opened"] and before["port"] == port)
    close = before["port"] if before["opened"] and before["port"] != port and facts["backend"] else 0
    return {"backend": active or (facts["backend"] if close else ""), "port": port, "opened": opened, "close": close}


def reached_from_outside(config: Config) -> bool:
    """Whether nginx listens at an address that is not of the host alone."""
    bind = plain(config.get("server.bind"))
    return not bind or not ipaddress.ip_address(bind).is_loopback


def own_label(backend: BackendBase) -> bool:
    """Whether SELinux, where it is, has to be told that nginx may listen at the port."""
    return (
        bool(backend.manifest.host_section.serves) and backend.config.get("server.host_port", 8080) not in selinux.PORTS
    )


def needs_selinux(backend: BackendBase) -> bool:
    """Whether nginx has to reach a socket of the application, which SELinux forbids where it is on."""
    return bool(backend.manifest.host_section.program and backend.manifest.host_section.serves)


def selinux_rules(backend: BackendBase, host: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What SELinux of the host has to allow, and what of it is not there yet, in words.

    The rules are {"name", "text", "module": the text's digest, "directory", "port", "label": the port if windflow has
    to label it or has done so, else 0, "unlabel": the same of the revision before, if it is another port}. Without
    SELinux, the name is "".
    """
    facts = host["facts"].get("selinux") or {"mode": ""}
    before = (((host["current"] or {}).get("host") or {}).get("selinux") or {}).get("label", 0)
    if not facts["mode"] or not needs_selinux(backend):
        return {"name": "", "unlabel": 0, "label": 0}, []
    directory = backend.layout["run_dir"]
    text, port = selinux.module_text(directory), backend.config.get("server.host_port", 8080)
    label = port if not facts["port"] or before == port else 0
    lacking = []
    if facts["module"] != selinux.digest(text) or not facts["labelled"]:
        lacking.append("SELinux does not let nginx reach %s" % directory)
    if not facts["port"]:
        lacking.append("SELinux does not let nginx listen at port %d" % port)
    rules = {
        "name": selinux.module_name(backend.manifest.name),
        "text": text,
        "module": selinux.digest(text),
        "directory": directory,
        "port": port,
        "label": label,
        "unlabel": before if before != port else 0,
    }
    return rules, lacking
