# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's work on a real PostgreSQL, in a private cluster of the test's own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import owners, postgres
from ansible_collections.windflow.platform.plugins.module_utils.database.programs import Server
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import ownership, store
from ansible_collections.windflow.platform.plugins.module_utils.run import database_state as database

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be the user postgres"),
]


def test_check_real_check_again_real_again(cluster):
    changed = [database.bring(cluster.params(), check)[0]["changed"] for check in (True, False, True, False)]
    assert changed == [True, True, False, False]
    predicted = database.bring(cluster.params(name="other"), True)[0]
    assert predicted["changes"][0]["object"] == "role other_owner"
    assert cluster.sql("SELECT count(*) FROM pg_database WHERE datname = 'other'") == "0"


def test_the_check_predicts_what_the_real_run_does(cluster):
    predicted = database.bring(cluster.params(), True)[0]
    assert database.bring(cluster.params(), False)[0]["changes"] == predicted["changes"]


def test_the_application_can_log_in_and_make_tables(cluster):
    database.bring(cluster.params(), False)
    code, output = cluster.login(sql="CREATE TABLE t (x int); INSERT INTO t VALUES (1); SELECT * FROM t")
    assert (code, output.splitlines()[-1]) == (0, "1")
    assert cluster.login(password="wrong")[0] == 2


def test_nobody_else_can_connect_and_the_owner_cannot_log_in(cluster):
    database.bring(cluster.params(), False)
    database.bring(cluster.params(name="other", user="neighbour"), False)
    assert "permission denied for database" in cluster.login(user="neighbour")[1]
    cluster.sql("ALTER ROLE app_owner PASSWORD 'canary-pass';")
    assert "is not permitted to log in" in cluster.login(user="app_owner")[1]
    assert "permission denied" in cluster.login(sql="CREATE DATABASE x")[1]
    assert "must be owner" in cluster.login(sql="ALTER DATABASE app RENAME TO x")[1]


@pytest.mark.parametrize(
    "password", ["a'b\"c\\d$e%f`g;h", "größe ☃", "pass\u00a0word", "ﬁligree", "-leading", "{{ x }}"]
)
def test_any_password_works_over_the_network(cluster, password):
    database.bring(cluster.params(password=password), False)
    assert cluster.login(password=password) == (0, "1")
    assert not database.bring(cluster.params(password=password), False)[0]["changed"]


@pytest.mark.parametrize(
    "name", ["my app", 'we"ird', "it's", "back\\slash", "a=b host=x", "größe", "; DROP", "-x", "%s{0}"]
)
def test_any_name_round_trips(cluster, name):
    params = cluster.params(name=name, user=name + "_u")
    assert database.bring(params, False)[0]["changed"]
    assert not database.bring(params, False)[0]["changed"]
    assert cluster.login(name=name, user=name + "_u", sql="SELECT current_database()") == (0, name)
    assert database.bring({**params, "state": "absent"}, False)[0]["changed"]


def test_a_new_password_and_limit_are_set_alone(cluster):
    database.bring(cluster.params(), False)
    changes = database.bring(cluster.params(password="other", max_connections=3), False)[0]["changes"]
    assert [change["attribute"] for change in changes] == ["connection_limit", "password"]
    assert cluster.login(password="other")[0] == 0
    assert cluster.login()[0] == 2


def test_an_md5_password_is_replaced(cluster):
    database.bring(cluster.params(), False)
    cluster.sql("SET password_encryption = 'md5'; ALTER ROLE web PASSWORD 'canary-pass';")
    changes = database.bring(cluster.params(), False)[0]["changes"]
    assert [change["attribute"] for change in changes] == ["password"]
    assert cluster.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'web'").startswith("SCRAM-SHA-256$4096:")


def test_a_superuser_keeps_its_attributes(cluster):
    result, warnings = database.bring(cluster.params(user="postgres", max_connections=5), False)
    assert result["changed"] and "superuser" in warnings[0]
    assert (
        cluster.sql("SELECT rolsuper, rolcreatedb, rolconnlimit FROM pg_roles WHERE rolname = 'postgres'") == "t|t|-1"
    )
    assert cluster.login(user="postgres")[0] == 0
    assert not database.bring(cluster.params(user="postgres", max_connections=5), False)[0]["changed"]
    database.bring(cluster.params(user="postgres", state="absent"), False)
    assert cluster.sql("SELECT 1") == "1"


def test_somebody_elses_database_is_left_alone(cluster):
    cluster.sql("CREATE ROLE somebody; CREATE DATABASE app OWNER somebody;")
    with pytest.raises(WindflowError, match="E4053"):
        database.bring(cluster.params(), False)
    with pytest.raises(WindflowError, match="E4053"):
        database.bring(cluster.params(state="absent"), False)
    assert cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'web'") == "0"


def test_a_database_that_the_application_owns_is_accepted(cluster):
    cluster.sql("CREATE ROLE web LOGIN; CREATE DATABASE app OWNER web;")
    database.bring(cluster.params(), False)
    assert not database.bring(cluster.params(), False)[0]["changed"]
    assert cluster.login(sql="CREATE TABLE t ()")[0] == 0


def test_data_survive_a_second_run_and_absent_removes_them_under_a_connection(cluster):
    database.bring(cluster.params(), False)
    cluster.login(sql="CREATE TABLE t AS SELECT 42 AS x")
    database.bring(cluster.params(max_connections=9), False)
    assert cluster.login(sql="SELECT x FROM t") == (0, "42")
    with subprocess.Popen(
        ["psql", "-X", "-h", "127.0.0.1", "-p", str(cluster.port), "-U", "web", "app"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PGPASSWORD": "canary-pass"},
    ) as holder:
        holder.stdin.write(b"\\echo there\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"there\n"
        assert database.bring(cluster.params(state="absent", password=None), False)[0]["changed"]
    assert not database.bring(cluster.params(state="absent", password=None), False)[0]["changed"]
    assert cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname IN ('web', 'app_owner')") == "0"


def test_a_removal_that_was_cut_off_can_be_taken_back(cluster):
    database.bring(cluster.params(), False)
    cluster.sql("ALTER DATABASE app WITH ALLOW_CONNECTIONS false;")
    assert database.bring(cluster.params(), False)[0]["changes"][0]["attribute"] == "connections"
    assert not database.bring(cluster.params(), False)[0]["changed"]
    assert cluster.login()[0] == 0


def test_a_connection_that_is_lost_half_way_is_told_with_what_was_done(cluster):
    sql = "CREATE ROLE half; SELECT pg_terminate_backend(pg_backend_pid());"
    with pytest.raises(WindflowError, match=r"E4051(.|\n)*read in the server's log(.|\n)*Half of it.") as caught:
        postgres.execute_sql(sql, cluster.port, socket_dir=cluster.root, outcome="Half of it.")
    assert "Nothing was changed" not in str(caught.value)


def test_a_purge_has_more_time_than_a_question_and_says_what_was_done(cluster, monkeypatch):
    database.bring(cluster.params(), False)
    asked = []

    def run(argv, sql, timeout=0, environment=None):
        if environment:
            return real(argv, sql, environment=environment)
        asked.append(timeout)
        return real(argv, "CREATE ROLE half; SELECT pg_sleep(60);", 0.5)

    real = postgres.run
    monkeypatch.setattr(postgres, "run", run)
    with pytest.raises(WindflowError, match="E4055.*the server may still be at work.*\n.*came before it was done"):
        database.bring(cluster.params(state="absent"), False)
    assert asked == [postgres.CHANGE_TIMEOUT] and asked[0] > postgres.TIMEOUT


@pytest.mark.fault(21)
@pytest.mark.parametrize("closed", ["ALTER DATABASE app WITH ALLOW_CONNECTIONS false;", ""])
def test_a_removal_whose_drop_was_cut_off_goes_on(cluster, closed):
    database.bring(cluster.params(), False)
    cluster.sql("CREATE DATABASE app_replaced_20261125 OWNER app_owner;")
    cluster.sql(closed + "UPDATE pg_database SET datconnlimit = -2 WHERE datname ~ '^app';")
    assert database.bring(cluster.params(state="absent"), False)[0]["changed"]
    assert cluster.sql("SELECT count(*) FROM pg_database WHERE datname ~ '^app'") == "0"


@pytest.mark.parametrize(
    ("sql", "key", "found"),
    [
        ("ALTER ROLE web CREATEDB;", "app_role", "LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"),
        ("GRANT CONNECT ON DATABASE app TO PUBLIC;", "public_connect", True),
        ("GRANT postgres TO web;", "app_powers", "postgres"),
        ("REVOKE CONNECT ON DATABASE app FROM web;", "app_connect", False),
        ("ALTER DATABASE app OWNER TO postgres;", "owner", "postgres"),
        ("DROP DATABASE app;", "database", "absent"),
        ("\\connect app\nGRANT CREATE ON SCHEMA public TO PUBLIC;", "public_create", True),
    ],
)
def test_drift_is_seen_without_the_password(cluster, sql, key, found):
    database.bring(cluster.params(), False)
    before = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    assert postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root) == before
    assert "SCRAM" not in repr(before)
    cluster.sql(sql)
    after = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    assert after[key] == found != before[key]


def test_a_changed_password_is_drift(cluster):
    database.bring(cluster.params(), False)
    before = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    cluster.sql("ALTER ROLE web PASSWORD 'x';")
    after = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    assert [key for key in before if before[key] != after[key]] == ["password_sha256"]


def test_the_password_reaches_neither_the_servers_log_nor_a_result(cluster):
    result, _warnings = database.bring(cluster.params(password="log-canary"), False)
    with open(cluster.root + "/log", encoding="utf-8") as log:
        text = log.read()
    assert "ALTER ROLE" in text
    assert "log-canary" not in text
    assert "canary" not in repr(result) and "SCRAM" not in repr(result)


def test_without_a_server_a_check_predicts_and_a_real_run_fails(tmp_path):
    params = {
        "name": "app",
        "user": "web",
        "password": "x",
        "port": 1,
        "max_connections": -1,
        "socket_dir": str(tmp_path),
        "wait": 0,
        "state": "present",
        "plugin": "",
        "adopt": [],
    }
    result, _warnings = database.bring(params, True)
    assert (
        result["changed"]
        and {"object": "database app", "attribute": "state", "before": "absent", "after": "owned by app_owner"}
        in result["changes"]
    )
    assert not database.bring({**params, "state": "absent"}, True)[0]["changed"]
    with pytest.raises(WindflowError, match="E4051"):
        database.bring(params, False)
    assert postgres.inspect(1, "app", "web", socket_dir=str(tmp_path)) == {"available": False}


def test_a_missing_password_is_refused(cluster):
    with pytest.raises(WindflowError, match="E4054"):
        database.bring(cluster.params(password=""), False)


SHADOW = """
CREATE FUNCTION public."left"(name, integer) RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    EXECUTE 'ALTER ROLE web SUPERUSER';
  END IF;
  RETURN pg_catalog."left"($1::text, $2);
END $f$;
CREATE FUNCTION public.gain() RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
  EXECUTE 'ALTER ROLE web SUPERUSER';
  RETURN true;
EXCEPTION WHEN insufficient_privilege THEN RETURN true;
END $f$;
CREATE FUNCTION public.never(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT public.gain()';
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.never);
CREATE FUNCTION public.pg_get_userbyid(oid) RETURNS name LANGUAGE sql AS $$SELECT 'web'::name WHERE public.gain()$$;
CREATE VIEW public.pg_roles AS SELECT r.* FROM pg_catalog.pg_roles r WHERE public.gain();
CREATE VIEW public.pg_namespace AS SELECT n.* FROM pg_catalog.pg_namespace n WHERE public.gain();
"""


@pytest.mark.fault(49)
@pytest.mark.parametrize("schema", ["public", "pg_catalog"])
def test_no_superuser_meets_what_the_application_has_put_in_its_database(cluster, schema):
    database.bring(cluster.params(), False)
    assert cluster.login(sql=SHADOW)[0] == 0
    # What the owner can set for everybody who comes, the superuser too.
    cluster.sql("ALTER DATABASE app SET search_path = public, pg_catalog; ALTER DATABASE app OWNER TO app_owner;")
    if schema == "public":
        cluster.sql("ALTER ROLE web CREATEDB;")
    mark = os.path.getsize(cluster.root + "/log")
    postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    for params in (cluster.params(), cluster.params(password="other")):
        database.bring(params, True)
        database.bring(params, False)
    assert cluster.sql("SELECT count(*) FROM pg_roles WHERE rolsuper") == "1"
    with open(cluster.root + "/log", encoding="utf-8") as log:
        log.seek(mark)
        assert "user=postgres database=app" not in log.read()


@pytest.mark.fault(49)
def test_what_is_done_inside_a_database_is_done_by_a_login_that_goes_again(cluster):
    database.bring(cluster.params(), False)
    cluster.sql("\\connect app\nREVOKE ALL ON SCHEMA public FROM web; GRANT CREATE ON SCHEMA public TO PUBLIC;")
    cluster.login(sql="SELECT 1")
    mark = os.path.getsize(cluster.root + "/log")
    changes = database.bring(cluster.params(), False)[0]["changes"]
    assert [change["attribute"] for change in changes] == [
        "everybody may create",
        "web may use the schema",
        "web may create",
    ]
    assert not database.bring(cluster.params(), False)[0]["changed"]
    with open(cluster.root + "/log", encoding="utf-8") as log:
        log.seek(mark)
        assert "user=postgres database=app" not in log.read()
    assert cluster.sql("SELECT rolname FROM pg_roles WHERE oid > 16000 ORDER BY 1") == "app_owner\nweb"


@pytest.mark.fault(49)
def test_a_schema_of_somebody_elses_is_named_with_what_to_do(cluster):
    database.bring(cluster.params(), False)
    cluster.sql("\\connect app\nALTER SCHEMA public OWNER TO postgres; GRANT CREATE ON SCHEMA public TO PUBLIC;")
    with pytest.raises(WindflowError, match="E4066.*ALTER SCHEMA public OWNER TO"):
        database.bring(cluster.params(), False)
    cluster.sql("\\connect app\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;")
    assert not database.bring(cluster.params(), False)[0]["changed"]


@pytest.mark.fault(49)
def test_a_login_that_a_killed_run_has_left_goes_when_its_time_is_over(cluster):
    database.bring(cluster.params(), False)
    cluster.sql("CREATE ROLE windflow_look_0123abcd LOGIN IN ROLE app_owner VALID UNTIL '2026-01-01';")
    cluster.sql("CREATE ROLE windflow_look_4567abcd LOGIN IN ROLE app_owner VALID UNTIL '2126-01-01';")
    postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    left = cluster.sql("SELECT rolname FROM pg_roles WHERE rolname ~ 'windflow'")
    assert left == "windflow_look_4567abcd"


def test_where_nobody_may_look_inside_what_is_there_counts_as_settled(cluster):
    database.bring(cluster.params(), False)
    before = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    with cluster.hba("local all postgres peer\nhost app web all scram-sha-256\n"):
        after = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
        result, warnings = database.bring(cluster.params(), False)
        fresh = database.bring(cluster.params(name="other"), False)[0]
    assert {key: after[key] for key in postgres.INSIDE} == dict.fromkeys(postgres.INSIDE)
    assert {key: before[key] for key in before if key not in postgres.INSIDE} == {
        key: after[key] for key in after if key not in postgres.INSIDE
    }
    assert not result["changed"] and "E4067" in warnings[0] and fresh["changed"]
    assert cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ 'windflow'") == "0"


LIVED_IN = """
CREATE ROLE legacy LOGIN PASSWORD 'legacypw';
CREATE ROLE reporting LOGIN PASSWORD 'reportpw';
CREATE ROLE web LOGIN CREATEDB PASSWORD 'oldpw';
CREATE DATABASE billing OWNER web;
CREATE DATABASE app OWNER legacy;
\\connect app
SET ROLE legacy;
CREATE TABLE customers (id int, name text);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 1000) g;
GRANT SELECT ON customers TO reporting;
"""
EVERYTHING = """
SELECT rolname, rolcreatedb, rolconnlimit FROM pg_roles WHERE oid > 16000 ORDER BY 1;
SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE oid > 16000 ORDER BY 1;
"""


@pytest.fixture
def plugin():
    """The name of a plugin that has a record for the time of a test."""
    name = "unit-%s" % secrets.token_hex(4)
    yield name
    shutil.rmtree(os.path.join(store.STATE_DIR, name), ignore_errors=True)


def refused(params):
    with pytest.raises(WindflowError) as caught:
        database.bring(params, False)
    assert str(caught.value).endswith("Nothing was changed.")
    return sorted(problem.code for problem in caught.value.problems)


@pytest.mark.fault(51)
def test_what_was_not_made_here_is_taken_only_where_it_is_adopted_and_loses_nothing(cluster, plugin):
    cluster.sql(LIVED_IN)
    before = cluster.sql(EVERYTHING)
    params = cluster.params(plugin=plugin)
    there = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
    assert refused(params) == ["E2040", "E2041"]
    assert refused({**params, "adopt": ["role"]}) == ["E2040"]
    assert refused({**params, "adopt": ["database"]}) == ["E2041"]
    assert refused(cluster.params(plugin=plugin, name="new")) == ["E2041"]
    adopted = {**params, "adopt": ["database", "role"]}
    words = owners.adopted("app", "web", there, ownership.made_resources(store.load(plugin)))
    assert "role web gets the configured password" in words[0]
    assert "database app: web gets CREATE ON SCHEMA public; its owner legacy" in words[1]
    predicted = database.bring(adopted, True)[0]["changes"]
    assert [change["attribute"] for change in predicted] == ["password", "web may create"]
    assert database.bring(adopted, False)[0]["changes"] == predicted
    assert not database.bring(adopted, False)[0]["changed"]
    assert cluster.sql(EVERYTHING) == before
    assert cluster.login(user="legacy", password="legacypw", sql="SELECT count(*) FROM customers") == (0, "1000")
    assert cluster.login(user="reporting", password="reportpw", sql="SELECT count(*) FROM customers") == (0, "1000")
    assert cluster.login(sql="CREATE TABLE t (); DROP TABLE t")[0] == 0
    result, warnings = database.bring({**params, "state": "absent"}, False)
    assert not result["changed"] and len(warnings) == 2 and "The database app stays" in warnings[0]
    assert cluster.sql(EVERYTHING) == before


@pytest.mark.fault(51)
def test_only_what_was_made_is_dropped(cluster, plugin):
    cluster.sql(LIVED_IN)
    params = cluster.params(plugin=plugin, user="fresh", adopt=["database"])
    database.bring(params, False)
    assert ownership.made_resources(store.load(plugin))["role"] == ["fresh"]
    assert cluster.login(user="fresh", sql="CREATE TABLE mine ()")[0] == 0
    with pytest.raises(WindflowError, match="E4065.*objects or rights of the role fresh in the database app"):
        database.bring({**params, "state": "absent"}, False)
    assert ownership.made_resources(store.load(plugin))["role"] == ["fresh"]
    cluster.sql("\\connect app\nREASSIGN OWNED BY fresh TO legacy;")
    result = database.bring({**params, "state": "absent"}, False)[0]
    assert result["changes"][-1]["object"] == "role fresh"
    assert ownership.made_resources(store.load(plugin))["role"] == []
    own = cluster.params(plugin=plugin, name="own", adopt=["role"])
    database.bring(own, False)
    assert ownership.made_resources(store.load(plugin)) == {
        **dict.fromkeys(ownership.MADE, []),
        "database": ["own"],
        "role": ["own_owner"],
    }
    gone = database.bring({**own, "state": "absent"}, False)[0]["changes"]
    assert [change["object"] for change in gone] == ["database own", "role own_owner"]
    roles = cluster.sql("SELECT rolname FROM pg_roles WHERE oid > 16000 ORDER BY 1").splitlines()
    assert roles == ["legacy", "reporting", "web"]


@pytest.mark.fault(51)
def test_a_role_with_rights_over_the_server_is_never_adopted(cluster, plugin):
    params = cluster.params(plugin=plugin, user="postgres", adopt=["role"])
    assert refused(params) == ["E2041"]
    cluster.sql("CREATE ROLE maker LOGIN CREATEROLE;")
    assert refused({**params, "user": "maker"}) == ["E2041"]
    cluster.sql("CREATE ROLE group_of; CREATE ROLE inside LOGIN IN ROLE group_of;")
    for power in ("postgres", "pg_execute_server_program", "maker"):
        cluster.sql("GRANT %s TO group_of;" % power)
        assert refused({**params, "user": "inside"}) == ["E2041"]
        cluster.sql("REVOKE %s FROM group_of;" % power)
    database.bring({**params, "user": "inside"}, False)


@pytest.mark.fault(52)
def test_a_purge_that_cannot_end_says_what_is_left_and_goes_on_later(cluster, plugin):
    params = cluster.params(plugin=plugin)
    database.bring(params, False)
    cluster.sql("CREATE DATABASE theirs;\n\\connect theirs\nCREATE TABLE x (); GRANT SELECT ON x TO web;")
    cluster.login(sql="BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'held';")
    with pytest.raises(WindflowError, match="E4065.*1 prepared transactions in the database app"):
        database.bring({**params, "state": "absent"}, False)
    cluster.sql("ALTER DATABASE app WITH ALLOW_CONNECTIONS true;")
    cluster.sql("\\connect app\nROLLBACK PREPARED 'held';")
    with pytest.raises(WindflowError, match="E4065.*1 objects or rights of the role web in the database theirs"):
        database.bring({**params, "state": "absent"}, False)
    made = ownership.made_resources(store.load(plugin))
    assert (made["database"], made["role"]) == ([], ["app_owner", "web"])
    cluster.sql("\\connect theirs\nREVOKE ALL ON x FROM web;")
    assert database.bring({**params, "state": "absent"}, False)[0]["changed"]
    assert not database.bring({**params, "state": "absent"}, False)[0]["changed"]
    assert ownership.made_resources(store.load(plugin))["role"] == []


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ("# all\nlocal other all peer\nlocal all all scram-sha-256\n", "pg_hba.conf:3: local all all scram-sha-256"),
        ('local "all" postgres,x reject\n', 'pg_hba.conf:1: local "all" postgres,x reject'),
        ("host all all 127.0.0.1/32 scram-sha-256\n", "pg_hba.conf without such a line"),
    ],
)
def test_rules_that_keep_the_superuser_out_are_named_with_their_line(cluster, rules, named):
    with cluster.hba(rules):
        there = postgres.inspect(cluster.port, "app", "web", socket_dir=cluster.root)
        with pytest.raises(WindflowError, match="E4051.*local all postgres peer") as caught:
            database.bring(cluster.params(), False)
        with pytest.raises(WindflowError, match="E4090.*%s" % re.escape(named)):
            Server(cluster.port, cluster.root).sql("SELECT 1;")
    assert named in str(caught.value) and "install" not in str(caught.value)
    problem = owners.findings("app", "web", there, dict.fromkeys(ownership.KINDS, []), ())[0]
    assert problem.code == "E2042" and named in problem.got


@pytest.mark.parametrize("method", ["ident", "trust", "peer-map"])
def test_the_application_logs_in_by_password_whatever_the_distribution_has_for_others(cluster, method):
    method = "ident map=none" if method == "peer-map" else method
    others = "local all all peer\nhost all all 127.0.0.1/32 %s\nhost all all ::1/128 %s\n" % (method, method)
    with cluster.hba("# of the distribution\n" + others):
        changed = [database.bring(cluster.params(), check)[0]["changed"] for check in (True, False, True, False)]
        assert changed == [True, True, False, False]
        assert cluster.login()[0] == 0
        assert cluster.login(password="wrong")[0] == 2
        file = cluster.root + "/data/pg_hba.conf"
        with open(file, encoding="utf-8") as stream:
            assert stream.read().endswith("# of the distribution\n" + others)
        database.bring(cluster.params(state="absent"), False)
        with open(file, encoding="utf-8") as stream:
            assert stream.read() == "# of the distribution\n" + others
        assert oct(os.stat(file).st_mode & 0o777) == "0o600"


def test_a_method_that_asks_for_the_password_is_left_alone(cluster):
    with cluster.hba("local all all peer\nhost all all 127.0.0.1/32 md5\nhost all all ::1/128 scram-sha-256\n"):
        changes = database.bring(cluster.params(), False)[0]["changes"]
        assert not [change for change in changes if "pg_hba" in change["object"]]


def test_without_a_plugin_what_is_there_is_used_as_it_is_where_it_is_adopted(cluster):
    cluster.sql("CREATE ROLE theirs; CREATE ROLE web NOLOGIN CONNECTION LIMIT 7;")
    cluster.sql("CREATE DATABASE app OWNER theirs;")
    params = cluster.params(adopt=["database", "role"], max_connections=3)
    found = {(change["object"], change["attribute"]) for change in database.bring(params, False)[0]["changes"]}
    assert ("role web", "password") in found and ("role web", "connection_limit") not in found
    assert cluster.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'") == "theirs"
    assert cluster.sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'web'") == "7"
    assert not database.bring(params, False)[0]["changed"]


def test_without_a_plugin_what_the_first_run_has_made_is_as_wanted_in_the_second(cluster):
    params = cluster.params(adopt=["database", "role"], max_connections=3)
    changed = [database.bring(params, check)[0]["changed"] for check in (True, False, True, False)]
    assert changed == [True, True, False, False]
    assert cluster.login(sql="CREATE TABLE t (x int)")[0] == 0
    assert cluster.sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'web'") == "3"


def test_without_a_plugin_no_role_with_rights_over_the_server_is_taken_over(cluster):
    with pytest.raises(WindflowError, match="E2041"):
        database.bring(cluster.params(user="postgres", adopt=["database", "role"]), False)
