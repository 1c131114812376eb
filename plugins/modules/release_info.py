#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Read a host's record of a plugin
version_added: 1.0.0
description:
  - Returns what is deployed, how the last run ended, and every revision that the host remembers.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  plugin:
    description: Name of the plugin. Without it, every plugin with a record.
    type: str
  wait:
    description: Seconds to wait for the end of a run that is at work on O(plugin), before its record is read.
    type: int
    default: 0
  ask:
    description: Whether to ask each application that is deployed for an answer.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the record
  windflow.platform.release_info:
    plugin: template
  register: template
"""

RETURN = r"""
run:
  description: An identity for a run that begins now.
  returned: success
  type: str
plugins:
  description: The records, by plugin.
  returned: success
  type: dict
  contains:
    current:
      description: The revision that serves, or nothing.
      type: dict
    last:
      description: The revision of the last run, however it ended.
      type: dict
    remains:
      description: The newest revision of which anything is left on the host, or nothing.
      type: dict
    good:
      description: The revisions that a rollback may go to, newest first.
      type: list
      elements: dict
    restorable:
      description:
        - Label of the backup of the database that a restore takes where none is named, or an empty text. It is the
          first that was made since the release that serves began to serve, else that of the run which brought it, else
          the newest that was made by hand since.
      type: str
    backups:
      description:
        - The backups of its database that are on the host, the newest first, each with C(label), C(time), C(age) in
          seconds, C(size) in bytes, C(database), and C(release) and C(version) of what served when it was made.
      type: list
      elements: dict
    backup_lines:
      description: The same in words.
      type: list
      elements: str
    serves:
      description:
        - The release that serves, if the record names another one, because a run was ended in the middle; empty where
          none does. Nothing where the record is right.
      type: str
    silence:
      description: Why what is deployed does not answer; empty where it does, and without O(ask).
      type: str
    networks:
      description: Names of the networks that windflow has configured for it.
      type: list
      elements: str
    lease:
      description: The run that is at work, or nothing.
      type: dict
    position:
      description: Another one after any run has begun or ended; O(windflow.platform.release#module:seen) takes it.
      type: str
    revisions:
      description: Every revision, oldest first.
      type: list
      elements: dict
    status:
      description: In words, what is deployed, how the last action ended if that was not well, and who is at work.
      type: list
      elements: str
    history:
      description: In words, every revision, newest first.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import record_info


def main():
    module = AnsibleModule(argument_spec=record_info.ARGUMENTS, supports_check_mode=True)
    answer(module, record_info.run)


if __name__ == "__main__":
    main()
