# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module ends, with a real AnsibleModule."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError

OPTIONS = {"plugin": {"type": "str"}, "port": {"type": "int", "default": 8080}}


class Module(AnsibleModule):
    """ansible-core itself sends a warning elsewhere once another test of the process has imported the controller."""

    def warn(self, warning):
        self.warned = [*getattr(self, "warned", []), warning]


@pytest.fixture
def end(capsys):
    """Ends a module with what ``run`` returns; returns its exit code, what it prints and its warnings."""

    def call(run, **given):
        with patch_module_args({"plugin": "shop", **given}), pytest.raises(SystemExit) as ended:
            module = Module(argument_spec=OPTIONS, supports_check_mode=True)
            answer(module, run)
        said = json.loads(capsys.readouterr().out)
        said.pop("invocation", None)
        return ended.value.code, said, getattr(module, "warned", [])

    return call


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("diff", [True, False])
def test_the_options_come_with_the_modes_of_the_run(end, check, diff):
    seen = {}
    end(lambda params: seen.update(params) or {}, _ansible_check_mode=check, _ansible_diff=diff)
    assert seen == {"plugin": "shop", "port": 8080, "check": check, "diff": diff}


def test_what_was_done_is_the_modules_result_and_warnings_are_no_part_of_it(end):
    code, said, warned = end(lambda _params: {"changed": True, "path": "/x", "warnings": ["one", "two"]})
    assert (code, said, warned) == (0, {"changed": True, "path": "/x"}, ["one", "two"])


def test_an_error_is_told_with_its_code_its_place_and_its_remedy(end):
    def run(_params):
        raise WindflowError(Problem("E4099", "a port", "0", "give a port", path="port"), "The file stays.")

    code, said, _warned = end(run)
    assert code == 1 and said["failed"] and said["code"] == "E4099"
    assert said["msg"] == "E4099 port: expected a port, got 0. Fix: give a port.\nThe file stays."
    (problem,) = said["problems"]
    assert [problem[key] for key in ("code", "path", "remedy")] == ["E4099", "port", "give a port"]


def test_an_error_that_the_result_tells_keeps_what_was_changed_before_and_the_warnings(end):
    result = {"failed": True, "changed": True, "msg": "E4040: it is sick.", "changes": ["/x"], "warnings": ["slow"]}
    code, said, warned = end(lambda _params: dict(result))
    assert (code, warned) == (1, ["slow"])
    assert said == {"failed": True, "changed": True, "msg": "E4040: it is sick.", "changes": ["/x"]}


def test_a_result_that_says_it_did_not_fail_ends_well(end):
    assert end(lambda _params: {"failed": False, "changed": False})[:2] == (0, {"changed": False})
