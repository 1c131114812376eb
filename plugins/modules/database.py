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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import database_state


def main():
    module = AnsibleModule(argument_spec=database_state.ARGUMENTS, supports_check_mode=True)
    answer(module, database_state.run)


if __name__ == "__main__":
    main()
