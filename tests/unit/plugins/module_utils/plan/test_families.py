# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan import families


def test_a_family_is_found_by_its_name_and_by_what_ansible_calls_it():
    for family, table in families.load_all().items():
        assert families.find(family) == table and table["family"] == family
    assert families.find("Debian") == families.find("debian")


@pytest.mark.parametrize(("name", "words"), [("Solaris", "(debian"), ("", "gather facts")])
def test_an_unknown_family_is_refused_with_those_that_are_supported(name, words):
    with pytest.raises(WindflowError) as caught:
        families.find(name)
    assert caught.value.code == "E2003" and words in str(caught.value)


def test_every_table_has_the_same_names():
    def keys(table, place=()):
        return {(*place, key) for key in table} | {
            found for key, value in table.items() if isinstance(value, dict) for found in keys(value, (*place, key))
        }

    tables = list(families.load_all().values())
    assert all(keys(table) == keys(tables[0]) for table in tables)
