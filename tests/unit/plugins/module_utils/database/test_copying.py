# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import backup, bounds
from ansible_collections.windflow.platform.plugins.module_utils.database import copying, postgres, programs
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
PARAMS = {
    "name": "app",
    "label": "first",
    "directory": "/nowhere/at/all",
    "state": "present",
    "port": 1,
    "socket_dir": "/nowhere",
    "container": None,
    "verify": "restore",
    "keep": 5,
    "spare": [],
    "skip_empty": False,
    "drop_replaced": False,
    "timeout": 10,
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


def test_programs_run_where_the_server_is():
    server = programs.Server(5433, container="db-1", application="ours")
    argv = server.command("pg_dump", ["-Fc", *server.connection("my app")])
    assert argv[:3] == ["docker", "exec", "-i"] and "PGAPPNAME=ours" in argv
    assert argv[argv.index("db-1") :] == [
        *("db-1", "pg_dump", "-Fc", "-w", "-U", "postgres", "-p", "5433", "-d", "dbname='my app'", "-h", "/tmp")
    ]
    assert programs.Server(socket_dir="/run/x").connection()[-2:] == ["-h", "/run/x"]


@pytest.mark.fault(15)
def test_an_error_shows_no_data():
    err = (
        'pg_restore: error: COPY failed for table "t": ERROR:  invalid input syntax for type integer: "canary ""x"""\n'
        'CONTEXT:  COPY t, line 1, column x: "canary"\nDETAIL:  Key (mail)=(canary) exists.\nCommand was: canary\n'
    )
    found = programs.shown(err)
    assert "canary" not in found and 'table "t"' in found


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    "after",
    [
        "DETAIL:  Key (body)=(login error for bob, token=canary) already exists.",
        "DETAIL:  Key (body)=(login\nERROR:  for bob, token=canary) already exists.",
        "DETAIL:  Key (body)=(login\npg_restore: error: token=canary) already exists.",
        "DETAIL:  Failing row contains (1, error: canary).",
        'CONTEXT:  COPY t, line 1, column x: "error: canary"',
        "Command was: INSERT INTO t VALUES ('error: canary')",
        "a line of a message that has several, with an error: canary",
        "ERROR:  canary",
    ],
)
def test_what_follows_an_error_is_not_shown_whatever_it_looks_like(after):
    first = 'pg_restore: error: could not execute query: ERROR:  duplicate key value violates "t_body_key"'
    assert programs.shown(first + "\n" + after + "\n") == first
    assert programs.shown(first[first.index("ERROR") :] + "\n" + after) == first[first.index("ERROR") :]


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    "value",
    [
        'canary"',
        'say "canary" now"',
        'canary\nerror: canary"',
        'canary\npg_restore: error: canary"',
        "canary",
        '"\nERROR:  "\npsql: error: canary',
    ],
)
def test_a_value_is_cut_wherever_it_ends(value):
    err = 'pg_restore: error: COPY failed for table "t": ERROR:  invalid input syntax for type integer: "' + value
    assert programs.shown(err) == err[: -len(value)] + '(value)"'


def test_what_the_program_itself_says_is_kept():
    mismatch = 'WARNING:  database "app" has a collation version mismatch\nDETAIL:  canary\nHINT:  canary\n'
    assert programs.shown(mismatch + "ERROR:  no such thing\nLINE 1: canary") == "ERROR:  no such thing"
    assert programs.shown(mismatch) == ""
    dump = (
        'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\n'
        "pg_dump: detail: Error message from server: ERROR:  out of memory\n"
    )
    assert programs.shown(dump + "DETAIL:  canary\npg_dump: detail: Command was: canary error: x") == "; ".join(
        dump.splitlines()
    )
    lost = "psql: error: connection to server on socket failed: FATAL:  the database system is starting up"
    assert programs.shown(lost + "\n") == lost
    assert programs.shown("pg_dump: nothing that is known\ncanary") == "pg_dump: nothing that is known"
    assert programs.shown("") == ""


def test_a_shield_holds_a_signal_off_until_its_end():
    reached = []
    with pytest.raises(WindflowError, match="E4045.*the signal 15"), bounds.Bounds(60) as limits:
        with limits.shield():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append(True)
        reached.append(False)
    assert reached == [True]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_clean_up_that_hangs_ends_too(monkeypatch):
    monkeypatch.setattr(bounds, "SHIELD_SECONDS", 0.2)
    with pytest.raises(WindflowError, match="E4098"), bounds.Bounds(60) as limits, limits.shield():
        time.sleep(30)
    with bounds.Bounds(60) as limits:
        with limits.shield():
            pass
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"label": "../x"}, "E4099", "label"),
        ({"label": ""}, "E4099", "label"),
        ({"label": "a\n"}, "E4099", "label"),
        ({"label": "a" * 129}, "E4099", "label"),
        ({"name": "postgres"}, "E4099", "name"),
        ({"name": "a\nb"}, "E4099", "name"),
        ({"name": "a" * 64}, "E4050", ""),
        ({"container": "--privileged"}, "E4099", "container"),
        ({"directory": "relative"}, "E4099", "directory"),
        ({"keep": -1}, "E4099", "keep"),
        ({"timeout": 0}, "E4099", "timeout"),
    ],
)
def test_options_that_cannot_be_are_refused(changes, code, place):
    with pytest.raises(WindflowError) as caught:
        backup.bring({**PARAMS, **changes}, False)
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [(code, place)]


def test_nothing_is_absent_without_a_server():
    result = backup.bring({**PARAMS, "state": "absent"}, False)
    assert not result["changed"]
