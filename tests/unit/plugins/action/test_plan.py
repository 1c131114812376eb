# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.action import plan
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def inputs(*targets):
    return SimpleNamespace(manifest=SimpleNamespace(targets=targets))


def test_the_first_target_that_there_is_a_backend_for_is_taken():
    assert plan.choose_target(inputs("host", "compose"), "") == "host"
    assert plan.choose_target(inputs("compose", "host"), "") == "host"
    assert plan.choose_target(inputs("compose", "host"), "host") == "host"


def test_a_plugin_of_hooks_only_has_no_target():
    assert plan.choose_target(inputs(), "") == ""


@pytest.mark.parametrize(("targets", "wanted"), [(("host",), "compose"), ((), "host")])
def test_a_target_that_the_plugin_does_not_support_is_refused(targets, wanted):
    with pytest.raises(WindflowError) as caught:
        plan.choose_target(inputs(*targets), wanted)
    assert caught.value.code == "E2012"


@pytest.mark.parametrize(("targets", "wanted"), [(("compose",), ""), (("compose", "host"), "compose")])
def test_a_target_without_a_backend_is_refused_and_not_passed_over(targets, wanted):
    with pytest.raises(WindflowError) as caught:
        plan.choose_target(inputs(*targets), wanted)
    assert caught.value.code == "E2013"


def test_the_url_is_where_the_controller_finds_the_host():
    made = {"host": {"port": 8080}}
    assert plan.url(made, {"inventory_hostname": "web1"}) == "http://web1:8080"
    assert plan.url(made, {"inventory_hostname": "web1", "ansible_host": "fd00::1"}) == "http://[fd00::1]:8080"
    assert plan.url({}, {"inventory_hostname": "web1"}) == ""


def test_the_operator_is_told_what_drifted_by_name_and_how_much_more():
    drift = [
        {"step": "site", "resource": "/f%d" % number, "attribute": "mode", "expected": "0644", "found": "0666"}
        for number in range(25)
    ]
    step = {"title": "10 nginx site", "pending": True, "why": [], "digest": ""}
    made = {"pending": True, "event": "deploy", "version": "1.0.0", "steps": {"site": step}, "drift": drift}
    lines = plan.summary(made, "web1").splitlines()
    assert lines[0] == "web1: deploy 1.0.0, pending: 10 nginx site"
    assert lines[1] == "web1: drift: /f0: mode is 0666, was 0644"
    assert lines[-1] == "web1: drift: and 5 more"
