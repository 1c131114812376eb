# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a host that a plan needs, in one go."""

from __future__ import annotations

import time

from ..containers import engine
from ..database import postgres
from ..network import kept, looking
from ..record import dependents, ownership, report, store
from ..storage import state as storage
from ..system import accounts, firewall, inspect_host, places, selinux, service_layout
from . import managed, serving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plugin": {"type": "str", "required": True},
    "packages": {"type": "dict", "default": {}},
    "services": {"type": "dict", "default": {}},
    "available": {"type": "dict", "default": {}},
    "paths": {"type": "list", "elements": "str", "default": []},
    "port": {"type": "int"},
    "user": {"type": "str"},
    "group": {"type": "str"},
    "directories": {"type": "dict", "default": {}},
    "socket_dir": {"type": "str", "default": ""},
    "database": {"type": "dict", "default": {}},
    "volumes": {"type": "list", "elements": "dict", "default": []},
    "networks": {"type": "list", "elements": "dict", "default": []},
    "engine": {"type": "dict", "default": {}},
    "target": {"type": "str", "default": ""},
    "wait": {"type": "int", "default": 0},
    "everything": {"type": "bool", "default": False},
}


def conflicts(states: Mapping[str, Mapping[str, bool]]) -> list[dict[str, Any]]:
    """What keeps a stopped nginx from starting: ports that its files listen on and another process has."""
    if not states.get("nginx", {}).get("exists") or states["nginx"]["running"]:
        return []
    found = []
    for port, files in sorted(service_layout.listened_ports().items()):
        owner = inspect_host.port_owner(port)
        if owner and owner["name"] != "nginx":
            found.append({"port": port, "files": files, "name": owner["name"], "pid": owner["pid"]})
    return found


def ask_engine(params: dict[str, Any], current: dict[str, Any] | None, kept: dict[str, Any]) -> engine.Questions | None:
    """The host's engine, if anything depends on it: a plugin that is deployed without containers needs none,
    unless that is asked for."""
    known = kept.get("compose", {})
    wanted = params.get("engine") or ({"project": known["project"]} if known else {})
    elsewhere = current and current["target"] != "compose" and params.get("target") != "compose"
    if not wanted or elsewhere:
        return None
    services = sorted(known["services"]) if known.get("engine") == "swarm" else None
    return engine.Questions(wanted["project"], services, wanted.get("model"))


def judged(params: dict[str, Any], made: dict[str, list[str]]) -> dict[str, Any]:
    """The account, the group and the directories of a plugin as facts."""
    user, group = params["user"], params["group"]
    own = {(kind, name) for kind, names in made.items() for name in names}
    # Only who is not the plugin's own is judged by what else was made here.
    known = own if {("account", user), ("group", group)} <= own else ownership.known()
    asked = params.get("directories") or {}
    return {
        "directories": {
            target: places.look(params["plugin"], directories, user or "", made)
            for target, directories in asked.items()
        },
        "account": accounts.account(user, known, own) if user else None,
        "group": accounts.group(group, known, own) if group else None,
    }


def database(params: dict[str, Any], drift: managed.Drift) -> dict[str, Any]:
    """What there is of the plugin's database, asked once: what is recorded is compared with it anyway."""
    wanted = params.get("database")
    known = drift.database or {}
    if not wanted:
        return {}
    if all(known.get(key) == wanted[key] for key in wanted):
        found = drift.database_now()
    else:
        found = postgres.inspect(wanted["port"], wanted["name"], wanted["user"])
    return {key: value for key, value in found.items() if key != "password_sha256"}


def guarded(backend: str, port: int) -> dict[str, Any]:
    """Returns {"backend", "open"}: the firewall that is active, "" for none, and whether it lets the port in."""
    return {"backend": backend, "open": bool(backend and port) and firewall.is_open(backend, port)}


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.host_info) to its options, which are documented there."""
    plugin, port = params["plugin"], params["port"]
    store.wait_until_free(plugin, params["wait"])
    remembered, rebuilt = store.read(plugin)
    current, made = store.current(remembered), ownership.made_resources(remembered)
    containers = ask_engine(params, current, remembered["managed"])
    drift = managed.Drift(plugin, remembered["managed"], containers)
    system = inspect_host.read_os()
    family = system["family"]
    packages = inspect_host.choose(params["packages"], system) or []
    services = inspect_host.choose(params["services"], system) or []
    if params.get("everything"):
        # Asked by nobody who makes a plan: that asks for what it is going to need.
        packages, services = (remembered["managed"].get(key, []) for key in ("packages", "services"))
    watched = firewall.asked()
    questions = inspect_host.Questions(family, packages, [*services, *watched])
    wanted = params["port"] or remembered["managed"].get("firewall", {}).get("port", 0)
    # Nobody else can have the port that the plugin itself listens on.
    port = None if current and current.get("port") == port else port
    differing = drift.differences()
    serves = serving.other(remembered, time.time())
    warnings = ["E2046 %s: %s" % (plugin, report.other(remembered, serves))] if serves is not None else []
    others = dependents.survey()
    missing, states = questions.missing_packages(), questions.service_states()
    wall = guarded(firewall.active(states), wanted)
    sockets = params["socket_dir"] or remembered["managed"].get("selinux", {}).get("directory", "")
    labels = selinux.inspect(plugin, sockets, wanted if sockets else 0)
    states = {name: states[name] for name in services}
    asked = inspect_host.choose(params["available"], system) or []
    available = {"supervisor": inspect_host.offered(asked)} if set(asked) & set(missing) else {}
    if params.get("everything"):
        differing += managed.system_drift(missing, states) + managed.firewall_drift(remembered["managed"], wall)
        differing += managed.selinux_drift(remembered["managed"], labels)
    return {
        "changed": False,
        "warnings": [rebuilt] * bool(rebuilt) + warnings,
        "engine": drift.engine,
        "facts": {
            **inspect_host.facts(params["paths"], port),
            "firewall": wall,
            "selinux": labels,
            **judged(params, made),
            "database": database(params, drift),
            # What is for volumes and networks is loaded where there are some.
            "volumes": storage.look_all(params["volumes"]) if params.get("volumes") else {},
            "networks": looking.look(params) if params.get("networks") or kept.is_used() else {},
        },
        "made": made,
        "layout": {"nginx": service_layout.nginx(), "supervisor": service_layout.supervisor()} if services else {},
        "port_conflicts": conflicts(states),
        "drift": differing,
        "packages": packages,
        "missing_packages": missing,
        "available": available,
        "services": states,
        "current": current,
        "recorded": bool(remembered["revisions"]),
        "lease": remembered["lease"],
        "position": store.position(remembered),
        "dependents": dependents.needing(plugin, others["plugins"], others["at_work"]),
        "unreadable": others["unreadable"],
        "port_sites": service_layout.sites_on(port, "windflow-%s.conf" % plugin) if port else [],
    }
