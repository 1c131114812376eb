# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of Debian beside this machine, as it is and with one thing wrong."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import families
from ansible_collections.windflow.platform.plugins.module_utils.system import family_check


@pytest.fixture(scope="module")
def table():
    """What is known of Debian, of those services that the unit tests install here."""
    found = copy.deepcopy(families.find("debian"))
    del found["services"]["supervisor"]
    # apt-cache takes a second for each package that is not installed.
    found["packages"] = {key: found["packages"][key] for key in ("python", "nginx", "postgresql")}
    found["packages"]["supervisor"] = []
    return found


def states(table):
    found = family_check.Comparison(table).compare()
    return {line["key"]: (line["state"], line["found"]) for line in found if not line["key"].startswith("supervisor")}


def test_a_table_that_is_right_differs_nowhere(table):
    found = states(table)
    assert {state for state, _said in found.values()} == {"same"}
    assert found["nginx.user"] == ("same", "www-data") and len(found) > 8


def test_each_value_that_is_wrong_differs(table):
    wrong = copy.deepcopy(table)
    # All at once: to ask for the packages takes seconds.
    expected = {
        ("nginx", "user", "nginx"): "www-data",
        ("nginx", "enabled_dir", "/etc/nginx/vhosts.d"): "/etc/nginx/sites-enabled",
        ("nginx", "log_dir", "/var/log/ngnix"): "it does not exist",
        ("nginx", "default_inline", True): "False",
        ("python", "interpreter", "/usr/bin/python3.99"): "it does not exist",
        ("services", "nginx", "ngnix"): "no such service",
    }
    for concern, key, value in expected:
        wrong[concern][key] = value
    found = states(wrong)
    differing = {key: said for key, (state, said) in found.items() if state == "differs"}
    assert differing == {"%s.%s" % (concern, key): said for (concern, key, _value), said in expected.items()}


def test_a_package_that_no_repository_has_differs_and_its_files_are_unknown(table):
    wrong = copy.deepcopy(table)
    wrong["packages"]["nginx"] = ["nginx-of-another-family"]
    found = states(wrong)
    assert found["packages.nginx"] == ("differs", "no enabled repository has it")
    assert found["services.nginx"][0] == found["nginx"][0] == "unknown" and "nginx.user" not in found
