# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved plan against what would be done now."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan import saved_plans

PLAN = {
    "plugin": "demo",
    "version": "1.1.0",
    "event": "upgrade",
    "target": "host",
    "environment": "",
    "adopted": [],
    "release": "20261125T080000Z-00000001",
    "digests": {"application": "a" * 64},
    "dependencies": [{"plugin": "/p/cache", "name": "cache", "version": "2.0.0"}],
    "steps": {"application": {"pending": True, "why": ["it differs"]}, "config": {"pending": False, "why": []}},
}
HOOKS = {"pre-deploy": ["hooks/a.sh on target, per_host, 300 s: %s" % ("a" * 64)], "post-deploy": ["hooks/b.sh on …"]}
HOOKS = {"pre-deploy": ["hooks/a.sh on target, per_host, 300 s: %s" % ("a" * 64)], "post-deploy": ["hooks/b.sh on …"]}
CURRENT = {"revision": 3, "release": "20261124T080000Z-00000001", "version": "1.0.0"}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format": 1, "hosts": {"web1": saved_plans.agreement(PLAN, CURRENT, HOOKS)}}))
    return str(path)


def refused(path, host="web1", plan=None, current=CURRENT["revision"], hooks=None):
    deployed = {**CURRENT, "revision": current} if current else None
    with pytest.raises(WindflowError) as caught:
        saved_plans.compare(path, host, saved_plans.agreement(plan or PLAN, deployed, hooks or HOOKS))
    return caught.value


def test_the_same_plan_at_another_time_is_accepted(saved):
    later = {**PLAN, "release": "20270101T000000Z-00000001"}
    saved_plans.compare(saved, "web1", saved_plans.agreement(later, CURRENT, HOOKS))


def test_a_host_that_has_moved_since_is_refused_and_both_states_are_named(saved):
    error = refused(saved, current=4)
    assert error.code == "E2022" and "revision: 3" in str(error) and "revision: 4" in str(error)


def test_what_would_be_adopted_is_agreed_to(saved):
    error = refused(saved, plan={**PLAN, "adopted": ["account ann is used as it is, and stays at a purge"]})
    assert error.code == "E2022" and "adopted" in str(error)


def test_a_host_that_was_removed_since_is_refused(saved):
    assert "got none" in str(refused(saved, current=0))


def test_a_plugin_that_was_edited_since_is_refused(saved):
    plan = copy.deepcopy(PLAN)
    plan["digests"]["application"] = "b" * 64
    assert "digests as planned" in str(refused(saved, plan=plan))


def test_another_reason_for_the_same_step_is_refused(saved):
    plan = copy.deepcopy(PLAN)
    plan["steps"]["application"]["why"] = ["drift: /opt/demo/app is absent, was present"]
    assert "drift" in str(refused(saved, plan=plan))


def test_a_hook_that_was_replaced_added_or_given_other_rights_is_refused_and_named(saved):
    (before,) = HOOKS["pre-deploy"]
    for after in (before.replace("a" * 64, "b" * 64), before.replace(" s:", " s, as root:")):
        text = str(refused(saved, hooks={**HOOKS, "pre-deploy": [after]}))
        assert "hooks as planned: pre-deploy: hooks/a.sh on target, per_host, 300 s: aaaaaaaaaaaa…, got pre-dep" in text
        assert "b.sh" not in text
    text = str(refused(saved, hooks={**HOOKS, "migrate": ["hooks/c.sh on target"]}))
    assert "hooks as planned: nothing, got migrate: hooks/c.sh on target" in text
    assert "got nothing" in str(refused(saved, hooks={"pre-deploy": HOOKS["pre-deploy"]}))


def test_a_dependency_that_is_dropped_or_another_one_is_refused(saved):
    text = str(refused(saved, plan={**PLAN, "dependencies": []}))
    assert "needs as planned: cache: 2.0.0, got nothing" in text
    other = [{"plugin": "/p/cache", "name": "cache", "version": "2.1.0"}]
    assert "got cache: 2.1.0" in str(refused(saved, plan={**PLAN, "dependencies": other}))


def test_what_only_the_saved_plan_has_is_refused(saved, tmp_path):
    data = json.loads((tmp_path / "plan.json").read_text())
    data["hosts"]["web1"]["something"] = "more"
    (tmp_path / "plan.json").write_text(json.dumps(data))
    assert "something as planned: more, got none" in str(refused(saved))


def test_a_host_that_nobody_looked_at_is_refused(saved):
    assert "there is no plan for host web2" in str(refused(saved, host="web2"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "hosts": {}}', '{"format": 1, "hosts": []}', "\0"])
def test_a_file_that_is_no_plan_is_refused(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert refused(str(path)).code == "E2023"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "No such file" in str(refused(str(tmp_path / "none.json")))


def test_what_is_deployed_before_is_agreed_to_as_well(tmp_path):
    path = tmp_path / "plan.json"
    own = saved_plans.agreement(PLAN, CURRENT, HOOKS)
    others = {"database": {**own, "plugin": "database"}}
    path.write_text(json.dumps({"format": 1, "hosts": {"web1": {**own, "dependencies": others}}}), encoding="utf-8")
    saved_plans.compare(str(path), "web1", own)
    saved_plans.compare(str(path), "web1", others["database"], "database")
    for name, now in (("database", {**others["database"], "version": "3.0.0"}), ("cache", own)):
        with pytest.raises(WindflowError) as caught:
            saved_plans.compare(str(path), "web1", now, name)
        assert caught.value.code == "E2022"


@pytest.mark.parametrize("agreed", [None, 3, "x", []], ids=repr)
def test_a_plan_whose_host_has_something_else_than_what_was_agreed_to_is_refused(tmp_path, agreed):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format": 1, "hosts": {"web1": agreed}}))
    assert refused(str(path)).code == "E2023"


def test_a_plan_that_is_nested_without_end_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("[" * 99999)
    assert refused(str(path)).code == "E2023"
