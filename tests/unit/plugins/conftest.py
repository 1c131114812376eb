# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine in a directory: a real nginx and a real supervisord of the tests' own, on a free port."""

from __future__ import annotations

import contextlib
import importlib.util
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
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import probe
from ansible_collections.windflow.platform.plugins.module_utils.switch.supervisor import Supervisor
from ansible_collections.windflow.platform.plugins.module_utils.text import render

APP_USER = "nobody"
APP_GROUP = "nogroup"
NGINX_USER = "www-data"

NGINX_CONF = """\
user {user};
worker_processes 2;
pid {root}/nginx.pid;
error_log {root}/nginx-error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {root}/tmp-body;
    proxy_temp_path {root}/tmp-proxy;
    fastcgi_temp_path {root}/tmp-fastcgi;
    uwsgi_temp_path {root}/tmp-uwsgi;
    scgi_temp_path {root}/tmp-scgi;
    include {root}/nginx/sites-enabled/*;
}}
"""

SUPERVISOR_CONF = """\
[unix_http_server]
file=%(here)s/supervisor.sock
chmod=0700
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
nodaemon=true
user=root
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = %(here)s/conf.d/*.conf
"""

GUNICORN = """\
#!/usr/bin/python3
import sys
sys.path.insert(0, {site!r})
from gunicorn.app.wsgiapp import run
sys.exit(run())
"""

# What the applications of the tests have in common; a release is this and a body for `answer`.
APPLICATION = """\
import os
import time

RELEASE = os.environ["WINDFLOW_RELEASE"]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    status, body = answer(path, environ)
    start_response(status, [("X-Windflow-Release", RELEASE), ("Content-Length", str(len(body)))])
    return [body]


"""
HEALTHY = """\
def answer(path, environ):
    return "200 OK", ("%s %s" % (os.environ["WINDFLOW_INSTANCE"], environ["HTTP_HOST"])).encode()
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Machine:
    """Paths and running services below one directory, and releases in it."""

    def __init__(self, root: Path):
        self.root = root
        self.port = free_port()
        self.install_dir = root / "opt"
        self.log_dir = root / "log"
        self.nginx_conf = root / "nginx/nginx.conf"
        self.supervisor_conf = root / "supervisord.conf"
        self.processes: list[subprocess.Popen] = []
        root.chmod(0o755)
        for name in ("nginx/sites-available", "nginx/sites-enabled", "conf.d", "log", "etc", "opt/run", "opt/releases"):
            (root / name).mkdir(parents=True)
        account = pwd.getpwnam(APP_USER)
        os.chown(root / "opt/run", account.pw_uid, pwd.getpwnam(NGINX_USER).pw_gid)
        (root / "opt/run").chmod(0o2750)
        for name in ("data", "opt/shared"):
            (root / name).mkdir()
            os.chown(root / name, account.pw_uid, account.pw_gid)
            (root / name).chmod(0o750)
        self.nginx_conf.write_text(NGINX_CONF.format(root=root, user=NGINX_USER))
        self.supervisor_conf.write_text(SUPERVISOR_CONF)
        self.make_gunicorn()

    def make_gunicorn(self) -> None:
        """gunicorn for the system's Python, which every account may run; the tests' own may lie below /root."""
        site = self.root / "venv/site"
        for name in ("gunicorn", "uvicorn", "uvicorn_worker", "click", "h11"):
            package = Path(importlib.util.find_spec(name).origin).parent
            shutil.copytree(package, site / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "venv/bin").mkdir()
        program = self.root / "venv/bin/gunicorn"
        program.write_text(GUNICORN.format(site=str(site)))
        program.chmod(0o755)

    def start(self) -> None:
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        if nginx is None:
            pytest.fail("nginx is not installed: apt-get install nginx-light")
        self.spawn([nginx, "-c", str(self.nginx_conf), "-g", "daemon off;"])
        self.spawn([sys.executable, "-m", "supervisor.supervisord", "-c", str(self.supervisor_conf)])
        self.wait(lambda: self.answers("supervisor.sock") and (self.root / "nginx.pid").read_text().strip())

    def answers(self, name: str) -> bool:
        """Connects to a socket; there is a moment between its file and its server."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.root / name))
        return True

    def spawn(self, argv: list[str]) -> None:
        with open(self.root / "services.log", "ab") as log:
            self.processes.append(
                subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            )

    @staticmethod
    def wait(condition, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if condition():
                    return
            time.sleep(0.02)
        raise AssertionError("not within %s s" % seconds)

    def stop(self) -> None:
        """Ends what was started here at once; a test of orderly stopping stops things itself."""
        with contextlib.suppress(WindflowError):
            for item in self.supervisor().processes():
                if item["pid"]:
                    os.killpg(item["pid"], signal.SIGKILL)
        for process in reversed(self.processes):
            # nginx ends at once and takes its workers along; supervisord would wait for its next second.
            process.send_signal(signal.SIGTERM if "nginx" in process.args[0] else signal.SIGKILL)
            process.wait(10)

    def values(self, release: str, plugin: str, **changes) -> dict:
        replicas = changes.get("replicas", 1)
        release_dir = self.install_dir / "releases" / release
        values = {
            "plugin": plugin,
            "release": release,
            "version": "1.0.0",
            "environment": "production",
            "replicas": replicas,
            "user": APP_USER,
            "group": APP_GROUP,
            "release_dir": release_dir,
            "app_dir": release_dir / "app",
            "venv_dir": release_dir / "venv",
            "run_dir": self.install_dir / "run",
            "log_dir": self.log_dir,
            "data_dir": self.root / "data",
            "shared_dir": self.install_dir / "shared",
            "config_path": release_dir / "config.yaml",
            "wsgi": "app:application",
            "asgi": "",
            "command": [],
            "workers": 1,
            "timeout": 20,
            "sockets": ["%s/run/%s-%d.sock" % (self.install_dir, release, number) for number in range(replicas)],
            "host_port": self.port,
            "bind": "",
            "allowed_hosts": ["example.test"],
            "client_max_body_size": "10m",
            "ipv6": False,
            "access_log": self.root / "access.log",
            "error_log": self.root / "site-error.log",
            **changes,
        }
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}

    def make_release(self, release: str, application: str = HEALTHY, plugin: str = "demo", **changes) -> Path:
        """What earlier steps of a deploy leave: the release's directory with its four entries."""
        values = self.values(release, plugin, **changes)
        directory = Path(values["release_dir"])
        (directory / "app").mkdir(parents=True)
        (directory / "app/app.py").write_text(APPLICATION + application)
        (directory / "venv").symlink_to(self.root / "venv")
        (directory / "config.yaml").write_text("secret_key: canary-%s\n" % release)
        (directory / "supervisor.conf").write_text(render.program_file(values))
        (directory / "nginx.conf").write_text(render.site_file(values))
        return directory

    def options(self, release: str = "", **changes) -> dict:
        """Arguments of the module release_switch."""
        return {
            "plugin": "demo",
            "release": release,
            "install_dir": str(self.install_dir),
            "health": "/healthz",
            "health_timeout": 15,
            "drain_timeout": 15,
            "host_header": "example.test",
            "port": self.port,
            "program_dir": str(self.root / "conf.d"),
            "supervisor_conf": str(self.supervisor_conf),
            "site_available_dir": str(self.root / "nginx/sites-available"),
            "site_enabled_dir": str(self.root / "nginx/sites-enabled"),
            "nginx_conf": str(self.nginx_conf),
            "config_copy": {"path": str(self.root / "etc/config.yaml"), "group": APP_GROUP},
            "log_dir": str(self.log_dir),
            "backup_dir": str(self.root / "backup"),
            **changes,
        }

    def get(self, path: str = "/", host: str = "example.test") -> probe.Answer:
        return probe.get(("127.0.0.1", self.port), path, host)

    def serving(self) -> str:
        """The release that answers through nginx."""
        return self.get().headers.get("x-windflow-release", "")

    def current(self) -> str:
        return os.path.basename(os.readlink(self.install_dir / "current"))

    def programs(self) -> list[str]:
        """Groups that Supervisor knows."""
        return sorted({item["group"] for item in self.supervisor().processes()})

    def supervisor(self) -> Supervisor:
        return Supervisor(conf=str(self.supervisor_conf))

    @contextlib.contextmanager
    def load(self, rate: int = 200, seconds: float = 60):
        """A steady load; afterwards ``result`` has what ``load.py`` prints."""
        argv = [sys.executable, str(Path(__file__).with_name("load.py")), str(self.port), str(rate), str(seconds)]
        load = SimpleNamespace(result=None)
        with subprocess.Popen([*argv, "example.test"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            time.sleep(0.5)
            yield load
            time.sleep(0.5)
            load.result = json.loads(process.communicate()[0])


@pytest.fixture
def machine():
    root = Path(tempfile.mkdtemp(prefix="windflow-test-", dir="/tmp"))
    found = Machine(root)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(root)
