# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a host's plugins fits together where one of them goes back to an earlier revision."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.manifest.compatibility import may_be_needed, rolled_back
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest


def known(version, provides=None, **needs):
    found = {name: {"plugin": plugin, "constraint": constraint} for name, (plugin, constraint) in needs.items()}
    return {"version": version, "provides": provides or {}, "needs": found}


def host(plugins, **more):
    return {"plugins": plugins, "at_work": {}, "unreadable": {}, **more}


def codes(problems):
    return [(problem.code, problem.path) for problem in problems]


@pytest.mark.parametrize(("version", "found"), [("2.0.0", []), ("1.9.0", [("E2024", "database")])])
def test_what_needs_the_plugin_gets_a_version_that_it_accepts(version, found):
    deployed = {"database": known("2.1.0"), "shop": known("1.0.0", database=("database", ">=2.0.0"))}
    problems = rolled_back("database", known(version), host(deployed))
    assert codes(problems) == found
    assert all("shop" in problem.sentence and problem.got == version for problem in problems)


@pytest.mark.parametrize(("offered", "found"), [("2.4.0", []), ("3.0.0", [("E2029", "database")])])
def test_the_plugin_gets_versions_that_its_earlier_release_accepts(offered, found):
    deployed = {"database": known(offered), "shop": known("2.0.0", database=("database", "*"))}
    problems = rolled_back("shop", known("1.0.0", database=("database", "<3")), host(deployed))
    assert codes(problems) == found


def test_what_the_earlier_release_needs_and_the_host_has_not_any_more_is_named():
    problems = rolled_back("shop", known("1.0.0", queue=("rabbit", "*")), host({"shop": known("2.0.0")}))
    assert codes(problems) == [("E2029", "queue")] and "rabbit is not deployed" in problems[0].got


def test_a_capability_has_the_version_that_its_provider_gives_it():
    deployed = {"postgres": known("15.0.0"), "shop": known("1.0.0", database=("postgres", "^2.0.0"))}
    assert rolled_back("postgres", known("14.0.0", {"postgres": "14.0.0", "database": "2.3.0"}), host(deployed)) == []
    problems = rolled_back("postgres", known("14.0.0"), host(deployed))
    assert codes(problems) == [("E2024", "database")] and problems[0].got == "none in postgres 14.0.0"


def test_who_is_deployed_just_now_counts_too():
    needs = known("1.0.0", database=("database", ">=2.0.0"))["needs"]
    problems = rolled_back("database", known("1.9.0"), host({"database": known("2.0.0")}, at_work={"shop": needs}))
    assert codes(problems) == [("E2024", "database")] and "shop" in problems[0].sentence


@pytest.mark.parametrize(
    ("version", "current", "found"),
    [
        ("1.9.0", {"shared": True}, ["E2024"]),
        ("1.9.0", {}, ["E2024"]),
        ("2.0.0", {"shared": True}, []),
        ("1.9.0", {"shared": False}, []),
    ],
)
def test_a_record_that_cannot_be_read_stops_another_version_of_what_it_may_need(version, current, found):
    deployed = {"database": {**known("2.0.0"), **current}}
    unreadable = {"shop": {"file": "/record.json", "got": "here no JSON", "remedy": "mend it"}}
    problems = rolled_back("database", known(version), host(deployed, unreadable=unreadable))
    assert [problem.code for problem in problems] == found
    assert all("shop needs database" in problem.sentence and problem.file == "/record.json" for problem in problems)


@pytest.mark.parametrize(
    ("text", "dependency", "needed"),
    [
        ("", False, False),
        ("", True, True),
        ("results: {port: server.port}\n", False, True),
        ("provides: {store: 1.0.0}\n", False, True),
        ("provides: {sample: 1.0.0}\n", False, False),
    ],
)
def test_others_may_need_what_has_something_for_them_or_was_needed_already(make_plugin, text, dependency, needed):
    assert may_be_needed(load_manifest(make_plugin("name: sample\nversion: 1.0.0\n" + text)), dependency) is needed
