# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import front
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch.transaction import Switching


class Switch(Switching):
    """A switch whose engine is a list of processes: HAProxy's master is 1, and a reload adds a worker."""

    def __init__(self, options, running=True, reloads=True):
        super().__init__(options)
        self.running, self.reloads = running, reloads
        self.pids, self.done = [1, 7], []

    def compose(self, what, *arguments, release=None):
        self.done.append((arguments[0], release))
        self.running = arguments[0] == "up"

    def docker(self, what, *arguments, check=True):
        if arguments[0] == "kill" and self.reloads:
            self.pids.append(8)
        return {"top": "PID\n%s\n" % "\n".join(map(str, self.pids)), "inspect": "1\n"}.get(arguments[0], "")

    def containers(self, service):
        return [{"id": "f1", "state": "running" if self.running else "exited"}]

    def log(self, identity):
        return ["the last line"]


@pytest.fixture
def make_switch(container_options, tmp_path):
    def make(front="front", **behaviour):
        (tmp_path / "front").mkdir()
        folders = dict.fromkeys(("install_dir", "shared_dir"), str(tmp_path))
        return Switch(container_options(front=front, drain_timeout=0, release="r2", **folders), **behaviour)

    return make


def point(switch):
    with contextlib.ExitStack() as undo:
        workers = front.Front(switch).point(["app-3", "app-4"], undo)
        undo.pop_all()
    return workers


def test_the_list_has_a_server_for_each_container(make_switch, tmp_path):
    point(make_switch())
    assert (tmp_path / "front/app.cfg").read_text(encoding="utf-8").splitlines()[1:] == [
        "backend app",
        "    server app-3 app-3:8000",
        "    server app-4 app-4:8000",
    ]


def test_a_front_that_runs_is_reloaded_and_its_old_workers_are_told(make_switch, tmp_path):
    switch = make_switch()
    assert point(switch) == [("f1", 7)] and 8 in switch.pids
    assert switch.changes == [str(tmp_path / "front/app.cfg")]


def test_a_front_that_did_not_run_has_no_old_workers(make_switch):
    switch = make_switch(running=False)
    assert point(switch) == [] and 8 not in switch.pids
    assert switch.changes[1:] == ["front"]


def test_without_a_front_nothing_is_done(make_switch):
    switch = make_switch(front="")
    assert point(switch) == [] and switch.done == []


def test_a_front_that_does_not_take_the_list_over_is_an_error_and_has_its_old_list_again(
    monkeypatch, make_switch, tmp_path
):
    monkeypatch.setattr(front, "RELOAD_SECONDS", 0)
    switch = make_switch(reloads=False)
    with pytest.raises(WindflowError, match="E4074.*the last line"):
        point(switch)
    assert not (tmp_path / "front/app.cfg").exists()
    assert switch.done[-1] == ("rm", None) and switch.evidence == {"log": ["the last line"]}


def test_a_worker_that_does_not_end_gets_a_warning(make_switch):
    switch = make_switch()
    front.Front(switch).drain([("f1", 7)])
    assert switch.warnings == ["the front's processes 7 still answered after 0 s"]


def test_a_worker_that_has_ended_is_not_waited_for(make_switch):
    switch = make_switch()
    front.Front(switch).drain([("f1", 6)])
    assert switch.warnings == []
