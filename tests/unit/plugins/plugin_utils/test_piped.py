# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import subprocess
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.run import host_state
from ansible_collections.windflow.platform.plugins.plugin_utils import piped

QUESTION = {
    "plugin": "windflow-test-none",
    "packages": {"debian": ["dpkg"]},
    "services": {},
    "networks": [],
    "available": {},
    "paths": ["/"],
    "socket_dir": "",
    "port": None,
    "user": "root",
    "group": "root",
    "wait": 0,
}


def run(command, program):
    """As a connection does it: a shell's command that reads a program."""
    return subprocess.run(
        ["/bin/sh", "-c", command], input=program, capture_output=True, text=True, timeout=60, check=False
    )


def action(stdout, module_answer=None):
    """An action whose connection answers ``stdout``; the module would answer ``module_answer``."""
    return SimpleNamespace(
        _connection=SimpleNamespace(has_pipelining=True),
        _task=SimpleNamespace(check_mode=False, diff=False, async_val=0),
        _low_level_execute_command=lambda command, in_data, sudoable: {
            "rc": 1,
            "stdout": stdout,
            "stderr": "Traceback",
        },
        _compute_environment_string=lambda: "",
        _execute_module=lambda _module, _arguments, task_vars, wrap_async: module_answer,
    )


def ask(asked):
    return piped.call(asked, "run.host_state", "windflow.platform.host_info", {"plugin": "x"}, {})


ENTRIES = [
    "backup.backup",
    "containers.building",
    "containers.container_switch",
    "hooks.hook_script",
    "network_change.host_network",
    "record.dependency_state",
    "run.database_state",
    "run.file_entries",
    "run.host_state",
    "run.record_info",
    "run.recording",
    "run.staging",
    "storage.apply",
    "switch.host_switch",
    "system.accounts",
    "system.service_log",
    "system.virtualenv",
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_sent_is_the_code_and_everything_of_ours_that_it_imports(entry):
    needed, pending = set(), ["errors", entry]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            path = piped.SOURCES / (name.replace(".", "/") + ".py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.level:
                    folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                    files = [folder / alias.name for alias in node.names] if folder.is_dir() else [folder]
                    pending += [".".join(file.relative_to(piped.SOURCES).parts) for file in files]
    assert {name for name, text in piped.sources(entry).items() if text is not None} == needed


def test_the_program_gives_the_same_answer_as_the_module():
    answer = piped.read_answer(run(piped.COMMAND, piped.program("run.host_state", QUESTION)).stdout)
    expected = host_state.run(QUESTION)
    for volatile in ("space", "python"):
        answer["facts"].pop(volatile)
        expected["facts"].pop(volatile)
    assert answer == expected


def test_the_environment_of_the_play_is_that_of_the_program(monkeypatch):
    shown = "import json, os; print('%s' + json.dumps({'seen': os.environ['SEEN']}))" % piped.MARKER
    monkeypatch.setattr(piped, "program", lambda _entry, _arguments: shown)
    asked = action("")
    asked._compute_environment_string = lambda: "PATH=/nowhere SEEN='a b; $c'"
    asked._low_level_execute_command = lambda command, in_data, sudoable: vars(run(command, in_data.decode()))
    assert ask(asked) == {"seen": "a b; $c"}


def test_a_coded_error_of_the_host_is_the_answer():
    program = piped.program("run.host_state", {**QUESTION, "plugin": "x"}).replace(
        "answer = entry.run(arguments)",
        "raise errors.WindflowError(errors.Problem('E5003', 'a record'))",
    )
    answer = piped.read_answer(run(piped.COMMAND, program).stdout)
    assert answer["failed"] and answer["code"] == "E5003"


def test_what_else_is_printed_is_passed_over():
    text = 'Welcome\n%s{"drift": []}\nBye\n' % piped.MARKER
    assert piped.read_answer(text) == {"drift": []}


@pytest.mark.parametrize("stdout", ["", "sudo: a password is required\n"])
def test_where_the_code_did_not_start_the_module_is_run(stdout):
    assert ask(action(stdout, {"from": "module"})) == {"from": "module"}


def test_a_connection_that_cannot_pipe_gets_the_module():
    asked = action(piped.MARKER + "{}", {"from": "module"})
    asked._connection.has_pipelining = False
    assert ask(asked) == {"from": "module"}


@pytest.mark.parametrize(("seconds", "more"), [(60, {}), (0, {"as_module": True})], ids=["background", "asked for"])
def test_the_module_is_run_in_the_background_and_where_it_is_asked_for(seconds, more):
    asked = action(piped.MARKER + "{}")
    asked._task.async_val = seconds
    asked._execute_module = lambda _module, _arguments, task_vars, wrap_async: {"waits": wrap_async}
    assert piped.call(asked, "run.host_state", "windflow.platform.host_info", {}, {}, **more) == {"waits": seconds}


def test_the_module_gets_no_option_that_was_not_given():
    asked = action("")
    asked._execute_module = lambda _module, arguments, task_vars, wrap_async: arguments
    arguments = {"path": "/srv/venv", "requirements": None, "only_binary": False}
    answer = piped.call(asked, "system.virtualenv", "windflow.platform.venv", arguments, {})
    assert answer == {"path": "/srv/venv", "only_binary": False}


@pytest.mark.parametrize("rest", ["", piped.MARKER + "{half"])
def test_code_that_started_and_did_not_answer_is_not_run_again(rest):
    answer = ask(action("%s\n%s" % (piped.STARTED, rest), {"from": "module"}))
    assert answer["failed"] and "Traceback" in answer["msg"]
