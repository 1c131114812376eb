# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker Engine of a host, through its client: what it is, what it has, and commands to it.

The client and not a library: it is what every Docker host has, with Compose as its plugin, and it knows the host's
contexts and settings. DOCKER_HOST and DOCKER_CONTEXT of the connection's environment choose another engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

from ..errors import Problem, WindflowError
from ..system.inspect_host import free_space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
RELEASE = "windflow.release"
CONTAINER = (
    '{"id":{{json .ID}},"name":{{json .Names}},"state":{{json .State}},"status":{{json .Status}},'
    '"service":{{json (.Label "%s")}},"release":{{json (.Label "%s")}}}' % (SERVICE, RELEASE)
)
NAMESPACE = "com.docker.stack.namespace"
ENGINE = (
    '{"version":{{json .ServerVersion}},"root":{{json .DockerRootDir}},"swarm":{"state":{{json .Swarm.LocalNodeState}},'
    '"manager":{{json .Swarm.ControlAvailable}}}}'
)
NO_CLIENT = "there is no program docker"
SECONDS = 600


def environment() -> dict[str, str]:
    """Returns the client's environment: that of the host's root, in plain English."""
    return dict(os.environ, LC_ALL="C", DOCKER_CLI_HINTS="false")


def start(arguments: Iterable[str], variables: Mapping[str, str] | None = None) -> subprocess.Popen[bytes] | None:
    """A client that works while other things are done; None where there is none. ``variables`` are added to its
    environment."""
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env={**environment(), **(variables or {})},
        )
    except OSError:
        return None


def containers_of(project: str) -> list[str]:
    """Arguments that list a project's containers, running or not, in lines that ``read_containers`` reads."""
    return ["ps", "-a", "--no-trunc", "--filter", "label=%s=%s" % (PROJECT, project), "--format", CONTAINER]


def read_containers(output: str) -> list[dict[str, str]]:
    """[{"id", "name", "state", "status", "service", "release"}], sorted by name. ``status`` is for people, and has the
    exit code of one that has ended."""
    return sorted((json.loads(line) for line in output.splitlines() if line), key=lambda item: item["name"])


def services_of(project: str) -> list[str]:
    """Arguments that list a stack's services, in lines that ``read_services`` reads. Only a manager knows them."""
    shape = '{"name":{{json .Name}},"replicas":{{json .Replicas}}}'
    return ["service", "ls", "--filter", "label=%s=%s" % (NAMESPACE, project), "--format", shape]


def read_services(output: str) -> list[dict[str, Any]]:
    """[{"name", "running", "desired", "job"}] by name; ``desired`` of a global service counts the nodes that are up,
    ``running`` of a job what has ended well: its tasks are not to run for ever."""
    found = []
    for line in output.splitlines():
        item = json.loads(line)
        job = re.search(r"\(([0-9]+/[0-9]+) completed\)", item["replicas"])
        running, _slash, desired = (job.group(1) if job else item["replicas"].split(" ")[0]).partition("/")
        found.append({"name": item["name"], "running": int(running), "desired": int(desired), "job": bool(job)})
    return sorted(found, key=lambda item: item["name"])


def specs_of(names: Iterable[str]) -> list[str]:
    """Arguments that print services' specifications, in lines that ``read_specs`` reads."""
    return ["service", "inspect", "--format", "{{.Spec.Name}} {{json .Spec}}", *names]


def read_specs(output: str) -> dict[str, str]:
    """{service: digest of its specification}: it has another one after any change by hand."""
    pairs = (line.partition(" ") for line in output.splitlines() if line)
    return {name: hashlib.sha256(spec.encode()).hexdigest()[:16] for name, _blank, spec in pairs}


def read_images(output: str) -> dict[str, str]:
    """{tag: image's id} of ``docker image inspect``, whose lines are an id and a list of tags."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        identity, _blank, tags = line.partition(" ")
        found.update((tag, identity) for tag in json.loads(tags or "[]") or ())
    return found


def images_of(project: str) -> list[str]:
    """Arguments that list the images of a project's services, in lines that ``read_listed`` reads."""
    shape = "{{.ID}} {{.Repository}}:{{.Tag}}"
    return ["image", "ls", "--no-trunc", "--format", shape, "--filter", "reference=%s-*" % project]


def read_listed(output: str) -> dict[str, str]:
    """{tag: image's id} of ``docker image ls``, whose lines are an id and a tag."""
    pairs = (line.partition(" ") for line in output.splitlines() if line)
    return {tag: identity for identity, _blank, tag in pairs}


class Models:
    """What Compose makes of a plugin's files, which lie in a directory of their own for as long as that takes.

    ``wanted``: ``files`` (text by name below ``app/``), ``variables``, ``runs`` ({name: Compose files}), and
    ``release_dir``, where the files are taken to be: the model's paths begin there.
    """

    def __init__(self, project: str, wanted: dict[str, Any]) -> None:
        self.wanted = wanted
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="windflow-"))
        self.asked = {}
        try:
            for name, text in wanted["files"].items():
                path = os.path.join(self.folder, "app", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
                    stream.write(text)
            for names in {tuple(names) for names in wanted["runs"].values()}:
                argv = ["compose", "--project-name", project, "--env-file", os.devnull, "--profile", "*"]
                for name in names:
                    argv += ["--file", os.path.join(self.folder, name)]
                self.asked[names] = start([*argv, "config", "--format", "json"], wanted["variables"])
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def answers(self) -> dict[str, dict[str, Any]]:
        """{name of a run: {"model"} or {"error"}}."""
        said = {}
        try:
            for names, process in self.asked.items():
                output, error = process.communicate() if process else (b"", NO_CLIENT.encode())
                if process and process.returncode == 0:
                    text = output.decode("utf-8", "replace").replace(self.folder, self.wanted["release_dir"])
                    said[names] = {"model": json.loads(text)}
                else:
                    text = error.decode("utf-8", "replace").replace(self.folder + "/app/", "")
                    said[names] = {"error": text.strip()[-1000:]}
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return {name: said[tuple(names)] for name, names in self.wanted["runs"].items()}


class Questions:
    """What an engine is and has. Everything is asked at once, and read when ``answers`` is called."""

    def __init__(
        self, project: str, services: Iterable[str] | None = None, model: dict[str, Any] | None = None
    ) -> None:
        """``services``: names of the services of a stack, where the application is one. ``model``: see ``Models``."""
        self.asked = {
            "engine": start(["info", "--format", ENGINE]),
            "compose": start(["compose", "version", "--short"]),
            "containers": start(containers_of(project)),
            "images": start(images_of(project)),
        }
        self.models = Models(project, model) if model else None
        if services:
            self.asked["services"] = start(services_of(project))
            self.asked["specs"] = start(specs_of(services))

    def answers(self) -> dict[str, Any]:
        """{"version", "compose", "error", "root", "space", "images": {tag: id}, "containers": [...],
        "swarm": {"state", "manager"}, "services": [...], "specs": {service: digest}, "models": {run: model or error}}.

        ``version`` is empty where no engine answers; ``error`` then says why.
        """
        said = {}
        for name, process in self.asked.items():
            printed, complained = process.communicate() if process else (b"", NO_CLIENT.encode())
            status = process.returncode if process else 127
            said[name] = (status, readable(printed), readable(complained))
        status, output, error = said["engine"]
        known = json.loads(output.splitlines()[-1]) if status == 0 and output else {}
        answers = {
            "version": known.get("version", ""),
            "root": known.get("root", ""),
            "swarm": known.get("swarm", {}),
            "space": None,
            "error": "" if status == 0 else error[-300:],
            "compose": said["compose"][1].lstrip("v") if said["compose"][0] == 0 else "",
            "images": {},
            "containers": [],
            "services": read_services(said["services"][1]) if "services" in said else [],
            "specs": read_specs(said["specs"][1]) if "specs" in said else {},
            "models": self.models.answers() if self.models else {},
        }
        if status == 0:
            # An engine that runs elsewhere has its directory there.
            answers["space"] = free_space(answers["root"]) if os.path.isdir(answers["root"]) else None
            answers["containers"] = read_containers(said["containers"][1])
            answers["images"] = read_listed(said["images"][1])
        return answers


def both_streams(arguments: Iterable[str]) -> str:
    """Returns what one command of the client prints to either stream, in order; empty where it fails."""
    try:
        done = subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def run(
    arguments: Iterable[str],
    what: str,
    code: str,
    seconds: float = SECONDS,
    check: bool = True,
    redact: Callable[[str], str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Runs one command of the client and returns its output. Raises ``WindflowError`` with the end of what it said.

    ``what`` completes "docker could not …", as in "list images".
    ``variables`` are added to its environment.
    """
    said = "docker could not %s" % what
    try:
        done = subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment(), **(variables or {})},
            timeout=seconds,
            check=False,
        )
    except OSError:
        raise WindflowError(Problem.plain(code, said, NO_CLIENT, "install Docker Engine")) from None
    except subprocess.TimeoutExpired:
        raise WindflowError(
            Problem.plain(code, said, "no end within %d s" % seconds, "read the engine's log")
        ) from None
    output = done.stdout.decode("utf-8", "replace")
    if check and done.returncode:
        printed = (done.stderr.decode("utf-8", "replace").strip() or output.strip())[-2000:]
        got = "exit code %d: %s" % (done.returncode, redact(printed) if redact else printed)
        raise WindflowError(Problem.plain(code, said, got, "correct what it reports, then run again"))
    return output


def readable(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()
