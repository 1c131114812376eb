# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.windflow.platform.plugins.lookup import family


@pytest.fixture
def lookup(monkeypatch):
    made = family.LookupModule()
    # Its documentation is read by Ansible's own loader, which is not at work here.
    monkeypatch.setattr(made, "set_options", lambda **_given: None)
    return made


def test_one_table_for_each_name(lookup):
    first, second = lookup.run(["debian", "Debian"])
    assert first == second and first["services"]["nginx"] == "nginx"


def test_a_family_without_a_table_is_an_error_of_the_lookup(lookup):
    with pytest.raises(AnsibleLookupError, match="E2003.*debian"):
        lookup.run(["Solaris"])
