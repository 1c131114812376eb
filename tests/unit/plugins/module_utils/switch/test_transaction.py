# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import fields

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import container_switch
from ansible_collections.windflow.platform.plugins.module_utils.containers.project import ContainerOptions
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch, transaction
from ansible_collections.windflow.platform.plugins.module_utils.switch.installed import HostOptions


@pytest.mark.parametrize(("options", "module"), [(HostOptions, host_switch), (ContainerOptions, container_switch)])
def test_a_switch_has_exactly_the_options_of_its_module(options, module):
    assert {field.name for field in fields(options)} == set(module.ARGUMENTS)


def options(tmp_path, **changes):
    known = dict(plugin="shop", run="", release="20261123T012327Z-1a2b3c4d", state="present", replicas=1, port=8080)
    known.update(install_dir=str(tmp_path), health="/", health_timeout=1, drain_timeout=1, host_header="localhost")
    return transaction.Options(**{**known, **changes})


def test_what_a_switch_did_is_told_with_what_its_work_returned(tmp_path):
    def work(switch):
        switch.changes.append("a file")
        switch.warnings.append("it took long")
        return {"url": "http://localhost/"}

    found = transaction.run(options(tmp_path), transaction.Switching, work)
    assert not found["failed"] and found["changed"] and found["changes"] == ["a file"]
    assert found["url"] == "http://localhost/" and found["warnings"] == ["it took long"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            WindflowError(Problem.plain("E4040", "the release did not get healthy", "", "read its log")),
            "E4040",
            "healthy",
        ),
        (PermissionError(13, "Permission denied", "/etc/x"), "E4046", "/etc/x"),
    ],
    ids=["ours", "the system's"],
)
def test_an_error_is_a_result_that_says_what_changed_before_it(tmp_path, error, code, said):
    def work(switch):
        switch.changes.append("a file")
        switch.evidence = {"log": ["the last line"]}
        raise error

    found = transaction.run(options(tmp_path), transaction.Switching, work)
    assert found["failed"] and found["changed"] and found["log"] == ["the last line"]
    assert found["code"] == code and said in found["msg"]


def test_with_options_that_lead_elsewhere_nothing_is_switched(tmp_path):
    found = transaction.run(options(tmp_path, plugin="../shop"), pytest.fail, pytest.fail)
    assert found["failed"] and not found["changed"] and found["code"] == "E4044"
