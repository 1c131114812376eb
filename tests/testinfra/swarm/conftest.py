# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack is asked about at the manager; what is asked of every node takes the fixture ``node``."""

from __future__ import annotations

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
def services(app) -> dict[str, dict]:
    """What the swarm says of the stack's services, by their name in the project."""
    names = app.host.check_output("docker service ls -q --filter label=com.docker.stack.namespace=windflow-template")
    found = json.loads(app.host.check_output("docker service inspect " + " ".join(names.split())))
    return {item["Spec"]["Name"].removeprefix("windflow-template_"): item for item in found}


@pytest.fixture
def deploy(state):
    """A function that deploys the plugin once more and returns the output."""

    def run(*arguments: str) -> str:
        root = Path(__file__).resolve().parents[3]
        variables = json.dumps(
            {"plugin": "template", "windflow_hosts": MANAGER, "windflow_registry": "registry.test:5000"}
        )
        command = [Path(sys.executable).parent / "ansible-playbook", root / "deploy.yml", "-i", state / "inventory"]
        done = subprocess.run([*command, "-e", variables, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        return done.stdout

    return run


def pytest_collection_modifyitems(items):
    """Leaves out what is asked of the manager for the other nodes."""
    items[:] = [
        item
        for item in items
        if not {"host", "app"} & set(item.fixturenames) or "node" in item.fixturenames or MANAGER in item.name
    ]
