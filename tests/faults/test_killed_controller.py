# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed at each task of an upgrade: a release serves all the time, and one more run converges."""

from __future__ import annotations

import re

import pytest

NEWER = ("build/app/templates/base.html", "</h1>", " newer</h1>")
MOST = 60


@pytest.mark.fault(20, 21)
def test_kill_at_each_step_of_an_upgrade(host):
    newer = host.plugin("1.1.0", *NEWER)
    older = host.plugin("1.0.0")
    killer = {"ANSIBLE_CALLBACKS_ENABLED": "killer", "ANSIBLE_CALLBACK_PLUGINS": "tests/tools/callback"}
    killed = []
    before = host.record()["sequence"]
    for number in range(1, MOST):
        process = host.start(
            "deploy.yml", {"plugin": str(newer), "target": "host"}, WINDFLOW_KILL_AT=str(number), **killer
        )
        output = process.communicate(timeout=300)[0]
        if process.returncode == 0:
            break
        step = re.search(r"killed at: (.*)", output)
        assert step, output[-3000:]
        killed.append(step.group(1))
        assert host.version() in ("1.0.0", "1.1.0"), killed[-1]
        record = host.record()
        assert record["revisions"][-1]["state"] in ("running", "deployed"), killed[-1]
        if record["lease"]:
            refused = host.deploy(newer, code=2)
            assert "E5001" in refused and record["lease"]["holder"] in refused
            host.run("playbooks/unlock.yml", {"plugin": "template"})
        host.deploy(newer)
        assert host.version() == "1.1.0", killed[-1]
        assert "nothing to do" in host.deploy(newer), killed[-1]
        host.deploy(older, allow_downgrade=True)
        assert host.version() == "1.0.0", killed[-1]
    else:
        pytest.fail("the run never came to its end")
    host.deploy(older, allow_downgrade=True)
    states = {entry["state"] for entry in host.record()["revisions"] if entry["revision"] > before}
    assert states <= {"deployed", "superseded", "abandoned"}
    assert len(killed) > 10, killed
    programs = host.ssh("supervisorctl status").splitlines()
    assert len(programs) == 1, programs
