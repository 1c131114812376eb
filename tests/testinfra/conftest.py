# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all verifications share: the application under test, and its logs beside every failure."""

from __future__ import annotations

import dataclasses
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

RECORD_DIR = "/var/lib/windflow"


@dataclasses.dataclass(frozen=True)
class Application:
    """A deployed application, seen from the controller."""

    host: object
    name: str
    plugin: str
    install_dir: str
    data_dir: str
    log_dir: str
    group: str
    database: str
    url: str
    container: str
    supervisor: str = "supervisor"
    supervisorctl: str = "supervisorctl"

    def request(self, path: str = "/", data: dict | None = None) -> tuple[int, str]:
        """Status and body of one request from outside of the host, through nginx; status 0 is no answer."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def answers(self, seconds: float = 60) -> bool:
        """Whether the health path answers 200 within that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.request("/healthz")[0] == 200:
                return True
            time.sleep(0.5)
        return False

    def secrets(self) -> list[str]:
        """The secrets that were made on the host."""
        file = self.host.file(f"{RECORD_DIR}/{self.plugin}/secrets.json")
        return list(json.loads(file.content_string).values())

    def sql(self, query: str) -> str:
        """The answer of PostgreSQL on the host to one query, unaligned."""
        command = "runuser -u postgres -- psql -d %s -Atc %s"
        return self.host.check_output(command, self.database, query).strip()

    def record(self) -> dict:
        """The host's record of the plugin."""
        return json.loads(self.host.file(f"{RECORD_DIR}/{self.plugin}/record.json").content_string)

    def current(self) -> dict:
        """The revision that serves."""
        record = self.record()
        return next(entry for entry in record["revisions"] if entry["revision"] == record["current"])

    def containers(self, service: str) -> list[dict]:
        """What the host's engine says of a service's containers."""
        label = "label=com.docker.compose"
        filters = f"{label}.project=windflow-{self.plugin}", f"{label}.service={service}"
        command = "docker ps -aq --no-trunc --filter %s --filter %s | xargs -r docker inspect"
        return json.loads(self.host.check_output(command, *filters) or "[]")

    def contained_sql(self, query: str) -> str:
        """The answer of the database's container to one query, unaligned."""
        (container,) = self.containers("db")
        command = "docker exec %s psql -h /tmp -U postgres -d %s -Atc %s"
        return self.host.check_output(command, container["Id"], self.database, query).strip()

    def settled_programs(self, seconds: float = 20) -> dict[str, str]:
        """The same, once none of them is starting or stopping any more."""
        end = time.monotonic() + seconds
        while True:
            programs = self.programs()
            if not {"STARTING", "STOPPING"} & set(programs.values()) or time.monotonic() > end:
                return programs
            time.sleep(0.5)

    def programs(self) -> dict[str, str]:
        """State of each of the application's Supervisor processes, by name."""
        lines = self.host.run(f"{self.supervisorctl} status").stdout.splitlines()
        pairs = [line.split()[:2] for line in lines]
        return {name: state for name, state in pairs if f"windflow-{self.plugin}-" in name}

    def logs(self) -> str:
        """The ends of the logs that explain a failure."""
        files = f"{self.log_dir}/*.log /var/log/supervisor/supervisord.log /var/log/nginx/error.log"
        commands = [
            f"tail -n 25 {files} 2>/dev/null",
            f"journalctl -u nginx -u {self.supervisor} -u 'postgresql*' -n 25 --no-pager 2>/dev/null",
            f"for c in $(docker ps -aq --filter name=windflow-{self.plugin}); do docker logs --tail 20 $c; done 2>&1",
            f"tail -c 3000 {RECORD_DIR}/{self.plugin}/record.json",
        ]
        return self.host.run("; ".join(commands)).stdout


@pytest.fixture
def app(host) -> Application:
    """The application that the scenario deployed to this host."""
    variables = host.ansible.get_variables()
    expected = dict(variables["expected"])
    port = expected.pop("port")
    supervisor = variables.get("expected_supervisor", {"service": "supervisor", "control": "supervisorctl"})
    address = f"http://127.0.0.1:{variables.get('lab_ports', {}).get(str(port), port)}"
    return Application(
        host=host,
        name=variables["inventory_hostname"],
        url=address,
        container=variables.get("lab_container", ""),
        supervisor=supervisor["service"],
        supervisorctl=supervisor["control"],
        **expected,
    )


@pytest.fixture
def state() -> Path:
    """The scenario's directory for what outlives a step."""
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Put the service's logs beside a verification that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and "app" in getattr(item, "funcargs", {}):
        report.sections.append(("logs of the host", item.funcargs["app"].logs()))
