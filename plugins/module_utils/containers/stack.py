# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch from one release to another in a Docker Swarm, and its way back.

The swarm itself starts new tasks, waits until they are healthy, stops old ones, and goes back where one is not. What is
added: the whole is waited for, the answer is asked for, and whatever fails, every service is as it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import Counter

from ..compose import effective, stack_file
from ..errors import Problem, WindflowError
from ..files import atomic
from ..redaction import redact_lines
from ..switch import probe
from ..text.log_end import READ, log_end
from . import building, engine
from .project import Containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

WENT_BACK = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
POLL_SECONDS = 1.0
# Besides what the tasks themselves may take: for each one, the swarm watches it for a while.
ORCHESTRATION_SECONDS = 60
TASK_SECONDS = 10
FAILED_TASKS = 3


class Stack(Containers):
    """One switch or one removal, on a manager."""

    def bring_up(self) -> tuple[list[dict[str, str]], list[tuple[str, int]], probe.Answer]:
        with contextlib.ExitStack() as undo:
            with self.phase("services"):
                before = self.services()
                self.make_effective(undo)
                path = self.write_stack()
                self.on_failure(undo, self.put_back, bool(before))
                self.deploy_stack(path)
                self.changes += sorted(self.changed(before))
            with self.phase("health"):
                self.wait_updated(before)
            with self.phase("verify"):
                answer = self.verify([{"id": self.service(self.options.app), "name": self.options.app}])
            with self.phase("current"):
                self.on_failure(undo, atomic.restore, self.current_path, atomic.save(self.current_path))
                atomic.link(self.current_path, "releases/%s" % self.options.release)
                self.changes.append(self.current_path)
            undo.pop_all()
        return [], [], answer

    def service(self, name: str) -> str:
        return "%s_%s" % (self.options.project, name)

    # What is sent.

    def write_stack(self) -> str:
        """Writes the release's stack, and returns its path. It names files with secrets and holds none."""
        said = self.compose("list the services of the project", "config", "--format", "json")
        model = json.loads(said)
        stack, warnings = stack_file.stack(model, self.conversion_options(model))
        self.warnings += warnings
        path = os.path.join(self.release_dir, "stack.json")
        atomic.write(path, effective.as_file(stack), 0o600)
        return path

    def conversion_options(self, model: dict[str, Any]) -> stack_file.Wanted:
        options = self.options
        front_dir = os.path.dirname(self.front.path)
        mounted = [item.get("source") for item in model["services"].get(options.front, {}).get("volumes", ())]
        front_file = ""
        if options.front and front_dir in mounted:
            front_file = os.path.join(self.release_dir, "front.cfg")
            content = stack_file.servers(options.app, options.app_port, options.replicas)
            atomic.write(front_file, content.encode(), 0o644)
        sources = {name: self.own_copy(item["file"]) for name, item in model.get("secrets", {}).items()}
        return stack_file.Wanted(
            project=options.project,
            app=options.app,
            front=options.front,
            app_port=options.app_port,
            replicas=options.replicas,
            images=self.references(),
            node=self.docker("read the id of the node", "info", "--format", "{{.Swarm.NodeID}}").strip(),
            front_dir=front_dir,
            front_file=front_file,
            places=(options.install_dir, options.shared_dir),
            one_shot=tuple(effective.one_shot(model)),
            configs={name: self.config_of(name, item or {}) for name, item in (model.get("configs") or {}).items()},
            kept=tuple(os.path.join(options.shared_dir, name) for name in ("binds", "files")),
            secret_files=sources,
            secret_names={name: self.secret_name(name, path) for name, path in sources.items()},
        )

    def config_of(self, name: str, item: dict[str, Any]) -> dict[str, str]:
        """A configuration of the project: its file, and a name that is another one for another content."""
        path = item.get("file")
        if not path:
            path = os.path.join(self.release_dir, "config-%s" % name)
            # As it is after Compose has read it once more, which nobody does with a file.
            atomic.write(path, item.get("content", "").replace("$$", "$").encode(), 0o600)
        with open(path, "rb") as stream:
            made_of = hashlib.sha256(stream.read()).hexdigest()
        return {"name": stack_file.object_name(self.options.project, name, made_of), "file": path}

    def own_copy(self, path: str) -> str:
        """A secret's file in the release: what a container on one host reads from a shared place."""
        shared = os.path.join(self.options.shared_dir, "secrets")
        if os.path.dirname(path) == shared:
            return os.path.join(self.release_dir, "secrets", os.path.basename(path))
        return path

    def secret_name(self, name: str, path: str) -> str:
        """Returns the name that the secret has had since its content is what it is, so that its readers are left
        alone."""
        within = os.path.relpath(path, self.release_dir)
        for release in dict.fromkeys((self.options.release, self.previous)):
            try:
                with open(os.path.join(self.dir_of(release), "stack.json"), encoding="utf-8") as stream:
                    known = json.load(stream)["secrets"][name]["name"]
            except (OSError, ValueError, KeyError):
                continue
            if release and atomic.save(path).data == atomic.save(os.path.join(self.dir_of(release), within)).data:
                return known
        return stack_file.object_name(self.options.project, name, self.options.release)

    def references(self) -> dict[str, str]:
        """{service: image}: the registry's name where there is a registry, else the image's id.

        For an id no node asks any registry, which in a closed network would take long and come to nothing.
        """
        options = self.options
        if options.registry:
            return {name: "%s/%s" % (options.registry, tag) for name, tag in options.images.items()}
        known = building.identities(sorted(options.images.values())) if options.images else {}
        missing = sorted(tag for tag, identity in known.items() if not identity)
        if missing:
            raise WindflowError(
                Problem.plain("E4083", "the host lacks images of the release", ", ".join(missing), "deploy again")
            )
        return {name: known[tag] for name, tag in options.images.items()}

    def deploy_stack(self, path: str) -> None:
        argv = ["stack", "deploy", "--prune", "--compose-file", path]
        argv += ["--with-registry-auth"] if self.options.registry else ["--resolve-image", "never"]
        self.docker("deploy the stack", *argv, self.options.project)

    def put_back(self, was_there: bool) -> None:
        """The services of the release before, or none."""
        path = os.path.join(self.dir_of(self.previous), "stack.json") if self.previous else ""
        if path and os.path.exists(path):
            self.deploy_stack(path)
            self.wait_updated({}, lenient=True)
        elif not was_there:
            self.remove_stack()

    # What the swarm says.

    def listed(self) -> list[dict[str, Any]]:
        """Returns the stack's services with the number of their tasks."""
        return engine.read_services(self.docker("list services", *engine.services_of(self.options.project)))

    def services(self, listed: list[dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
        """{name: {"template", "update"}} of the stack's services."""
        names = [item["name"] for item in (self.listed() if listed is None else listed)]
        if not names:
            return {}
        shape = '{"name":{{json .Spec.Name}},"template":{{json .Spec.TaskTemplate}},"update":{{json .UpdateStatus}}}'
        said = self.docker("inspect services", "service", "inspect", "--format", shape, *names)
        return {item["name"]: item for item in map(json.loads, said.splitlines())}

    def changed(self, before: dict[str, dict[str, Any]]) -> set[str]:
        """Names of the services whose tasks are or were replaced, or that are new."""
        now = self.services()
        return {name for name, item in now.items() if item["template"] != before.get(name, {}).get("template")}

    def tasks(self, names: Iterable[str]) -> list[dict[str, str]]:
        """Returns what the swarm says of the tasks of services, the newest first."""
        shape = '{"name":{{json .Name}},"node":{{json .Node}},"error":{{json .Error}}}'
        said = self.docker("list tasks", "service", "ps", "--no-trunc", "--format", shape, *names, check=False)
        return [json.loads(line) for line in said.splitlines() if line]

    def wait_updated(self, before: dict[str, dict[str, Any]], lenient: bool = False) -> None:
        """Every service has all its tasks, and those that were changed have gone through with it.

        ``lenient``: on the way back it is enough that everything runs.
        """
        changed = {name for name in self.changed(before) if name in before}
        tasks = max(self.options.replicas, 1)
        limit = (self.options.health_timeout + TASK_SECONDS) * tasks + ORCHESTRATION_SECONDS
        deadline = time.monotonic() + limit
        while True:
            listed = self.listed()
            services = self.services(listed)
            waiting = []
            for item in listed:
                name = item["name"]
                state = (services.get(name, {}).get("update") or {}).get("State") or ""
                if name in changed and state in WENT_BACK:
                    raise self.failed(name, "the swarm rolled back by itself (%s)" % state)
                if item["running"] < item["desired"] or not item["desired"]:
                    waiting.append(name)
                elif state == "updating" or (name in changed and not item["job"] and state != "completed"):
                    waiting.append(name)
            if services and not waiting:
                return
            if not lenient:
                jobs = {item["name"] for item in listed if item["job"]}
                self.give_up_early(set(waiting) & ((set(waiting) - set(before)) | jobs))
            if time.monotonic() > deadline:
                raise self.failed((waiting or [self.service(self.options.app)])[0], "not within %d s" % limit)
            time.sleep(POLL_SECONDS)

    def give_up_early(self, names: Iterable[str]) -> None:
        """For services that were not there before the swarm would try for ever."""
        for name in sorted(names):
            fallen = Counter(task["name"].lstrip(" \\_") for task in self.tasks([name]) if task["error"])
            if max(fallen.values(), default=0) >= FAILED_TASKS:
                raise self.failed(name, "a task failed %d times" % max(fallen.values()))

    def failed(self, name: str, reason: str) -> WindflowError:
        """Returns the error of a release that does not work: the tasks' errors and the end of their log."""
        # A task without a node has not begun: what it waits for is no fault of the application's.
        tasks = [task for task in self.tasks([name]) if task["error"]]
        tasks = [task for task in tasks if task["node"]] or tasks
        errors = ["%s on %s: %s" % (task["name"], task["node"] or "no node", task["error"]) for task in tasks[:5]]
        log = self.log(name)
        self.evidence = {"probe_status": 0, "probe_body": "", "probe_error": "", "log": log}
        got = [reason, *[self.redacted(line) for line in errors]]
        if log:
            got.append("last lines of its log:\n    %s" % "\n    ".join(log))
        said = "not all tasks of %s are healthy" % name
        return WindflowError(Problem.plain("E4084", said, "; ".join(got), "correct the application, then deploy again"))

    def log(self, identity: str) -> list[str]:
        said = engine.both_streams(["service", "logs", "--raw", "--tail", str(READ), identity])
        return log_end(redact_lines(said.splitlines()[-READ:], self.secrets()))

    # What is left.

    def remove_old_images(self, keep: bool = True) -> None:
        super().remove_old_images(keep)
        if keep:
            self.remove_old_objects()

    def remove_old_objects(self) -> None:
        """Secrets and configurations that neither a release on the host names nor a service uses."""
        named = set()
        for release in os.listdir(os.path.join(self.options.install_dir, "releases")):
            with contextlib.suppress(OSError, ValueError):
                with open(os.path.join(self.dir_of(release), "stack.json"), encoding="utf-8") as stream:
                    stack = json.load(stream)
                for kind in ("secrets", "configs"):
                    named |= {item["name"] for item in stack.get(kind, {}).values()}
        for kind in ("secret", "config"):
            said = self.docker("list secrets and configs", kind, "ls", *self.labelled(), "--format", "{{.Name}}")
            for name in sorted(set(said.split()) - named):
                self.docker("remove a secret or config", kind, "rm", name, check=False)

    def labelled(self) -> list[str]:
        return ["--filter", "label=%s=%s" % (engine.NAMESPACE, self.options.project)]

    def remove_stack(self) -> None:
        """Takes the stack away, and waits for the end of its tasks and of their containers, which this node removes a
        little later: networks and volumes are free then."""
        project = self.options.project
        self.docker("remove the stack", "stack", "rm", project)
        deadline = time.monotonic() + ORCHESTRATION_SECONDS
        while True:
            said = self.docker("list tasks", "stack", "ps", "--format", "{{.Node}}", project, check=False)
            nodes = {name for name in said.splitlines() if name}
            here = self.docker("list containers", "ps", "--all", "--quiet", *self.labelled()).strip()
            networks = self.docker("list networks", "network", "ls", "--quiet", *self.labelled()).strip()
            if not (nodes or here or networks):
                return
            if nodes and not here and nodes <= self.nodes_down():
                shown = ", ".join(sorted(nodes))
                self.warnings.append("tasks of %s on %s, which is down, were left to the swarm" % (project, shown))
                return
            if time.monotonic() > deadline:
                self.warnings.append("some tasks of %s had not ended after %d s" % (project, ORCHESTRATION_SECONDS))
                return
            time.sleep(POLL_SECONDS)

    def nodes_down(self) -> set[str]:
        """Names of nodes that the manager does not reach: nobody learns what their tasks do."""
        said = self.docker("list nodes", "node", "ls", "--format", "{{.Hostname}} {{.Status}}")
        pairs = (line.partition(" ") for line in said.splitlines())
        return {name for name, _blank, status in pairs if status == "Down"}

    def removable(self) -> list[str]:
        return [item["name"] for item in self.listed()]

    def take_down(self) -> None:
        if self.listed():
            self.remove_stack()
