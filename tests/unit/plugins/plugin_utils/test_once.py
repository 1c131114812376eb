# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.plugin_utils import once

KEY = ["play", "shop", "migrate", "0"]


def take(directory, host, results=None, key=None):
    with once.turn(str(directory), key or KEY, host) as turn:
        if turn["runner"] == host:
            turn["results"] = results
    return turn


def test_the_first_runs_it_and_the_others_get_what_came_of_it(tmp_path):
    assert take(tmp_path, "a", {"n": 1})["runner"] == "a"
    for host in ("b", "c"):
        turn = take(tmp_path, host, {"n": 2})
        assert turn["runner"] == "a" and turn["results"] == {"n": 1}
    assert take(tmp_path, "b", key=["another play", *KEY[1:]])["runner"] == "b"


def test_a_host_that_comes_again_begins_another_round(tmp_path):
    take(tmp_path, "a", {"n": 1})
    take(tmp_path, "b")
    assert take(tmp_path, "b", {"n": 2})["runner"] == "b"
    assert take(tmp_path, "a")["results"] == {"n": 2}
    assert take(tmp_path, "c")["results"] == {"n": 1}


def test_an_error_stays_the_runners_and_its_code_is_known(tmp_path):
    with pytest.raises(WindflowError), once.turn(str(tmp_path), KEY, "a"):
        raise WindflowError(Problem("E3001", "success"))
    turn = take(tmp_path, "b")
    assert (turn["runner"], turn["results"], turn["code"]) == ("a", None, "E3001")


def test_who_waits_for_a_runner_that_is_killed_learns_that_it_has_no_end(tmp_path):
    context = multiprocessing.get_context("fork")
    begun = context.Event()

    def runner():
        with once.turn(str(tmp_path), KEY, "a"):
            begun.set()
            signal.pause()

    process = context.Process(target=runner)
    process.start()
    assert begun.wait(10)
    others = context.Pool(2)
    waiting = [others.apply_async(take, (tmp_path, host)) for host in ("b", "c")]
    with pytest.raises(multiprocessing.TimeoutError):
        waiting[0].get(0.3)
    os.kill(process.pid, signal.SIGKILL)
    for found in waiting:
        turn = found.get(10)
        assert (turn["runner"], turn["results"], turn["code"]) == ("a", None, "")
    others.terminate()
    process.join()
