# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs the parts of `make test`."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "run_parts.py"


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    return importlib.import_module("run_parts")


@pytest.fixture
def part(program, tmp_path):
    """Makes a part that notes when it begins and ends."""

    def make(name, then="sleep 0.3", machine=False):
        script = tmp_path / name
        script.write_text(
            f"#!/bin/sh\ndate +%s%N >{script}.begun\n{then}\ncode=$?\ndate +%s%N >{script}.ended\nexit $code\n"
        )
        script.chmod(0o755)
        return program.Part(f"sh {script}", machine=machine)

    return make


def run(program, parts, logs):
    runner = program.Runner(list(parts), logs)
    # A name is the last word of the command; a log has its own place.
    runner.log = lambda part: logs / (Path(part.name).name + ".log")
    runner.run()
    return runner


def beside(tmp_path, one, other):
    began, ended = (
        [int((tmp_path / f"{name}.{what}").read_text()) for name in (one, other)] for what in ("begun", "ended")
    )
    return began[0] < ended[1] and began[1] < ended[0]


def test_two_parts_run_side_by_side_but_not_two_that_change_the_machine(program, part, tmp_path):
    parts = [part("a", machine=True), part("b", machine=True), part("c")]
    run(program, parts, tmp_path)
    assert [item.code for item in parts] == [0, 0, 0]
    assert beside(tmp_path, "a", "c") and not beside(tmp_path, "a", "b")


def test_what_failed_is_named_with_the_end_of_its_output_and_the_others_run(program, part, tmp_path, capsys):
    parts = [part("a", "echo 3.25s call tests/a.py::test_slow; echo the cause; false"), part("b"), part("c")]
    runner = run(program, parts, tmp_path)
    assert program.report(parts, runner) == 1
    said = capsys.readouterr().out
    assert [item.code for item in parts] == [1, 0, 0]
    assert "the cause" in said and f"error: sh {tmp_path}/a failed." in said
    assert "3.2 s  tests/a.py::test_slow" in said


def test_a_name_that_no_part_has_is_refused(program, tmp_path, capsys):
    assert program.main([str(tmp_path), "lint", "complain"]) == 2
    assert "there is no part complain" in capsys.readouterr().err


def test_an_interruption_ends_what_runs_with_its_children(tmp_path):
    script = tmp_path / "long"
    script.write_text(f"#!/bin/sh\nsleep 60 & echo $! >{tmp_path}/child; wait\n")
    code = f"""
import sys
sys.path.insert(0, {str(SCRIPT.parent)!r})
import run_parts
run_parts.PARTS = (run_parts.Part("sh {script}"),)
run_parts.Runner.log = lambda self, part: self.logs / "long.log"
sys.exit(run_parts.main([{str(tmp_path / "logs")!r}]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (tmp_path / "child").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int((tmp_path / "child").read_text())
    process.send_signal(signal.SIGINT)
    _nothing, said = process.communicate(timeout=20)
    assert process.returncode == 1 and "interrupted" in said
    with pytest.raises(ProcessLookupError):
        for _unused in range(100):
            os.kill(child, 0)
            time.sleep(0.05)
