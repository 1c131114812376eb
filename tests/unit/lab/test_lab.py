# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docker.types import HostConfig

SCRIPT = Path(__file__).resolve().parents[2] / "lab" / "lab.py"


def test_a_host_may_what_any_of_its_parts_may(lab):
    found = lab.together(lab.SYSTEMD, lab.HARDENED, lab.FAMILY, {"cap_add": ["SYS_ADMIN"]})
    assert set(found["tmpfs"]) == {"/run", "/run/lock", "/tmp", "/srv"}
    assert found["cap_add"] == ["NET_ADMIN", "SYS_ADMIN"] and found["cgroupns"] == "host"
    assert lab.FAMILY["cap_add"] == ["NET_ADMIN"] and set(lab.SYSTEMD["tmpfs"]) == {"/run", "/run/lock"}


@pytest.mark.parametrize("part", ["SYSTEMD", "ENGINE", "HARDENED", "FAMILY"])
def test_the_engine_takes_each_part(lab, part):
    options = dict(getattr(lab, part))
    options.pop("system_paths", None)
    assert HostConfig(version="1.41", **options)


def test_an_engine_that_does_not_answer_is_an_error_in_one_line(lab, monkeypatch, capsys):
    monkeypatch.setattr(lab.engine, "find", lambda: None)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    lab.engine.client.cache_clear()
    try:
        assert lab.main(["down", "nobody"]) == 1
    finally:
        lab.engine.client.cache_clear()
    said = capsys.readouterr().err
    assert said.startswith("lab: ") and said.count("\n") == 1


@pytest.mark.system
@pytest.mark.skipif(shutil.which("docker") is None, reason="needs an engine, which a client is there for")
def test_a_host_takes_sessions_and_leaves_nothing_behind():
    name = "unit-%d" % os.getpid()

    def call(*arguments):
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)

    try:
        assert call("up", name, "trixie").returncode == 0
        assert call("ssh", name, "sudo", "id", "-un").stdout == "root\n"
        assert f'"lab_container": "windflow-{name}"' in call("inventory", name).stdout
    finally:
        assert call("down", name).returncode == 0
    assert "there is no host" in call("ssh", name, "true").stderr
