# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample plugins' applications as they run on a host: a PostgreSQL server of the test's own, the
plugin's pinned requirements in a virtual environment, gunicorn on a unix socket."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "windflow_plugins"
NAMES = ("template", "physical-host")
RELEASE = "20261123T012327Z-1a2b3c4d"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition, seconds: float, what: str):
    """The first true value of ``condition``; fails with ``what`` when the time is up."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail("%s: not within %d s" % (what, seconds))
        time.sleep(0.05)


class Postgres:
    """A private cluster, run by an account without privileges, as PostgreSQL demands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        # As root the server needs another account; Debian's package made one for it.
        self._account = pwd.getpwnam("postgres").pw_name if os.getuid() == 0 else None
        if self._account:
            shutil.chown(directory, self._account, self._account)
        password = directory / "password"
        password.write_text("superuser-of-the-test")
        password.chmod(0o644)
        options = "-U test -A scram-sha-256 --no-sync".split()
        self._run("initdb", "-D", directory / "data", *options, "--pwfile", password)
        self.start()

    def start(self) -> None:
        options = "-c fsync=off -c listen_addresses=127.0.0.1 -c port=%d" % self.port
        options += " -c unix_socket_directories=%s" % self.directory
        self._run("pg_ctl", "-D", self.directory / "data", "-l", self.directory / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.directory / "data", "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def database(self, name: str) -> dict:
        """A new database with an owner of the same name, as the platform makes them."""
        self.sql("create role %s login password 'app-pass''word %%'" % name)
        self.sql("create database %s owner %s" % (name, name))
        return {"host": "127.0.0.1", "port": self.port, "name": name, "user": name, "password": "app-pass'word %"}

    def sql(self, statement: str, database: str = "postgres") -> str:
        options = "-h 127.0.0.1 -p %d -U test -X -A -t -v ON_ERROR_STOP=1" % self.port
        return self._run("psql", *options.split(), "-d", database, "-c", statement).strip()

    def _run(self, program: str, *arguments) -> str:
        # pg_ctl's server keeps what it is given open, so only programs that end are read from.
        captured = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        done = subprocess.run(
            [postgres_program(program), *map(str, arguments)],
            user=self._account,
            group=self._account,
            extra_groups=[] if self._account else None,
            cwd="/",
            env={**os.environ, "PGPASSWORD": "superuser-of-the-test"},
            stdin=subprocess.DEVNULL,
            stdout=captured,
            stderr=captured,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            log = self.directory / "log"
            pytest.fail("%s failed: %s\n%s" % (program, done.stderr, log.read_text() if log.exists() else ""))
        return done.stdout or ""


def postgres_program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/" + name))
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        pytest.fail("PostgreSQL's program %s is missing: install the package postgresql" % name)
    return path


@pytest.fixture(scope="session")
def postgres():
    # Not below pytest's own directory: the server's account has to reach it.
    directory = Path(tempfile.mkdtemp(prefix="windflow-postgres-"))
    directory.chmod(0o755)
    server = Postgres(directory)
    yield server
    server.stop()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def environments():
    """Virtual environments with plugins' requirements; kept between runs, by the requirements' digest."""

    def environment(plugin: str) -> Path:
        requirements = PLUGINS / plugin / "build" / "requirements.txt"
        content = requirements.read_bytes() + sys.version.encode()
        home = ROOT / ".cache" / "template-venv"
        home.mkdir(parents=True, exist_ok=True)
        directory = home / hashlib.sha256(content).hexdigest()[:12]
        with open(home / (directory.name + ".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (directory / "complete").exists():
                shutil.rmtree(directory, ignore_errors=True)
                subprocess.run([sys.executable, "-m", "venv", directory], check=True)
                install = "install --quiet --disable-pip-version-check --require-hashes -r".split()
                subprocess.run([directory / "bin/pip", *install, requirements], check=True)
                (directory / "complete").touch()
        return directory

    return environment


@dataclass
class Answer:
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return json.loads(self.text)


@dataclass
class Application:
    """A plugin's application under gunicorn, started as the platform starts it."""

    plugin: str
    venv: Path
    directory: Path
    config: dict
    variables: dict = field(default_factory=dict)
    address: str = ""
    workers: int = 2
    process: subprocess.Popen | None = None

    @property
    def socket(self) -> Path:
        return self.directory / "app.sock"

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def start(self) -> Application:
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        path = self.directory / "config.yaml"
        path.write_text(yaml.safe_dump(self.config))
        environment = {
            "PATH": os.environ["PATH"],
            # On a host the application's directory is not writable for it either.
            "PYTHONDONTWRITEBYTECODE": "1",
            "WINDFLOW_CONFIG": str(path),
            "WINDFLOW_PLUGIN": self.plugin,
            "WINDFLOW_RELEASE": RELEASE,
            "WINDFLOW_VERSION": "1.0.0",
            "WINDFLOW_ENVIRONMENT": "",
            "WINDFLOW_INSTANCE": "1",
            "WINDFLOW_DATA_DIR": str(data),
            **self.variables,
        }
        bind = self.address or "unix:%s" % self.socket
        options = "--workers %d --timeout 30 --graceful-timeout 5 --worker-tmp-dir /dev/shm" % self.workers
        command = [self.venv / "bin/gunicorn", "--bind", bind, *options.split(), "application:app"]
        with open(self.directory / "log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                command,
                cwd=PLUGINS / self.plugin / "build/app",
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={name: value for name, value in environment.items() if value is not None},
            )
        wait_until(self._answers, 20, "%s did not start:\n%s" % (self.plugin, self.log))
        return self

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body, **headers: str) -> Answer:
        kind = "application/x-www-form-urlencoded"
        if not isinstance(body, (str, bytes)):
            body, kind = json.dumps(body), "application/json"
        return self.ask("POST", path, body, {"Content-Type": kind, **headers})

    def ask(self, method: str, path: str, body, headers: dict) -> Answer:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("localhost", timeout=20)
        if not self.address:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(20)
            connection.sock.connect(str(self.socket))
        else:
            connection.port = self.port
        try:
            try:
                connection.request(method, path, body, headers)
            except BrokenPipeError:
                # A server may answer before it has read a body that is too large.
                pass
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail("%s ended with %d:\n%s" % (self.plugin, self.process.returncode, self.log))
        try:
            return self.get("/healthz").status in (200, 503)
        except OSError:
            return False


def started(plugin: str, venv: Path, config: dict, **options) -> Application:
    # Unix sockets' paths must be short.
    directory = Path(tempfile.mkdtemp(prefix="windflow-app-"))
    application = Application(plugin, venv, directory, config, **options)
    try:
        return application.start()
    except BaseException:
        finish(application)
        raise


def finish(application: Application) -> None:
    application.kill()
    shutil.rmtree(application.directory)


@pytest.fixture
def start(environments):
    """``start(plugin, config, …)``: an application of the test's own, ended with the test."""
    own = []

    def run(plugin: str, config: dict, **options) -> Application:
        own.append(started(plugin, environments(plugin), config, **options))
        return own[-1]

    yield run
    for application in own:
        finish(application)


_databases = iter(range(1, 1000))


def configured(postgres: Postgres, plugin: str, **sections: dict) -> dict:
    document = yaml.safe_load((PLUGINS / plugin / "config/defaults.yaml").read_text())
    document["database"].update(postgres.database("app%d" % next(_databases)))
    document["app"]["secret_key"] = "made-on-the-host"
    for section, values in sections.items():
        document.setdefault(section, {}).update(values)
    return document


@pytest.fixture
def config(postgres):
    """``config(plugin, app={…})``: the plugin's defaults with an empty database of the test's own."""
    return functools.partial(configured, postgres)


@pytest.fixture(scope="session")
def running(environments, postgres):
    """``running(plugin)``: one application with defaults on a TCP port, the same for every test."""
    kept = {}

    def run(plugin: str) -> Application:
        if plugin not in kept:
            address = "127.0.0.1:%d" % free_port()
            settings = configured(postgres, plugin)
            kept[plugin] = started(plugin, environments(plugin), settings, address=address, workers=1)
        return kept[plugin]

    yield run
    for application in kept.values():
        finish(application)


@pytest.fixture
def app(running, postgres, plugin):
    """The shared application of the test's plugin, without items."""
    application = running(plugin)
    postgres.sql("truncate items restart identity", application.config["database"]["name"])
    return application
