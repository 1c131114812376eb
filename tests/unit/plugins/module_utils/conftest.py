# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the core share: plugins made in a temporary directory; a real Docker Engine with the real Compose,
and releases as they lie on a host; a real PostgreSQL, a private cluster of the tests' own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from glob import glob
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import store as backup_store
from ansible_collections.windflow.platform.plugins.module_utils.containers import binds, container_switch
from ansible_collections.windflow.platform.plugins.module_utils.containers.project import ContainerOptions, Containers
from ansible_collections.windflow.platform.plugins.module_utils.database import postgres
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import tree
from ansible_collections.windflow.platform.plugins.module_utils.network import kept
from ansible_collections.windflow.platform.plugins.module_utils.record import dependents, host_secrets, ownership, store
from ansible_collections.windflow.platform.plugins.module_utils.run import releases

ROOT = Path(__file__).resolve().parents[4]
HOOK = "#!/bin/sh\nexit 0\n"
MANIFEST = "name: sample\nversion: 1.0.0\n"


class PluginMaker:
    """Writes plugin directories: ``make(manifest, **files)``, a file's content being text, bytes or JSON data."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, manifest: str | bytes = MANIFEST, files: dict | None = None, name: str = "sample") -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        self.write(folder / "plugin.yml", manifest)
        for path, content in (files or {}).items():
            self.write(folder / path, content)
        return folder

    @staticmethod
    def write(path: Path, content: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, (dict, list)):
            content = json.dumps(content, indent=2)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        if path.parent.name == "hooks":
            path.chmod(0o755)
        return path


@pytest.fixture
def make_plugin(tmp_path: Path) -> PluginMaker:
    return PluginMaker(tmp_path)


@pytest.fixture
def findings():
    """``findings(function, ...)``: the problems that the call raises; it fails if there are none."""

    def call(function, *arguments, **named) -> list[Problem]:
        with pytest.raises(WindflowError) as caught:
            function(*arguments, **named)
        assert caught.value.problems
        assert str(caught.value).endswith("Nothing was changed.")
        return list(caught.value.problems)

    return call


@pytest.fixture
def only(findings):
    """As ``findings``, for exactly one problem; ``place`` says where it must be, ``words`` what it must name."""

    def call(code: str, place: str, words: tuple, function, *arguments, **named) -> Problem:
        problems = findings(function, *arguments, **named)
        assert [problem.code for problem in problems] == [code], "\n".join(map(str, problems))
        problem = problems[0]
        where = ":".join(str(part) for part in (problem.file, problem.line) if part)
        assert (where + " " + problem.path).strip() == place
        assert (problem.message or (problem.expected and problem.got)) and problem.remedy, problem
        for word in words:
            assert word in str(problem), "%s is not in: %s" % (word, problem)
        return problem

    return call


TEST_BASE = "windflow-test-base"
# A service that is healthy within a second and ends at once.
LIVING = {
    "image": TEST_BASE,
    "command": ["sleep", "infinity"],
    "init": True,
    "stop_grace_period": "0s",
    "healthcheck": {"test": ["CMD", "true"], "interval": "1s"},
}


def engine_answers() -> bool:
    return shutil.which("docker") is not None and not subprocess.call(
        ["docker", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture(scope="session")
def compose_client():
    """The environment of a client that has Compose, with the lab's base image under the name that is used here."""
    if not engine_answers():
        pytest.skip("no Docker Engine answers: scripts/docker.sh start")
    folder = ROOT / ".cache" / "client"
    code = (
        "import sys, images, pathlib; images.compose(pathlib.Path(sys.argv[1])); print(images.ensure('trixie', 'base'))"
    )
    argv = [sys.executable, "-c", code, str(folder)]
    said = subprocess.run(argv, cwd=ROOT / "tests/lab", stdout=subprocess.PIPE, check=True, text=True).stdout
    subprocess.run(["docker", "tag", said.split()[-1], TEST_BASE], check=True)
    os.environ["DOCKER_CONFIG"] = str(folder)
    return folder


def container_options(**values) -> ContainerOptions:
    """The options of a switch in containers: the module's defaults, and what a test says."""
    defaults = {name: argument.get("default") for name, argument in container_switch.ARGUMENTS.items()}
    names = {"plugin": "demo", "project": "windflow-demo", "app": "app", "files": ["app/compose/compose.yaml"]}
    return ContainerOptions(**{**defaults, **names, **values})


@pytest.fixture(name="container_options")
def make_container_options():
    return container_options


class Host:
    """The directories of one plugin on a host, below ``root``."""

    living = LIVING

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.project = "windflow-%s" % name
        self.install_dir = root / "opt"
        self.shared_dir = self.install_dir / "shared"
        self.records = root / "records" / name
        for folder in (self.shared_dir / "front", self.shared_dir / "secrets", self.records):
            folder.mkdir(parents=True)

    def release(self, number: int, services: dict, shipped: dict | None = None, **top) -> str:
        """A release as it was unpacked; ``shipped`` are files below app/, text by name."""
        name = "20261123T0123%02dZ-1a2b3c4d" % number
        folder = self.install_dir / "releases" / name
        files = {"compose/compose.yaml": json.dumps({"services": services, **top}), **(shipped or {})}
        for path, content in files.items():
            (folder / "app" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "app" / path).write_text(content, encoding="utf-8")
        (folder / "secrets").mkdir()
        overlay = {"services": {"app": {"labels": {"windflow.release": name}}}}
        texts = {".env": "", "variables.json": "{}", "config.yaml": "", "windflow.yaml": json.dumps(overlay)}
        texts["compose.json"] = '["app/compose/compose.yaml"]'
        for path, content in texts.items():
            (folder / path).write_text(content, encoding="utf-8")
        found = json.dumps(tree.manifest(str(folder / "app")))
        (self.records / ("%s.tree.json" % name)).write_text(found, encoding="utf-8")
        return name

    def switch(self, release: str = "", **options) -> Containers:
        return Containers(
            container_options(
                plugin=self.name,
                project=self.project,
                install_dir=str(self.install_dir),
                shared_dir=str(self.shared_dir),
                release=release,
                **{"allow": [], "drain_timeout": 5, "health_timeout": 20, "port": 0, **options},
            )
        )

    def deploy(self, release: str, **options) -> Containers:
        switch = self.switch(release, **options)
        switch.deploy()
        return switch

    def run(self, service: str, command: str) -> str:
        name = "%s-%s-1" % (self.project, service)
        argv = ["docker", "exec", name, "sh", "-c", command]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def identity(self, service: str) -> str:
        argv = ["docker", "inspect", "--format", "{{.Id}}", "%s-%s-1" % (self.project, service)]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def compose_host(compose_client, tmp_path, monkeypatch, request):
    number = abs(hash(request.node.nodeid)) % 10**6
    host = Host(tmp_path, "test%d-%d" % (os.getpid(), number))
    monkeypatch.setattr(binds, "directory", lambda _plugin: str(host.records))
    yield host
    host.switch().remove(purge=True)


@pytest.fixture
def client(tmp_path, monkeypatch):
    """``client(script)`` puts a program docker of the test's own first in the path, which is that script; returned is
    what tells its calls."""

    def make(script: str):
        program, calls = tmp_path / "client" / "docker", tmp_path / "client" / "calls"
        program.parent.mkdir()
        calls.touch()
        program.write_text('#!/bin/sh\necho "$*" >>%s\n%s\n' % (calls, script), encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", "%s:%s" % (program.parent, os.environ["PATH"]))
        return lambda: calls.read_text(encoding="utf-8").splitlines()

    return make


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    """Records of the test's own: functions that take the records' directory by default take this one."""
    folder = tmp_path / "state"
    folder.mkdir()
    for module in (dependents, host_secrets, ownership, store, releases):
        for found in vars(module).values():
            defaults = getattr(found, "__defaults__", None) or ()
            if store.STATE_DIR in defaults:
                changed = tuple(str(folder) if place == store.STATE_DIR else place for place in defaults)
                monkeypatch.setattr(found, "__defaults__", changed)
    monkeypatch.setattr(releases.write_local_facts, "__defaults__", (str(tmp_path / "facts" / "x"), str(folder)))
    monkeypatch.setattr(backup_store, "STATE_DIR", str(folder))
    monkeypatch.setattr(kept, "FOLDER", str(folder / ".network"))
    return folder


class Cluster:
    def __init__(self, root):
        self.root = root
        found = sorted(glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
        if not found[-1]:
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        self.bin = os.path.dirname(found[-1])
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        account = pwd.getpwnam("postgres")
        os.chown(root, account.pw_uid, account.pw_gid)

    def start(self):
        data = self.root + "/data"
        self.call("initdb", "-D", data, "-N", "--auth-local=peer", "--auth-host=scram-sha-256", "--locale=C.UTF-8")
        options = "-p %d -k %s -c fsync=off -c listen_addresses=127.0.0.1 -c log_statement=all" % (self.port, self.root)
        options += " -c max_prepared_transactions=2 -c log_connections=on"
        self.call("pg_ctl", "-D", data, "-o", options, "-l", self.root + "/log", "-w", "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.root + "/data", "-m", "immediate", "-w", "stop")

    @contextlib.contextmanager
    def hba(self, text):
        """Other rules of who may come in, as long as this lasts."""
        path = self.root + "/data/pg_hba.conf"
        with open(path, encoding="utf-8") as stream:
            before = stream.read()
        try:
            self.write_hba(path, text)
            yield
        finally:
            self.write_hba(path, before)

    def write_hba(self, path, text):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        self.call("pg_ctl", "-D", self.root + "/data", "reload")

    def call(self, program, *arguments):
        argv = ["runuser", "-u", "postgres", "--", os.path.join(self.bin, program), *arguments]
        subprocess.run(argv, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def params(self, **changes):
        return {
            "name": "app",
            "user": "web",
            "password": "canary-pass",
            "port": self.port,
            "max_connections": -1,
            "socket_dir": self.root,
            "wait": 5,
            "state": "present",
            "plugin": "",
            "adopt": [],
            **changes,
        }

    def login(self, name="app", user="web", password="canary-pass", sql="SELECT 1"):
        """(code, output) of a psql that logs in with the password, over TCP."""
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-A",
                "-t",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                user,
                "-d",
                postgres.conninfo(name),
            ],
            input=sql,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": password, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def sql(self, text):
        """What psql answers the superuser, who takes names from where somebody careless does."""
        careless = functools.partial(postgres.run, environment={"PGOPTIONS": "-c client_min_messages=warning"})
        return postgres.execute_sql(text, self.port, careless, self.root).strip()


@pytest.fixture(scope="module")
def server():
    root = tempfile.mkdtemp(prefix="windflow-pg-", dir="/tmp")
    cluster = Cluster(root)
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(root)


@pytest.fixture
def cluster(server):
    yield server
    for name in server.sql("SELECT datname FROM pg_database WHERE oid > 16000").splitlines():
        server.sql("DROP DATABASE %s WITH (FORCE);" % postgres.quote_identifier(name))
    for name in server.sql("SELECT rolname FROM pg_roles WHERE oid > 16000").splitlines():
        server.sql("DROP ROLE %s;" % postgres.quote_identifier(name))
    server.sql("ALTER ROLE postgres PASSWORD NULL;")
