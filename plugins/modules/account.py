#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: Create or remove the account and group of an application
version_added: 1.0.0
description:
  - Makes an application's account and group where they are missing, and notes in the plugin's record that it has.
  - An account or a group that was made for the plugin is brought to what is wanted. Any other is used as it is, and
    only if it is adopted; those of the system and those with rights of their own are refused.
  - Without a plugin, the module records nothing. An account or a group that exists already stays as it is.
  - Removes them as far as windflow has made them, be it for another plugin, and nobody but the plugin uses them. A
    warning says why one stays.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    description: Shows nothing.
  idempotent:
    support: full
options:
  plugin:
    description: Name of the plugin. Required for O(state=absent).
    type: str
  state:
    description: Whether they are made or removed.
    type: str
    choices: [present, absent]
    default: present
  user:
    description: The account.
    type: str
    required: true
  group:
    description: Its group.
    type: str
    required: true
  home:
    description: Home of the account, which is not made. Required for O(state=present).
    type: path
  shell:
    description: Shell of the account. Required for O(state=present).
    type: path
  adopt:
    description: Which of them may be used as they are, although they were not made for the plugin.
    type: list
    elements: str
    choices: [account, group]
    default: []
"""

EXAMPLES = r"""
- name: Create the account
  windflow.platform.account:
    plugin: template
    user: template
    group: template
    home: /var/lib/template
    shell: /usr/sbin/nologin

- name: Make an account that belongs to no plugin
  windflow.platform.account:
    user: reports
    group: reports
    home: /var/lib/reports
    shell: /usr/sbin/nologin

- name: Remove the account, if it was the plugin's alone
  windflow.platform.account:
    plugin: template
    user: template
    group: template
    state: absent
"""

RETURN = r"""
changes:
  description: What was, or in check mode would be, made, changed or removed.
  returned: success
  type: list
  elements: str
  sample: [group template, user template]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.system import accounts


def main():
    module = AnsibleModule(argument_spec=accounts.ARGUMENTS, supports_check_mode=True, **accounts.RULES)
    answer(module, accounts.run)


if __name__ == "__main__":
    main()
