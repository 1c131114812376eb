# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.callback import outcome

FAILED, OK = ({"failures": count, "unreachable": 0, "changed": 0} for count in (1, 0))


class Run:
    """What the callback is told, and what it writes."""

    def __init__(self, path):
        self.path = path
        self.callback = outcome.CallbackModule()
        self.callback.get_option = lambda name: str(path) if name == "path" else ""
        self.play()

    def play(self, *hosts):
        """A play begins, with the hosts of its pattern."""
        found = [SimpleNamespace(get_name=lambda name=name: name) for name in hosts]
        inventory = SimpleNamespace(get_hosts=lambda _pattern, ignore_restrictions: found)
        manager = SimpleNamespace(_inventory=inventory)
        self.callback.v2_playbook_on_play_start(SimpleNamespace(hosts="all", get_variable_manager=lambda: manager))

    def task(self, action, check=False, **result):
        task = SimpleNamespace(action=action, check_mode=check, get_name=lambda: "a task")
        told = SimpleNamespace(_result=result, _task=task, _host=SimpleNamespace(get_name=lambda: "web1"))
        if result.get("failed"):
            self.callback.v2_runner_on_failed(told)
        else:
            self.callback.v2_runner_on_ok(told)

    def record(self, state, **more):
        self.task(outcome.RECORD, revision={"state": state} if state else None, **more)

    def written(self, counts=FAILED):
        stats = SimpleNamespace(processed={"web1": 1}, summarize=lambda _name: counts)
        self.callback.v2_playbook_on_stats(stats)
        return json.loads(self.path.read_text(encoding="utf-8"))


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "outcome.json")


def test_a_run_that_has_begun_is_told_and_what_it_left(run):
    run.record("running")
    run.task("windflow.platform.hook", failed=True, code="E2026", msg="m")
    run.record("failed", restored=True)
    host = run.written()["web1"]
    assert (host["code"], host["begun"], host["restored"]) == ("E2026", True, True)


def test_a_run_that_has_not_begun_or_was_only_a_check_is_told_like_none(run):
    run.record("running", check=True)
    run.task("windflow.platform.hook", failed=True, code="E2026", msg="m")
    run.record("")
    host = run.written()["web1"]
    assert "begun" not in host and not host["restored"]


def test_a_dependency_that_was_deployed_leaves_what_served_in_place_until_the_next_run_begins(run):
    run.record("running")
    run.record("deployed")
    run.task(outcome.PLAN, failed=True, code="E2021", msg="m")
    host = run.written()["web1"]
    assert host["begun"] and host["restored"]
    run.record("running")
    assert not run.written()["web1"]["restored"]


def test_where_no_host_matched_the_last_play_only_what_failed_is_left(run):
    run.callback.v2_playbook_on_no_hosts_matched()
    assert run.written(OK) == {} and "web1" in run.written(FAILED)
    run.play()
    assert "web1" in run.written(OK)


@pytest.mark.fault(83)
@pytest.mark.parametrize(
    "said",
    [
        {"msg": "Missing sudo password"},
        {"msg": "MODULE FAILURE", "module_stderr": "sudo: a password is required\n"},
        {"msg": "MODULE FAILURE", "module_stdout": "deploy is not in the sudoers file."},
    ],
)
def test_missing_rights_have_their_code_and_the_way_to_give_a_password(run, capsys, said):
    run.task("windflow.platform.plan", failed=True, **said)
    assert run.written()["web1"]["code"] == "E2001"
    assert "--ask-become-pass" in "".join(capsys.readouterr())


def test_a_sudo_that_wants_a_terminal_is_no_matter_of_a_password(run, capsys):
    said = "sudo: sorry, you must have a tty to run sudo"
    run.task("windflow.platform.plan", failed=True, msg="x", module_stderr=said)
    assert run.written()["web1"]["code"] == "E2001"
    told = "".join(capsys.readouterr())
    assert "ansible_pipelining: false" in told
    assert "--ask-become-pass" not in told


@pytest.mark.fault(83)
def test_hosts_of_later_batches_are_named_as_not_begun(run, capsys):
    run.play("web1", "web2", "web3")
    run.task("windflow.platform.plan", failed=True, msg="E2009: no")
    assert {name: host["state"] for name, host in run.written().items()} == {
        "web1": "failed",
        "web2": "not begun",
        "web3": "not begun",
    }
    assert "not begun, because the run ended before: web2, web3" in "".join(capsys.readouterr())
