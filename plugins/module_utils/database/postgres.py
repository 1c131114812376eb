# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local PostgreSQL: quoting, psql, and what there is of one application's roles and database.

SQL goes to psql by stdin, never by argv. ``difference`` says what has to change.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import pwd
import re
import subprocess
import time

from ..errors import Problem, WindflowError
from ..system import processes
from ..text.quoting import conninfo, invalid, quote_identifier, quote_literal
from . import access, hba, logins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


TIMEOUT = 60
# What ``inspect`` says of the schema, which has to be looked at inside the database.
INSIDE = ("public_usage", "public_create", "app_usage", "app_create")
# Dropping a large database takes longer than a question; the lease of the run's record is 15 minutes.
CHANGE_TIMEOUT = 600
# "WIND": the first key of the advisory locks of backups.
LOCK = 0x57494E44
# No session takes names from a schema that somebody else can write to.
OPTIONS = "-c client_min_messages=warning -c search_path=pg_catalog"
_RESERVED_DATABASES = ("postgres", "template0", "template1")
_LOST = ("server closed the connection", "connection to server was lost")
_STARTING = ("starting up", "Is the server running", "recovery mode")

# What PostgreSQL knows of the two roles and the database, as JSON documents on a line each.
_CLUSTER = """\
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'),
  'collate', (SELECT datcollate FROM pg_database WHERE datname = 'template1'),
  'roles', (SELECT coalesce(json_object_agg(rolname, json_build_object(
      'login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb, 'createrole', rolcreaterole,
      'replication', rolreplication, 'bypassrls', rolbypassrls, 'limit', rolconnlimit,
      'verifier', coalesce(rolpassword, ''))), '{{}}') FROM pg_authid WHERE rolname IN ({user}, {owner})),
  'powers', (SELECT coalesce(json_agg(r.rolname ORDER BY r.rolname), '[]') FROM pg_authid a JOIN pg_roles r
      ON pg_has_role(a.oid, r.oid, 'MEMBER') AND NOT a.rolsuper AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication
        OR r.rolbypassrls OR r.rolname ~ '^pg_.*(server|all_data)') WHERE a.rolname = {user}),
  'replaced', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database
      WHERE left(datname, length({replaced})) = {replaced} AND pg_get_userbyid(datdba) IN ({user}, {owner})),
  'unfinished', (SELECT coalesce(json_agg(json_build_array(datname, datconnlimit) ORDER BY datname), '[]')
      FROM pg_database WHERE datconnlimit IN (0, 7, -2) AND right(datname, 8) NOT IN (
        SELECT lpad(to_hex(objid::bigint), 8, '0') FROM pg_locks WHERE locktype = 'advisory' AND classid = {lock})),
  'logins', (SELECT coalesce(json_agg(json_build_array(rolname, ARRAY(
        SELECT datname::text FROM pg_database WHERE datdba = r.oid)) ORDER BY rolname), '[]')
      FROM pg_roles r WHERE rolname ~ '^windflow_(login|look)_[0-9a-f]{{8}}$' AND right(rolname, 8) NOT IN (
        SELECT lpad(to_hex(objid::bigint), 8, '0') FROM pg_locks WHERE locktype = 'advisory' AND classid = {lock})
      AND (rolvaliduntil IS NULL OR rolvaliduntil < now())),
  'database', (SELECT json_build_object(
      'owner', pg_get_userbyid(datdba), 'open', datallowconn,
      'owner_superuser', (SELECT rolsuper FROM pg_roles WHERE oid = datdba),
      'public_connect', EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
        WHERE grantee = 0 AND privilege_type = 'CONNECT'),
      'connect', EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
        WHERE grantee = (SELECT oid FROM pg_roles WHERE rolname = {user}) AND privilege_type = 'CONNECT'))
      FROM pg_database WHERE datname = {name}));
"""
# The schema can be read only in a connection to the database.
_SCHEMA = """\
SELECT json_build_object('schema', (SELECT json_build_object(
    'owner', min(owner),
    'public_usage', bool_or(grantee = 0 AND privilege_type = 'USAGE'),
    'public_create', bool_or(grantee = 0 AND privilege_type = 'CREATE'),
    'usage', bool_or(grantee = app AND privilege_type = 'USAGE'),
    'create', bool_or(grantee = app AND privilege_type = 'CREATE'))
  FROM (SELECT (aclexplode(coalesce(nspacl, acldefault('n', nspowner)))).*, pg_get_userbyid(nspowner) AS owner,
      coalesce((SELECT oid FROM pg_roles WHERE rolname = {user}), 1) AS app
    FROM pg_namespace WHERE nspname = 'public') AS granted));
"""
# The superuser stays in the database postgres: in the application's, others decide what is run. So one that may do
# nothing but look goes there, by a psql of its own, if there is a database that lets it in.
_LOOK = """\
SELECT NOT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_database WHERE datname = {name} AND datallowconn
    AND datconnlimit <> -2) AS there \\gset
\\if :there
{make}
\\! look() {{ psql -X -q -A -t -w -p "$LOOK_PORT" -U "$LOOK_USER" -d "$LOOK_IN" -c "$LOOK_FOR" "$@" 2>/dev/null; }}; \
look -h {hosts} || look ${{LOOK_SOCKET:+-h "$LOOK_SOCKET"}}
{drop}
\\endif
"""


def owner_role(name: str) -> str:
    """The role that owns the database ``name``."""
    return name + "_owner"


def derived_name(name: str, suffix: str, room: int = 8) -> str:
    """``name`` and ``suffix`` with ``room`` bytes left; a name that is too long is cut, with a digest of it."""
    data = name.encode("utf-8")
    left = 63 - room - len(suffix)
    if len(data) <= left:
        return name + suffix
    cut = data[: left - 7].decode("utf-8", "ignore")
    return "%s_%s%s" % (cut, hashlib.sha256(data).hexdigest()[:6], suffix)


def replaced_prefix(name: str) -> str:
    """What the names of databases begin with whose place a restored one has taken; a time follows."""
    return derived_name(name, "_replaced_", 20)


def connect_command(name: str) -> str:
    """psql's command to go on in the database ``name`` of the same server, as the same role."""
    quote_identifier(name)
    if any(ord(char) < 32 for char in name):
        raise invalid("a database name without control characters", ascii(name))
    return '\\connect -reuse-previous=on "%s"' % conninfo(name).replace('"', '""')


def check_names(name: str, user: str) -> None:
    """Raises WindflowError for names of a database and a role that cannot be managed."""
    for value in (name, owner_role(name), user):
        quote_identifier(value)
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise invalid("a name without control characters", ascii(value))
    if name in _RESERVED_DATABASES:
        raise invalid("a database of the application's own", "%s, which belongs to the server" % name)
    if user in ("public", "none") or user.startswith("pg_"):
        raise invalid("a role name that is not reserved", user)
    if user == owner_role(name):
        raise invalid("a role other than the database's owner", user)


def psql_command(port: int, host: str = "", database: str = "postgres", user: str = "") -> list[str]:
    """argv of a psql that reads SQL from stdin: over the socket (in the directory ``host``) as the server's own
    superuser, or as ``user``."""
    argv = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-p", str(port), "-d", conninfo(database)]
    argv += ["-w", "-U", user] if user else []
    return [*argv, "-h", host] if host else argv


def start(argv: list[str], environment: Mapping[str, str] | None = None, **streams: Any) -> subprocess.Popen[bytes]:
    """A program of PostgreSQL as the operating system's user postgres; as the caller where it is not root.

    ``environment`` comes on top of what is set here; ``streams`` replace the three pipes. Raises OSError.
    """
    account = None
    if os.geteuid() == 0:
        try:
            account = pwd.getpwnam("postgres")
        except KeyError as error:
            raise FileNotFoundError(2, "there is no user postgres") from error

    # Nothing of the caller's environment: PGHOST, PGSERVICE and their like would lead elsewhere.
    variables = {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin",
        "LC_ALL": "C",
        "HOME": "/",
        "PGUSER": "postgres",
        "PGCLIENTENCODING": "UTF8",
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "windflow",
        "PGOPTIONS": OPTIONS,
        "PGREQUIREAUTH": "!password",
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        argv,
        **{**pipes, **streams},
        cwd="/",
        env={**variables, **(environment or {})},
        preexec_fn=functools.partial(_become, account) if account else None,
    )


def _become(account: pwd.struct_passwd) -> None:
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def run(
    argv: list[str], sql: str, timeout: float = TIMEOUT, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """(return code, stdout, stderr) of psql for ``sql``. Raises OSError; 124 is a time-out."""
    process = start(argv, environment)
    try:
        out, err = process.communicate(sql.encode("utf-8"), timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 124, "", "none within %d s; the server may still be at work on it" % timeout
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def change_access(file: str, edit: Callable[[str], str], port: int, socket_dir: str = "") -> None:
    """Edits pg_hba.conf and has the server read it. Raises WindflowError (E4089).

    Deploys of several plugins may want that at the same time: each edits what the one before it has left.
    """
    lock = _lock_directory(os.path.dirname(file))
    try:
        text = access.read(file)
        edited = edit(text)
        if edited == text:
            return
        process = start(["/bin/sh", "-c", access.WRITE, "sh", file])
        _out, err = process.communicate(edited.encode("utf-8", "surrogateescape"), TIMEOUT)
        if process.returncode:
            got = err.decode("utf-8", "replace").strip()
            raise WindflowError(Problem("E4089", "to write %s as its owner" % file, got, "correct its permissions"))
        execute_sql(access.RELOAD, port, socket_dir=socket_dir)
    finally:
        os.close(lock)


def _lock_directory(path: str) -> int:
    """Returns the directory, open and locked: no file is left beside the server's own. Raises WindflowError (E4089)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise WindflowError(Problem("E4089", "to read %s" % path, str(error.strerror), "correct hba_file")) from error
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(descriptor)
                raise WindflowError(
                    Problem("E4089", "to edit pg_hba.conf", "a lock that another program holds on %s" % path, "end it")
                ) from None
            time.sleep(0.05)


def inspect_sql(name: str, user: str, port: int = 5432, socket_dir: str = "") -> tuple[str, dict[str, str]]:
    """The script whose output ``parse_state`` reads, for a psql of the superuser in the database postgres, and the
    variables of the environment that it needs."""
    check_names(name, user)
    login = logins.new(logins.LOOKER)
    owner = owner_role(name)
    sql = access.SQL + (_CLUSTER + _LOOK).format(
        name=quote_literal(name),
        user=quote_literal(user),
        owner=quote_literal(owner),
        replaced=quote_literal(replaced_prefix(name)),
        lock=LOCK,
        make=logins.make_looker(login, name, [user, owner]),
        hosts=logins.HOSTS,
        drop=logins.drop_lookers(login),
    )
    return sql, {
        "LOOK_PORT": str(port),
        "LOOK_USER": login.name,
        "LOOK_IN": conninfo(name),
        "LOOK_FOR": _SCHEMA.format(user=quote_literal(user)),
        "LOOK_SOCKET": socket_dir,
        "PGPASSWORD": login.password,
    }


def parse_state(output: str) -> dict[str, Any]:
    """The server's state: version, encoding, collate, roles {name: {…}}, database {…} or None, schema {…} (empty where
    nobody could look), the names of databases that a restore has replaced, and what nobody who lives is making or
    dropping: unfinished [[name, connection limit]], logins [[name, databases]]."""
    state: dict[str, Any] = {"schema": {}, "replaced": [], "unfinished": [], "logins": []}
    for line in output.splitlines():
        if line.startswith("{"):
            state.update(json.loads(line))
    return state


def read_state(
    port: int, name: str, user: str, execute: Callable[..., tuple[int, str, str]] | None = None, socket_dir: str = ""
) -> dict[str, Any]:
    """The server's state as ``parse_state`` gives it, with password verifiers: not to be shown.

    Raises WindflowError: E4051 where PostgreSQL is not there, E4055 where it does not answer in time.
    """
    sql, environment = inspect_sql(name, user, port, socket_dir)
    execute = execute or functools.partial(run, environment=environment)
    return parse_state(execute_sql(sql, port, execute, socket_dir))


def execute_sql(
    sql: str,
    port: int,
    execute: Callable[..., tuple[int, str, str]] = run,
    socket_dir: str = "",
    outcome: str = "Nothing was changed.",
) -> str:
    """Output of ``sql``. Raises WindflowError: E4051 where there is no server, E4052 for its errors, E4055 where it
    takes too long. ``outcome`` is what an error says of what was changed once psql has begun."""
    try:
        code, out, err = execute(psql_command(port, socket_dir), sql)
    except OSError as error:
        raise WindflowError(_unreachable(port, str(error.strerror or error))) from error
    if code == 0:
        return out
    # psql's own code for a lost or refused connection is 2, for an error in the script 3.
    if code == 2:
        raise WindflowError(_unreachable(port, _shown(err), socket_dir), outcome)
    if code == 124:
        remedy = "see in pg_stat_activity what the server waits for, then run again"
        said = "PostgreSQL, port %d, did not answer in time" % port
        raise WindflowError(Problem.plain("E4055", said, err, remedy), outcome)
    remedy = "correct what the server names"
    raise WindflowError(Problem.plain("E4052", "PostgreSQL refused a statement", _shown(err), remedy), outcome)


def execute_inside(sql: str, port: int, name: str, owner: str, socket_dir: str, outcome: str) -> None:
    """Runs ``sql`` in the database ``name``, as a login that is a member of its owner as long as this takes.

    Raises WindflowError: as ``execute_sql``, and E4067 where pg_hba.conf does not let it in.
    """
    login = logins.new(logins.LOOKER)
    make = logins.make_looker(login, name, [owner])
    execute_sql(make + "\n", port, socket_dir=socket_dir, outcome=outcome)
    try:
        for host in (logins.HOSTS, socket_dir):
            argv = psql_command(port, host, name, login.name)
            code, _out, err = run(argv, sql, environment={"PGPASSWORD": login.password})
            if code != 2:
                break
    finally:
        execute_sql(logins.drop_lookers(login) + "\n", port, socket_dir=socket_dir, outcome=outcome)
    if code == 2:
        raise WindflowError(logins.refused(_shown(err)), outcome)
    if code:
        remedy = "correct what the server names"
        raise WindflowError(Problem.plain("E4052", "PostgreSQL refused a statement", _shown(err), remedy), outcome)


def ask(port: int, name: str, user: str, socket_dir: str = "") -> subprocess.Popen[bytes] | None:
    """Begins ``inspect`` without waiting for it; ``answer`` gives its result. None without PostgreSQL."""
    sql, environment = inspect_sql(name, user, port, socket_dir)
    try:
        process = start(psql_command(port, socket_dir), environment)
    except OSError:
        return None
    try:
        processes.pipe(process.stdin).write(sql.encode("utf-8"))
        processes.pipe(process.stdin).close()
    except BrokenPipeError:
        pass
    process.stdin = None
    return process


def answer(process: subprocess.Popen[bytes] | None, port: int, name: str, user: str) -> dict[str, Any]:
    """What ``ask`` asked for, as ``inspect`` returns it. Raises WindflowError (E4052)."""

    if process is None:
        return {"available": False}

    def execute(_argv: list[str], _sql: str) -> tuple[int, str, str]:
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return 124, "", ""
        return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    return inspect(port, name, user, execute)


def inspect(
    port: int, name: str, user: str, execute: Callable[..., tuple[int, str, str]] | None = None, socket_dir: str = ""
) -> dict[str, Any]:
    """What there is of one application's database, flat and without secrets, for drift.

    {"available": False} where no server answers, with ``refused`` where pg_hba.conf is why. Else login_method (of
    pg_hba.conf for the application's role from the host itself), available, database
    (present or absent), owner and whether that is a superuser, owner_role and app_role (attributes, or absent),
    app_powers (of roles with rights over the server, those that it is a member of), connection_limit, password_sha256
    (of the stored verifier), public_connect, app_connect, public_usage, public_create, app_usage, app_create; None for
    the last four where pg_hba.conf lets nobody look.
    """
    try:
        return summary(read_state(port, name, user, execute, socket_dir), name, user)
    except WindflowError as error:
        if error.code in ("E4051", "E4055"):
            said = error.problems[0]
            return {"available": False, **({"refused": said.got} if said.message == hba.REFUSED else {})}
        raise


def summary(state: dict[str, Any], name: str, user: str) -> dict[str, Any]:
    """The server's state as ``inspect`` returns it."""
    app = state["roles"].get(user)
    database = state["database"] or {}
    schema = state["schema"]
    verifier = app["verifier"] if app else ""
    return {
        "available": True,
        "database": "present" if database else "absent",
        "owner": database.get("owner"),
        "owner_superuser": database.get("owner_superuser"),
        "owner_role": attributes(state["roles"].get(owner_role(name))),
        "app_role": attributes(app),
        "login_method": access.weakest(state["access"]["rules"], name, user) if state.get("access") else None,
        "app_powers": ", ".join(state.get("powers", ())),
        "connection_limit": app["limit"] if app else None,
        "password_sha256": hashlib.sha256(verifier.encode("utf-8")).hexdigest() if verifier else None,
        "public_connect": database.get("public_connect"),
        "app_connect": database.get("connect"),
        "public_usage": schema.get("public_usage"),
        "public_create": schema.get("public_create"),
        "app_usage": schema.get("usage"),
        "app_create": schema.get("create"),
    }


def attributes(role: dict[str, Any] | None) -> str:
    """A role's attributes in SQL's words: ``LOGIN NOSUPERUSER …``; ``absent`` without a role."""
    if role is None:
        return "absent"
    keys = ("login", "superuser", "createdb", "createrole", "replication", "bypassrls")
    return " ".join(key.upper() if role[key] else "NO" + key.upper() for key in keys)


def starting(problem: str) -> bool:
    """Whether a failed connection may succeed in a moment."""
    return any(sign in problem for sign in _STARTING)


def _shown(err: str) -> str:
    """The server's words; the verifier that an error may quote is cut out."""
    return re.sub(r"SCRAM-SHA-256\$[^'\s]*", "(verifier)", err.strip())[-2000:]


def _unreachable(port: int, got: str, socket_dir: str = "") -> Problem:
    if hba.refused(got):
        return Problem.plain("E4051", hba.REFUSED, "%s (%s)" % (hba.line(port, socket_dir), got), hba.REMEDY)
    remedy = "install and start PostgreSQL, or correct database.port"
    if any(sign in got for sign in _LOST):
        remedy = "read in the server's log why it ended the connection, then run again"
    return Problem.plain("E4051", "no PostgreSQL answers on the local socket, port %d" % port, got, remedy)
