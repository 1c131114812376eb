# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import copying, postgres
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

WANTED = {
    "owner": "app_owner",
    "encoding": "UTF8",
    "collate": "de_DE.UTF-8",
    "ctype": "C",
    "provider": "c",
    "locale": "",
    "rules": "",
    "connection_limit": 7,
    "acl": [[None, "TEMPORARY", False], ['we"b', "CONNECT", True]],
    "settings": [[None, ['search_path="$user", public, "a, ""b"""', "app.key=it's"]], ["web", ["work_mem=4MB"]]],
    "comment": None,
}


@pytest.mark.parametrize("name", ["app", "a" * 63, "ü" * 31 + "x", "€" * 21])
def test_derived_names_fit_and_differ(name):
    for suffix, room in (("_restore_", 8), ("_replaced_", 20)):
        found = postgres.derived_name(name, suffix, room)
        assert len(found.encode()) <= 63 - room
        assert postgres.quote_identifier(found + "x" * room)
    assert postgres.derived_name("a" * 63, "_restore_") != postgres.derived_name("a" * 62 + "b", "_restore_")


def test_a_name_that_is_taken_gets_a_number(monkeypatch):
    monkeypatch.setattr(copying.time, "strftime", lambda *_arguments: "20261123T012327Z")
    assert copying.replaced_name("app", []) == "app_replaced_20261123T012327Z"
    assert copying.replaced_name("app", ["app_replaced_20261123T012327Z"]) == "app_replaced_20261123T012327Z_2"


@pytest.mark.parametrize(
    ("changes", "number", "ends"),
    [
        ({}, 140000, "LC_COLLATE 'de_DE.UTF-8' LC_CTYPE 'C' OWNER \"app_owner\""),
        ({}, 150000, 'LOCALE_PROVIDER libc OWNER "app_owner"'),
        (
            {"provider": "i", "locale": "de-DE", "rules": "&a < g"},
            160000,
            "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ICU_RULES '&a < g' OWNER \"app_owner\"",
        ),
        ({"provider": "b", "locale": "C.UTF-8"}, 170000, "BUILTIN_LOCALE 'C.UTF-8' OWNER \"app_owner\""),
    ],
)
def test_a_new_database_is_like_the_first_and_nobody_can_connect(changes, number, ends):
    sql = copying.creation("new", {**WANTED, **changes}, number, "app_owner")
    assert sql.startswith("CREATE DATABASE \"new\" TEMPLATE template0 CONNECTION LIMIT 0 ENCODING 'UTF8'")
    assert sql.endswith(ends + ';\nREVOKE ALL ON DATABASE "new" FROM PUBLIC;\n')


def test_grants_and_settings_are_those_of_the_first():
    assert copying.privileges("new", WANTED) == [
        'ALTER DATABASE "new" OWNER TO "app_owner";',
        'REVOKE ALL ON DATABASE "new" FROM PUBLIC, "app_owner";',
        'GRANT TEMPORARY ON DATABASE "new" TO PUBLIC;',
        'GRANT CONNECT ON DATABASE "new" TO "we""b" WITH GRANT OPTION;',
        "ALTER DATABASE \"new\" SET \"search_path\" = '$user', 'public', 'a, \"b\"';",
        'ALTER DATABASE "new" SET "app"."key" = \'it\'\'s\';',
        'ALTER ROLE "web" IN DATABASE "new" SET "work_mem" = \'4MB\';',
    ]
    assert copying.privileges("new", {**WANTED, "acl": None, "settings": []}) == [
        'ALTER DATABASE "new" OWNER TO "app_owner";',
        'GRANT CONNECT, TEMPORARY ON DATABASE "new" TO PUBLIC;',
    ]


def test_a_privilege_that_is_sql_is_refused():
    with pytest.raises(WindflowError, match="E4097"):
        copying.privileges("new", {**WANTED, "acl": [["web", "ALL; DROP", False]]})


@pytest.mark.parametrize(
    ("value", "names"), [("", [""]), ('""', [""]), ("a", ["a"]), ('"a""b",c', ['a"b', "c"]), ("a, b", ["a", "b"])]
)
def test_lists_are_read_as_postgresql_writes_them(value, names):
    assert copying.listed(value) == names


def test_both_names_change_in_one_transaction():
    lines = copying.swap_sql("new", "app", "old", -1).splitlines()
    assert lines[1:] == [
        "BEGIN;",
        'ALTER DATABASE "app" RENAME TO "old";',
        'ALTER DATABASE "new" CONNECTION LIMIT -1;',
        'ALTER DATABASE "new" RENAME TO "app";',
        "COMMIT;",
    ]
    assert '"old"' not in copying.swap_sql("new", "app", "", -1)
