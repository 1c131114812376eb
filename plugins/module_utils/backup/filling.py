# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump in a new database: what is taken of it, and whose it is afterwards. Nothing here runs it.

While a dump is restored, functions of the application are run: in checks, indexes, materialized views. So it is
restored by a login that may do nothing but fill that one database, with everything its own and without privileges.
Owners and privileges follow once nothing is run any more, by another login that is a member of the owners. Neither is
a superuser or a member of one: what a superuser owned goes to the owner of the database.
"""

from __future__ import annotations

import re

from ..errors import Problem, WindflowError
from ..text.quoting import quote_identifier, quote_literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


# The extensions of a database, for the login that dumps it.
EXTENSIONS = """\
SELECT json_build_array(extname, nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
  WHERE extname <> 'plpgsql' ORDER BY e.oid;
"""
# Those that only a superuser can make.
UNTRUSTED = "SELECT DISTINCT name FROM pg_available_extension_versions WHERE superuser AND NOT trusted;\n"
# What the login that asks owns in the database: type, identity, schema, name, and the name that a listing has.
OBJECTS = """\
SELECT json_build_array(i.type, i.identity, i.schema, i.name, (
    SELECT proname || '(' || array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t), ', ') || ')'
    FROM pg_proc WHERE oid = d.objid AND d.classid = 'pg_proc'::regclass))
  FROM pg_shdepend d, LATERAL pg_identify_object(d.classid, d.objid, 0) i
  WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND d.deptype = 'o'
    AND d.refobjid = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND NOT EXISTS (
      SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND (e.deptype = 'e'
        OR e.deptype IN ('a', 'i') AND e.refclassid = 'pg_class'::regclass AND e.refobjsubid > 0))
  ORDER BY d.classid, d.objid;
"""
# What of a database only a superuser can make.
_ABOVE = ("EVENT TRIGGER", "SUBSCRIPTION", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA")
_PRIVILEGES = ("ACL", "DEFAULT ACL")
_KINDS = "|".join(sorted((*_ABOVE, *_PRIVILEGES), key=len, reverse=True))
_ENTRY = re.compile(r"\d+; \d+ \d+ (?P<all>(?P<kind>%s|[A-Z]+)(?: (?P<rest>.*))?)$" % _KINDS)
# pg_identify_object's types as a listing has them, and as ALTER has them.
_LISTED = {"function": ("FUNCTION",), "procedure": ("PROCEDURE",), "type": ("TYPE", "DOMAIN", "SHELL TYPE")}
_LISTED["statistics object"] = ("STATISTICS",)
_ALTERED = {"function": "ROUTINE", "procedure": "ROUTINE", "aggregate": "ROUTINE", "statistics object": "STATISTICS"}
_LARGE = re.compile(r"BLOB(?: METADATA)? - (\d+)(?:\.\.(\d+))? (.*)$")


def entries(listing: str) -> list[tuple[str, str, str, str]]:
    """(line, kind, rest, kind and rest) of what pg_restore lists."""
    found = [_ENTRY.match(line) for line in listing.splitlines()]
    return [
        (match.group(0), match.group("kind"), match.group("rest") or "", match.group("all")) for match in found if match
    ]


def left_out(listing: str) -> list[str]:
    """Returns what of a dump is not restored, because nobody but a superuser can make it: ``event trigger x``."""
    return [
        "%s %s" % (kind.lower(), rest.split(" ", 1)[-1].rpartition(" ")[0])
        for _line, kind, rest, _all in entries(listing)
        if kind in _ABOVE
    ]


def content(listing: str, prepared: list[list[str]]) -> bytes:
    """Returns the lines to fill a database by; empty where that is everything. ``prepared``: [extension, schema]
    there."""
    unwanted = ["COMMENT - EVENT TRIGGER ", "SECURITY LABEL - EVENT TRIGGER ", *(kind + " " for kind in _ABOVE)]
    unwanted += ["COMMENT - EXTENSION %s " % name for name, _schema in prepared]
    unwanted += ["SCHEMA - %s " % schema for _name, schema in prepared]
    found = entries(listing)
    kept = [line for line, _kind, _rest, whole in found if not whole.startswith(tuple(unwanted))]
    return b"" if len(kept) == len(found) else ("\n".join(kept) + "\n").encode("utf-8")


def privileges(listing: str, superusers: Collection[str]) -> bytes:
    """Returns the lines that give privileges; not those that a superuser gives by default."""
    by_superusers = tuple(" " + name for name in superusers)
    kept = [
        line
        for line, kind, rest, _whole in entries(listing)
        if kind in _PRIVILEGES and not (kind == "DEFAULT ACL" and rest.endswith(by_superusers))
    ]
    return ("\n".join(kept) + "\n").encode("utf-8") if kept else b""


def owners(objects: list[Any], listing: str, roles: Collection[str]) -> list[list[str]]:
    """[type, identity, schema, owner] of what ``OBJECTS`` answers, as the listing knows the owners. What it does not
    know is left out. Raises WindflowError (E4088) for an owner that is no role any more."""
    lines = [whole for _line, _kind, _rest, whole in entries(listing)]
    there, large = set(lines), [match.groups() for match in map(_LARGE.match, lines) if match]
    found = []
    gone: set[str] = set()
    for kind, identity, schema, name, signature in objects:
        if kind == "large object":
            number = int(identity)
            owner = [role for first, last, role in large if int(first) <= number <= int(last or first)]
            candidates = owner if owner and owner[0] in roles else []
        else:
            names = _LISTED.get(kind, (kind.upper(),))
            tag = "%s %s " % (_plain(schema or "-"), signature or _plain(name or identity))
            heads = ["%s %s" % (word, tag.replace("\n", " ").replace("\r", " ")) for word in names]
            candidates = [role for role in roles for head in heads if head + role in there]
            if not candidates:
                gone.update(line[len(head) :] for head in heads for line in lines if line.startswith(head))
        found += [[kind, identity, schema, role] for role in candidates[:1]]
    if gone - {""}:
        got = "; ".join('role "%s" does not exist' % name for name in sorted(gone - {""})[:5])
        said = "a role that owns something in the backup is missing"
        raise WindflowError(Problem.plain("E4088", said, got, "create them, then run again"))
    return found


def defaults(listing: str, roles: Collection[str], superusers: Collection[str]) -> list[str]:
    """Returns the roles whose default privileges are in a dump, but superusers."""
    found = set()
    for _line, kind, rest, _whole in entries(listing):
        fitting = [name for name in roles if rest.endswith(" " + name)] if kind == "DEFAULT ACL" else []
        found.update([max(fitting, key=len)] if fitting else [])
    return sorted(found - set(superusers))


def new_owner(owner: str, owned: list[list[str]], superusers: Collection[str]) -> str:
    """Returns the role that gets what was a superuser's. Raises WindflowError (E4068)."""
    for name in (owner, *(item[3] for item in owned)):
        if name not in superusers:
            return name
    remedy = "give the database to a role that is no superuser: ALTER DATABASE … OWNER TO …"
    said = "the database and everything in it belongs to superusers"
    raise WindflowError(Problem.plain("E4068", said, owner, remedy))


def preparation(number: int, login: str, extensions: list[list[str]]) -> list[str]:
    """Returns what a superuser does in a database that is new and that nobody was let into yet."""
    quoted = quote_identifier(login)
    # Since PostgreSQL 15 the schema public is the database's owner's.
    found = ["ALTER SCHEMA public OWNER TO %s;" % quoted] if number < 150000 else []
    for name, schema in extensions:
        place = quote_identifier(schema)
        if schema not in ("public", "pg_catalog"):
            found.append("CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s;" % (place, quoted))
        found.append("CREATE EXTENSION IF NOT EXISTS %s SCHEMA %s;" % (quote_identifier(name), place))
        if schema != "pg_catalog":
            found.append("GRANT ALL ON ALL TABLES IN SCHEMA %s TO %s;" % (place, quoted))
    return found


def ownership_sql(login: str, first: str, owned: list[list[str]]) -> str:
    """SQL that gives what the login ``login`` has made to its owners, and to ``first`` what has none. For a member of
    them all, in the database; no privileges have been given yet."""
    # pg_identify_object has quoted the names.
    schemas = {item[1]: item[3] for item in owned if item[0] == "schema"}
    objects = [item for item in owned if item[0] != "schema" and item[3] != first]
    guests = sorted({(item[2], item[3]) for item in objects if item[2] and schemas.get(item[2]) != item[3]})
    mine = "(SELECT oid FROM pg_roles WHERE rolname = %s)" % quote_literal(login)
    heirs = "(SELECT oid FROM pg_roles WHERE rolname = %s)" % quote_literal(first)
    name = quote_identifier(first)
    lines = ["BEGIN;"]
    lines += ["ALTER SCHEMA %s OWNER TO %s;" % (one, quote_identifier(owner)) for one, owner in sorted(schemas.items())]
    lines.append(
        "SELECT format('ALTER SCHEMA %%I OWNER TO ' || %s, nspname) FROM pg_namespace WHERE nspowner = %s \\gexec"
        % (quote_literal(name), mine)
    )
    # Whoever is to own something in a schema must be able to create there at that moment.
    lines += ["GRANT USAGE, CREATE ON SCHEMA %s TO %s;" % (one, quote_identifier(owner)) for one, owner in guests]
    for kind, identity, _schema, owner in objects:
        if not re.fullmatch("[a-z -]+", kind):
            raise WindflowError(
                Problem.plain("E4097", "the backup has an unknown kind of object", ascii(kind), "use another backup")
            )
        word = _ALTERED.get(kind, kind.upper())
        lines.append("ALTER %s %s OWNER TO %s;" % (word, identity, quote_identifier(owner)))
    left = """\
SELECT format('GRANT USAGE, CREATE ON SCHEMA %%s TO ' || %s, i.schema) FROM pg_shdepend d,
    LATERAL pg_identify_object(d.classid, d.objid, 0) i, pg_namespace n
  WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND d.deptype = 'o'
    AND d.refobjid = %s AND quote_ident(nspname) = i.schema AND nspowner <> %s GROUP BY i.schema \\gexec
REASSIGN OWNED BY %s TO %s;
SELECT format('REVOKE ALL ON SCHEMA %%I FROM ' || %s, nspname) FROM pg_namespace
  WHERE nspowner <> %s AND EXISTS (SELECT FROM aclexplode(nspacl) WHERE grantee = %s) \\gexec"""
    lines.append(
        left % (quote_literal(name), mine, heirs, quote_identifier(login), name, quote_literal(name), heirs, heirs)
    )
    lines += ["REVOKE ALL ON SCHEMA %s FROM %s;" % (one, quote_identifier(owner)) for one, owner in guests]
    return "\n".join([*lines, "COMMIT;"]) + "\n"


def _plain(name: str) -> str:
    """A name as the server has quoted it, without that."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
