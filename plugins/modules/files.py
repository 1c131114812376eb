#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Manage the directories, files and links of one step in one call
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Brings a list of directories, files and links to their desired state.
  - Everything that can be found wrong is reported at once, before anything is written. New files are written whole
    beside their destination before the first of them is renamed into place.
  - A link at the destination of a file is replaced and never followed. A link on the way to it is followed only if
    root owns it.
  - A directory is never replaced by something else, nor something else by a directory.
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
    details:
      - Users, groups, sources and parent directories that do not exist yet are taken as coming.
  diff_mode:
    description: Returns what changes, as attributes and as the text of files.
    support: full
    details:
      - The content of a secret file is never shown.
  idempotent:
    support: full
options:
  entries:
    description:
      - What there should be. Entries are applied in order. The parent of an entry must exist or be listed before it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path, without V(.) and V(..) and without a slash at the end.
        type: str
        required: true
      state:
        description:
          - What should be at the path.
          - V(absent) removes a directory with everything in it.
        type: str
        choices: [directory, file, link, absent]
        default: file
      content:
        description: Content of a file, in UTF-8. Shown in the diff.
        type: str
      secret_content:
        description: Content of a file that is never shown.
        type: str
      source:
        description: A file on the host to copy the content from.
        type: str
      target:
        description: Where a link points to.
        type: str
      owner:
        description: Name or number of the user. Left alone if not given; a new entry belongs to who runs the module.
        type: str
      group:
        description: Name or number of the group. Left alone if not given.
        type: str
      mode:
        description:
          - Octal with a leading zero, quoted, as in V("0640"). Not for links.
          - If not given, what is there stays as it is. A new directory is V(0755), a new file V(0644), a new secret
            file V(0600), whatever the umask.
        type: str
      secret:
        description: The content that O(entries[].source) names is secret. Implied by O(entries[].secret_content).
        type: bool
        default: false
      backup:
        description: Whether to keep a copy of a file that differs before it is overwritten.
        type: bool
        default: false
      keep_existing:
        description: Whether something that exists at the path already stays as it is, whatever it is.
        type: bool
        default: false
      recorded:
        description:
          - SHA-256 of the content that was last written here. A file that still has it was not edited by hand, and no
            copy of it is kept.
        type: str
  plugin:
    description:
      - Whose the directories of O(entries) with an owner are. Those that are made now, or are taken because nothing is
        there, are noted in the plugin's record. One with something of somebody's in it is refused.
      - Of what is to be absent only what was made for the plugin is removed. A warning says why something stays.
    type: str
    default: ""
  adopt:
    description: Whether directories that are there already are used all the same, for O(plugin).
    type: bool
    default: false
  purge:
    description: Whether every directory that was made for O(plugin) is removed, instead of O(entries).
    type: bool
    default: false
  parents:
    description: Whether directories above an entry that do not exist are made, with mode V(0755).
    type: bool
    default: false
  test:
    description:
      - A command that must succeed after a change. If it fails, the module puts everything back as it was and fails
        with what the command said.
      - The command does not run in check mode, nor where nothing changes.
    type: list
    elements: str
    default: []
  backup_dir:
    description: Where copies are kept, with mode V(0600). Made with mode V(0700) if it does not exist; its parent must.
    type: str
"""

EXAMPLES = r"""
- name: Remove all that was made for a plugin
  windflow.platform.files:
    plugin: template
    purge: true

- name: Create directories, configuration and link
  windflow.platform.files:
    entries:
      - path: /opt/app
        state: directory
        mode: "0755"
      - path: /opt/app/config.yaml
        secret_content: "{{ app_config }}"
        owner: root
        group: app
        mode: "0640"
        backup: true
      - path: /opt/app/current
        state: link
        target: releases/20261123T012327Z-1a2b3c4d
    backup_dir: /var/lib/windflow/app/backups

- name: Change a site of nginx, unless nginx refuses it
  windflow.platform.files:
    entries:
      - path: /etc/nginx/sites-enabled/app.conf
        content: "{{ lookup('ansible.builtin.file', 'app.conf') }}"
    test: [nginx, -t]
"""

RETURN = r"""
changes:
  description: What was or would be changed, without secrets.
  type: list
  elements: dict
  returned: success
  sample: [{path: /opt/app, attribute: mode, before: "0700", after: "0755"}]
  contains:
    path:
      description: The entry.
      type: str
    attribute:
      description: One of state, content, target, mode, owner and group.
      type: str
    before:
      description: What it was. Contents are given as digests.
      type: str
    after:
      description: What it is now.
      type: str
backups:
  description: The copies that were kept.
  type: list
  elements: dict
  returned: success
  sample: [{path: /opt/app/config.yaml, backup: /var/lib/windflow/app/backups/opt_app_config.yaml.9f3a}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import file_entries


def main():
    module = AnsibleModule(argument_spec=file_entries.ARGUMENTS, supports_check_mode=True)
    answer(module, file_entries.run)


if __name__ == "__main__":
    main()
