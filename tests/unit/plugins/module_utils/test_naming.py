# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.naming import is_name, refuse_unless_name


@pytest.mark.parametrize("name", ["a", "shop", "shop-2", "a1-b2-c3", "x" * 64])
def test_a_name_may_be_part_of_a_path(name):
    assert is_name(name)
    refuse_unless_name(name)


@pytest.mark.parametrize(
    "name", ["", "Shop", "2shop", "-shop", "shop-", "a--b", "a_b", "../a", "a/b", "shop\n", "é", "x" * 65, 7, None]
)
def test_what_could_lead_elsewhere_is_none(name):
    assert not is_name(name)
    with pytest.raises(WindflowError) as caught:
        refuse_unless_name(name)
    assert caught.value.code == "E1032" and repr(name) in str(caught.value)
