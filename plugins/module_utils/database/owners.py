# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a database and its roles are: made here for the plugin, adopted, or somebody else's.

What is adopted is used as it is. Of a role only the password is set and that it may log in; in a database the
application gets what it needs, and nobody loses anything. Neither is dropped at a purge.
"""

from __future__ import annotations

from ..errors import Problem
from ..record import ownership
from . import hba
from .postgres import owner_role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

KINDS = ("database", "role")
_RIGHTS = ("SUPERUSER", "CREATEROLE", "REPLICATION", "BYPASSRLS")


def findings(
    name: str, user: str, there: dict[str, Any] | None, made: dict[str, list[str]], adopt: Collection[str]
) -> list[Problem]:
    """Returns what speaks against a database and a role: E2040 and E2041 for those that are there, but neither made for
    the plugin nor adopted, or that are never adopted; E2042 where nobody is let in to look. ``there`` is what
    ``postgres.inspect`` returns."""
    found, there = [], there or {}
    if there.get("refused"):
        found.append(Problem.plain("E2042", hba.REFUSED, there["refused"], hba.REMEDY, path="database.name"))
    database, foreign = foreigners(name, user, there, made)
    for role in foreign:
        rights = sorted(set(there["app_role"].split()) & set(_RIGHTS)) if role == user else []
        rights += (
            ["a member of %s" % there["app_powers"]] if role == user and there["app_powers"] and not rights else []
        )
        said, got = "the role %s exists, and windflow did not make it for this plugin" % role, ""
        remedy = "name another one, or, %s" % ownership.remedy("role")
        if rights:
            said, got = "the role %s has rights over the server" % role, ", ".join(rights)
            remedy = "name a role of the application's own"
        if rights or "role" not in adopt:
            key = "database.user" if role == user else "database.name"
            found.append(Problem.plain("E2041", said, got, remedy, path=key))
    if database and "database" not in adopt:
        said = "the database %s of %s exists, and windflow did not make it for this plugin" % (name, there["owner"])
        remedy = "name another one, or, %s" % ownership.remedy("database")
        found.append(Problem.plain("E2040", said, "", remedy, path="database.name"))
    elif database and there["owner_superuser"] and lacking(user, there):
        said = "the superuser %s owns the database, so windflow does not give %s its rights" % (there["owner"], user)
        remedy = "change the owner of %s, or grant them yourself: %s" % (name, ", ".join(lacking(user, there)))
        found.append(Problem.plain("E2040", said, "", remedy, path="database.name"))
    return found


def foreigners(
    name: str, user: str, there: dict[str, Any] | None, made: dict[str, list[str]]
) -> tuple[bool, list[str]]:
    """Returns whether the database is there, but was not made for the plugin; the roles of which that is so. The
    owner's role is one of them unless the database has another owner."""
    if not there or not there.get("available"):
        return False, []
    database = there["database"] == "present" and name not in made["database"]
    roles = [] if database else [(owner_role(name), "owner_role")]
    found = [role for role, key in [(user, "app_role"), *roles] if there[key] != "absent" and role not in made["role"]]
    return database, found


def lacking(user: str, there: dict[str, Any]) -> list[str]:
    """Returns what the application has to be given in a database that is adopted, in SQL's words."""
    if there["owner"] == user:
        return []
    found = [] if there["app_connect"] or there["public_connect"] else ["CONNECT"]
    if there["app_usage"] is False and not there["public_usage"]:
        found.append("USAGE ON SCHEMA public")
    if there["app_create"] is False and not there["public_create"]:
        found.append("CREATE ON SCHEMA public")
    return found


def adopted(name: str, user: str, there: dict[str, Any], made: dict[str, list[str]]) -> list[str]:
    """Returns what of them is used though windflow has not made it, in words: what changes, and what stays."""
    database, roles = foreigners(name, user, there, made)
    found = []
    for role in roles:
        changes = "gets the configured password" if role == user else "is used as it is"
        changes += " and may log in" if role == user and "NOLOGIN" in there["app_role"].split() else ""
        found.append("role %s %s; its other attributes stay, and so does it at a purge" % (role, changes))
    if database:
        wanted = lacking(user, there)
        gets = "%s gets %s" % (user, ", ".join(wanted)) if wanted else "%s gets nothing more" % user
        kept = "its owner %s, its data and what others may do stay, and so does it at a purge" % there["owner"]
        found.append("database %s: %s; %s" % (name, gets, kept))
    return found
