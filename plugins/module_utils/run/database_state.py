# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database and its roles as they should be: what the module ``database`` does."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import time

from ..database import access, difference, owners, postgres, scram
from ..errors import Problem, WindflowError
from ..record import host_secrets, ownership, store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": True},
    "made": {"type": "dict", "default": {}},
    "inputs": {"type": "dict"},
    "port": {"type": "int", "default": 5432},
    "max_connections": {"type": "int", "default": -1},
    "socket_dir": {"type": "str"},
    "wait": {"type": "int", "default": 10},
    "plugin": {"type": "str", "default": ""},
    "adopt": {"type": "list", "elements": "str", "choices": ["database", "role"], "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
# A server that nothing is known of, as the packages install it.
BLANK = {"version": 150000, "encoding": "UTF8", "collate": "", "roles": {}, "database": None, "schema": {}}


def read(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """The server's state; a blank one for a check without a server. Raises WindflowError."""
    deadline = time.monotonic() + params["wait"]
    while True:
        try:
            return postgres.read_state(
                params["port"], params["name"], params["user"], socket_dir=params["socket_dir"] or ""
            )
        except WindflowError as error:
            if error.code != "E4051":
                raise
            if check:
                return BLANK
            if not postgres.starting(str(error)) or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def whose(params: dict[str, Any], actual: dict[str, Any]) -> tuple[Any, ...]:
    """{database, role}: the names that were not made for the plugin; and what was. Without a plugin everything is ours,
    unless what is there is adopted.

    Raises WindflowError (E2040, E2041) where what is there is not adopted.
    """
    plugin, name, user = params["plugin"], params["name"], params["user"]
    made = ownership.made_resources(store.load(plugin)) if plugin else {"database": [], "role": []}
    if not plugin and not params["adopt"]:
        return made, None
    there = postgres.summary(actual, name, user)
    problems = [] if params["state"] == "absent" else owners.findings(name, user, there, made, params["adopt"])
    if problems:
        raise WindflowError(problems)
    database, roles = owners.foreigners(name, user, there, made)
    if params["state"] == "absent" and postgres.owner_role(name) not in made["role"]:
        roles = sorted({*roles, postgres.owner_role(name)})
    return {"database": [name] if database else [], "role": roles}, made


def desire(params: dict[str, Any], actual: dict[str, Any], adopted: dict[str, Any]) -> dict[str, Any]:
    """What there should be. A password that the stored verifier fits gets no new one."""
    password = params["password"]
    if params["state"] == "present" and not password:
        raise WindflowError(
            Problem.plain("E4054", "there is no password for the role %s" % params["user"], "", "set database.password")
        )
    stored = actual["roles"].get(params["user"], {}).get("verifier", "")
    verifier = None
    if password and not scram.verify_scram(password, stored):
        verifier = scram.scram_verifier(password, os.urandom(16))
    return {
        "state": params["state"],
        "name": params["name"],
        "user": params["user"],
        "connection_limit": params["max_connections"],
        "verifier": verifier,
        "adopted": adopted,
    }


def apply(params: dict[str, Any], actual: dict[str, Any], found: list[Any]) -> None:
    """Makes the changes. Raises WindflowError."""
    port, socket_dir = params["port"], params["socket_dir"] or ""
    outcome = "What came before it was done. Running it again goes on from there."
    patient = functools.partial(postgres.run, timeout=postgres.CHANGE_TIMEOUT)
    for inside, changes in itertools.groupby(found, lambda change: change["inside"]):
        if inside == access.FILE:
            write_access(params, actual["access"]["file"])
            continue
        sql = "".join(statement + "\n" for change in changes for statement in change["sql"])
        if inside:
            postgres.execute_inside(sql, port, params["name"], actual["database"]["owner"], socket_dir, outcome)
        else:
            postgres.execute_sql(sql, port, patient, socket_dir, outcome)


def write_access(params: dict[str, Any], file: str) -> None:
    """Puts windflow's lines for the database into pg_hba.conf, or takes them out. Raises WindflowError (E4089)."""
    edit = access.with_lines if params["state"] == "present" else access.without_lines
    postgres.change_access(file, lambda text: edit(text, params["name"]), params["port"], params["socket_dir"] or "")


def make(params: dict[str, Any], actual: dict[str, Any], found: list[Any]) -> list[Any]:
    """Makes what there should be, and notes before what is made here. Returns the changes. Raises WindflowError."""
    made = {"database": [params["name"]], "role": [params["user"], postgres.owner_role(params["name"])]}
    new = {kind: [name for name in names if "%s %s" % (kind, name) in absent(found)] for kind, names in made.items()}
    try:
        for kind, names in new.items():
            if params["plugin"] and names:
                ownership.note_made(params["plugin"], kind, names)
        apply(params, actual, found)
    except WindflowError:
        with contextlib.suppress(WindflowError):
            forget(params, read(params, False), new)
        raise
    if not actual["database"] or actual["database"]["open"]:
        return found
    # Nobody could look into a database that was closed.
    actual = read(params, False)
    more = difference.changes(dict(desire(params, actual, whose(params, actual)[0]), verifier=None), actual)
    apply(params, actual, more)
    return found + more


def absent(found: list[Any]) -> list[Any]:
    """The objects that changes make."""
    return [change["object"] for change in found if change["before"] == "absent"]


def remove(params: dict[str, Any], actual: dict[str, Any], found: list[Any], names: dict[str, Any]) -> list[Any]:
    """Removes what was made here. Returns the changes. Raises WindflowError: E4065 where something keeps it."""
    try:
        apply(params, actual, found)
    except WindflowError as error:
        if error.code != "E4052":
            raise
        roles = [change["object"][5:] for change in found if change["object"].startswith("role ")]
        dropped = "database %s" % params["name"] in [
            change["object"] for change in found if change["after"] == "absent"
        ]
        sql = difference.keeping(params["name"], roles, dropped)
        kept = postgres.execute_sql(sql, params["port"], socket_dir=params["socket_dir"] or "").splitlines()
        said = "something keeps the database %s or its roles" % params["name"]
        remedy = "end, drop or reassign it, then purge again"
        got = "; ".join(kept) or error.problems[0].got
        raise WindflowError(Problem.plain("E4065", said, got, remedy), error.outcome) from error
    finally:
        with contextlib.suppress(WindflowError):
            forget(params, read(params, False), names)
    return found


def forget(params: dict[str, Any], actual: dict[str, Any], names: dict[str, Any]) -> None:
    """Notes of what is not there that it was not made here, or is gone."""
    there = {"database": [params["name"]] if actual["database"] else [], "role": list(actual["roles"])}
    for kind, known in names.items():
        gone = [name for name in known if name not in there[kind]]
        if params["plugin"] and gone:
            ownership.forget_made(params["plugin"], kind, gone)


def bring(params: dict[str, Any], check: bool) -> tuple[dict[str, Any], list[str]]:
    """The result and its warnings. Raises WindflowError."""
    name, user = params["name"], params["user"]
    postgres.check_names(name, user)
    actual = read(params, check)
    foreign, _made = whose(params, actual)
    desired = desire(params, actual, foreign)
    found = difference.changes(desired, actual)
    if not check and params["state"] == "absent" and (found or params["plugin"]):
        found = remove(params, actual, found, {"database": [name], "role": [user, postgres.owner_role(name)]})
    elif not check and found:
        found = make(params, actual, found)
    shown = [{key: change[key] for key in ("object", "attribute", "before", "after")} for change in found]
    diff: dict[str, dict[str, Any]] = {}
    for change in shown:
        one = diff.setdefault(change["object"], {"before": {}, "after": {}})
        one["before_header"] = one["after_header"] = change["object"]
        for when in ("before", "after"):
            one[when][change["attribute"]] = change[when]
    result = {
        "changed": bool(found),
        "changes": shown,
        "owner": actual["database"]["owner"] if foreign["database"] else postgres.owner_role(name),
        "diff": list(diff.values()),
    }
    return result, difference.warnings(desired, actual)


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.database) to its options. Raises WindflowError."""
    password = host_secrets.fill(params["password"] or "", params["made"])
    result, warnings = bring({**params, "password": password}, params["check"])
    return {**result, "warnings": warnings}
