# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from windflow_platform import outcome

README = Path(__file__).parents[3] / "cli" / "README.md"
HOSTS = {
    0: {"state": "changed", "pending": True},
    3: {"state": "failed", "code": "E1105", "restored": False},
    4: {"state": "failed", "code": "E2002", "restored": False},
    5: {"state": "failed", "code": "E4040", "restored": True},
    6: {"state": "failed", "code": "E3001", "restored": False},
    7: {"state": "failed", "code": "E5001", "restored": False},
    8: {"state": "unreachable"},
}


@pytest.mark.parametrize("code", HOSTS)
def test_each_way_to_end_has_its_own_code(code):
    assert outcome.exit_code(2 if code else 0, {"web1": HOSTS[code]}) == code


@pytest.mark.parametrize("code", ["E5005", "E5010", "E5011", "E5014", "E5015", "E5016", "E5017", "E5018"])
def test_what_is_refused_before_anything_is_done_is_told_like_a_preflight(code):
    assert outcome.exit_code(2, {"web1": {"state": "failed", "code": code, "restored": False}}) == 4


@pytest.mark.parametrize("code", ["E1121", "E2026", "E5014"])
def test_what_is_found_after_a_run_has_begun_is_not_told_as_if_nothing_had_been_changed(code):
    host = {"state": "failed", "code": code, "restored": False, "begun": True}
    assert outcome.exit_code(2, {"web1": host}) == 6
    assert outcome.exit_code(2, {"web1": {**host, "restored": True}}) == 5


@pytest.mark.fault(43)
@pytest.mark.parametrize("code", ["E4100", "E4101"])
def test_networks_that_are_again_as_they_were_need_no_person(code):
    # A plugin without a program has no release that could serve again.
    assert outcome.exit_code(2, {"web1": {"state": "failed", "code": code, "restored": False, "begun": True}}) == 5


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations((6, 5, 8, 7, 4, 3, 0), 2)))
def test_the_worst_host_decides(first, second):
    hosts = {"a": HOSTS[second], "b": HOSTS[first], "c": HOSTS[second]}
    assert outcome.exit_code(2, hosts) == first


def test_a_check_that_finds_something_pending_ends_with_2():
    assert outcome.exit_code(0, {"a": {"state": "ok", "pending": True}}, check=True) == 2
    assert outcome.exit_code(0, {"a": {"state": "changed"}}, check=True) == 2
    # A plan that was saved changed a file, and nothing is pending.
    assert outcome.exit_code(0, {"a": {"state": "changed", "pending": False}}, check=True) == 0
    assert outcome.exit_code(0, {"a": {"state": "ok", "pending": False}}, check=True) == 0
    assert outcome.exit_code(2, {"a": {"state": "ok", "pending": True}, "b": HOSTS[4]}, check=True) == 4


def test_a_task_without_a_code_needs_a_person_unless_what_served_serves_on():
    assert outcome.exit_code(2, {"a": {"state": "failed", "code": "", "restored": False}}) == 6
    assert outcome.exit_code(2, {"a": {"state": "failed", "code": "", "restored": True}}) == 5


@pytest.mark.parametrize(("status", "code"), [(0, 0), (1, 3), (4, 3), (5, 3), (250, 6), (2, 3), (99, 130), (130, 130)])
def test_without_a_report_the_exit_code_of_ansible_decides(status, code):
    assert outcome.exit_code(status, None) == code


def test_a_run_for_no_host_does_not_end_well():
    assert outcome.exit_code(0, {}) == outcome.exit_code(0, {}, check=True) == 4


def test_a_failed_run_never_ends_well():
    assert outcome.exit_code(2, {}) == 6
    assert outcome.exit_code(2, {"a": {"state": "ok"}}) == 6


def test_the_readme_lists_every_code_and_their_order():
    text = README.read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)] == sorted(outcome.WORST_FIRST)
    assert "the worst: %s." % ", ".join(map(str, outcome.WORST_FIRST)) in text


@pytest.mark.fault(83)
def test_what_ends_before_a_run_has_begun_on_a_record_has_changed_nothing():
    host = {"state": "failed", "code": "", "restored": False}
    assert outcome.exit_code(2, {"a": host}, begins=True) == 4
    assert outcome.exit_code(2, {"a": {**host, "begun": True}}, begins=True) == 6
    assert outcome.exit_code(2, {"a": {**host, "begun": True, "restored": True}}, begins=True) == 5
    assert outcome.exit_code(2, {"a": {**host, "code": "E5003"}}, begins=True) == 6


@pytest.mark.fault(83)
def test_a_host_that_was_not_begun_does_not_decide():
    hosts = {"a": {"state": "unreachable"}, "b": {"state": "not begun"}}
    assert outcome.exit_code(4, hosts) == 8
