#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database
short_description: Create or remove an application's database and roles in the PostgreSQL of the host
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Makes a role that owns the database and cannot log in (the database's name and C(_owner)), a role that logs in for
    the application, and the database.
  - Nobody but the two roles may connect to the database or create in its schema C(public).
  - The password reaches the server as SCRAM-SHA-256 verifier only.
  - The server must run on the host. It is reached through its socket, as the user V(postgres) of the operating system.
  - The superuser does not enter a database that others write to. What its schema V(public) allows is looked at and
    changed by a role of the module's own, which logs in over 127.0.0.1 and goes again. Where C(pg_hba.conf) does not
    let it in, the schema is left as it is, with a warning.
extends_documentation_fragment:
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
    details:
      - Where no server answers yet, everything is predicted as a change.
  diff_mode:
    description: Returns what changes, without secrets.
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the database.
      - A database of that name must belong to O(user) or to the owner role, otherwise the module fails.
    type: str
    required: true
  user:
    description:
      - Name of the application's role.
      - Of an existing superuser only the password is managed, and a warning says so.
    type: str
    required: true
  password:
    description: Password of the application's role. Needed unless O(state=absent).
    type: str
  made:
    description:
      - Where O(password) is the mark of a secret that was made on the host, its plugin and key by the mark. The action
        sends it.
    type: dict
    default: {}
  inputs:
    description:
      - C(inputs) of a plan of M(windflow.platform.plan). The password is then C(database.password) of the plugin's
        configuration, and O(password) is not needed.
    type: dict
  port:
    description: Port of the server. It names the socket.
    type: int
    default: 5432
  max_connections:
    description: How many connections the application's role may have at once. V(-1) is no limit.
    type: int
    default: -1
  socket_dir:
    description: Directory of the server's socket, where it is not the one that is built into psql.
    type: str
  wait:
    description: How many seconds to wait for a server that is starting.
    type: int
    default: 10
  plugin:
    description:
      - Name of the plugin that the database is of. Its record knows what was made for it, and what is made now is noted
        there. A database or a role that was not is refused, unless O(adopt) has it, and never dropped.
      - Without it nothing is recorded. What is there already of those names counts as made here, or, with O(adopt), as
        somebody else's.
    type: str
    default: ""
  adopt:
    description:
      - What is used though it was not made for O(plugin). Of a role only the password is set, and that it may log in.
        In a database O(user) gets what it lacks, and owner, data and what others may do stay.
    type: list
    elements: str
    choices: [database, role]
    default: []
  state:
    description:
      - V(absent) drops the database with everything in it, those that a restore has replaced or that a backup or a
        restore that was killed has left, and both roles. A superuser is not dropped.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Create the application's database
  windflow.platform.database:
    name: myapp
    user: dbuser
    password: "{{ db_password }}"
    max_connections: 100

- name: Drop the database with all data
  windflow.platform.database:
    name: myapp
    user: dbuser
    state: absent
"""

RETURN = r"""
changes:
  description: What was or would be changed.
  type: list
  elements: dict
  returned: success
  sample: [{object: role dbuser, attribute: password, before: none, after: as configured}]
  contains:
    object:
      description: The role or the database.
      type: str
    attribute:
      description: What of it.
      type: str
    before:
      description: What it was.
      type: str
    after:
      description: What it is now.
      type: str
owner:
  description: The role that owns the database.
  type: str
  returned: success
  sample: myapp_owner
"""

import contextlib
import functools
import itertools
import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.database import (
    access,
    difference,
    owners,
    postgres,
    scram,
)
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import host_secrets, ownership, store

# A server that nothing is known of, as the packages install it.
BLANK = {"version": 150000, "encoding": "UTF8", "collate": "", "roles": {}, "database": None, "schema": {}}


def read(params: dict, check: bool) -> dict:
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


def whose(params: dict, actual: dict) -> tuple:
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


def desire(params: dict, actual: dict, adopted: dict) -> dict:
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


def apply(params: dict, actual: dict, found: list) -> None:
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


def write_access(params: dict, file: str) -> None:
    """Puts windflow's lines for the database into pg_hba.conf, or takes them out. Raises WindflowError (E4089)."""
    edit = access.with_lines if params["state"] == "present" else access.without_lines
    text = edit(access.read(file), params["name"])
    postgres.write_access(file, text, params["port"], params["socket_dir"] or "")


def make(params: dict, actual: dict, found: list) -> list:
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


def absent(found: list) -> list:
    """The objects that changes make."""
    return [change["object"] for change in found if change["before"] == "absent"]


def remove(params: dict, actual: dict, found: list, names: dict) -> list:
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


def forget(params: dict, actual: dict, names: dict) -> None:
    """Notes of what is not there that it was not made here, or is gone."""
    there = {"database": [params["name"]] if actual["database"] else [], "role": list(actual["roles"])}
    for kind, known in names.items():
        gone = [name for name in known if name not in there[kind]]
        if params["plugin"] and gone:
            ownership.forget_made(params["plugin"], kind, gone)


def run(params: dict, check: bool) -> tuple:
    """The module's result and its warnings. Raises WindflowError."""
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
    diff = {}
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


def main() -> None:
    module = AnsibleModule(
        argument_spec={
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
        },
        supports_check_mode=True,
    )
    try:
        password = host_secrets.fill(module.params["password"] or "", module.params["made"])
        result, warnings = run({**module.params, "password": password}, module.check_mode)
    except WindflowError as error:
        module.fail_json(**error.as_result())
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
