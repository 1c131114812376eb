# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of a real PostgreSQL, in a private cluster of the test's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import backup
from ansible_collections.windflow.platform.plugins.module_utils.database import access, postgres
from ansible_collections.windflow.platform.plugins.module_utils.database.programs import Server
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.run import database_state as database
from ansible_collections.windflow.platform.tests.tools.modules import filled

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be the user postgres"),
]

NAME = 'my "app" größe\'s'
FILL = """
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE web LOGIN;
CREATE DATABASE {name} OWNER app_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO web;
ALTER DATABASE {name} SET search_path = "$user", public, "odd schema";
ALTER DATABASE {name} SET app.secret = 'canary ''x''';
ALTER ROLE web IN DATABASE {name} SET statement_timeout = '7s';
ALTER DATABASE {name} CONNECTION LIMIT 40;
COMMENT ON DATABASE {name} IS 'what it''s for';
{connect}
SET ROLE app_owner;
CREATE SCHEMA "odd schema" AUTHORIZATION app_owner;
CREATE TABLE t (id serial PRIMARY KEY, body text);
INSERT INTO t (body) SELECT 'row ' || n FROM generate_series(1, 2000) n;
ALTER TABLE t OWNER TO app_owner;
GRANT SELECT, INSERT ON t TO web;
GRANT USAGE ON SEQUENCE t_id_seq TO web;
CREATE TABLE "odd schema"."Ta'b ""le"" größe" (x int);
INSERT INTO "odd schema"."Ta'b ""le"" größe" VALUES (1), (2), (3);
CREATE TABLE "odd schema"."line
break \\ %s {{0}}" (x int);
INSERT INTO "odd schema"."line
break \\ %s {{0}}" VALUES (1);
CREATE TABLE "empty" (x int);
CREATE TABLE parts (x int) PARTITION BY RANGE (x);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (10) TO (100);
INSERT INTO parts SELECT generate_series(0, 49);
CREATE VIEW seen AS SELECT count(*) FROM t;
CREATE MATERIALIZED VIEW kept AS SELECT body FROM t;
SELECT lo_from_bytea(4242, 'large');
GRANT SELECT ON LARGE OBJECT 4242 TO web;
"""
TABLES = {
    "public.t": 2000,
    '"odd schema"."Ta\'b ""le"" größe"': 3,
    '"odd schema"."line\nbreak \\ %s {0}"': 1,
    "public.empty": 0,
    "public.parts_low": 10,
    "public.parts_high": 40,
}


class Box:
    """A filled database, and a directory for its backups."""

    def __init__(self, cluster, root: Path):
        self.cluster = cluster
        self.root = root
        self.directory = root / "backups"
        self.quoted = postgres.quote_identifier(NAME)
        cluster.sql(FILL.format(name=self.quoted, connect=postgres.connect_command(NAME)))

    def params(self, **changes) -> dict:
        given = {"name": NAME, "label": "first", "directory": str(self.directory), "timeout": 120}
        given.update(port=self.cluster.port, socket_dir=self.cluster.root)
        return filled(backup.ARGUMENTS, **{**given, **changes})

    def run(self, check: bool = False, **changes) -> dict:
        return backup.bring(self.params(**changes), check)

    def fails(self, code: str, check: bool = False, **changes) -> str:
        with pytest.raises(WindflowError) as caught:
            self.run(check, **changes)
        assert {problem.code for problem in caught.value.problems} == {code}, str(caught.value)
        assert "canary" not in str(caught.value)
        return str(caught.value)

    def sql(self, text: str, name: str = NAME) -> str:
        return self.cluster.sql(postgres.connect_command(name) + "\n" + text)

    def files(self) -> list:
        return sorted(os.listdir(self.directory)) if self.directory.exists() else []

    def databases(self) -> list:
        return self.cluster.sql("SELECT datname FROM pg_database WHERE oid > 16000 ORDER BY 1").splitlines()

    def state(self) -> str:
        """What must be the same after a backup came back, apart from numbers that the server gives."""
        return self.sql(
            """
            SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datacl, datconnlimit,
              shobj_description(oid, 'pg_database'),
              (SELECT array_agg(row(setrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting
                WHERE setdatabase = d.oid)
              FROM pg_database d WHERE datname = current_database();
            SELECT n.nspname, relname, relkind, relacl, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n
              ON n.oid = relnamespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1, 2;
            SELECT nspname, nspacl, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1;
            SELECT extname FROM pg_extension ORDER BY 1;
            SELECT last_value, is_called FROM t_id_seq;
            SELECT oid, lomacl, convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata;
            SELECT * FROM seen;
            SELECT count(*) FROM kept;
            SELECT md5(string_agg(body, ',' ORDER BY id)) FROM t;
            """
        )

    def spawn(self, hook: str, **changes) -> subprocess.Popen:
        """A run in a process of its own, which stops at ``hook`` and says so."""
        return subprocess.Popen(
            [sys.executable, "-c", KILLED, json.dumps(self.params(**changes)), hook],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )


# A run that stops where it is told to, so that it can be killed there.
KILLED = """
import json, sys, time
from ansible_collections.windflow.platform.plugins.module_utils.backup import backup as database_backup
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
params, hook = json.loads(sys.argv[1]), sys.argv[2]
real = getattr(database_backup.Job, hook)
def stopped(*arguments):
    real(*arguments)
    print("there", flush=True)
    time.sleep(60)
setattr(database_backup.Job, hook, stopped)
try:
    database_backup.bring(params, False)
except WindflowError as error:
    print(error)
    sys.exit(3)
"""


@pytest.fixture
def box(cluster, tmp_path):
    return Box(cluster, tmp_path)


def test_check_real_check_again_real_again(box):
    results = [box.run(check) for check in (True, False, True, False)]
    assert [result["changed"] for result in results] == [True, True, False, False]
    assert results[0]["diff"] == results[1]["diff"] == {"before": {"backups": []}, "after": {"backups": ["first"]}}
    assert (
        results[1]["sha256"]
        == results[3]["sha256"]
        == hashlib.sha256(Path(results[1]["path"]).read_bytes()).hexdigest()
    )
    assert (results[1]["tables"], results[1]["rows"], results[1]["verified"]) == (6, 2054, "restore")
    assert box.files() == ["first.dump", "first.json"]
    assert box.databases() == [NAME]


def test_a_check_writes_nothing(box):
    assert box.run(True)["changed"]
    assert not box.directory.exists()


@pytest.mark.fault(16)
def test_only_root_can_read_a_backup_and_its_document_says_what_is_in_it(box):
    before = os.umask(0)
    try:
        box.run()
    finally:
        os.umask(before)
    assert stat.S_IMODE(box.directory.stat().st_mode) == 0o700
    for name in box.files():
        state = (box.directory / name).stat()
        assert (stat.S_IMODE(state.st_mode), state.st_uid) == (0o600, 0)
    record = json.loads((box.directory / "first.json").read_text())
    assert (record["rows"], record["large_objects"]) == (TABLES, 1)
    assert (record["database"], record["owner"], record["encoding"], record["collate"]) == (
        NAME,
        "app_owner",
        "UTF8",
        "C",
    )
    assert record["version"] and record["time"].endswith("Z") and record["verified"] == "restore"


def test_everything_comes_back_and_what_was_replaced_is_kept(box):
    before = box.state()
    assert "large" in before and "web=" in before and "7s" in before
    box.run()
    box.sql(
        'DROP TABLE t CASCADE; DROP SCHEMA "odd schema" CASCADE; CREATE TABLE later (x int); SELECT lo_unlink(4242);'
    )
    checked = box.run(True, state="restored")
    assert checked["changed"] and box.databases() == [NAME]
    result = box.run(state="restored")
    assert result["changed"] and box.state() == before
    assert box.databases() == sorted([NAME, result["replaced"]])
    assert box.sql("SELECT count(*) FROM later", result["replaced"]) == "0"
    assert result["replaced"].startswith(NAME + "_replaced_2") and (result["tables"], result["rows"]) == (6, 2054)
    assert box.sql("INSERT INTO t (body) VALUES ('next') RETURNING id").splitlines()[0] == "2001"


def test_what_was_replaced_is_dropped_on_request(box):
    box.run()
    # As an older version has written it.
    document = json.loads((box.directory / "first.json").read_text())
    del document["extensions"]
    (box.directory / "first.json").write_text(json.dumps(document))
    result = box.run(state="restored", drop_replaced=True)
    assert (box.databases(), result["replaced"]) == ([NAME], "")


def test_a_database_that_is_gone_comes_back(box):
    before = box.state()
    box.run()
    box.cluster.sql("DROP DATABASE %s;" % box.quoted)
    result = box.run(state="restored")
    assert (result["replaced"], box.databases()) == ("", [NAME])
    assert box.state() == before


def test_a_restore_ends_the_sessions_of_the_live_database_however_many_come(box):
    box.run()
    loop = "while :; do psql -X -q -h %s -p %d -U postgres -d %s -c 'SELECT pg_sleep(9)'; done"
    loop %= (box.cluster.root, box.cluster.port, '"$DB"')
    holders = [
        subprocess.Popen(
            ["runuser", "-u", "postgres", "--", "sh", "-c", loop],
            cwd="/",
            env={"PATH": os.environ["PATH"], "DB": postgres.conninfo(NAME)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _number in range(5)
    ]
    try:
        time.sleep(0.5)
        assert box.run(state="restored")["replaced"] in box.databases()
    finally:
        for holder in holders:
            os.killpg(holder.pid, signal.SIGKILL)
            holder.wait()


def test_a_swap_that_fails_leaves_the_live_database(box):
    box.run()
    before = box.state()
    # A prepared transaction is a user that cannot be ended.
    box.sql("BEGIN; CREATE TABLE held (x int); PREPARE TRANSACTION 'held';")
    try:
        message = box.fails("E4094", state="restored")
    finally:
        box.sql("ROLLBACK PREPARED 'held';")
    assert "Nothing live was changed." in message
    assert (box.databases(), box.state()) == ([NAME], before)


def test_rows_that_are_written_during_the_dump_do_not_count(box, monkeypatch):
    real = Server.drain

    def drain(self, *arguments):
        box.sql("INSERT INTO t (body) SELECT 'late' FROM generate_series(1, 10); DELETE FROM parts;")
        return real(self, *arguments)

    monkeypatch.setattr(Server, "drain", drain)
    assert box.run()["rows"] == 2054
    box.run(state="restored")
    assert box.sql("SELECT count(*) FROM t; SELECT count(*) FROM parts") == "2000\n50"


def test_counts_that_differ_make_no_backup(box, monkeypatch):
    real = backup.Job.fill

    def fill(self, database, path, record, *rest):
        record = {**record, "rows": {**record["rows"], "public.t": 2001}}
        return real(self, database, path, record, *rest)

    monkeypatch.setattr(backup.Job, "fill", fill)
    message = box.fails("E4095")
    assert "public.t: 2000 instead of 2001" in message and "Nothing was changed." in message
    assert (box.files(), box.databases()) == ([], [NAME])


@pytest.mark.parametrize("how", ["flipped", "truncated", "no document", "document in half"])
def test_a_damaged_backup_is_refused_and_the_live_database_not_touched(box, how):
    box.run()
    before = box.state()
    dump, document = box.directory / "first.dump", box.directory / "first.json"
    data = dump.read_bytes()
    if how == "flipped":
        dump.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    elif how == "truncated":
        dump.write_bytes(data[:-100])
    elif how == "no document":
        document.unlink()
    else:
        document.write_text(document.read_text()[:200])
    assert "Nothing live was changed." in box.fails("E4097", state="restored")
    box.fails("E4097", True, state="restored")
    # Nor is it overwritten: it may be all that there is.
    assert "Nothing was changed." in box.fails("E4097")
    assert (box.databases(), box.state()) == ([NAME], before)
    assert box.run(state="absent")["changed"] and box.files() == []


def test_a_dump_that_cannot_be_restored_is_no_backup(box, monkeypatch):
    real = Server.drain

    def drain(self, program, arguments, stream):
        real(self, program, arguments, stream)
        stream.truncate(stream.tell() // 2)
        stream.seek(0)
        stream.flush()
        data = Path(stream.name if isinstance(stream.name, str) else "/proc/self/fd/%d" % stream.name).read_bytes()
        return hashlib.sha256(data).hexdigest(), len(data)

    monkeypatch.setattr(Server, "drain", drain)
    box.fails("E4094")
    assert (box.files(), box.databases()) == ([], [NAME])


def test_a_backup_that_is_only_listed_can_be_proved_later(box):
    assert box.run(verify="list")["verified"] == "list"
    assert box.run(True)["changed"]
    result = box.run()
    assert result["changed"] and result["verified"] == "restore"
    assert not box.run()["changed"] and not box.run(verify="list")["changed"]


@pytest.mark.fault(21)
@pytest.mark.parametrize("hook", ["write_dump", "fill", "verify"])
def test_a_backup_that_was_killed_leaves_nothing_behind_the_next_call(box, hook):
    before = box.state()
    with box.spawn(hook) as process:
        assert process.stdout.readline() == b"there\n"
        # The run is alive, so what it has is no leftover.
        assert "another run" in box.fails("E4069")
        with_other_directory = box.run(label="other", directory=str(box.root / "elsewhere"))
        assert with_other_directory["cleaned"] == []
        process.kill()
    assert "first.dump.partial" in box.files()
    scratch = [name for name in box.databases() if name != NAME]
    assert len(scratch) == (1 if hook == "fill" else 0)
    result = box.run()
    assert result["changed"] and sorted(result["cleaned"]) == sorted(["first.dump.partial", *scratch])
    assert (box.files(), box.databases()) == (["first.dump", "first.json"], [NAME])
    assert box.state() == before


@pytest.mark.fault(21)
def test_a_restore_that_was_killed_leaves_the_live_database_and_nothing_behind_the_next_call(box):
    box.run()
    before = box.state()
    with box.spawn("fill", state="restored") as process:
        assert process.stdout.readline() == b"there\n"
        process.kill()
    assert box.state() == before
    left = [name for name in box.databases() if name != NAME]
    assert len(left) == 1 and left[0].startswith(NAME + "_restore_")
    result = box.run(state="restored")
    assert result["cleaned"] == left and box.databases() == sorted([NAME, result["replaced"]])
    assert box.state() == before


@pytest.mark.fault(21)
def test_a_restore_that_was_killed_after_the_swap_is_done(box):
    box.run()
    before = box.state()
    with box.spawn("swap", state="restored") as process:
        assert process.stdout.readline() == b"there\n"
        process.kill()
    assert box.state() == before
    assert len(box.databases()) == 2 and box.run(state="restored")["cleaned"] == []


@pytest.mark.fault(21)
@pytest.mark.parametrize(("state", "prefix"), [("present", "windflow_verify_"), ("restored", "shop_restore_")])
def test_a_purge_takes_along_what_a_run_that_was_killed_has_left_and_nothing_of_one_that_lives(box, state, prefix):
    purge = box.cluster.params(name="shop", user="shop", state="absent")
    database.bring({**purge, "state": "present"}, False)
    assert box.cluster.login(name="shop", user="shop", sql="CREATE TABLE u AS SELECT 1 AS x")[0] == 0
    place = {"name": "shop", "directory": str(box.root / "shop"), "label": "shop"}
    if state == "restored":
        box.run(**place)
    with box.spawn("fill") as process:
        assert process.stdout.readline() == b"there\n"
        living = box.databases()
        with box.spawn("fill", **place, state=state) as killed:
            assert killed.stdout.readline() == b"there\n"
            killed.kill()
        before = box.databases()
        left = [name for name in before if name not in living]
        assert len(left) == 1 and left[0].startswith(prefix)
        # Until the server has noticed that nobody holds the lock any more.
        while box.cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "1":
            time.sleep(0.05)
        predicted = database.bring(purge, True)[0]["changes"]
        assert [change["object"] for change in predicted[:2]] == ["database shop", "database " + left[0]]
        assert database.bring(purge, False)[0]["changes"] == predicted
        assert not database.bring(purge, False)[0]["changed"]
        assert box.databases() == [name for name in before if name not in ("shop", left[0])]
        process.kill()
    roles = box.cluster.sql("SELECT rolname FROM pg_roles WHERE oid > 16000 ORDER BY 1").splitlines()
    assert [role for role in roles if role != "windflow_login_" + living[-1][-8:]] == ["app_owner", "web"]
    assert box.run(label="next")["changed"] and box.databases() == [NAME]


TRAP = """
CREATE TABLE public.loot (who text, super boolean);
CREATE FUNCTION public.gain() RETURNS boolean LANGUAGE plpgsql AS $f$
DECLARE role name;
BEGIN
  FOR role IN SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER') LOOP
    BEGIN
      EXECUTE format('SET ROLE %I', role);
      EXECUTE 'ALTER ROLE web SUPERUSER';
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  RETURN (SELECT count(*) < 4 FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER'));
END $f$;
CREATE TABLE public.trap (x integer CHECK (public.gain()));
INSERT INTO public.trap VALUES (1);
CREATE TABLE public.more (x text);
INSERT INTO public.more SELECT 'x' FROM generate_series(1, 50);
CREATE FUNCTION public.low(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT $1 WHERE public.gain()$$;
CREATE INDEX ON public.more (public.low(x));
CREATE MATERIALIZED VIEW public.seen AS SELECT public.gain();
CREATE DOMAIN public.d AS text CHECK (public.gain());
CREATE TABLE public.domains (x public.d);
INSERT INTO public.domains VALUES ('x');
"""


@pytest.mark.fault(50)
def test_nothing_of_a_dump_is_run_with_anybody_elses_rights(box):
    cluster = box.cluster
    database.bring(cluster.params(name="shop", user="shopper"), False)
    assert cluster.login("shop", "shopper", sql=TRAP.replace("ROLE web", "ROLE shopper"))[0] == 0
    cluster.sql("CREATE ROLE other LOGIN; GRANT other TO shop_owner;")
    mark = os.path.getsize(cluster.root + "/log")
    for state in ("present", "restored"):
        box.run(name="shop", directory=str(box.root / "shop"), state=state, drop_replaced=True)
    assert cluster.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == "postgres"
    assert cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ 'windflow'") == "0"
    with open(cluster.root + "/log", encoding="utf-8") as log:
        log.seek(mark)
        came = {
            line.split("user=postgres database=")[1].split()[0] for line in log if "user=postgres database=" in line
        }
    assert came == {"postgres"}
    owned = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert box.sql(owned, "shop") == "shopper"
    assert cluster.login("shop", "shopper", sql="INSERT INTO more VALUES ('y')")[0] == 0


@pytest.mark.fault(50)
def test_owners_and_privileges_come_back_in_schemas_of_others(box):
    box.cluster.sql("CREATE ROLE third; CREATE ROLE maker CREATEROLE;")
    box.sql(
        """
        RESET ROLE; CREATE SCHEMA shared AUTHORIZATION web; GRANT USAGE, CREATE ON SCHEMA shared TO third;
        SET ROLE third; CREATE TABLE shared.theirs (x int); CREATE FUNCTION shared.f(text, int[]) RETURNS int
          LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION shared.f FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION shared.f TO web; GRANT SELECT (x) ON shared.theirs TO web;
        CREATE TYPE shared.colour AS ENUM ('a'); CREATE DOMAIN shared.d AS int;
        RESET ROLE; REVOKE CREATE ON SCHEMA shared FROM third;
        SET ROLE web; CREATE PROCEDURE shared.p(shared.colour) LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE shared.a(int) (SFUNC = int4pl, STYPE = int); CREATE COLLATION shared."C x" FROM "C";
        RESET ROLE; ALTER DEFAULT PRIVILEGES FOR ROLE web IN SCHEMA shared GRANT SELECT ON TABLES TO third;
        CREATE EXTENSION hstore SCHEMA shared; CREATE SCHEMA raw AUTHORIZATION app_owner;
        CREATE EXTENSION pageinspect SCHEMA raw;
        ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
        CREATE POLICY nobody ON t USING (false);
        """
    )
    everything = """
        SELECT i.type, i.identity, pg_get_userbyid(refobjid) FROM pg_shdepend d,
          LATERAL pg_identify_object(classid, d.objid, 0) i WHERE deptype = 'o' AND i.type <> 'extension'
          AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2;
        SELECT proname, proacl FROM pg_proc WHERE oid >= 16384 AND proacl IS NOT NULL ORDER BY 1;
        SELECT attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384;
        SELECT nspname, (SELECT array_agg(a ORDER BY a::text) FROM unnest(nspacl) a) FROM pg_namespace ORDER BY 1;
        SELECT defaclrole::regrole, defaclacl FROM pg_default_acl;
        """
    before, again = box.sql(everything), box.state()
    assert "function|shared.f(pg_catalog.text,integer[])|third" in before
    box.run()
    result = box.run(state="restored")
    assert box.sql(everything) == before and box.state() == again
    assert (result["left_out"], result["taken_over"]) == ([], [])


@pytest.mark.fault(50)
def test_what_only_a_superuser_can_own_or_make_is_named_and_never_the_applications_way_up(box):
    box.sql(
        """
        RESET ROLE; CREATE TABLE lists (x int); INSERT INTO lists VALUES (1); GRANT SELECT ON lists TO web;
        CREATE FUNCTION evt() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER "on all" ON ddl_command_end EXECUTE FUNCTION evt();
        CREATE PUBLICATION everything FOR ALL TABLES;
        ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO web;
        """
    )
    result = box.run()
    assert result["left_out"] == ["publication everything", "event trigger on all"]
    result = box.run(state="restored")
    assert result["left_out"] == ["publication everything", "event trigger on all"]
    assert sorted(result["taken_over"]) == ["function public.evt()", "table public.lists"]
    assert box.sql("SELECT pg_get_userbyid(relowner), relacl FROM pg_class WHERE relname = 'lists'").startswith(
        "app_owner|"
    )
    box.cluster.sql("ALTER DATABASE %s OWNER TO postgres;" % box.quoted)
    assert box.run(label="second")["verified"] == "restore"
    box.run(label="second", state="restored")
    assert box.cluster.sql(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = E'my \"app\" größe\\'s'"
    ) == ("postgres")
    box.cluster.sql("CREATE DATABASE bare;")
    box.sql("CREATE TABLE x AS SELECT 1;", "bare")
    box.run(name="bare", label="bare")
    assert "ALTER DATABASE" in box.fails("E4068", name="bare", label="bare", state="restored")


@pytest.mark.fault(50)
def test_where_pg_hba_lets_no_login_in_nothing_is_backed_up_and_the_line_is_named(box):
    with box.cluster.hba("local all postgres peer\nhost app web all scram-sha-256\n"):
        assert "host all all 127.0.0.1/32" in box.fails("E4067")
    with box.cluster.hba("local all postgres peer\nlocal all all scram-sha-256\n"):
        assert box.run()["verified"] == "restore"
    assert box.cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ 'windflow'") == "0"


def test_where_windflow_has_lines_of_its_own_a_login_gets_some_as_long_as_it_works(box):
    text = access.with_lines("local all postgres peer\nlocal all all reject\nhost all all all reject\n", NAME)
    with box.cluster.hba(text):
        assert box.run()["verified"] == "restore"
        assert box.run(state="restored")["verified"] == "restore"
        with open(box.cluster.root + "/data/pg_hba.conf", encoding="utf-8") as stream:
            assert stream.read() == text
    assert box.cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ 'windflow'") == "0"


@pytest.mark.fault(22)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_undoes_what_was_begun(box, number):
    with box.spawn("fill") as process:
        assert process.stdout.readline() == b"there\n"
        process.send_signal(number)
        said = process.stdout.read().decode()
        assert process.wait() == 3
    assert "E4045" in said and "the signal %d" % number in said and "Nothing was changed." in said
    assert (box.files(), box.databases()) == ([], [NAME])
    assert box.cluster.sql("SELECT count(*) FROM pg_roles WHERE rolname ~ '^windflow'") == "0"
    assert box.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'backup'") == "0"


def test_a_lock_that_nobody_lets_go_ends_with_the_time(box):
    with subprocess.Popen(
        ["runuser", "-u", "postgres", "--", *postgres.psql_command(box.cluster.port, box.cluster.root, NAME)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
    ) as holder:
        holder.stdin.write(b"BEGIN; LOCK TABLE t; \\echo there\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"there\n"
        assert "within 2 s" in box.fails("E4098", timeout=2)
        holder.stdin.close()
    assert (box.files(), box.databases()) == ([], [NAME])
    assert box.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'backup'") == "0"


@contextlib.contextmanager
def small_disk(path: Path, size: str):
    path.mkdir(mode=0o700)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=" + size, "tmpfs", str(path)], check=False)
    if done.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.fault(24)
def test_a_disk_without_room_is_refused_before_anything_is_written(box):
    with small_disk(box.directory, "1m"):
        assert "Nothing was changed." in box.fails("E4093")
        box.fails("E4093", True)
        assert (box.files(), box.databases()) == ([], [NAME])


@pytest.mark.fault(24)
def test_a_disk_that_becomes_full_leaves_what_was_there(box, monkeypatch):
    monkeypatch.setattr(backup.Job, "need_space", lambda *_arguments: None)
    box.sql("INSERT INTO t (body) SELECT md5(n::text) FROM generate_series(1, 60000) n;")
    with small_disk(box.directory, "100k"):
        box.fails("E4093")
        assert (box.files(), box.databases()) == ([], [NAME])


def test_the_servers_disk_is_looked_at_too(box, monkeypatch):
    def need_space(self, path, size):
        if path != str(box.directory):
            raise WindflowError(backup._no_space(path, str(size), "0"))

    box.run(label="there")
    monkeypatch.setattr(backup.Job, "need_space", need_space)
    assert box.cluster.root in box.fails("E4093")
    box.fails("E4093", label="there", state="restored")
    assert box.run(verify="list")["changed"]


def test_old_backups_go_and_the_new_one_never(box):
    for label in ("c", "b", "a"):
        box.run(label=label, keep=2, verify="list")
    assert box.files() == ["a.dump", "a.json", "b.dump", "b.json"]
    predicted = box.run(True, label="new", keep=1, verify="list")
    result = box.run(label="new", keep=1, verify="list")
    assert predicted["pruned"] == result["pruned"] == ["b", "a"]
    assert predicted["diff"] == result["diff"]
    assert box.files() == ["new.dump", "new.json"]
    assert box.run(label="more", keep=0, verify="list")["pruned"] == []
    # One that is there already and the oldest stays as well, because it was asked for.
    result = box.run(label="new", keep=1, verify="list")
    assert (result["pruned"], result["changed"]) == (["more"], True)
    assert not box.run(label="new", keep=1, verify="list")["changed"]


def test_a_backup_that_is_to_be_spared_stays_however_old_it_is(box):
    for label in ("first", "second", "third"):
        predicted = box.run(True, label=label, keep=2, spare=["first", "unknown"], verify="list")
        assert box.run(label=label, keep=2, spare=["first", "unknown"], verify="list")["pruned"] == predicted["pruned"]
    assert box.files() == ["first.dump", "first.json", "third.dump", "third.json"]
    assert box.run(label="fourth", keep=1, spare=["first"], verify="list")["pruned"] == ["third"]


def test_a_backup_says_whether_it_was_made_now_and_when(box):
    checked, made, again = box.run(True), box.run(), box.run()
    assert [result["made"] for result in (checked, made, again)] == [True, True, False]
    assert made["time"] == again["time"] == json.loads((box.directory / "first.json").read_text())["time"]
    assert box.run(True, state="restored")["time"] == made["time"]


@pytest.mark.parametrize(
    ("content", "made"),
    [
        ("CREATE SCHEMA web; COMMENT ON SCHEMA public IS 'odd'", False),
        ("CREATE TABLE x ()", True),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", True),
        ("SELECT lo_create(0)", True),
    ],
)
def test_on_request_what_is_empty_needs_no_backup(box, content, made):
    box.cluster.sql("CREATE DATABASE fresh;")
    box.sql(content + ";", "fresh")
    for check in (True, False):
        result = box.run(check, name="fresh", skip_empty=True)
        assert (result["made"], result["changed"], bool(result["path"])) == (made, made, made)
    assert box.directory.exists() == made


def test_on_request_a_database_that_is_not_there_needs_no_backup(box):
    for check in (True, False):
        result = box.run(check, name="nobody's", skip_empty=True)
        assert (result["made"], result["changed"], result["path"]) == (False, False, "")
    assert not box.directory.exists()
    # A check on a blank host: what comes before would have set up the server.
    assert box.run(True, port=1, skip_empty=True)["path"] == ""
    box.fails("E4090", port=1, skip_empty=True)


def test_backups_of_another_database_are_left_alone(box):
    box.cluster.sql("CREATE DATABASE other;")
    box.run(name="other", label="theirs", keep=1)
    box.run(keep=1)
    assert len(box.files()) == 4
    for state in ("present", "restored", "absent"):
        box.fails("E4059", label="theirs", state=state)
    assert len(box.files()) == 4


def test_a_subscription_does_not_hinder_the_backup(box):
    box.sql("CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false);")
    try:
        assert box.run()["verified"] == "restore"
        assert box.databases() == [NAME]
    finally:
        box.sql("ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s;")


def test_a_database_of_somebodys_with_such_a_name_is_left_alone(box):
    theirs = ["windflow_verify_0123abcd", NAME + "_restore_0123abcd"]
    for name in theirs:
        box.cluster.sql("CREATE DATABASE %s;" % postgres.quote_identifier(name))
    assert box.run()["cleaned"] == []
    assert sorted([NAME, *theirs]) == box.databases()


def test_absent_deletes_one_backup(box):
    box.run(verify="list")
    box.run(label="second", verify="list")
    changed = [box.run(check, state="absent")["changed"] for check in (True, False, True, False)]
    assert changed == [True, True, False, False]
    assert box.files() == ["second.dump", "second.json"]
    assert not box.run(state="absent", directory=str(box.root / "nothing"))["changed"]


def test_a_missing_backup_names_those_that_are_there(box):
    box.run(verify="list")
    assert "the label of an existing backup: first." in box.fails("E4096", label="none", state="restored")


def test_a_database_in_another_encoding_comes_back(box):
    plain = "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    box.cluster.sql("CREATE DATABASE raw OWNER app_owner %s;" % plain)
    box.sql("CREATE TABLE b AS SELECT E'\\xff\\xfe' || 'x' AS odd;", "raw")
    box.run(name="raw")
    box.run(name="raw", state="restored", drop_replaced=True)
    assert box.sql("SELECT odd::bytea = '\\xfffe78'::bytea FROM b", "raw") == "t"


def test_a_name_of_63_bytes_leaves_room_for_others(box):
    name = "ü" * 31 + "x"
    box.cluster.sql("CREATE DATABASE %s OWNER app_owner;" % postgres.quote_identifier(name))
    box.run(name=name)
    replaced = box.run(name=name, state="restored")["replaced"]
    assert box.databases() == sorted([NAME, name, replaced], key=str.encode)


def test_a_role_that_is_gone_leaves_the_live_database(box):
    box.cluster.sql("CREATE ROLE passing; CREATE DATABASE small OWNER passing;")
    box.sql("CREATE TABLE x (); ALTER TABLE x OWNER TO passing;", "small")
    box.run(name="small")
    box.cluster.sql("ALTER DATABASE small OWNER TO app_owner;")
    box.sql("DROP TABLE x; DROP ROLE passing;", "small")
    message = box.fails("E4088", name="small", state="restored")
    assert 'role "passing" does not exist' in message and "Nothing live was changed." in message
    assert box.databases() == sorted([NAME, "small"])


def test_an_error_quotes_no_data(box):
    box.sql("CREATE TABLE strict (body text); INSERT INTO strict VALUES ('canary');")
    box.sql(
        "CREATE FUNCTION fine(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT count(*) > 1 FROM pg_class';"
        "ALTER TABLE strict ADD CHECK (fine(body));"
        "CREATE OR REPLACE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS "
        "$$BEGIN RETURN $1::int > 0; END$$;"
    )
    message = box.fails("E4094")
    assert "strict" in message and (box.files(), box.databases()) == ([], [NAME])


def test_without_a_server_a_database_or_its_programs_nothing_is_done(box, monkeypatch):
    assert "Nothing was changed." in box.fails("E4090", port=1)
    box.fails("E4090", True, port=1)
    box.fails("E4091", name="nobody's")
    monkeypatch.setattr(Server, "command", lambda self, program, arguments: [program.replace("pg_", "no_"), *arguments])
    assert "postgresql-client-%s" % box.cluster.sql("SHOW server_version").split(".")[0] in box.fails("E4092")
    monkeypatch.setattr(
        Server,
        "command",
        lambda self, program, arguments: (
            ["echo", "pg_dump (PostgreSQL) 9.6.1"] if "--version" in arguments else [program, *arguments]
        ),
    )
    assert "version 9" in box.fails("E4092")
    assert (box.files(), box.databases()) == ([], [NAME])


def test_a_backup_that_is_there_needs_no_server(box):
    box.run()
    assert not box.run(port=1)["changed"]


def test_a_directory_that_others_can_write_to_is_refused(box):
    box.directory.mkdir(mode=0o700)
    box.directory.chmod(0o777)
    box.fails("E4056")
    (box.root / "link").symlink_to(box.root)
    box.fails("E4056", directory=str(box.root / "link"))


@pytest.mark.fault(17)
def test_a_planted_partial_dump_is_not_followed(box):
    box.directory.mkdir(mode=0o700)
    (box.root / "victim").write_text("untouched")
    (box.directory / "first.dump.partial").symlink_to(box.root / "victim")
    assert box.run()["cleaned"] == ["first.dump.partial"]
    assert (box.root / "victim").read_text() == "untouched"
