#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: account_info
short_description: Whether an application's account may be deleted with it
version_added: 1.0.0
description:
  - Says whether windflow has made an account and its group, and nobody but the plugin uses them.
  - An account that windflow makes says so in its comment.
  - A warning says why an account or a group stays.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  user:
    description: The account.
    type: str
    required: true
  group:
    description: Its group.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Whose the account is
  windflow.platform.account_info:
    plugin: template
    user: template
    group: template
  register: account
"""

RETURN = r"""
user:
  description: Whether the account is there, was made by windflow, and no other plugin on the host uses it.
  returned: success
  type: bool
group:
  description: The same of the group, if O(user) may go; also that no other account is in it.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils import accounts


def main():
    options = {key: {"type": "str", "required": True} for key in ("plugin", "user", "group")}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    found, why = accounts.removable(module.params["plugin"], module.params["user"], module.params["group"])
    for reason in why:
        module.warn(reason)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
