# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import access, postgres
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def test_identifiers_are_quoted():
    assert postgres.quote_identifier("app") == '"app"'
    assert postgres.quote_identifier('we"ird; DROP') == '"we""ird; DROP"'


@pytest.mark.fault(13)
@pytest.mark.parametrize("name", ["", "a" * 64, "ü" * 32, "a\0b", "a\udc80"])
def test_identifiers_that_postgresql_would_change_are_refused(name):
    with pytest.raises(WindflowError, match="E4050"):
        postgres.quote_identifier(name)


def test_the_longest_identifier_is_accepted():
    assert postgres.quote_identifier("ü" * 31 + "x") == '"%s"' % ("ü" * 31 + "x")


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a", "'a'"),
        ("it's", "'it''s'"),
        ("a\\b", " E'a\\\\b'"),
        ("\\'; DROP --", " E'\\\\''; DROP --'"),
        ("{}", "'{}'"),
    ],
)
def test_literals_are_quoted(value, quoted):
    assert postgres.quote_literal(value) == quoted


def test_a_literal_with_nul_is_refused_without_showing_it():
    with pytest.raises(WindflowError) as caught:
        postgres.quote_literal("canary\0")
    assert "canary" not in str(caught.value)


def test_a_database_name_is_never_read_as_connection_string():
    assert postgres.conninfo("host=evil' port=1") == "dbname='host=evil\\' port=1'"
    command = postgres.connect_command('a"b')
    assert command == '\\connect -reuse-previous=on "dbname=\'a""b\'"'


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("postgres", "app"),
        ("template1", "app"),
        ("app", "public"),
        ("app", "pg_monitor"),
        ("app", "app_owner"),
        ("a" * 58, "app"),
        ("app", ""),
        ("app", "a\nb"),
        ("a\n\\! id", "app"),
    ],
)
def test_names_that_are_not_ours_to_manage_are_refused(name, user):
    with pytest.raises(WindflowError, match="E4050"):
        postgres.check_names(name, user)


def test_psql_gets_no_sql_and_no_secret_by_argv():
    assert postgres.psql_command(5433, "/run/x") == [
        "psql",
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-p",
        "5433",
        "-d",
        "dbname='postgres'",
        "-h",
        "/run/x",
    ]


def test_a_verifier_in_a_message_of_the_server_is_cut_out():
    def execute(argv, sql):
        return 3, "", "ERROR: near 'SCRAM-SHA-256$4096:canary$canary:canary' at line 1"

    with pytest.raises(WindflowError, match="E4052") as caught:
        postgres.execute_sql("x", 5432, execute)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "told"), [(2, "E4051.*Fix: install and start"), (124, "E4055.*Fix: see in pg_stat_activity")]
)
def test_a_server_that_does_not_answer_is_told_from_an_error(code, told):
    with pytest.raises(WindflowError, match=told) as caught:
        postgres.execute_sql("x", 5432, lambda argv, sql: (code, "", "no"))
    assert str(caught.value).endswith("Nothing was changed.")
    with pytest.raises(WindflowError) as caught:
        postgres.execute_sql("x", 5432, lambda argv, sql: (code, "", "no"), outcome="Half of it was done.")
    assert str(caught.value).endswith("Half of it was done.") and "Nothing" not in str(caught.value)
    assert postgres.inspect(5432, "app", "app", lambda argv, sql: (code, "", "no")) == {"available": False}


def test_a_host_without_psql_is_told():
    def execute(argv, sql):
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(WindflowError, match="E4051"):
        postgres.execute_sql("x", 5432, execute)


@pytest.mark.system
def test_who_edits_pg_hba_at_the_same_time_takes_nobody_elses_lines_away(cluster):
    file = cluster.root + "/data/pg_hba.conf"
    theirs = "# %s\n" % ("theirs " * 200_000) + "local all postgres peer\n"
    with cluster.hba(theirs), ThreadPoolExecutor(6) as pool:
        edits = [functools.partial(access.with_lines, database="app%d" % number) for number in range(6)]
        list(pool.map(lambda edit: postgres.change_access(file, edit, cluster.port, cluster.root), edits))
        text = access.read(file)
    assert [text.count(access.mark("app%d" % number)) for number in range(6)] == [2] * 6
    assert text.endswith(theirs)
