# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles that live for one piece of work, for what is to be done inside a database that others write to.

There, functions, operators and settings of others may be run. Whoever is in there as superuser gives them the whole
server, and ``SET ROLE`` or ``SET SESSION AUTHORIZATION`` can be undone by the very code that they are against. So what
goes there is a role of its own that logs in with a password of its own, has no rights but those that the work needs,
and is dropped afterwards.

A looker's time is short, and it goes when that is over. Any other one has the eight digits of an advisory lock in its
name, which is held as long as the run that made it lives.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field

from ..errors import Problem
from ..text.quoting import quote_identifier, quote_literal
from .scram import scram_verifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


LOOKER = "windflow_look_"
WORKER = "windflow_login_"
# libpq goes to the next one where nobody listens.
HOSTS = "127.0.0.1,::1"
LOOKER_SECONDS = 120
_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 8"


@dataclass(frozen=True)
class Login:
    """A role and its password, which is nowhere but in the memory of the process that made it."""

    name: str
    password: str = field(repr=False)


def new(prefix: str, digits: str = "") -> Login:
    """A login that is not there yet."""
    return Login(prefix + (digits or secrets.token_hex(4)), secrets.token_hex(24))


def creation(login: Login, attributes: str = "NOBYPASSRLS") -> str:
    """CREATE ROLE as far as the memberships, which may follow."""
    verifier = scram_verifier(login.password, os.urandom(16))
    return "CREATE ROLE %s %s %s PASSWORD %s" % (
        quote_identifier(login.name),
        _ATTRIBUTES,
        attributes,
        quote_literal(verifier),
    )


def make_looker(login: Login, name: str, roles: list[str]) -> str:
    """SQL that makes a login which can enter the database ``name``: as member of one of ``roles``, or as anybody can.

    It never becomes a member of a superuser.
    """
    return """\
SELECT %s || format(' VALID UNTIL %%L', now() + interval '%d seconds') || coalesce((
    SELECT format(' IN ROLE %%I', rolname) FROM pg_roles WHERE rolname IN (%s) AND NOT rolsuper
      AND has_database_privilege(oid, %s, 'CONNECT') ORDER BY rolname <> %s LIMIT 1), '') \\gexec""" % (
        quote_literal(creation(login)),
        LOOKER_SECONDS,
        ", ".join(quote_literal(role) for role in roles),
        quote_literal(name),
        quote_literal(roles[0]),
    )


def make_worker(login: Login, grants: Iterable[str]) -> str:
    """SQL that makes a login with what its work needs. Policies of rows would hide a part of what is dumped or
    restored. Errors are in English, as ``shown`` knows them."""
    quoted = quote_identifier(login.name)
    found = [creation(login, "BYPASSRLS") + ";", "ALTER ROLE %s SET lc_messages = 'C';" % quoted]
    return "\n".join([*found, *(grant % quoted for grant in grants)]) + "\n"


def drop_worker(name: str) -> str:
    """SQL after which the login is not there, nor a session or a privilege of its own."""
    literal, quoted = quote_literal(name), quote_identifier(name)
    return """\
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s;
SELECT format('DROP OWNED BY %%I', rolname) FROM pg_roles WHERE rolname = %s \\gexec
DROP ROLE IF EXISTS %s;
""" % (literal, literal, quoted)


def drop_lookers(login: Login) -> str:
    """SQL that drops a looker, and those whose time is over."""
    return """\
DROP ROLE IF EXISTS %s;
SELECT format('DROP ROLE IF EXISTS %%I', rolname) FROM pg_roles
  WHERE rolname ~ '^%s[0-9a-f]{8}$' AND rolvaliduntil < now() \\gexec""" % (quote_identifier(login.name), LOOKER)


def refused(got: str) -> Problem:
    """Returns what it means that a login cannot enter."""
    return Problem.plain(
        "E4067",
        "pg_hba.conf does not let a login of the platform in with its password, over 127.0.0.1",
        got,
        "add the line host all all 127.0.0.1/32 scram-sha-256 before those that refuse; PostgreSQL has to listen there",
    )
