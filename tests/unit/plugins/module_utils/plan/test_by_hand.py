# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that was deployed by its own name, and then as what another plugin needs."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.plan import by_hand
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import InputContext, read_inputs

GIVEN = {"database": {"name": "orders", "password": "canary-4711"}}


def config(tmp_path, dependency, sets=(), kept=None, environ=None, **inventory):
    host = {"plugins": {}, "secrets": {"database": kept or {}}}
    asked = {"plugin": "database", "environment_name": "", "config": [], "sets": list(sets), "dependency": dependency}
    return read_inputs(asked, InputContext(inventory, environ or {}, tmp_path, host)).config


def deployed(tmp_path, **given):
    return {"by_hand": by_hand.given(config(tmp_path, False, **given), "database")}


def refused(tmp_path, current, **given):
    return by_hand.changed(config(tmp_path, True, **given), "database", current)


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({"windflow_config": GIVEN}, "database.name, database.password"),
        ({"environ": {"DB_PASSWORD": "canary-4711"}}, "database.password"),
        ({"sets": ["database.name=orders"]}, "database.name"),
    ],
)
def test_what_was_given_by_hand_is_not_replaced_by_what_its_dependents_know(tmp_path, given, keys):
    current = deployed(tmp_path, **given)
    (problem,) = refused(tmp_path, current, kept={"database.password": "made on the host"})
    assert problem.code == "E2030" and problem.got == keys
    assert "windflow_plugin_config.database" in problem.remedy and "canary" not in str(current) + str(problem)


def test_the_same_in_the_variable_that_both_read_is_fine(tmp_path):
    current = deployed(tmp_path, windflow_config=GIVEN)
    assert refused(tmp_path, current, windflow_plugin_config={"database": GIVEN}) == []
    other = {"database": {**GIVEN["database"], "password": "canary-4712"}}
    (problem,) = refused(tmp_path, current, windflow_plugin_config={"database": other})
    assert problem.got == "database.password"


@pytest.mark.parametrize("current", [None, {}, {"by_hand": {}}])
def test_what_was_never_given_by_hand_may_change(tmp_path, current):
    assert refused(tmp_path, current, windflow_plugin_config={"database": GIVEN}) == []


def test_what_both_read_is_not_by_hand_and_may_change(tmp_path):
    current = deployed(tmp_path, windflow_plugin_config={"database": GIVEN}, kept={"database.password": "made"})
    assert current == {"by_hand": {}} and refused(tmp_path, current) == []
