# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack is asked about at the manager; what is asked of every node takes the fixture ``node``."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

MANAGER = "molecule-node1"


@pytest.fixture
def node(app):
    """The application at a node's own port."""
    return app


@pytest.fixture
def services_of(app):
    """A function that returns what the swarm says of a stack's services, by their name in the project."""

    def ask(stack: str) -> dict[str, dict]:
        names = app.host.check_output(f"docker service ls -q --filter label=com.docker.stack.namespace={stack}")
        found = json.loads(app.host.check_output("docker service inspect " + " ".join(names.split())))
        return {item["Spec"]["Name"].removeprefix(f"{stack}_"): item for item in found}

    return ask


@pytest.fixture
def services(services_of) -> dict[str, dict]:
    """Those of the template."""
    return services_of("windflow-template")


@pytest.fixture
def playbook(state):
    """A function that runs a playbook of the collection on the manager."""

    def run(name: str, plugin: str, *arguments: str) -> subprocess.CompletedProcess:
        root = Path(__file__).resolve().parents[3]
        variables = json.dumps({"plugin": plugin, "windflow_hosts": MANAGER, "windflow_registry": "registry.test:5000"})
        command = [Path(sys.executable).parent / "ansible-playbook", root / name, "-i", state / "inventory"]
        return subprocess.run([*command, "-e", variables, *arguments], capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def deploy(playbook):
    """A function that deploys the plugin once more and returns the output."""

    def run(*arguments: str, plugin: str = "template") -> str:
        done = playbook("deploy.yml", plugin, *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        return done.stdout

    return run


@pytest.fixture
def shop(app):
    """The application that needs the plugin database."""
    return dataclasses.replace(app, plugin="shop", install_dir="/opt/shop")


@pytest.fixture
def database(app):
    """The plugin database."""
    return dataclasses.replace(app, plugin="database", install_dir="/opt/database")


def pytest_collection_modifyitems(items):
    """Leaves out what is asked of the manager for the other nodes."""
    items[:] = [
        item
        for item in items
        if not {"host", "app"} & set(item.fixturenames) or "node" in item.fixturenames or MANAGER in item.name
    ]
