# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health-gated switch from one release to another in containers, and its way back.

New containers of the application start beside the old ones and are probed, the front is told of them and of no
others, the old ones drain and stop. Until ``current`` has been switched every step leaves its undoing on a stack,
as in ``switch.host``, the switch of the backend ``host``.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import json
import os
import time
from dataclasses import dataclass, replace

from ..compose import effective, rules
from ..errors import Problem, WindflowError
from ..files import atomic
from ..redaction import redact, redact_lines
from ..switch import probe
from ..switch.transaction import Options, Switching
from ..text.log_end import READ, log_end
from . import engine
from .binds import Binds, digest
from .front import Front

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

CONFIG_FILES = ("windflow.yaml",)
EFFECTIVE = "effective.json"
SETTLE_SECONDS = 7
POLL_SECONDS = 0.2
EDGE_SECONDS = 15.0


@dataclass(frozen=True)
class ContainerOptions(Options):
    """The options of the module ``compose_switch``. ``allow`` is None for a release that is not judged."""

    engine: str
    project: str
    shared_dir: str
    app: str
    front: str
    images: dict[str, str]
    registry: str
    files: list[str]
    app_port: int
    bind: str
    allow: list[str] | None
    networks: list[str]
    purge: bool


class Containers(Switching):
    """One switch or one removal."""

    options: ContainerOptions

    def __init__(self, options: ContainerOptions) -> None:
        super().__init__(options)
        self.front = Front(self)
        self.binds = Binds(self)
        self.model: dict[str, Any] = {}

    def secrets(self) -> list[str]:
        """Returns what must not be shown of what containers print; the release brings the list."""
        try:
            with open(os.path.join(self.release_dir, "secrets.json"), encoding="utf-8") as stream:
                return json.load(stream)
        except (OSError, ValueError):
            return []

    def redacted(self, text: str) -> str:
        return redact(text, self.secrets())

    # The engine.

    def compose(
        self,
        what: str,
        *arguments: str,
        release: str | None = None,
        seconds: float = engine.SECONDS,
        check: bool = True,
    ) -> str:
        """One command of Compose about a release's project, out of its effective model."""
        folder = self.dir_of(release) if release else self.release_dir
        path = os.path.join(folder, EFFECTIVE)
        paths = [path] if os.path.exists(path) else self.paths_of(folder)
        return self.compose_of(what, folder, paths, arguments, seconds=seconds, check=check)

    def paths_of(self, folder: str) -> list[str]:
        """Returns the Compose files of a release, as the plugin and the platform have written them."""
        names = self.options.files if folder == self.release_dir else compose_files(folder)
        return [os.path.join(folder, name) for name in (*names, *CONFIG_FILES)]

    def compose_of(
        self,
        what: str,
        folder: str,
        paths: list[str],
        arguments: Iterable[str],
        seconds: float = engine.SECONDS,
        check: bool = True,
    ) -> str:
        argv = ["compose", "--project-name", self.options.project, "--env-file", os.path.join(folder, ".env")]
        for path in paths:
            argv += ["--file", path]
        return engine.run([*argv, *arguments], what, "E4070", seconds, check, self.redacted, variables(folder))

    def make_effective(self, undo: contextlib.ExitStack) -> None:
        """Writes the model that is started, and judges it before: nothing else decides what containers may do."""
        options = self.options
        arguments = ["--profile", "*", "config", "--format", "json"]
        paths = self.paths_of(self.release_dir)
        said = self.compose_of("read the Compose files", self.release_dir, paths, arguments)
        model = json.loads(said)
        self.judge(model)
        places = effective.Places(
            self.release_dir, options.shared_dir, lambda path: digest(os.path.join(self.release_dir, "app", path))
        )
        front = options.front or options.app
        self.model = effective.effective(model, places, options.bind, options.port, front)
        self.binds.apply(places, undo)
        atomic.write(os.path.join(self.release_dir, EFFECTIVE), effective.as_file(self.model), 0o600)

    def judge(self, model: dict[str, Any]) -> None:
        """Raises WindflowError E4085 for everything that plugin.yml does not ask for. A release of before there was a
        judgement has nothing to be judged by."""
        options = self.options
        if options.allow is None:
            return
        labels = ("windflow.release",)
        own = rules.Own(options.project, self.release_dir, options.shared_dir, tuple(options.networks), labels)
        found = rules.refused(rules.judge(model, own), options.allow)
        if found:
            raise WindflowError([rules.problem("E4085", item) for item in found])

    def docker(self, what: str, *arguments: str, check: bool = True) -> str:
        return engine.run(arguments, what, "E4070", check=check, redact=self.redacted)

    def containers(self, service: str = "") -> list[dict[str, str]]:
        found = engine.read_containers(self.docker("list containers", *engine.containers_of(self.options.project)))
        return [item for item in found if not service or item["service"] == service]

    def inspect(self, identity: str) -> dict[str, Any]:
        """State, restarts and address of a container; an empty map where it is gone."""
        shape = (
            '{"state":{{json .State.Status}},"exit":{{.State.ExitCode}},"restarts":{{.RestartCount}},'
            '"health":"{{if .State.Health}}{{.State.Health.Status}}{{end}}",'
            '"networks":{{json .NetworkSettings.Networks}}}'
        )
        said = self.docker("inspect a container", "inspect", "--format", shape, identity, check=False)
        if not said.strip():
            return {}
        found = json.loads(said)
        networks = (found.pop("networks") or {}).values()
        found["address"] = next((item["IPAddress"] for item in networks if item.get("IPAddress")), "")
        return found

    # The switch.

    def deploy(self) -> dict[str, Any]:
        """Switches to the release. Raises WindflowError; ``evidence`` then says what was seen."""
        options = self.options
        with self.outcome_of(self.outcome):
            old, workers, answer = self.bring_up()
        with self.outcome_of(self.outcome_after):
            with self.phase("drain"):
                self.front.drain(workers)
            with self.phase("stop"):
                stopped = self.stop(old)
            self.remove_old_images()
            self.binds.prune()
        return {
            "previous": self.previous if self.previous != options.release else "",
            "stopped": stopped,
            "status": answer.status,
        }

    def prepare(self) -> None:
        """What outlives releases is as the new release wants it, or as it was. The release itself is not touched."""
        with self.outcome_of(self.outcome), contextlib.ExitStack() as undo:
            self.start_surroundings(undo)
            undo.pop_all()

    def start_surroundings(self, undo: contextlib.ExitStack) -> None:
        with self.phase("services"):
            self.make_effective(undo)
            self.start_others(undo)

    def bring_up(self) -> tuple[list[dict[str, str]], list[tuple[str, int]], probe.Answer]:
        """Everything up to ``current``, or nothing. Returns the old containers, the front's old workers, the answer."""
        with contextlib.ExitStack() as undo:
            self.start_surroundings(undo)
            with self.phase("start"):
                old, new = self.start(undo)
            with self.phase("health"):
                self.wait_healthy(new)
            with self.phase("front"):
                workers = self.front.point([item["name"] for item in new], undo)
            with self.phase("verify"):
                answer = self.verify(new)
            with self.phase("current"):
                self.on_failure(undo, atomic.restore, self.current_path, atomic.save(self.current_path))
                atomic.link(self.current_path, "releases/%s" % self.options.release)
                self.changes.append(self.current_path)
            undo.pop_all()
        return old, workers, answer

    def start_others(self, undo: contextlib.ExitStack) -> None:
        """The services besides the application and the front: a database, a queue. Compose leaves alone what is as
        it should be; another secret needs new containers, because they have the old file."""
        said = self.compose("list the services of the project", "config", "--services")
        names = sorted(set(said.split()) - {self.options.app, self.options.front})
        renewed = self.share_secrets(undo)
        if not names:
            return
        before = {item["id"] for item in self.containers()}
        if self.previous:
            self.on_failure(undo, self.put_back_others, names, before, renewed)
        else:
            self.on_failure(undo, self.compose, "remove services", "rm", "--stop", "--force", *names)
        more = ["--force-recreate"] if renewed and before else []
        argv = ["up", "--detach", "--no-build", "--no-deps"]
        limit = self.options.health_timeout
        ending = [name for name in names if name in effective.one_shot(self.model)]
        staying = [name for name in names if name not in ending]
        try:
            if ending:
                # All of them, in the order that the files ask for. Compose is not to wait: it takes every end for a
                # failure.
                what = "start the services %s" % ", ".join(names)
                self.compose(what, *argv, *more, *names, seconds=limit + engine.SECONDS)
                self.wait_ended(ending)
                more = []
            if staying:
                what = "start the services %s" % ", ".join(staying)
                wait = ["--wait", "--wait-timeout", str(limit)]
                self.compose(what, *argv, *more, *wait, *staying, seconds=limit + engine.SECONDS)
        except WindflowError as error:
            logs = {name: self.log_of(name) for name in names}
            self.evidence = {"log": [line for log in logs.values() for line in log]}
            shown = ["last lines of %s:\n    %s" % (name, "\n    ".join(log)) for name, log in logs.items() if log]
            got = "; ".join(part for part in (error.problems[0].got, "\n  ".join(shown)) if part)
            raise WindflowError([replace(error.problems[0], got=got)]) from None
        if {item["id"] for item in self.containers() if item["service"] in names} - before:
            self.changes.extend(names)

    def wait_ended(self, names: list[str]) -> None:
        """Services that others wait for have ended well. Raises WindflowError E4087."""
        deadline = time.monotonic() + self.options.health_timeout
        for item in [item for name in names for item in self.containers(name)]:
            while True:
                found = self.inspect(item["id"])
                if found.get("state") in ("exited", "dead"):
                    break
                if time.monotonic() > deadline:
                    said = "%s did not end within %d s" % (item["name"], self.options.health_timeout)
                    state = found.get("state", "it is gone")
                    raise WindflowError(Problem.plain("E4087", said, state, "correct the service"))
                time.sleep(POLL_SECONDS)
            if found["exit"]:
                said = "%s ended with exit code %s" % (item["name"], found["exit"])
                raise WindflowError(Problem.plain("E4087", said, "", "correct the service"))

    def share_secrets(self, undo: contextlib.ExitStack) -> list[str]:
        """Copies the release's secrets to where services that outlive releases read them. Returns what changed."""
        changed = []
        for path in sorted(glob.glob(os.path.join(glob.escape(self.release_dir), "secrets", "*"))):
            shared = os.path.join(self.options.shared_dir, "secrets", os.path.basename(path))
            wanted, found = atomic.save(path), atomic.save(shared)
            if wanted != found:
                self.on_failure(undo, atomic.restore, shared, found)
                atomic.restore(shared, wanted)
                changed.append(shared)
        self.changes += changed
        return changed

    def put_back_others(self, names: list[str], before: set[str], renewed: list[str]) -> None:
        now = {item["id"] for item in self.containers() if item["service"] in names}
        if now <= before and not renewed:
            return
        more = ["--force-recreate"] if renewed else []
        argv = ["up", "--detach", "--no-build", "--no-deps", *more, *names]
        self.compose("start the former services", *argv, release=self.previous)

    def start(self, undo: contextlib.ExitStack) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """As many new containers as there are to be, beside those that are there. Returns (old, new)."""
        options = self.options
        if not options.front:
            return [], self.replace(undo)
        dead = [item["id"] for item in self.containers(options.app) if item["state"] != "running"]
        if dead:
            self.docker("remove containers that do not run", "rm", "--force", *dead)
        old = self.containers(options.app)
        known = {item["id"] for item in old}
        self.on_failure(undo, self.take_away, known)
        scale = "%s=%d" % (options.app, len(old) + options.replicas)
        argv = ["up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", scale, options.app]
        self.compose("start %d new containers of %s" % (options.replicas, options.app), *argv)
        new = [item for item in self.containers(options.app) if item["id"] not in known]
        if len(new) != options.replicas:
            expected = "%d new containers of %s" % (options.replicas, options.app)
            raise WindflowError(Problem("E4071", expected, str(len(new)), "read the engine's log"))
        self.changes += [item["name"] for item in new]
        return old, new

    def replace(self, undo: contextlib.ExitStack) -> list[dict[str, str]]:
        """Without a front nothing can share a port: Compose replaces the containers in place. Returns the new ones."""
        options = self.options
        self.on_failure(undo, self.replace_back, len(self.containers(options.app)))
        scale = "%s=%d" % (options.app, options.replicas)
        argv = ["up", "--detach", "--no-build", "--no-deps", "--scale", scale, options.app]
        self.compose("start %d containers of %s" % (options.replicas, options.app), *argv)
        new = self.containers(options.app)
        self.changes += [item["name"] for item in new]
        return new

    def replace_back(self, count: int) -> None:
        app = self.options.app
        if not self.previous:
            self.compose("remove the application", "rm", "--stop", "--force", app)
            return
        argv = ["up", "--detach", "--no-build", "--no-deps", "--scale", "%s=%d" % (app, count), app]
        self.compose("start the former application", *argv, release=self.previous)

    def take_away(self, known: set[str]) -> None:
        """Removes the application's containers that were not there before."""
        new = [item["id"] for item in self.containers(self.options.app) if item["id"] not in known]
        if new:
            self.docker("remove the new containers", "rm", "--force", "--volumes", *new)

    def wait_healthy(self, new: list[dict[str, str]]) -> None:
        """Every new container answers its health path; without one, it stays up for a while."""
        options = self.options
        deadline = time.monotonic() + options.health_timeout
        for item in new:
            address = self.wait_address(item, deadline)
            if not options.health:
                self.wait_settled(item, deadline)
                continue
            left = max(deadline - time.monotonic(), 1.0)
            health = probe.wait_healthy(
                [(address, options.app_port)],
                options.health,
                options.host_header,
                limit=left,
                stop=functools.partial(self.why_not_running, item["id"]),
            )
            if not health.healthy:
                said = "%s does not answer 200 at port %d, path %s, within %d s" % (
                    item["name"],
                    options.app_port,
                    options.health,
                    options.health_timeout,
                )
                raise self.unhealthy("E4072", said, item, health.answer, health.stopped)

    def wait_address(self, item: dict[str, str], deadline: float) -> str:
        while True:
            found = self.inspect(item["id"])
            reason = self.why_not_running(item["id"], found)
            if found.get("address") and not reason:
                return found["address"]
            if reason or time.monotonic() > deadline:
                raise self.unhealthy("E4073", "%s does not run" % item["name"], item, None, reason or "no address")
            time.sleep(POLL_SECONDS)

    def wait_settled(self, item: dict[str, str], deadline: float) -> None:
        """By its own health check, as far as its image or service has one; else it has to run for a while."""
        settled = time.monotonic() + SETTLE_SECONDS
        while True:
            found = self.inspect(item["id"])
            reason = self.why_not_running(item["id"], found)
            if reason:
                said = "%s did not keep running for %d s" % (item["name"], SETTLE_SECONDS)
                raise self.unhealthy("E4073", said, item, None, reason)
            if found["health"] == "healthy" or not found["health"] and time.monotonic() > settled:
                return
            if found["health"] == "unhealthy" or time.monotonic() > max(deadline, settled):
                said = "%s did not get healthy within %d s" % (item["name"], self.options.health_timeout)
                raise self.unhealthy("E4073", said, item, None, "its health check says %s" % found["health"])
            time.sleep(POLL_SECONDS * 5)

    def why_not_running(self, identity: str, found: dict[str, Any] | None = None) -> str:
        """Returns why a container does not stay up, or an empty text."""
        found = found or self.inspect(identity)
        if not found:
            return "the container is gone"
        if found["restarts"]:
            return "it was restarted %d times, exit code %d" % (found["restarts"], found["exit"])
        if found["state"] in ("exited", "dead", "restarting"):
            return "%s, exit code %d" % (found["state"], found["exit"])
        return ""

    def unhealthy(
        self, code: str, said: str, item: dict[str, str], answer: probe.Answer | None, reason: str
    ) -> WindflowError:
        """Returns the error of a release that does not work: last answer, the container's state, the end of its log."""
        log = self.log(item["id"])
        if answer:
            answer = replace(answer, body=self.redacted(answer.body))
        self.evidence = {
            "probe_status": answer.status if answer else 0,
            "probe_body": answer.body[: probe.BODY_CHARACTERS] if answer else "",
            "probe_error": answer.error if answer else "",
            "log": log,
        }
        got = [str(answer)] if answer else []
        got += [reason] if reason else []
        if log:
            got.append("last lines of its log:\n    %s" % "\n    ".join(log))
        return WindflowError(Problem.plain(code, said, "; ".join(got), "correct the application, then deploy again"))

    def log(self, identity: str) -> list[str]:
        """Returns the last lines that a container wrote to either stream."""
        said = engine.both_streams(["logs", "--tail", str(READ), identity])
        return log_end(redact_lines(said.splitlines()[-READ:], self.secrets()))

    def log_of(self, service: str) -> list[str]:
        return [line for item in self.containers(service)[:1] for line in self.log(item["id"])]

    def verify(self, new: list[dict[str, str]]) -> probe.Answer:
        """Returns the answer at the host's port. One that names a release must name this one."""
        options = self.options
        if not options.port:
            return probe.Answer()

        path = options.health or "/"
        limit = min(EDGE_SECONDS, options.health_timeout)
        service = self.model["services"].get(options.front or options.app) or {}
        address = effective.reached(effective.published_at(service, options.port))
        health = probe.wait_healthy(
            [(address, options.port)], path, options.host_header, limit=limit, accept=self.accepts
        )
        if not health.healthy:
            said = "release %s does not answer at port %d, path %s" % (options.release, options.port, path)
            raise self.unhealthy("E4075", said, new[0], health.answer, "")
        return health.answer

    def stop(self, old: list[dict[str, str]]) -> list[str]:
        """Stops the old containers, each with the time that its service grants, and removes them."""
        if not old:
            return []
        identities = [item["id"] for item in old]
        self.docker("stop the old containers", "stop", *identities)
        self.docker("remove the old containers", "rm", "--volumes", *identities)
        self.changes += [item["name"] for item in old]
        return [item["name"] for item in old]

    def remove_old_images(self, keep: bool = True) -> None:
        """Images of releases that are no longer there. One that is in use stays, whoever uses it."""
        used = ""
        for path in glob.glob(os.path.join(glob.escape(self.options.install_dir), "releases", "*", "windflow.yaml")):
            with open(path, encoding="utf-8") as stream:
                used += stream.read()
        pattern = "reference=%s-*" % self.options.project
        argv = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", pattern]
        for tag in self.docker("list images", *argv).split():
            if self.is_own_image(tag) and not (keep and tag in used):
                self.docker("remove an image", "image", "rm", tag, check=False)

    def is_own_image(self, tag: str) -> bool:
        """Returns whether a tag is of a service of this plugin: those of a plugin ``a-b`` begin like those of ``a``."""
        name = tag.rpartition(":")[0][len(self.options.project) + 1 :]
        return name in self.options.images

    # Removal.

    def removable(self) -> list[str]:
        """Names of what a removal takes away."""
        return [item["name"] for item in self.containers()]

    def remove(self, purge: bool) -> dict[str, Any]:
        """Takes away what runs, with networks and images; volumes of this host too, if they are to be purged. Returns
        the volumes that stay."""
        names = self.removable()
        volumes = self.docker("list volumes", "volume", "ls", "--quiet", *self.labelled()).split()
        self.changes += names + (volumes if purge else [])
        if not purge:
            self.binds.adopt(None)
        self.take_down()
        for volume in volumes if purge else ():
            self.docker("remove a volume", "volume", "rm", volume)
        self.remove_old_images(keep=False)
        if atomic.remove(self.current_path):
            self.changes.append(self.current_path)
        return {"volumes": [] if purge else volumes}

    def labelled(self) -> list[str]:
        """Returns what lists everything of this project and nothing else."""
        return ["--filter", "label=%s=%s" % (engine.PROJECT, self.options.project)]

    def take_down(self) -> None:
        """Nothing runs any more, and the networks are gone."""
        identities = [item["id"] for item in self.containers()]
        if identities:
            self.docker("stop containers", "stop", *identities)
            self.docker("remove containers", "rm", "--force", "--volumes", *identities)
        for network in self.docker("list networks", "network", "ls", "--quiet", *self.labelled()).split():
            self.docker("remove a network", "network", "rm", network)


def variables(folder: str) -> dict[str, str]:
    """Returns what Compose interpolates, as the release has it: an env file cannot hold every value."""
    try:
        with open(os.path.join(folder, "variables.json"), encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def compose_files(folder: str) -> list[str]:
    """Returns the Compose files of a release, as it noted them itself."""
    with open(os.path.join(folder, "compose.json"), encoding="utf-8") as stream:
        return json.load(stream)
