# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import owners
from ansible_collections.windflow.platform.plugins.module_utils.database.postgres import owner_role

MADE = {"database": [], "role": []}
THERE = {
    "available": True,
    "database": "present",
    "owner": "dba",
    "owner_superuser": False,
    "owner_role": "absent",
    "app_role": "LOGIN",
    "app_powers": "",
    **dict.fromkeys(("app_connect", "app_usage", "app_create"), False),
    **dict.fromkeys(("public_connect", "public_usage", "public_create"), False),
}
BOTH = ("database", "role")


def codes(there=None, made=None, adopt=(), **changes):
    found = owners.findings("shop", "web", there if there is not None else {**THERE, **changes}, made or MADE, adopt)
    return [problem.code for problem in found]


def test_nothing_speaks_against_what_is_not_there():
    assert codes({}) == [] and codes({"available": False}) == []
    assert codes(database="absent", app_role="absent") == []


def test_what_somebody_else_has_made_is_left_alone_unless_it_is_adopted():
    assert sorted(codes()) == ["E2040", "E2041"]
    assert codes(adopt=["role"]) == ["E2040"] and codes(adopt=["database"]) == ["E2041"]
    assert codes(adopt=BOTH) == []


def test_what_was_made_for_the_plugin_is_its_own():
    assert codes(made={"database": ["shop"], "role": ["web", owner_role("shop")]}) == []


def test_the_role_of_the_owner_counts_as_long_as_the_database_has_no_other():
    left = {"database": "absent", "app_role": "absent", "owner_role": "NOLOGIN"}
    assert codes(**left) == ["E2041"]
    assert codes(app_role="absent", owner_role="NOLOGIN", adopt=["database"]) == []


@pytest.mark.parametrize("changes", [{"app_role": "LOGIN SUPERUSER"}, {"app_powers": "pg_read_all_data"}])
def test_a_role_with_rights_over_the_server_is_never_adopted(changes):
    (problem,) = owners.findings("shop", "web", {**THERE, **changes}, MADE, BOTH)
    assert problem.code == "E2041" and "rights over the server" in problem.message
    assert problem.got in ("SUPERUSER", "a member of pg_read_all_data")


def test_the_database_of_a_superuser_is_adopted_only_with_the_rights_that_are_wanted():
    assert codes(owner_superuser=True, adopt=BOTH) == ["E2040"]
    granted = dict.fromkeys(("app_connect", "app_usage", "app_create"), True)
    assert codes(owner_superuser=True, adopt=BOTH, **granted) == []


def test_where_nobody_is_let_in_to_look_that_is_said():
    assert codes({"refused": "pg_hba.conf:3: local all all reject"}) == ["E2042"]


def test_only_what_the_application_cannot_do_yet_is_given_to_it():
    assert owners.lacking("web", THERE) == ["CONNECT", "USAGE ON SCHEMA public", "CREATE ON SCHEMA public"]
    assert owners.lacking("web", {**THERE, "public_connect": True, "app_usage": True}) == ["CREATE ON SCHEMA public"]
    assert owners.lacking("dba", THERE) == []
    # Nobody could look inside.
    assert owners.lacking("web", {**THERE, "app_usage": None, "app_create": None}) == ["CONNECT"]


def test_what_is_adopted_is_said_with_what_changes_and_what_stays():
    role, database = owners.adopted("shop", "web", {**THERE, "app_role": "NOLOGIN"}, MADE)
    assert role.startswith("role web gets the configured password and may log in;")
    assert database.startswith("database shop: web gets CONNECT,") and "its owner dba" in database
