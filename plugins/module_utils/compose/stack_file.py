# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project turned into the file that ``docker stack deploy`` reads. Pure: nothing is asked or written.

The client's own schema for stacks (3.9) knows neither bounds such as ``mem_limit`` nor profiles, wants numbers where
Compose prints texts, and refuses what it does not know. What a swarm ignores silently and what cannot be meant there
is named: dropped with a warning, or refused.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field

from ..errors import Problem, WindflowError
from .rules import below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

VERSION = "3.9"
# Taken over as they are.
KEPT = (
    *("cap_add", "cap_drop", "command", "configs", "dns", "dns_search", "entrypoint", "environment", "extra_hosts"),
    *("healthcheck", "hostname", "init", "labels", "logging", "read_only", "stdin_open"),
    *("stop_grace_period", "stop_signal", "sysctls", "tty", "ulimits", "user", "working_dir"),
)
# Turned into something else, or without meaning for a stack.
TURNED = (
    *("build", "container_name", "cpus", "depends_on", "deploy", "expose", "image", "mem_limit", "mem_reservation"),
    *("networks", "pids_limit", "ports", "profiles", "pull_policy", "restart", "scale", "secrets", "shm_size", "tmpfs"),
    "volumes",
)
REFUSED = (
    *("cgroup_parent", "devices", "external_links", "ipc", "links", "network_mode", "pid", "privileged"),
    *("userns_mode", "volumes_from"),
)
# An application may have as many containers as there are slots: more would need another configuration of the front,
# and with it a restart of every front.
SLOTS = 64
MONITOR = "5s"
# Where a port is bound to.
EVERYONE, LOOPBACK, ONE_ADDRESS = "everyone", "loopback", "one address"
NAME_CHARACTERS = 64


@dataclass
class Wanted:
    """What the platform adds to a project.

    ``one_shot`` are services that are done when they have ended well, ``images`` are references by service, ``pins``
    the id of the node that keeps named volumes; ``front_dir`` is the directory in which the Compose backend writes the
    front's servers, ``places`` are directories that only exist on the manager, and ``kept`` those of them which a
    service may mount, and then stays there. ``secret_names`` gives the swarm's name for a secret by its name in the
    project, ``configs`` name and file of a configuration.
    """

    project: str
    app: str
    front: str
    app_port: int
    replicas: int
    images: dict[str, str]
    node: str
    front_dir: str
    places: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    secret_files: dict[str, str] = field(default_factory=dict)
    secret_names: dict[str, str] = field(default_factory=dict)
    front_file: str = ""
    one_shot: tuple[str, ...] = ()
    configs: dict[str, dict[str, str]] = field(default_factory=dict)


def servers(app: str, port: int, replicas: int) -> str:
    """Returns the front's list of servers: whatever the swarm's name server knows of the application's tasks.

    It knows none before the first is healthy. The front must not wait for that when it starts.
    """
    slots = max(SLOTS, 2 * replicas)
    return "backend %s\n    server-template %s 1-%d %s:%d init-addr none\n" % (app, app, slots, app, port)


def object_name(project: str, name: str, made_of: str) -> str:
    """A name for a secret or configuration, which a swarm never changes: another content needs another name."""
    ending = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    return "%s_%s" % (("%s_%s" % (project, name))[: NAME_CHARACTERS - 13], ending)


def stack(model: dict[str, Any], wanted: Wanted) -> tuple[dict[str, Any], list[str]]:
    """Returns the stack as plain data, and warnings. Raises ``WindflowError`` E4080 with everything that cannot be."""
    problems, warnings = [], []
    services = {}
    for name, service in sorted(model.get("services", {}).items()):
        problems += refused(name, service, wanted)
        ignored = sorted(set(service) - set(KEPT) - set(TURNED) - set(REFUSED))
        if ignored:
            warnings.append("a swarm ignores %s of service %s" % (", ".join(ignored), name))
        hidden = sorted(str(item["target"]) for item in service.get("ports", ()) if bound(item) == LOOPBACK)
        if hidden:
            said = "port %s of service %s is not published: a swarm cannot bind it to a loopback address"
            warnings.append(said % (", ".join(hidden), name))
        services[name] = turned(name, service, wanted)
    if problems:
        raise WindflowError(problems)
    result = {"version": VERSION, "services": services}
    result["networks"] = {name: network(data) for name, data in (model.get("networks") or {}).items()}
    keys = ("name", "driver", "driver_opts", "external", "labels")
    result["volumes"] = {name: picked(data or {}, keys) for name, data in (model.get("volumes") or {}).items()}
    used = {item["source"] for service in services.values() for item in service.get("secrets", ())}
    result["secrets"] = {
        name: {"name": wanted.secret_names[name], "file": wanted.secret_files[name]} for name in sorted(used)
    }
    used = {item["source"] for service in services.values() for item in service.get("configs", ())} - {"front"}
    configs = {name: dict(wanted.configs[name]) for name in sorted(used)}
    if wanted.front_file:
        content = servers(wanted.app, wanted.app_port, wanted.replicas)
        configs["front"] = {"name": object_name(wanted.project, "front", content), "file": wanted.front_file}
    if configs:
        result["configs"] = configs
    return result, warnings


def refused(name: str, service: dict[str, Any], wanted: Wanted) -> list[Problem]:
    """Returns the problems of a service that cannot be the same in a swarm."""
    found = [
        Problem.plain(
            "E4080",
            "a swarm does not support %s of service %s" % (key, name),
            "",
            "remove it, or use the engine compose",
        )
        for key in REFUSED
        if service.get(key) not in (None, False, [], {})
    ]
    for volume in service.get("volumes", ()):
        source = volume.get("source", "")
        inside = any(below(source, place) for place in wanted.places) and not held(source, wanted)
        if volume.get("type") == "bind" and inside and source != wanted.front_dir:
            said = "service %s mounts %s, which the other nodes do not have" % (name, source)
            remedy = "put the file into the image, or make it a secret"
            found.append(Problem.plain("E4080", said, "", remedy))
    for item in service.get("ports", ()):
        if bound(item) == ONE_ADDRESS:
            said = "a swarm cannot bind port %s of service %s to %s alone" % (item["target"], name, item["host_ip"])
            remedy = "leave out the address in compose.swarm.yaml (ports: !override), or use the engine compose"
            found.append(Problem.plain("E4080", said, "", remedy))
    return found


def turned(name: str, service: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    """One service, as a stack's."""
    result = picked(service, KEPT)
    result["image"] = wanted.images.get(name) or service.get("image", "")
    result["volumes"], pinned, written = volumes(service, wanted)
    front_volume = [item for item in service.get("volumes", ()) if item.get("source") == wanted.front_dir]
    if front_volume and wanted.front_file:
        target = "%s/%s.cfg" % (front_volume[0]["target"].rstrip("/"), wanted.app)
        result["configs"] = [*result.get("configs", ()), {"source": "front", "target": target, "mode": 0o444}]
    result["ports"] = [port(item) for item in service.get("ports", ()) if bound(item) == EVERYONE]
    if service.get("secrets"):
        result["secrets"] = [secret(item, str(service.get("user", ""))) for item in service["secrets"]]
    if isinstance(service.get("networks"), dict):
        result["networks"] = {key: picked(data or {}, ("aliases",)) for key, data in service["networks"].items()}
    found = defaults(name, service, wanted, pinned, bool(result["ports"]) or written)
    result["deploy"] = merged(found, service.get("deploy") or {})
    if name in wanted.one_shot:
        result["deploy"] = job(result["deploy"])
    return {key: value for key, value in result.items() if value not in (None, [], {})}


def defaults(name: str, service: dict[str, Any], wanted: Wanted, pinned: bool, alone: bool) -> dict[str, Any]:
    """Returns how a service is deployed where its own section says nothing else.

    Names resolve to the addresses of tasks and ports are those of the nodes: that is all a front needs, it keeps the
    clients' addresses, and it works where the kernel has no IP_VS. The application's new tasks are healthy before old
    ones stop; what has a port of its node, or a volume, cannot be there twice.
    """
    update = {"parallelism": 1, "failure_action": "rollback", "monitor": MONITOR, "order": "stop-first"}
    back = {"parallelism": 1, "order": "stop-first"}
    found: dict[str, Any] = {"endpoint_mode": "dnsrr", "restart_policy": {"condition": "any"}}
    if name == wanted.app:
        found["replicas"] = wanted.replicas
        if not alone:
            update["order"] = back["order"] = "start-first"
    elif name == wanted.front:
        found["mode"] = "global"
    else:
        found["replicas"] = 1
    if pinned:
        found["placement"] = {"constraints": ["node.id==%s" % wanted.node]}
    limits: dict[str, Any] = {}
    if service.get("mem_limit"):
        limits["memory"] = str(service["mem_limit"])
    if service.get("cpus"):
        limits["cpus"] = str(service["cpus"])
    if service.get("pids_limit"):
        limits["pids"] = int(service["pids_limit"])
    resources = {"limits": limits} if limits else {}
    if service.get("mem_reservation"):
        resources["reservations"] = {"memory": str(service["mem_reservation"])}
    if resources:
        found["resources"] = resources
    return {**found, "update_config": update, "rollback_config": back}


def job(deploy: dict[str, Any]) -> dict[str, Any]:
    """A service that ends: a swarm would start it again and again, and updates no job."""
    kept = {key: value for key, value in deploy.items() if key not in ("update_config", "rollback_config", "mode")}
    return {**kept, "mode": "replicated-job", "restart_policy": {"condition": "on-failure", "max_attempts": 2}}


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` on ``base``, map by map."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def volumes(service: dict[str, Any], wanted: Wanted) -> tuple[list[dict[str, Any]], bool, bool]:
    """Returns the mounts of a service, whether one of them is only on the manager, and whether such a one is written
    to."""
    found, pinned, written = [], False, False
    for item in service.get("volumes", ()):
        if item.get("source") == wanted.front_dir:
            continue
        # One without a name is made anew for every container.
        here = bool(item["type"] == "volume" and item.get("source"))
        here = here or (item["type"] == "bind" and held(item.get("source", ""), wanted))
        pinned = pinned or here
        written = written or (here and not (item["type"] == "bind" and item.get("read_only")))
        found.append(picked(item, ("type", "source", "target", "read_only", "tmpfs")))
    tmpfs = service.get("tmpfs") or []
    for entry in [tmpfs] if isinstance(tmpfs, str) else tmpfs:
        found.append({"type": "tmpfs", "target": entry.partition(":")[0]})
    if service.get("shm_size"):
        found.append({"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": int(service["shm_size"])}})
    return found, pinned, written


def held(source: str, wanted: Wanted) -> bool:
    """Returns whether files lie at a place on the manager that outlives releases."""
    return any(below(source, place) for place in wanted.kept)


def bound(item: dict[str, Any]) -> str:
    """Returns who reaches a port of a Compose project: ``EVERYONE``, the host itself (``LOOPBACK``), or those who reach
    ``ONE_ADDRESS``. A swarm publishes at all addresses and knows no other way."""
    text = item.get("host_ip") or "0.0.0.0"
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return ONE_ADDRESS
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return EVERYONE
    return LOOPBACK if address.is_loopback else ONE_ADDRESS


def port(item: dict[str, Any]) -> dict[str, Any]:
    """A port of the node itself, not of the swarm's mesh."""
    return {
        "target": int(item["target"]),
        "published": int(item.get("published") or item["target"]),
        "protocol": item.get("protocol", "tcp"),
        "mode": "host",
    }


def secret(item: dict[str, Any], user: str) -> dict[str, Any]:
    """A secret that only the service's own user and group read, where they are known as numbers."""
    result = picked(item, ("source", "target"))
    uid, _colon, gid = user.partition(":")
    if uid.isdigit():
        result.update(uid=uid, gid=gid if gid.isdigit() else "0", mode=0o440)
    return result


def network(data: dict[str, Any] | None) -> dict[str, Any]:
    """An overlay network, unless the project says otherwise."""
    data = data or {}
    found = picked(data, ("name", "driver", "driver_opts", "external", "internal", "attachable", "labels"))
    return found if found.get("external") else {"driver": "overlay", **found}


def picked(data: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if data.get(key) not in (None, "", [], {})}
