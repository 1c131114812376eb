#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup
short_description: Back up an application's database, restore it or delete a backup
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Dumps one database of a PostgreSQL that runs on the host, or in a container of the host, into a directory of root's.
  - A backup counts only once it was read back. It is restored into a database of its own, and the rows of each table
    are compared with those of the snapshot that was dumped.
  - A restore fills a new database, counts its rows, and then exchanges the names in one transaction. Until then the
    live database is not touched, and afterwards what it was is still there under another name.
  - What a run that was killed has left (files, databases, sessions) is removed by the next one.
  - Runs C(pg_dump) and C(pg_restore) of the server's version, never as its superuser. Roles that the module makes for
    the time of its work log in over 127.0.0.1 with a password (over the socket where that is refused). The first may
    only read the database, the second owns nothing but the new one, and the third gives what was restored to its owners
    when no function of the application is run any more.
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
    details:
      - The server, its programs, the free space and the backup's digest are looked at as in a real run.
      - Databases that a run that was killed has left are not predicted.
  diff_mode:
    description: Returns what changes, without data.
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=restored) each call restores.
options:
  name:
    description: Name of the database.
    type: str
    required: true
  label:
    description:
      - Name of the backup, such as that of the release that is served. The files C(<label>.dump) and C(<label>.json)
        are named after it. 1 to 128 letters, digits, dots, underscores and hyphens.
    type: str
    required: true
  plugin:
    description:
      - Name of the plugin that the database is of. Its backups lie in C(/var/lib/windflow/<plugin>/backups/database).
      - Either O(plugin) or O(directory) is needed.
    type: str
  directory:
    description:
      - Absolute path of another directory of backups. It is made with the mode V(0700) if it is absent.
      - Nobody but its owner, who must be the one that the module runs as, may write to it.
    type: path
  state:
    description:
      - V(present) makes the backup, unless it exists and is intact.
      - V(restored) puts the backup in the place of the database, which may be absent.
      - V(absent) deletes the backup.
    type: str
    choices: [present, restored, absent]
    default: present
  port:
    description: Port of the server. It names the socket.
    type: int
    default: 5432
  socket_dir:
    description:
      - Directory of the server's socket, where it is not the one that is built into psql.
      - With O(container) the default is V(/tmp).
    type: str
  container:
    description:
      - Name or id of the Docker container that the server runs in. Its own user must be mapped to the role V(postgres)
        over the socket, as in the sample plugin's image.
      - Without it the server runs on the host, and its programs as the user V(postgres) of the operating system.
    type: str
  verify:
    description:
      - How a new backup is read back. V(restore) restores it into a database of its own, V(list) only compares what is
        on the disk with what was written and reads the table of contents.
      - A backup that is there and was only listed is restored for a proof by a call with V(restore).
    type: str
    choices: [restore, list]
    default: restore
  keep:
    description:
      - How many backups of this database to keep in the directory. The oldest are deleted, after the new one was
        verified and never it itself. V(0) keeps all.
    type: int
    default: 5
  spare:
    description:
      - Labels of backups that O(keep) never deletes, however old they are. They count among those that are kept.
    type: list
    elements: str
    default: []
  skip_empty:
    description:
      - With O(state=present), whether a database that is not there, or in which there is nothing (no relation, function
        or large object), is left without a backup. RV(made) is then false and RV(path) empty.
      - A check then takes a server that does not answer for one that a real run would have set up before, and empty.
    type: bool
    default: false
  drop_replaced:
    description:
      - Whether O(state=restored) drops the database that was replaced, after the exchange.
      - Otherwise it stays as C(<name>_replaced_<UTC time>) and takes space until you drop it.
    type: bool
    default: false
  timeout:
    description: How many seconds the whole call may take. When they are over, the module undoes what it began.
    type: int
    default: 3600
notes:
  - The directory needs as much free space as the database has bytes, although the dump is compressed. So does the
    server's data directory, for O(verify=restore) and O(state=restored).
  - Roles are not part of a backup. Those that own or may use something must be there when it is restored.
  - What a superuser owns in the database belongs to the database's owner once it was restored, and RV(taken_over) names
    it. What only a superuser can make is not restored, and RV(left_out) names it; a superuser's extensions are.
  - The rows of tables that belong to extensions are not counted.
seealso:
  - module: windflow.platform.database
"""

EXAMPLES = r"""
- name: Back up the database before the release is replaced
  windflow.platform.database_backup:
    name: myapp
    label: 20261123T012327Z-1a2b3c4d
    plugin: myapp

- name: Back up a database in a container
  windflow.platform.database_backup:
    name: myapp
    container: windflow-myapp-db-1
    label: 20261123T012327Z-1a2b3c4d
    plugin: myapp
    keep: 3

- name: Restore the database
  windflow.platform.database_backup:
    name: myapp
    label: 20261123T012327Z-1a2b3c4d
    plugin: myapp
    state: restored
"""

RETURN = r"""
path:
  description: The dump. Empty where there was nothing to back up, with O(skip_empty).
  type: str
  returned: success
  sample: /var/lib/windflow/myapp/backups/database/20261123T012327Z-1a2b3c4d.dump
sha256:
  description: Its SHA-256. Empty where there is no backup, as with O(state=absent), and for one that a check predicts.
  type: str
  returned: success
size:
  description: Its bytes.
  type: int
  returned: success
tables:
  description: How many tables were counted.
  type: int
  returned: success
rows:
  description: How many rows they have.
  type: int
  returned: success
verified:
  description: How the backup was read back, V(restore) or V(list). Empty where there is no digest.
  type: str
  returned: success
time:
  description: When it was made, in UTC. Empty where there is no digest.
  type: str
  returned: success
  sample: "2026-11-23T01:23:27.123456Z"
made:
  description: Whether the backup was or would be made by this call. Otherwise it was there, or there is none.
  type: bool
  returned: success
replaced:
  description: The name that the database has which was replaced. Empty if there was none, or if it was dropped.
  type: str
  returned: success
  sample: myapp_replaced_20261123T012327Z
pruned:
  description: Labels of the old backups that were or would be deleted.
  type: list
  elements: str
  returned: success
cleaned:
  description: Files and databases of a run that was killed, which were removed.
  type: list
  elements: str
  returned: success
  sample: [20261123T012327Z-1a2b3c4d.dump.partial, windflow_verify_5f0c3a91]
left_out:
  description: What is not restored, because only a superuser can make it, such as event triggers and publications.
  type: list
  elements: str
  returned: success
  sample: [event trigger audit]
taken_over:
  description: What a superuser owned and the owner of the database owns now, with O(state=restored).
  type: list
  elements: str
  returned: success
  sample: [table public.lists]
seconds:
  description: How long the call took.
  type: float
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.backup import backup


def main():
    module = AnsibleModule(argument_spec=backup.ARGUMENTS, supports_check_mode=True, **backup.RULES)
    answer(module, backup.run)


if __name__ == "__main__":
    main()
