# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL of a backup: what there is, how many rows, and a second database like the first. Nothing here runs it."""

from __future__ import annotations

import re
import time

from ..errors import Problem, WindflowError
from .postgres import LOCK, derived_name, quote_identifier, quote_literal, replaced_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


# What the names of databases begin with into which a backup is read back; eight digits follow.
SCRATCH = "windflow_verify_"
# The connection limit of a database that is being made, once its login is let in. Until then it is 0.
MAKING = 7
# Settings that PostgreSQL stores as a list of quoted names.
LISTS = ("local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces")

FACTS = """\
SELECT json_build_object(
  'version', current_setting('server_version'),
  'number', current_setting('server_version_num')::int,
  'data_directory', current_setting('data_directory'),
  'databases', (SELECT json_agg(json_build_array(datname, datconnlimit)) FROM pg_database),
  'roles', (SELECT json_agg(rolname) FROM pg_roles),
  'owners', (SELECT coalesce(json_agg(DISTINCT rolname), '[]') FROM pg_shdepend JOIN pg_database d ON d.oid = dbid
      JOIN pg_roles r ON r.oid = refobjid WHERE deptype = 'o' AND datname = {name} AND NOT rolsuper),
  'superusers', (SELECT json_agg(rolname) FROM pg_roles WHERE rolsuper),
  'logins', (SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_roles
      WHERE rolname ~ '^windflow_login_[0-9a-f]{{8}}$'),
  'database', (SELECT json_build_object(
      'oid', d.oid::bigint, 'bytes', pg_database_size(d.oid), 'row', to_jsonb(d),
      'owner', pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding),
      'comment', shobj_description(d.oid, 'pg_database'),
      'acl', CASE WHEN datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_array(
          CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END, privilege_type, is_grantable)), '[]')
        FROM aclexplode(datacl)) END,
      'settings', (SELECT coalesce(json_agg(json_build_array(
          CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END, setconfig)), '[]')
        FROM pg_db_role_setting WHERE setdatabase = d.oid))
    FROM pg_database d WHERE datname = {name}));
"""
# Tables of extensions are made by CREATE EXTENSION and not by the dump.
COUNTS = """\
SELECT format('SELECT json_build_array(%L::text, %L::text, count(*)) FROM ONLY %I.%I',
    nspname, relname, nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't' AND nspname NOT IN ('pg_catalog', 'information_schema')
    AND nspname !~ '^pg_(toast|temp)' AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
  ORDER BY nspname, relname \\gexec
SELECT json_build_array(NULL, 'large objects', count(*)) FROM pg_largeobject_metadata;
"""
# What initdb made has lower numbers.
EMPTY = """\
SELECT NOT EXISTS (SELECT FROM pg_class WHERE oid >= 16384) AND NOT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384)
  AND NOT EXISTS (SELECT FROM pg_largeobject_metadata);
"""


def counted(answers: list[Any]) -> tuple[dict[str, int], int]:
    """({table: rows}, number of large objects) from what ``COUNTS`` answers."""
    tables = [answer for answer in answers if answer[0] is not None]
    rows = {"%s.%s" % (_plain(schema), _plain(table)): number for schema, table, number in tables}
    return rows, next(number for schema, _table, number in answers if schema is None)


def replaced_name(name: str, taken: Collection[str]) -> str:
    """Returns what the live database is called once another one has its place."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    found = replaced_prefix(name) + stamp
    number = 1
    while found in taken:
        number += 1
        found = replaced_prefix(name) + "%s_%d" % (stamp, number)
    return found


def restore_prefix(name: str) -> str:
    """Returns what the names of databases begin with that are to take the place of ``name``; eight digits follow."""
    return derived_name(name, "_restore_")


def leftovers(name: str, databases: list[Any]) -> list[str]:
    """Those of ``databases`` ([name, connection limit]) that a backup or a restore of ``name`` has made and not
    ended, or a backup of any other. Whoever gets the lock of ``lock_keys`` knows that its run is dead."""
    return [
        one
        for one, limit in databases
        # -2 is a database whose DROP was cut off.
        if limit in (0, MAKING, -2)
        and one[:-8] in (SCRATCH, restore_prefix(name))
        and re.fullmatch("[0-9a-f]{8}", one[-8:])
    ]


def properties(database: dict[str, Any]) -> dict[str, Any]:
    """Returns what a database has that its dump does not say, from what the server says of it."""
    row = database["row"]
    return {
        "owner": database["owner"],
        "encoding": database["encoding"],
        "collate": row["datcollate"],
        "ctype": row["datctype"],
        "provider": row.get("datlocprovider", "c"),
        "locale": row.get("datlocale", row.get("daticulocale")) or "",
        "rules": row.get("daticurules") or "",
        "connection_limit": row["datconnlimit"],
        "acl": database["acl"],
        "settings": database["settings"],
        "comment": database["comment"],
    }


def creation(name: str, wanted: dict[str, Any], number: int, owner: str = "") -> str:
    """CREATE DATABASE that nobody but a superuser can connect to, in encoding and locale as ``wanted``."""
    quoted = quote_identifier(name)
    words = ["CREATE DATABASE %s TEMPLATE template0 CONNECTION LIMIT 0" % quoted]
    for key, value in (("ENCODING", "encoding"), ("LC_COLLATE", "collate"), ("LC_CTYPE", "ctype")):
        words.append("%s %s" % (key, quote_literal(wanted[value])))
    if number >= 150000:
        provider = {"i": "icu", "b": "builtin"}.get(wanted["provider"], "libc")
        words.append("LOCALE_PROVIDER " + provider)
        if provider != "libc":
            words.append("%s_LOCALE %s" % (provider.upper(), quote_literal(wanted["locale"])))
        if wanted["rules"]:
            words.append("ICU_RULES " + quote_literal(wanted["rules"]))
    if owner:
        words.append("OWNER " + quote_identifier(owner))
    return "%s;\nREVOKE ALL ON DATABASE %s FROM PUBLIC;\n" % (" ".join(words), quoted)


def privileges(name: str, wanted: dict[str, Any]) -> list[str]:
    """SQL that gives the database ``name`` the owner, grants, settings and comment that are ``wanted``."""
    database = quote_identifier(name)
    found = ["ALTER DATABASE %s OWNER TO %s;" % (database, quote_identifier(wanted["owner"]))]
    if wanted["acl"] is None:
        found.append("GRANT CONNECT, TEMPORARY ON DATABASE %s TO PUBLIC;" % database)
    else:
        found.append("REVOKE ALL ON DATABASE %s FROM PUBLIC, %s;" % (database, quote_identifier(wanted["owner"])))
        for role, privilege, grantable in wanted["acl"]:
            if not re.fullmatch("[A-Z ]+", privilege):
                raise WindflowError(Problem("E4097", "a privilege", ascii(privilege), "use another backup"))
            to = quote_identifier(role) if role else "PUBLIC"
            option = " WITH GRANT OPTION" if grantable else ""
            found.append("GRANT %s ON DATABASE %s TO %s%s;" % (privilege, database, to, option))
    for role, settings in wanted["settings"]:
        whose = "ROLE %s IN DATABASE %s" % (quote_identifier(role), database) if role else "DATABASE " + database
        for setting in settings:
            key, _equals, value = setting.partition("=")
            values = listed(value) if key.lower() in LISTS else [value]
            variable = ".".join(quote_identifier(part) for part in key.split("."))
            found.append("ALTER %s SET %s = %s;" % (whose, variable, ", ".join(quote_literal(item) for item in values)))
    if wanted["comment"]:
        found.append("COMMENT ON DATABASE %s IS %s;" % (database, quote_literal(wanted["comment"])))
    return found


def listed(value: str) -> list[str]:
    """The names in a setting that is a list of them: ``"$user", public``."""
    found = re.findall(r'\s*(?:"((?:[^"]|"")*)"|([^,"\s]+))\s*(?:,|$)', value)
    return [quoted.replace('""', '"') if quoted or not plain else plain for quoted, plain in found] or [""]


def swap_sql(restored: str, name: str, replaced: str, limit: int) -> str:
    """One transaction in which ``restored`` becomes ``name``; the old one becomes ``replaced``, if there is one."""
    renamed = "ALTER DATABASE %s RENAME TO %s;"
    lines = ["SET lock_timeout = '20s';", "BEGIN;"]
    if replaced:
        lines.append(renamed % (quote_identifier(name), quote_identifier(replaced)))
    lines.append("ALTER DATABASE %s CONNECTION LIMIT %d;" % (quote_identifier(restored), limit))
    lines.append(renamed % (quote_identifier(restored), quote_identifier(name)))
    return "\n".join([*lines, "COMMIT;"]) + "\n"


def _plain(name: str) -> str:
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"%s"' % name.replace('"', '""')


def lock_keys(name: str) -> str:
    """Returns the keys of the advisory lock for a database of ours: the second are the eight digits of its name."""
    number = int(name[-8:], 16)
    return "%d, %d" % (LOCK, number - (1 << 32) if number >= 1 << 31 else number)
