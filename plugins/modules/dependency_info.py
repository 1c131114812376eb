#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dependency_info
short_description: Read which plugins a host has and how they depend on each other
version_added: 1.0.0
description:
  - Says what is deployed on a host, and what each plugin needs of the others and gives them.
  - Returns secrets that were generated on the host as marks, by which the platform's other modules know them there.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  plugins:
    description: Names of the plugins whose secrets' marks are wanted.
    type: list
    elements: str
    default: []
  reveal:
    description: Tells the secrets themselves. Set C(no_log) on such a task.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read what is deployed
  windflow.platform.dependency_info:
  register: deployed
"""

RETURN = r"""
plugins:
  description:
    - Version, target, engine, what it provides, needs and gives, whether others may need it, and who does, of each
      plugin that is deployed, by its name. One whose record cannot be read counts among those who do.
  returned: success
  type: dict
  sample:
    database: {version: 2.0.0, target: host, engine: compose, provides: {database: 2.0.0}, needs: {}, results: {},
      shared: true, needed_by: [shop]}
at_work:
  description: What each plugin needs that a run is deploying now, by its name.
  returned: success
  type: dict
unreadable:
  description: What is wrong with each record that cannot be read, by the plugin's name.
  returned: success
  type: dict
secrets:
  description: A mark of each secret that was made, or with O(reveal) the secret, by plugin and key in dots.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.record import dependency_state


def main():
    module = AnsibleModule(argument_spec=dependency_state.ARGUMENTS, supports_check_mode=True)
    answer(module, dependency_state.run)


if __name__ == "__main__":
    main()
