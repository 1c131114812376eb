# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import difference as plan
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

BLANK = {"version": 150000, "encoding": "UTF8", "collate": "C.UTF-8", "roles": {}, "database": None, "schema": {}}
ROLE = {
    "login": False,
    "superuser": False,
    "createdb": False,
    "createrole": False,
    "replication": False,
    "bypassrls": False,
    "limit": -1,
    "verifier": "",
}
SETTLED = {
    **BLANK,
    "roles": {"app_owner": ROLE, "web": {**ROLE, "login": True, "limit": 20, "verifier": "SCRAM-SHA-256$x"}},
    "database": {"owner": "app_owner", "open": True, "public_connect": False, "connect": True},
    "schema": {"owner": "pg_database_owner", "public_create": False, "usage": True, "create": True},
}


NOBODYS = {"database": [], "role": []}


def desired(**changes):
    wanted = {"state": "present", "name": "app", "user": "web", "connection_limit": 20, "verifier": None}
    return {**wanted, "adopted": NOBODYS, **changes}


def statements(wanted, actual):
    """What psql is given, in order."""
    return [sql for change in plan.changes(wanted, actual) for sql in change["sql"]]


def changed(path, value):
    state = copy.deepcopy(SETTLED)
    inner = state
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return state


def test_a_settled_database_needs_nothing():
    assert statements(desired(), SETTLED) == []


def test_a_blank_server_gets_roles_then_database_then_privileges():
    assert statements(desired(verifier="SCRAM-SHA-256$4096:a$b:c"), BLANK) == [
        'CREATE ROLE "app_owner" NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;',
        'CREATE ROLE "web" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;',
        'ALTER ROLE "web" CONNECTION LIMIT 20;',
        "ALTER ROLE \"web\" PASSWORD 'SCRAM-SHA-256$4096:a$b:c';",
        'CREATE DATABASE "app" OWNER "app_owner" ALLOW_CONNECTIONS false;',
        'REVOKE CONNECT ON DATABASE "app" FROM PUBLIC;',
        'ALTER DATABASE "app" WITH ALLOW_CONNECTIONS true;',
        "\\connect -reuse-previous=on \"dbname='app'\"",
        'GRANT USAGE, CREATE ON SCHEMA public TO "web";',
        "\\connect -reuse-previous=on \"dbname='postgres'\"",
        'GRANT CONNECT ON DATABASE "app" TO "web";',
    ]


def test_before_postgresql_15_creating_in_public_is_revoked():
    found = statements(desired(), {**BLANK, "version": 130000})
    begin = found.index('ALTER SCHEMA public OWNER TO "app_owner";')
    assert (
        found[begin - 1].startswith("\\connect") and found[begin + 1] == "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    )


def test_a_cluster_without_locale_still_gets_utf8():
    sql = statements(desired(), {**BLANK, "encoding": "SQL_ASCII", "collate": "C"})
    assert (
        'CREATE DATABASE "app" OWNER "app_owner" TEMPLATE template0 ENCODING \'UTF8\' ALLOW_CONNECTIONS false;' in sql
    )


@pytest.mark.parametrize(
    ("path", "value", "sql"),
    [
        (("roles", "web", "createdb"), True, 'ALTER ROLE "web" LOGIN NOSUPERUSER NOCREATEDB'),
        (("roles", "app_owner", "login"), True, 'ALTER ROLE "app_owner" NOLOGIN'),
        (("roles", "app_owner", "superuser"), True, 'ALTER ROLE "app_owner" NOLOGIN NOSUPERUSER'),
        (("roles", "web", "limit"), -1, 'ALTER ROLE "web" CONNECTION LIMIT 20;'),
        (("database", "public_connect"), True, 'REVOKE CONNECT ON DATABASE "app" FROM PUBLIC;'),
        (("database", "connect"), False, 'GRANT CONNECT ON DATABASE "app" TO "web";'),
        (("database", "open"), False, 'ALTER DATABASE "app" WITH ALLOW_CONNECTIONS true;'),
    ],
)
def test_a_difference_is_mended_by_itself(path, value, sql):
    found = statements(desired(), changed(path, value))
    assert len(found) == 1
    assert found[0].startswith(sql)


def test_a_privilege_in_the_schema_is_mended_in_the_database_and_not_by_the_superuser():
    found = plan.changes(desired(), changed(("schema", "public_create"), True))
    assert [(one["inside"], one["sql"]) for one in found] == [(True, ["REVOKE CREATE ON SCHEMA public FROM PUBLIC;"])]
    with pytest.raises(WindflowError, match="E4066.*ALTER SCHEMA public OWNER TO"):
        actual = changed(("schema", "owner"), "postgres")
        actual["schema"]["usage"] = False
        plan.changes(desired(), actual)


def test_what_nobody_could_look_at_is_left_with_a_warning():
    actual = {**SETTLED, "schema": {}}
    assert statements(desired(), actual) == []
    assert "pg_hba.conf" in plan.warnings(desired(), actual)[0]


def test_of_a_superuser_only_the_password_is_set_and_a_warning_given():
    actual = changed(("roles", "web"), {**ROLE, "login": True, "superuser": True, "createdb": True})
    actual["database"]["connect"] = actual["schema"]["usage"] = actual["schema"]["create"] = False
    wanted = desired(verifier="SCRAM-SHA-256$4096:a$b:c")
    assert statements(wanted, actual) == ["ALTER ROLE \"web\" PASSWORD 'SCRAM-SHA-256$4096:a$b:c';"]
    assert "superuser" in plan.warnings(wanted, actual)[0]
    assert plan.warnings(wanted, SETTLED) == []


@pytest.mark.parametrize("owner", ["app_owner", "web"])
def test_a_database_of_our_roles_is_accepted(owner):
    assert statements(desired(), changed(("database", "owner"), owner)) == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_database_of_somebody_else_is_neither_taken_over_nor_removed(state):
    with pytest.raises(
        WindflowError, match="E4053 database.name: expected app_owner or web as the owner of the database app"
    ):
        statements(desired(state=state), changed(("database", "owner"), "somebody"))


def test_removal_closes_the_database_before_it_is_dropped():
    assert statements(desired(state="absent"), SETTLED) == [
        "SELECT format('ALTER DATABASE %I WITH ALLOW_CONNECTIONS false', datname) FROM pg_database"
        " WHERE datname = 'app' AND datconnlimit <> -2 \\gexec",
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'app';",
        'DROP DATABASE IF EXISTS "app";',
        'DROP ROLE "web";',
        'DROP ROLE "app_owner";',
    ]
    assert statements(desired(state="absent"), BLANK) == []


def test_removal_leaves_a_superuser():
    actual = changed(("roles", "web", "superuser"), True)
    assert 'DROP ROLE "web";' not in statements(desired(state="absent"), actual)
    assert plan.warnings(desired(state="absent"), actual) == ["The role web is a superuser and was not removed."]


def test_what_is_shown_of_a_change_has_no_verifier():
    for change in plan.changes(desired(verifier="SCRAM-SHA-256$canary"), BLANK):
        assert "canary" not in repr({key: value for key, value in change.items() if key != "sql"})


def test_hostile_names_stay_names():
    sql = statements(desired(name='a"; DROP', user="u'; --"), BLANK)
    assert 'CREATE DATABASE "a""; DROP" OWNER "a""; DROP_owner" ALLOW_CONNECTIONS false;' in sql
    assert 'GRANT USAGE, CREATE ON SCHEMA public TO "u\'; --";' in sql


def test_a_removal_takes_along_what_a_restore_has_replaced():
    state = {**SETTLED, "replaced": ["app_replaced_20261125T174720Z"]}
    dropped = [sql for sql in statements(desired(state="absent"), state) if sql.startswith("DROP DATABASE")]
    assert dropped == [
        'DROP DATABASE IF EXISTS "app";',
        'DROP DATABASE IF EXISTS "app_replaced_20261125T174720Z";',
    ]
    assert statements(desired(), state) == []


@pytest.mark.fault(21)
def test_a_removal_takes_along_only_what_a_killed_run_has_left():
    left = [["app_restore_00c0ffee", 0], ["windflow_verify_ffffffff", -2]]
    others = [
        ["app_restore_00c0ffe", 0],
        ["app_restore_00C0FFEE", 0],
        ["app_restore_00c0ffef", 5],
        ["other_restore_00c0ffee", 0],
        ["windflow_verify_", 0],
    ]
    state = {**SETTLED, "unfinished": left + others}
    sql = statements(desired(state="absent"), state)
    assert [line.split('"')[1] for line in sql if line.startswith("DROP DATABASE")] == [
        "app",
        "app_restore_00c0ffee",
        "windflow_verify_ffffffff",
    ]
    begin = sql.index("SELECT pg_try_advisory_lock(1464421956, -1) AS dead \\gset")
    assert (sql[begin + 1], sql[begin + 5], sql[begin + 6]) == ("\\if :dead", "\\endif", 'DROP ROLE "web";')
    assert statements(desired(), state) == []
