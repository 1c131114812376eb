# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as it lies on a host on which no service runs."""

from __future__ import annotations

import signal

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch

RELEASE = "20261123T012327Z-1a2b3c4d"


@pytest.fixture
def host(tmp_path):
    """Options of a switch to a release on a host whose directories are below ``tmp_path``: ``host(**changes)``."""
    folders = {name: tmp_path / name for name in ("program_dir", "site_available_dir", "site_enabled_dir")}
    release = tmp_path / "opt" / "releases" / RELEASE
    for folder in (*folders.values(), release, tmp_path / "opt" / "run"):
        folder.mkdir(parents=True)
    for name in ("supervisor.conf", "nginx.conf", "config.yaml"):
        (release / name).write_text(name, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text("pid %s/nginx.pid;\n" % tmp_path, encoding="utf-8")
    socket = "[unix_http_server]\nfile=%s/supervisor.sock\n" % tmp_path
    (tmp_path / "supervisord.conf").write_text(socket, encoding="utf-8")

    def call(**changes):
        known = {name: argument.get("default") for name, argument in host_switch.ARGUMENTS.items()}
        known.update({name: str(folder) for name, folder in folders.items()})
        known.update(nginx_conf=str(tmp_path / "nginx.conf"), supervisor_conf=str(tmp_path / "supervisord.conf"))
        known.update(plugin="shop", release=RELEASE, install_dir=str(tmp_path / "opt"), port=8080)
        return {**known, **changes}

    return call


@pytest.fixture
def signals():
    """What a switch does with signals is undone."""
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)
