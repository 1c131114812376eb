# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers that are deployed to, made by tests/lab."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from process import BenchError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import engine  # noqa: E402
import images  # noqa: E402
import lab  # noqa: E402

PREFIX = "bench-"
PORT = 8080
SNAPSHOT = "windflow-bench-deployed"


class Host:
    """A fresh Debian 12 machine with systemd, reached over SSH."""

    def __init__(self, name: str, variant: str) -> None:
        """``variant`` is ``packages`` (all packages are there), ``systemd`` (none is) or ``docker``."""
        self.name = PREFIX + name
        lab.up(self.name, "bookworm", variant, "systemd", [PORT])
        if variant == "systemd":
            # The same lists for every tool, so that none has to fetch them.
            self.ssh(
                "sudo apt-get -q update && sudo mkdir -p /var/lib/apt/periodic"
                " && sudo touch /var/lib/apt/periodic/update-success-stamp",
                timeout=120,
            )

    @classmethod
    def of_snapshot(cls, name: str) -> Host:
        """A copy of the machine that ``snapshot`` was made of."""
        host = cls.__new__(cls)
        host.name = PREFIX + name
        ensure, images.ensure = images.ensure, lambda suite, variant: SNAPSHOT
        try:
            lab.up(host.name, "bookworm", "packages", "systemd", [PORT])
        finally:
            images.ensure = ensure
        return host

    def snapshot(self) -> None:
        """Stop the machine and keep its state as an image."""
        machine = engine.client().containers.get(lab.container(self.name))
        machine.stop(timeout=30)
        machine.commit(SNAPSHOT)

    def ssh_command(self, command: str) -> list[str]:
        return lab.ssh(self.name, "deploy", [command])

    def ssh(self, command: str, timeout: float = 30) -> str:
        """What ``command`` prints, run by the shell of the user deploy."""
        done = subprocess.run(self.ssh_command(command), capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise BenchError(f"{self.name}: {command}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return done.stdout

    def variables(self) -> dict:
        """Inventory variables. The interpreter is named: finding it would be one more round trip for every play."""
        return {**lab.host_vars(self.name, "deploy"), "ansible_python_interpreter": "/usr/bin/python3"}

    def load_base_image(self) -> str:
        """Give the host's own engine the lab's base system as an image; its tag."""
        tag = images.ensure("bookworm", "base")
        saved = subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE)
        command = self.ssh_command("sudo docker load --quiet")
        done = subprocess.run(command, stdin=saved.stdout, capture_output=True, text=True, timeout=300, check=False)
        if saved.wait() or done.returncode:
            raise BenchError(f"{self.name}: the base image was not loaded: {done.stderr[-500:]}")
        return tag

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{lab.state(self.name)['ports'][str(PORT)]}"

    def get(self, path: str) -> str:
        """The answer to a request through nginx."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.read().decode()
        except (OSError, urllib.error.URLError) as error:
            raise BenchError(f"{self.name}: GET {path}: {error}") from error

    def down(self) -> None:
        lab.down(self.name)


def inventory(path: Path, hosts: list[Host]) -> Path:
    """Write an Ansible inventory of ``hosts``."""
    path.write_text(json.dumps({"all": {"hosts": {host.name: host.variables() for host in hosts}}}), encoding="utf-8")
    return path


def clean_up() -> None:
    """Remove every container of the benchmarks and the snapshot."""
    with contextlib.suppress(*engine.ERRORS):
        for machine in engine.client().containers.list(all=True, filters={"name": f"^{lab.container(PREFIX)}"}):
            lab.down(machine.name.removeprefix(lab.container("")))
        engine.client().images.remove(SNAPSHOT, force=True)
