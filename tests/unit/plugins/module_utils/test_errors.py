# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pickle

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError

PROBLEM = Problem("E1102", "text", "nothing", "add the key", "plugin.yml", 3, 5, "app.name")


def test_a_problem_says_where_it_is_what_is_wrong_and_what_to_do():
    assert str(PROBLEM) == "E1102 plugin.yml:3:5 app.name: expected text, got nothing. Fix: add the key."


def test_what_is_not_known_of_a_place_is_left_out():
    assert str(Problem("E2008", "room", path="/opt")) == "E2008 /opt: expected room."
    assert str(Problem("E2008", "room", "none", file="x", line=4)) == "E2008 x:4: expected room, got none."


def test_a_plain_problem_has_its_own_sentence():
    found = Problem.plain("E4040", "the release did not get healthy", "status 500", "read its log.")
    assert found.sentence == "the release did not get healthy: status 500"
    assert str(found) == "E4040: the release did not get healthy: status 500. Fix: read its log."


def test_after_several_lines_of_output_the_remedy_has_its_own():
    found = Problem.plain("E3001", "the hook failed", "one\ntwo\n", "correct it")
    assert str(found) == "E3001: the hook failed: one\ntwo\nFix: correct it."


def test_findings_come_in_the_order_of_their_places_and_the_outcome_last():
    later, elsewhere = Problem("E1101", "a map", file="plugin.yml", line=9), Problem("E1100", "x", file="b.yml")
    error = WindflowError([later, PROBLEM, elsewhere], "Release 1 still serves.")
    assert error.problems == (elsewhere, PROBLEM, later) and error.code == "E1100"
    assert str(error).splitlines()[-1] == "Release 1 still serves."


def test_an_error_says_that_nothing_was_changed_unless_it_knows_better():
    assert str(WindflowError(PROBLEM)).endswith("\nNothing was changed.")


def test_an_error_crosses_processes_and_becomes_a_result():
    error = pickle.loads(pickle.dumps(WindflowError([PROBLEM], "Half was changed.")))
    assert (error.problems, error.outcome) == ((PROBLEM,), "Half was changed.")
    found = json.loads(json.dumps(error.as_result()))
    assert found["msg"] == str(error) and found["code"] == "E1102"
    assert [Problem(**problem) for problem in found["problems"]] == [PROBLEM]
