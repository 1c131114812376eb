#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dependency_info
short_description: What a host knows of its plugins and how they depend on each other
version_added: 1.0.0
description:
  - Says what is deployed on a host, what each plugin needs of the others and gives them, and the secrets that were
    made on the host for the named ones.
  - The result holds secrets. Set C(no_log) on a task that runs it.
author: Windflow contributors (@windflow)
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing it.
    support: full
  diff_mode:
    support: none
    description: Changes nothing.
  idempotent:
    description: Run again with the same options, outside check mode, it changes nothing.
    support: full
options:
  plugins:
    description: Names of the plugins whose secrets are wanted.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: What is deployed
  windflow.platform.dependency_info:
  register: deployed
  no_log: true
"""

RETURN = r"""
plugins:
  description: Version, target, needs and results of each plugin that is deployed, by its name.
  returned: success
  type: dict
  sample: {database: {version: 2.0.0, target: host, needs: {}, results: {}}}
secrets:
  description: For each of O(plugins), the secrets that were made on the host, by key in dots.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils import dependency_state
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def main():
    module = AnsibleModule(argument_spec=dependency_state.ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**dependency_state.run(module.params))
    except WindflowError as error:
        module.fail_json(**error.as_result())


if __name__ == "__main__":
    main()
