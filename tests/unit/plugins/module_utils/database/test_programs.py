# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import hba, postgres, programs
from ansible_collections.windflow.platform.plugins.module_utils.database.logins import Login
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

# A client whose containers are this machine: what comes after the container's name is run.
HERE = 'while [ "$1" != db ]; do shift; done; shift; exec "$@"'
LOGIN = Login("windflow_1", "canary")


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


@pytest.fixture
def server(client):
    """A server in a container that is this machine; its programs are those of the tests."""
    client(HERE)
    return programs.Server(container="db", major=16)


def put(tmp_path, name, script):
    """A program of the server's."""
    path = tmp_path / "client" / name
    path.write_text("#!/bin/sh\n%s\n" % script, encoding="utf-8")
    path.chmod(0o755)


def refused(function, *arguments, **named):
    with pytest.raises(WindflowError) as caught:
        function(*arguments, **named)
    (problem,) = caught.value.problems
    assert problem.remedy and caught.value.outcome == "Nothing was changed."
    return problem


def test_a_login_enters_as_itself_over_its_host_and_without_the_superusers_options():
    server = programs.Server(socket_dir="/run/x", login=LOGIN, host="127.0.0.1")
    assert server.connection()[2] == "windflow_1" and server.connection()[-2:] == ["-h", "127.0.0.1"]
    assert "lc_messages" not in server.variables()["PGOPTIONS"]
    assert "lc_messages=C" in programs.Server().variables()["PGOPTIONS"]


def test_a_password_reaches_a_container_by_the_environment_and_no_argument(client):
    calls = client(HERE)
    server = programs.Server(container="db", login=LOGIN)
    assert server.run("sh", ["-c", "echo $PGPASSWORD"]) == (0, "canary\n", "")
    assert "-e PGPASSWORD " in calls()[0] and "canary" not in calls()[0]


def test_the_servers_own_version_of_a_program_is_preferred_where_it_is_there(tmp_path, monkeypatch):
    (tmp_path / "16").mkdir()
    (tmp_path / "16" / "psql").touch()
    monkeypatch.setattr(programs, "_DIRECTORIES", ("/nowhere/%d", str(tmp_path / "%d")))
    assert programs.Server(major=16).program("psql") == [str(tmp_path / "16" / "psql")]
    assert programs.Server(major=16).program("pg_dump") == ["pg_dump"]
    assert programs.Server(major=17).program("psql") == programs.Server().program("psql") == ["psql"]
    assert programs.Server(major=16, container="db").program("psql") == ["psql"]


def test_what_a_program_was_given_comes_back_with_its_code_and_its_errors(server):
    assert server.run("sh", ["-c", "cat; echo no >&2; exit 3"], b"given") == (3, "given", "no\n")


def test_a_file_is_read_whole_though_the_program_has_seen_enough(server, tmp_path):
    data = os.urandom(3 * programs.CHUNK)
    (tmp_path / "dump").write_bytes(data)
    found = server.feed("sh", ["-c", "exec <&-; exit 0"], str(tmp_path / "dump"))
    assert found == hashlib.sha256(data).hexdigest()


def test_a_program_finds_the_list_of_what_to_restore_before_its_input_and_leaves_no_file(server, tmp_path):
    (tmp_path / "dump").write_bytes(b"dumped")
    script = 'list=${0#--use-list=}; echo "$list"; cat "$list"; echo --; cat'
    with open(tmp_path / "out", "w+b") as out:
        server.feed("sh", ["-c", script], str(tmp_path / "dump"), b"one\ntwo\n", out)
    path, *rest = (tmp_path / "out").read_text().splitlines()
    assert rest == ["one", "two", "--", "dumped"] and path.startswith("/tmp/") and not os.path.exists(path)


def test_the_code_of_a_program_with_a_list_is_its_own(server, tmp_path):
    (tmp_path / "dump").write_bytes(b"")
    found = refused(server.feed, "sh", ["-c", "exit 7"], str(tmp_path / "dump"), b"one\n")
    assert (found.code, found.message, found.got) == ("E4094", "sh failed", "exit code 7")


def test_what_a_program_prints_is_written_and_counted(server):
    stream = io.BytesIO()
    digest, size = server.drain("sh", ["-c", "head -c 200000 /dev/zero"], stream)
    assert stream.getvalue() == bytes(200000)
    assert (digest, size) == (hashlib.sha256(bytes(200000)).hexdigest(), 200000)


def test_a_program_that_fails_half_way_is_told_without_values(server):
    said = "echo 'pg_dump: error: invalid input: \"canary\"' >&2; exit 1"
    found = refused(server.drain, "sh", ["-c", said], io.BytesIO())
    assert (found.code, found.got) == ("E4094", 'pg_dump: error: invalid input: "(value)"')


def test_a_program_whose_output_cannot_be_written_is_ended(server):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    begun = time.monotonic()
    with pytest.raises(OSError, match="No space left"):
        server.drain("sh", ["-c", "yes; sleep 60"], Full())
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("printed", "code", "got"),
    [
        ("pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)", "", ""),
        ("pg_dump (PostgreSQL) 17beta1", "", ""),
        ("pg_dump (PostgreSQL) 9.6.24", "E4092", "version 9"),
        ("pg_dump (PostgreSQL) 15.1", "E4092", "version 15"),
        ("something else", "E4094", "exit code 0"),
    ],
)
def test_a_program_older_than_the_server_is_refused(server, tmp_path, printed, code, got):
    put(tmp_path, "pg_dump", "echo '%s'" % printed)
    if not code:
        server.check_program("pg_dump")
        return
    found = refused(server.check_program, "pg_dump")
    assert (found.code, found.got) == (code, got)


@pytest.mark.parametrize("code", [126, 127])
def test_a_container_without_the_program_names_the_image(server, tmp_path, code):
    put(tmp_path, "psql", "exit %d" % code)
    found = refused(server.sql, "SELECT 1;")
    assert found.code == "E4092" and found.expected == "psql of version 16 or later in the container's image"
    assert "postgresql-client-16" in found.remedy


def test_an_engine_that_does_not_answer_is_named_with_the_container(client):
    client("echo Cannot connect to the Docker daemon at unix:///x >&2; exit 1")
    found = refused(programs.Server(container="db").sql, "SELECT 1;")
    assert found.code == "E4090" and found.message == "no PostgreSQL answers in the container db"
    assert "Cannot connect to the Docker daemon" in found.got


def test_a_host_without_a_client_of_the_engine_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = refused(programs.Server(container="db").run, "psql", [])
    assert (found.code, found.got) == ("E4090", "there is no program docker")


def test_a_host_without_the_program_names_the_package_and_one_without_the_account_does_not(monkeypatch):
    found = refused(programs.Server(major=16).run, "windflow-no-such-program", [])
    assert found.code == "E4092" and found.expected.endswith("of version 16 or later on the host")
    assert refused(programs.Server().run, "windflow-no-such-program", []).expected.count("<version of the server>") == 1

    def nobody(name):
        raise KeyError(name)

    monkeypatch.setattr(postgres.os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres.pwd, "getpwnam", nobody)
    found = refused(programs.Server(5433).run, "psql", [])
    assert (found.code, found.got) == ("E4090", "there is no user postgres")
    assert found.message == "no PostgreSQL answers on the local socket, port 5433"


@pytest.mark.parametrize(
    ("server", "program", "code", "err", "expected"),
    [
        ({}, "psql", 2, "psql: error: connection refused", "E4090"),
        ({"login": LOGIN}, "psql", 2, "psql: error: connection refused", "E4067"),
        ({}, "psql", 3, "ERROR:  no such table", "E4094"),
        ({}, "pg_dump", 2, "pg_dump: error: connection refused", "E4094"),
        ({}, "pg_dump", 1, "Error: You must install at least one postgresql-client-<version> package", "E4092"),
        ({"container": "db"}, "psql", 126, "not executable", "E4092"),
        ({}, "psql", 127, "", "E4094"),
        ({"container": "db"}, "pg_dump", 1, "Error response from daemon: No such container: db", "E4090"),
        ({}, "pg_dump", 1, "Error response from daemon: canary", "E4094"),
    ],
)
def test_a_failure_means_what_the_program_and_its_code_say(server, program, code, err, expected):
    assert programs.Server(**server).failure(program, code, err).code == expected


@pytest.mark.parametrize(("container", "place"), [("db", "pg_hba.conf ("), ("", hba.line(1, "/nowhere") + " (")])
def test_a_superuser_who_is_not_let_in_is_told_the_line_and_not_to_start_the_server(container, place):
    said = 'FATAL:  no pg_hba.conf entry for host "[local]", user "postgres", database "app"'
    (found,) = programs.Server(1, "/nowhere", container).absent(said).problems
    assert (found.code, found.message, found.remedy) == ("E4090", hba.REFUSED, hba.REMEDY)
    assert found.got.startswith(place) and said in found.got


# Prints what it is asked for, as psql does with constants, and ends where it is told to.
PSQL = r"""while IFS= read -r line; do
case $line in
'\echo '*) printf '%s\n' "${line#?echo }" ;;
lost) echo 'psql: error: server closed the connection unexpectedly' >&2; exit 2 ;;
*) printf '%s\n' "$line" ;;
esac
done"""


@pytest.fixture
def session(server, tmp_path):
    put(tmp_path, "psql", PSQL)
    return lambda: programs.Session(server)


def test_a_session_answers_one_question_after_the_other_with_documents_alone(session):
    with session() as asked:
        assert asked.ask('[1]\nNOTICE:  {"no": 1}\n{"a": 2}') == [[1], {"a": 2}]
        assert asked.ask("nothing") == [] and asked.ask("[3]") == [[3]]
    assert asked.process.returncode == 0 and asked.errors.closed


def test_a_session_that_is_lost_is_an_error_and_no_wait(session):
    with pytest.raises(WindflowError) as caught, session() as asked:
        asked.ask("lost")
    assert caught.value.code == "E4090" and "server closed the connection" in str(caught.value)
    assert asked.process.returncode == 2 and asked.errors.closed


def test_a_session_that_cannot_begin_leaves_no_program(server, tmp_path):
    put(tmp_path, "psql", "echo 'psql: error: connection refused' >&2; exit 2")
    session = programs.Session(server)
    with pytest.raises(WindflowError, match="E4090.*connection refused"), session:
        pytest.fail("it has begun")
    assert session.process.returncode == 2 and session.errors.closed


def test_a_program_has_ended_when_its_block_has():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **pipes)
    with pytest.raises(KeyError), programs.ending(process):
        raise KeyError
    assert process.returncode == -9 and process.stdin.closed and process.stdout.closed
