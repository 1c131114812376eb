# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import programs


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
