# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import families
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def test_a_family_is_found_by_its_name_and_by_what_ansible_calls_it():
    for word, family in (("Debian", "debian"), ("RedHat", "redhat"), ("Suse", "suse"), ("Archlinux", "arch")):
        assert families.find(word) == families.find(family) == families.load_all()[family]
        assert families.find(word)["family"] == family


@pytest.mark.parametrize(
    ("facts", "table"),
    [
        (("Suse", "openSUSE Leap", "15.6"), "suse-15"),
        (("Suse", "SLES", "15.7"), "suse-15-sles"),
        (("Suse", "SLES", "16.0"), "suse-16-sles"),
        (("Suse", "openSUSE Tumbleweed", "20261120"), "suse"),
        (("RedHat", "Fedora", "43"), "redhat-fedora"),
        (("RedHat", "Rocky", "9.6"), "redhat"),
        (("Archlinux", "Archlinux", "NA"), "arch"),
    ],
)
def test_what_differs_comes_from_the_most_specific_table(facts, table):
    assert families.find(*facts) == families.load_all()[table]


def test_a_major_version_that_nothing_can_be_done_on_is_refused():
    with pytest.raises(WindflowError, match="E2003"):
        families.find("RedHat", "Rocky", "8.10")


def test_a_special_table_says_only_what_differs():
    base, special = families.find("suse"), families.find("Suse", "openSUSE Leap", "15.6")
    assert special["python"]["interpreter"] == "/usr/bin/python3.11"
    assert {**special, "packages": base["packages"], "python": base["python"]} == base


@pytest.mark.parametrize(("name", "words"), [("Solaris", "debian"), ("", "gather facts")])
def test_an_unknown_family_is_refused_with_those_that_are_supported(name, words):
    with pytest.raises(WindflowError) as caught:
        families.find(name)
    assert caught.value.code == "E2003" and words in str(caught.value)


def test_every_table_has_the_same_names():
    def keys(table, place=()):
        return {(*place, key) for key in table} | {
            found for key, value in table.items() if isinstance(value, dict) for found in keys(value, (*place, key))
        }

    # What another Python is called, and how a database cluster is made, differs in kind.
    optional = {("python", "other"), ("postgresql", "initialise")}
    found = [
        {place for place in keys(table) if place[:2] not in optional or len(place) == 2}
        for table in families.load_all().values()
    ]
    assert all(places == found[0] for places in found)
