# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that a host has made, in everything that Ansible shows of a run. The host is this machine, reached by
Ansible's own connection over ssh; only the program ssh is one that goes nowhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for /var/lib/windflow"),
]

ROOT = Path(__file__).resolve().parents[3]
NAME = "windflow-test-secret-%d" % os.getpid()
STATE = Path("/var/lib/windflow", NAME)
SSH = '#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n'
HOOK = '#!/bin/sh\nprintf %s "$APP_KEY" >"{said}"\necho "the key is $APP_KEY"\n'
SCHEMA = {
    "properties": {
        "app": {
            "properties": {"key": {"type": "string", "writeOnly": True, "x-generate": True, "x-env": "APP_KEY"}},
        }
    }
}
MANIFEST = """
name: %s
version: 1.0.0
hooks:
  post-deploy:
    - hooks/controller.sh
    - {path: hooks/target.sh, on: target, privileged: true}
"""


@pytest.mark.fault(75)
@pytest.mark.parametrize("pipelining", [True, False])
def test_a_secret_that_a_host_has_made_is_shown_nowhere_and_known_to_hooks(tmp_path, pipelining):
    plugin = tmp_path / "plugin"
    for name, content in (
        ("plugin.yml", MANIFEST % NAME),
        ("config/schema.json", json.dumps(SCHEMA)),
        ("hooks/controller.sh", HOOK.format(said=tmp_path / "controller")),
        ("hooks/target.sh", HOOK.format(said=tmp_path / "target")),
        ("../ssh", SSH),
    ):
        path = (plugin / name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)
    variables = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(tmp_path / "ssh"),
        "ansible_ssh_transfer_method": "piped",
        "ansible_pipelining": pipelining,
        "ansible_user": "root",
        "ansible_python_interpreter": sys.executable,
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"far.example": variables}}}))
    arguments = ["-i", tmp_path / "hosts.json", ROOT / "playbooks/deploy.yml", "-e", "plugin=%s" % plugin, "-vvvv"]
    try:
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), *arguments],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        shown = done.stdout + done.stderr
        assert done.returncode == 0, shown[-5000:]
        secret = json.loads((STATE / "secrets.json").read_text())["app.key"]
        record = (STATE / "record.json").read_text()
    finally:
        shutil.rmtree(STATE, ignore_errors=True)
    assert (tmp_path / "controller").read_text() == (tmp_path / "target").read_text() == secret
    assert "far.example" in shown and "SSH: EXEC" in shown
    assert secret not in shown and secret not in record
    assert hashlib.sha256(secret.encode()).hexdigest() not in shown
