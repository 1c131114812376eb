# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real host that things go wrong on: a systemd container over SSH, with the template plugin deployed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = [sys.executable, str(ROOT / "tests" / "lab" / "lab.py")]
NAME = "faults"


class Host:
    """The host, the plugin's versions, and what an operator does with them."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.inventory = scratch / "inventory.json"
        self.inventory.write_text(lab("inventory", NAME), encoding="utf-8")
        variables = json.loads(self.inventory.read_text(encoding="utf-8"))["all"]["hosts"][NAME]
        self.url = "http://127.0.0.1:%s" % variables["lab_ports"]["8080"]

    def plugin(self, version: str, *replacements: str) -> Path:
        """A copy of the template plugin of that version; replacements are file, old and new text, in threes."""
        # Two tests may change the same version in different ways.
        changes = hashlib.sha256(repr(replacements).encode()).hexdigest()[:8]
        copy = self.scratch / ("plugin-%s-%s" % (version, changes))
        if not copy.exists():
            command = [sys.executable, ROOT / "tests/tools/copy_plugin.py", ROOT / "windflow_plugins/template", copy]
            threes = [replacements[place : place + 3] for place in range(0, len(replacements), 3)]
            command += ["--version", version, *(word for three in threes for word in ("--replace", *three))]
            subprocess.run(command, check=True)
        return copy

    def start(
        self, playbook: str, variables: dict, inventory: Path | None = None, **environment: str
    ) -> subprocess.Popen:
        """A run of a playbook, in a process group of its own."""
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", inventory or self.inventory, ROOT / playbook]
        return subprocess.Popen(
            [*command, "-e", json.dumps(variables)],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(
        self, playbook: str, variables: dict, code: int = 0, inventory: Path | None = None, **environment: str
    ) -> str:
        """The output of a run that has to end with that exit code."""
        process = self.start(playbook, variables, inventory, **environment)
        output = process.communicate(timeout=300)[0]
        assert process.returncode == code, output[-6000:]
        return output

    def deploy(self, plugin: Path, code: int = 0, **variables) -> str:
        return self.run("deploy.yml", {"plugin": str(plugin), "target": "host", **variables}, code)

    def ssh(self, command: str, check: bool = True) -> str:
        """What a command of root's prints on the host."""
        done = subprocess.run(
            [*LAB, "ssh", "--user", "root", NAME, command], capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def privileged(self, command: str, namespace: str = "mount") -> str:
        """The same with the machine's rights in the host's mounts, or in its "net", which the host does not have."""
        shown = subprocess.run(
            ["docker", "inspect", "--format", "{{.State.Pid}}", "windflow-%s" % NAME],
            capture_output=True,
            text=True,
            check=True,
        )
        argv = ["nsenter", "--target", shown.stdout.strip(), f"--{namespace}", "sh", "-c", command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def request(self, path: str, data: dict | None = None) -> tuple[int, str]:
        """Status and body of an answer at the host's port; status 0 for none."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def version(self, seconds: float = 10) -> str:
        """The version that answers, as soon as one does."""
        end = time.monotonic() + seconds
        while True:
            status, body = self.request("/healthz")
            if status == 200:
                return json.loads(body)["version"]
            if time.monotonic() > end:
                return ""
            time.sleep(0.2)

    def record(self) -> dict:
        return json.loads(self.ssh("cat /var/lib/windflow/template/record.json"))


def lab(*arguments: str) -> str:
    return subprocess.run([*LAB, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """The host with version 1.0.0 deployed."""
    lab("up", NAME, "bookworm", "--variant", "packages", "--ports", "8080")
    try:
        found = Host(tmp_path_factory.mktemp("faults"))
        found.deploy(found.plugin("1.0.0"))
        yield found
    finally:
        lab("down", NAME)
