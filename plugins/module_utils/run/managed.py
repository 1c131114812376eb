# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plugin's revision left on a host, and what has become of it since.

``snapshot`` is taken when a run ends well and is kept in the record; ``Drift`` compares it with the
host. Both take the resources by the step that manages them::

    {"paths": [{"path", "step"}], "trees": [{"root", "step"}],
     "program": {"sockets", "name", "conf", "logs"}, "database": {"name", "user", "port"},
     "compose": {"project", "app", "release", "images", "engine"},
     "packages": [name], "services": [name], "firewall": {"backend", "port"},
     "selinux": {"directory", "module", "port"},
     "volumes": [volumes that are mounted, as ``storage.compare`` describes them],
     "networks": [a network as ``wanted.parse`` takes it]}
"""

from __future__ import annotations

import json
import os

from ..containers import engine
from ..database import postgres
from ..errors import WindflowError
from ..files import atomic, nofollow, tree
from ..network import interfaces, wanted
from ..record.store import directory
from ..storage import state as storage
from ..switch import supervisor
from ..system import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping
    from typing import Any


EXCLUDED = ("__pycache__",)
# Resources that are kept as they are.
SIMPLE = ("packages", "services", "firewall", "selinux", "volumes")
SILENT = "which does not answer"
# A tree of files is read whole.
TREE_SECONDS = 60.0


def tree_file(plugin: str, root: str) -> str:
    """Returns where a tree's manifest is kept: by release and part of it, or by virtual environment."""
    parent, name = os.path.split(root.rstrip("/"))
    release = os.path.basename(parent)
    name = {"app": release, "secrets": "%s-secrets" % release}.get(name, "venv-%s" % name)
    return os.path.join(directory(plugin), "%s.tree.json" % name)


def snapshot(plugin: str, resources: dict[str, Any]) -> dict[str, Any]:
    """Returns the resources with their state now. Trees are written beside the record, the rest is returned."""
    wanted = resources.get("database") or {}
    # psql answers while the rest is read.
    asked = postgres.ask(wanted["port"], wanted["name"], wanted["user"]) if wanted else None
    kept: dict[str, Any] = {"paths": {}, "trees": []}
    kept.update((key, resources[key]) for key in SIMPLE if resources.get(key))
    for item in resources.get("paths", []):
        kept["paths"][item["path"]] = dict(inspected(item["path"]), step=item["step"])
    for item in resources.get("trees", []):
        kept["trees"].append({"root": item["root"], "step": item["step"]})
        # Neither releases nor environments change after they were made: one manifest is enough.
        if os.path.exists(tree_file(plugin, item["root"])):
            continue
        found = json.dumps(tree.manifest(item["root"], EXCLUDED), separators=(",", ":"))
        atomic.write(tree_file(plugin, item["root"]), found.encode(), 0o600)
    if resources.get("program"):
        kept["program"] = dict(resources["program"])
    if wanted:
        kept["database"] = dict(wanted, state=postgres.answer(asked, wanted["port"], wanted["name"], wanted["user"]))
    if resources.get("networks"):
        kept["networks"] = [dict(item, state=state) for item, state in network_states(resources["networks"])]
    if resources.get("compose"):
        kept["compose"] = compose_state(resources["compose"])
    return kept


def network_states(networks: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Returns each network with the state of its interface now."""
    found = interfaces.read()
    return [(item, interfaces.state_of(found, wanted.parse(item))) for item in networks]


def compose_state(wanted: dict[str, Any]) -> dict[str, Any]:
    """Returns the images by tag, and how many containers of each service there are; of a stack, what its services
    are."""
    found = engine.Questions(wanted["project"]).answers()
    images = {tag: found["images"].get(tag, "") for tag in wanted["images"]}
    if wanted["engine"] == "swarm":
        names = engine.read_services(engine.run(engine.services_of(wanted["project"]), "list services", "E4070"))
        said = engine.run(engine.specs_of([item["name"] for item in names]), "inspect services", "E4070")
        return dict(wanted, images=images, services=engine.read_specs(said))
    services: dict[str, int] = {}
    for item in found["containers"]:
        services[item["service"]] = services.get(item["service"], 0) + 1
    return dict(wanted, images=images, services=services)


class Drift:
    """Every difference between what was recorded and what is. psql, which takes longest, is started
    at once and answers while the rest is read."""

    def __init__(self, plugin: str, kept: dict[str, Any], containers: engine.Questions | None = None) -> None:
        self.plugin = plugin
        self.kept = kept
        self.containers = containers
        self.engine: dict[str, Any] = {}
        self.database: dict[str, Any] | None = kept.get("database")
        self.asked: subprocess.Popen[bytes] | None = None
        self.answered: dict[str, Any] | None = None
        if self.database:
            self.asked = postgres.ask(self.database["port"], self.database["name"], self.database["user"])

    def differences(self) -> list[dict[str, str]]:
        """[{"step", "resource", "attribute", "expected", "found"}]"""
        found = []
        for path, recorded in sorted(self.kept.get("paths", {}).items()):
            found += differences(recorded["step"], path, recorded, look(path))
        found += storage.drift(self.kept["volumes"]) if self.kept.get("volumes") else []
        for item in self.kept.get("trees", []):
            found += tree_drift(self.plugin, item)
        if self.kept.get("program"):
            found += program_drift(self.kept["program"])
        if self.database:
            resource = "database %s" % self.database["name"]
            found += differences("database", resource, self.database["state"], self.database_now())
        if self.kept.get("networks"):
            for item, now in network_states(self.kept["networks"]):
                found += differences("network", "interface %s" % item["interface"], item["state"], now)
        if self.containers:
            self.engine = self.containers.answers()
            found += compose_drift(self.kept.get("compose", {}), self.engine)
        return found

    def database_now(self) -> dict[str, Any]:
        """Returns what there is of the database; what nobody could look at is as it was."""
        if self.answered:
            return self.answered
        wanted = self.database or {}
        now = postgres.answer(self.asked, wanted["port"], wanted["name"], wanted["user"])
        for key in postgres.INSIDE if now.get("database") == "present" else ():
            if now[key] is None:
                now[key] = wanted["state"].get(key)
        self.answered = now
        return now


def look(path: str) -> dict[str, Any]:
    """As ``nofollow.inspect``; a path that leads through a link that somebody planted is drift too, and so is one on a
    mount that does not answer."""
    try:
        return inspected(path)
    except WindflowError:
        return {"state": "behind a link that is not root's"}


def presence(path: str) -> dict[str, Any]:
    """Returns {"state"}: there or missing. A log is not read, and a mount that does not answer is not waited for."""
    try:
        return {"state": "there" if mounts.answer(path, os.path.lexists, path) else "missing"}
    except mounts.NotAnswering as error:
        return {"state": "on %s, %s" % (error.text, SILENT)}


def inspected(path: str) -> dict[str, Any]:
    """As ``nofollow.inspect``, and never waits for a mount that does not answer."""
    try:
        return mounts.answer(path, nofollow.inspect, path)
    except mounts.NotAnswering as error:
        return {"state": "on %s, %s" % (error.text, SILENT)}


def differences(step: str, resource: str, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, str]]:
    if SILENT in str(now.get("state")):
        # Of what cannot be looked at nothing else can be said.
        recorded = {"state": recorded.get("state")}
    return [
        {"step": step, "resource": resource, "attribute": key, "expected": str(value), "found": str(now.get(key))}
        for key, value in sorted(recorded.items())
        if key != "step" and now.get(key) != value
    ]


def tree_drift(plugin: str, item: dict[str, Any]) -> list[dict[str, str]]:
    try:
        with open(tree_file(plugin, item["root"]), encoding="utf-8") as stream:
            recorded = json.load(stream)
    except (FileNotFoundError, ValueError):
        return [
            {
                "step": item["step"],
                "resource": item["root"],
                "attribute": "manifest",
                "expected": "present",
                "found": "absent",
            }
        ]
    try:
        changes = mounts.answer(item["root"], tree.drift, item["root"], recorded, EXCLUDED, seconds=TREE_SECONDS)
    except mounts.NotAnswering as error:
        return differences(
            item["step"], item["root"], {"state": "directory"}, {"state": "on %s, %s" % (error.text, SILENT)}
        )
    return [
        {
            "step": item["step"],
            "resource": os.path.join(item["root"], change["path"]),
            "attribute": change["attribute"],
            "expected": str(change["expected"]),
            "found": str(change["found"]),
        }
        for change in changes
    ]


def system_drift(missing: Iterable[str], services: Mapping[str, Mapping[str, bool]]) -> list[dict[str, str]]:
    """Packages that are not installed any more, and services that do not run or would not after a restart."""
    found = []
    for name in missing:
        found += differences("packages", "package %s" % name, {"state": "installed"}, {"state": "missing"})
    for name, state in sorted(services.items()):
        found += differences("services", "service %s" % name, {"running": True, "enabled": True}, state)
    return found


def firewall_drift(kept: dict[str, Any], now: dict[str, Any]) -> list[dict[str, str]]:
    """A port that was open and is not any more. A firewall that is not active any more lets everything in."""
    wanted = kept.get("firewall")
    if not wanted or not now["backend"] or now["open"]:
        return []
    resource = "port %d in %s" % (wanted["port"], now["backend"])
    return differences("services", resource, {"state": "open"}, {"state": "closed"})


def selinux_drift(kept: dict[str, Any], now: dict[str, Any]) -> list[dict[str, str]]:
    """Rules that nginx needs and that are gone. Without SELinux, it needs none."""
    wanted = kept.get("selinux")
    if not wanted or not now["mode"]:
        return []
    found = []
    if now["module"] != wanted["module"]:
        resource = "SELinux module %s" % wanted["name"]
        found += differences(
            "services", resource, {"state": "loaded"}, {"state": "changed" if now["module"] else "missing"}
        )
    if not now["labelled"]:
        found += differences(
            "services", "SELinux label of %s" % wanted["directory"], {"type": "as in the module"}, {"type": "another"}
        )
    if not now["port"]:
        resource = "SELinux label of port %d" % wanted["port"]
        found += differences("services", resource, {"state": "open to nginx"}, {"state": "missing"})
    return found


def program_drift(program: dict[str, Any]) -> list[dict[str, str]]:
    """Instances of the application that do not listen, by the kernel's list of sockets: one read, and
    nearer to the truth than what Supervisor believes. Of a program without a socket only Supervisor knows."""
    listening = listening_sockets()
    found = [
        {"step": "program", "resource": path, "attribute": "socket", "expected": "listening", "found": "not listening"}
        for path in program["sockets"]
        if path not in listening
    ]
    # Supervisor goes on writing to a log file that was deleted, where nobody can read it.
    for path in program.get("logs", []):
        found += differences("program", path, {"state": "there"}, presence(path))
    name = program.get("name")
    reason = supervisor.fallen(program["conf"], name) if name and not program["sockets"] else ""
    if reason:
        found += differences("program", "program %s" % name, {"state": "running"}, {"state": reason})
    return found


def compose_drift(kept: dict[str, Any], now: dict[str, Any]) -> list[dict[str, str]]:
    """Images that are others than those that were deployed, and containers that do not run or are missing."""
    if not kept:
        return []
    images = {tag: now["images"].get(tag, "") for tag in kept["images"]}
    found = [
        {"step": "application", "resource": "image %s" % tag, "attribute": "id", "expected": wanted, "found": has}
        for tag, wanted in sorted(kept["images"].items())
        for has in [images[tag] or "absent"]
        if has != wanted
    ]
    if kept.get("engine") == "swarm":
        return found + stack_drift(kept["services"], now)
    # Services that are done when they have ended well.
    done = kept.get("one_shot", [])
    for service, count in sorted(kept["services"].items()):
        running = [
            item
            for item in now["containers"]
            if item["service"] == service
            and (item["state"] == "running" or (service in done and item["status"].startswith("Exited (0)")))
            and (service != kept["app"] or item["release"] == kept["release"])
        ]
        if len(running) != count:
            found.append(
                {
                    "step": "containers",
                    "resource": "service %s" % service,
                    "attribute": "running containers",
                    "expected": str(count),
                    "found": str(len(running)),
                }
            )
    return found


def stack_drift(kept: dict[str, Any], now: dict[str, Any]) -> list[dict[str, str]]:
    """Services of a swarm that were changed by hand or are gone, or that have fewer tasks than they are to have."""
    found = []
    tasks = {item["name"]: item for item in now["services"]}
    for name, digest in sorted(kept.items()):
        resource = "service %s" % name
        has = now["specs"].get(name, "absent")
        if has != digest:
            expected, is_there = ("present", "absent") if has == "absent" else (digest, has)
            found.append(
                {
                    "step": "containers",
                    "resource": resource,
                    "attribute": "specification",
                    "expected": expected,
                    "found": is_there,
                }
            )
        elif tasks[name]["running"] < tasks[name]["desired"]:
            found.append(
                {
                    "step": "containers",
                    "resource": resource,
                    "attribute": "running tasks",
                    "expected": str(tasks[name]["desired"]),
                    "found": str(tasks[name]["running"]),
                }
            )
    return found


def listening_sockets() -> set[str]:
    """Paths of the unix sockets that a process listens on."""
    found = set()
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            fields = line.split()
            # Flags, fourth field: 0x10000 is __SO_ACCEPTCON of linux/net.h.
            if len(fields) == 8 and fields[3] == "00010000":
                found.add(fields[7])
    return found
