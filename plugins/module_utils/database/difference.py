# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application's database as it should be, and the SQL that leads there. Nothing here runs it.

Two roles: the owner (``<name>_owner``) owns the database and cannot log in; the application's role
logs in and owns nothing of it. A desired state is a dict: state (present or absent), name, user,
connection_limit (-1: none), verifier (of the new password, or None where the stored one is right), adopted (the names
of the database and the roles that were not made here: nobody loses anything by them, and they are never dropped).
An actual state is what ``postgres.read_state`` returns.
"""

from __future__ import annotations

from ..errors import Problem, WindflowError
from . import access
from .copying import leftovers, lock_keys
from .logins import drop_worker, refused
from .owners import lacking
from .postgres import attributes, check_names, connect_command, owner_role, quote_identifier, quote_literal, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


OWNER = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
APPLICATION = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


def changes(desired: dict[str, Any], actual: dict[str, Any]) -> list[dict[str, Any]]:
    """What has to change: [{object, attribute, before, after, inside, sql}], in order; empty if nothing has to.

    before and after are fit to be shown; sql, a list of psql's statements, holds the verifier of a new password and
    is not. ``inside`` changes are for a member of the database's owner, in the database; all others for the superuser,
    in the database postgres. Raises WindflowError for names that cannot be managed, for a database or a schema of
    somebody else's.
    """
    name, user = desired["name"], desired["user"]
    check_names(name, user)
    database = actual["database"]
    foreign = desired["adopted"]
    if database and name not in foreign["database"] and database["owner"] not in (user, owner_role(name)):
        expected = "%s or %s as the owner of the database %s" % (owner_role(name), user, name)
        remedy = "name another database, or change its owner yourself"
        raise WindflowError(Problem("E4053", expected, database["owner"], remedy, path="database.name"))
    if desired["state"] == "absent":
        return _removal(name, user, actual, foreign)
    last = _access(name, user, actual)
    if name in foreign["database"]:
        return _roles(desired, actual) + _lacking(name, user, actual) + last
    if not database:
        return _roles(desired, actual) + _new_database(name, user, actual) + last
    return _roles(desired, actual) + _privileges(name, user, actual) + _opening(name, database) + last


def _access(name: str, user: str, actual: dict[str, Any]) -> list[dict[str, Any]]:
    """pg_hba.conf, where it does not let the application in by its password."""
    found = actual.get("access")
    if not found:
        return []
    before = access.weakest(found["rules"], name, user)
    if before in access.GOOD:
        return []
    what = "method for the database %s from the host itself" % name
    return [dict(_change(found["file"], what, before or "none", access.METHOD), inside=access.FILE)]


def warnings(desired: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """What an operator should know of roles that are left as they are."""
    found = []
    role, database = actual["roles"].get(desired["user"]), actual["database"]
    for kind, names in desired["adopted"].items() if desired["state"] == "absent" else ():
        there = [name for name in names if (database if kind == "database" else actual["roles"].get(name))]
        found += ["The %s %s stays: windflow has not made it." % (kind, name) for name in there]
    if desired["state"] == "present" and database and database["open"] and not actual["schema"]:
        found.append(
            "Nobody could look into the database %s, so what its schema public allows was left as it is. %s"
            % (desired["name"], refused("no such line"))
        )
    if role and role["superuser"]:
        kept = " and was not removed."
        if desired["state"] == "present":
            kept = ": only its password is managed. An application is safer with a role of its own."
        found.append("The role %s is a superuser%s" % (desired["user"], kept))
    return found


def keeping(name: str, roles: Iterable[str], dropped: bool) -> str:
    """SQL that names, a line each, what a database or roles are kept by; ``dropped``: what roles have in the database
    goes with it."""
    return """\
SELECT format('%s prepared transactions in the database %s', count(*), database) FROM pg_prepared_xacts
  WHERE database = {name} GROUP BY database
UNION ALL SELECT format('the replication slot %s of the database %s', slot_name, database) FROM pg_replication_slots
  WHERE database = {name}
UNION ALL SELECT format('the subscription %s in the database %s', subname, datname) FROM pg_subscription
  JOIN pg_database d ON d.oid = subdbid WHERE datname = {name}
UNION ALL SELECT format('%s sessions in the database %s', count(*), datname) FROM pg_stat_activity
  WHERE datname = {name} GROUP BY datname
UNION ALL SELECT format('%s objects or rights of the role %s %s', count(*), rolname,
    coalesce('in the database ' || datname, 'beside all databases')) FROM pg_shdepend
  JOIN pg_roles r ON r.oid = refobjid AND refclassid = 'pg_authid'::regclass LEFT JOIN pg_database d ON d.oid = dbid
  WHERE rolname = ANY (ARRAY[{roles}]::text[]) AND NOT ({dropped} AND datname IS NOT DISTINCT FROM {name})
  GROUP BY rolname, datname;
""".format(
        name=quote_literal(name),
        roles=", ".join(quote_literal(role) for role in roles),
        dropped="true" if dropped else "false",
    )


def _roles(desired: dict[str, Any], actual: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    owner = owner_role(desired["name"])
    foreign = desired["adopted"]
    ours = [] if desired["name"] in foreign["database"] else [(owner, OWNER)]
    for role, wanted in (*ours, (desired["user"], APPLICATION)):
        present = actual["roles"].get(role)
        quoted = quote_identifier(role)
        if present is None:
            found.append(
                _change("role " + role, "attributes", "absent", wanted, "CREATE ROLE %s %s;" % (quoted, wanted))
            )
        elif role in foreign["role"]:
            if role != owner and not present["login"]:
                sql = "ALTER ROLE %s LOGIN;" % quoted
                found.append(_change("role " + role, "attributes", attributes(present), "LOGIN", sql))
        elif not _is_superuser(present, role, owner) and attributes(present) != wanted:
            sql = "ALTER ROLE %s %s;" % (quoted, wanted)
            found.append(_change("role " + role, "attributes", attributes(present), wanted, sql))
    user = desired["user"]
    quoted = quote_identifier(user)
    present = actual["roles"].get(user)
    limit = desired["connection_limit"]
    before = present["limit"] if present else -1
    if before != limit and user not in foreign["role"] and not (present and present["superuser"]):
        sql = "ALTER ROLE %s CONNECTION LIMIT %d;" % (quoted, limit)
        found.append(_change("role " + user, "connection_limit", str(before), str(limit), sql))
    if desired["verifier"]:
        before = "a different one" if present and present["verifier"] else "none"
        sql = "ALTER ROLE %s PASSWORD %s;" % (quoted, quote_literal(desired["verifier"]))
        found.append(_change("role " + user, "password", before, "as configured", sql))
    return found


def _is_superuser(role: dict[str, Any], name: str, owner: str) -> bool:
    """A superuser that was there before keeps its attributes. Not the owner role: it is ours."""
    return role["superuser"] and name != owner


def _new_database(name: str, user: str, actual: dict[str, Any]) -> list[dict[str, Any]]:
    """A database that nobody is let into before everything is as it should be: only as long as nobody else was there
    can the superuser enter it."""
    # A cluster made without a locale would give SQL_ASCII, which takes any bytes for text.
    plain = actual["encoding"] != "UTF8" and actual["collate"] in ("C", "POSIX")
    options = " TEMPLATE template0 ENCODING 'UTF8'" if plain else ""
    quoted, owner, app = quote_identifier(name), owner_role(name), quote_identifier(user)
    create = "CREATE DATABASE %s OWNER %s%s ALLOW_CONNECTIONS false;" % (quoted, quote_identifier(owner), options)
    role = actual["roles"].get(user)
    inside = []
    # Since PostgreSQL 15 the schema public is the owner's, and nobody else may create in it.
    if actual["version"] < 150000:
        inside.append("ALTER SCHEMA public OWNER TO %s;" % quote_identifier(owner))
        inside.append("REVOKE CREATE ON SCHEMA public FROM PUBLIC;")
    grants = []
    if not (role and role["superuser"]):
        inside.append("GRANT USAGE, CREATE ON SCHEMA public TO %s;" % app)
        grants.append("GRANT CONNECT ON DATABASE %s TO %s;" % (quoted, app))
    if inside:
        inside = [connect_command(name), *inside, connect_command("postgres")]
    return [
        _change("database " + name, "state", "absent", "owned by " + owner, create),
        _change(
            "database " + name,
            "everybody may connect",
            "yes",
            "no",
            "REVOKE CONNECT ON DATABASE %s FROM PUBLIC;" % quoted,
            "ALTER DATABASE %s WITH ALLOW_CONNECTIONS true;" % quoted,
            *inside,
        ),
        *([_change("database " + name, user + " may connect and create", "no", "yes", *grants)] if grants else []),
    ]


def _opening(name: str, database: dict[str, Any]) -> list[dict[str, Any]]:
    if database["open"]:
        return []
    # What a removal or a creation that was cut off leaves behind.
    sql = "ALTER DATABASE %s WITH ALLOW_CONNECTIONS true;" % quote_identifier(name)
    return [_change("database " + name, "connections", "refused", "allowed", sql)]


def _lacking(name: str, user: str, actual: dict[str, Any]) -> list[dict[str, Any]]:
    """What the application needs in a database that is adopted."""
    words = {"CONNECT": ("connect", "GRANT CONNECT ON DATABASE %s TO %s;")}
    words["USAGE ON SCHEMA public"] = ("use the schema", "GRANT USAGE ON SCHEMA public TO %s;")
    words["CREATE ON SCHEMA public"] = ("create", "GRANT CREATE ON SCHEMA public TO %s;")
    names = {"CONNECT": (quote_identifier(name), quote_identifier(user))}
    found = []
    for right in lacking(user, summary(actual, name, user)):
        attribute, sql = words[right]
        sql %= names.get(right, (quote_identifier(user),))
        change = _change("database " + name, "%s may %s" % (user, attribute), "no", "yes", sql)
        found.append(dict(change, inside=right != "CONNECT"))
    if any(change["inside"] for change in found):
        _check_schema(name, actual)
    return found


def _check_schema(name: str, actual: dict[str, Any]) -> None:
    """Raises WindflowError (E4066) where the database's owner has no say in its schema public."""
    owner, schema = actual["database"]["owner"], actual["schema"]
    if schema["owner"] not in ("pg_database_owner", owner):
        how = "ALTER SCHEMA public OWNER TO %s" % quote_identifier(owner)
        remedy = "run as superuser in the database %s: %s" % (name, how)
        expected = "%s as the owner of the schema public in the database %s" % (owner, name)
        raise WindflowError(Problem("E4066", expected, schema["owner"], remedy))


def _privileges(name: str, user: str, actual: dict[str, Any]) -> list[dict[str, Any]]:
    """Changes of what everybody and what the application may do. What nobody could look at is left as it is."""
    database, schema = actual["database"], actual["schema"]
    role = actual["roles"].get(user)
    superuser = bool(role and role["superuser"])
    quoted, app = quote_identifier(name), quote_identifier(user)
    found = []

    def change(attribute: str, before: bool, after: bool, sql: str, inside: bool = False) -> None:
        if bool(before) != after:
            words = ["yes" if value else "no" for value in (before, after)]
            found.append(dict(_change("database " + name, attribute, *words, sql), inside=inside))

    revoke = "REVOKE CONNECT ON DATABASE %s FROM PUBLIC;" % quoted
    change("everybody may connect", database["public_connect"], False, revoke)
    if not superuser:
        grant = "GRANT CONNECT ON DATABASE %s TO %s;" % (quoted, app)
        change(user + " may connect", database["connect"], True, grant)
    if schema:
        revoke = "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
        change("everybody may create", schema["public_create"], False, revoke, True)
    if schema and not superuser:
        for attribute, key in (("use the schema", "usage"), ("create", "create")):
            grant = "GRANT %s ON SCHEMA public TO %s;" % (key.upper(), app)
            change("%s may %s" % (user, attribute), schema[key], True, grant, True)
    if any(item["inside"] for item in found):
        _check_schema(name, actual)
    return found


def _removal(name: str, user: str, actual: dict[str, Any], foreign: dict[str, list[str]]) -> list[dict[str, Any]]:
    found = []
    known = actual.get("access")
    if known and access.has_lines(known["file"], name):
        what = "lines for the database %s" % name
        found.append(dict(_change(known["file"], what, "present", "absent"), inside=access.FILE))
    stays = name in foreign["database"]
    gone = [] if stays else [*([name] if actual["database"] else []), *actual.get("replaced", [])]
    for one in gone:
        found.append(_change("database " + one, "state", "present", "absent", *_drop(one)))
    if stays and actual["database"] and actual["roles"].get(user) and user not in foreign["role"]:
        # What the role was given there would keep it.
        for right, on, inside in (("use the schema and create", "SCHEMA public", True), ("connect", "", False)):
            on = on or "DATABASE %s" % quote_identifier(name)
            sql = "REVOKE ALL ON %s FROM %s;" % (on, quote_identifier(user))
            change = _change("database " + name, "%s may %s" % (user, right), "yes", "no", sql)
            found.append(dict(change, inside=inside))
    # The application's role has objects in them, so it could not be dropped before.
    left = leftovers(name, actual.get("unfinished", []))
    logins = [one for one, owned in actual.get("logins", []) if set(owned) <= set(left)]
    for kind, one in [*(("database", one) for one in left), *(("role", one) for one in logins)]:
        lock = "SELECT pg_try_advisory_lock(%s) AS dead \\gset" % lock_keys(one)
        drop = _drop(one) if kind == "database" else drop_worker(one).splitlines()
        guarded = [lock, "\\if :dead", *drop, "\\endif"]
        found.append(_change("%s %s" % (kind, one), "state", "left by a run that was killed", "absent", *guarded))
    for role in (user, owner_role(name)):
        present = None if role in foreign["role"] else actual["roles"].get(role)
        if present and not _is_superuser(present, role, owner_role(name)):
            sql = "DROP ROLE %s;" % quote_identifier(role)
            found.append(_change("role " + role, "state", "present", "absent", sql))
    return found


def _drop(name: str) -> list[str]:
    """SQL after which nobody is in the database, and then it is gone."""
    quoted, literal = quote_identifier(name), quote_literal(name)
    return [
        # Nobody comes back between the two: DROP ... WITH (FORCE) is new in PostgreSQL 13.
        # A database whose DROP was cut off (-2) lets nobody in and cannot be altered.
        "SELECT format('ALTER DATABASE %%I WITH ALLOW_CONNECTIONS false', datname) FROM pg_database"
        " WHERE datname = %s AND datconnlimit <> -2 \\gexec" % literal,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s;" % literal,
        "DROP DATABASE IF EXISTS %s;" % quoted,
    ]


def _change(target: str, attribute: str, before: str, after: str, *sql: str) -> dict[str, Any]:
    return {
        "object": target,
        "attribute": attribute,
        "before": before,
        "after": after,
        "inside": False,
        "sql": list(sql),
    }
