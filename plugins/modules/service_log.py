#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_log
short_description: Report why a service did not start
version_added: 1.0.0
description:
  - Fails with the last lines of a service's journal, or of its log, and with what a test of its configuration says.
  - To be run after a task that was to start it. What systemd says by itself, to look at its journal, helps nobody who
    reads the output of a run.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  names:
    description: Services that were to start. Of several, the module reports those that do not run.
    type: list
    elements: str
    required: true
  error:
    description:
      - What the task said that failed. Without it, this one only fails if a service or one of its instances, such as a
        cluster of PostgreSQL, is down.
    type: str
    default: ""
  lines:
    description: How many lines of each log to show.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Start nginx and show its log if it fails
  block:
    - name: Start nginx
      ansible.builtin.service:
        name: nginx
        state: started
  rescue:
    - name: Report why it did not start
      windflow.platform.service_log:
        names: [nginx]
        error: "{{ ansible_failed_result.msg }}"
"""

RETURN = r"""
code:
  description: Stable code of the error.
  returned: failure
  type: str
  sample: E4047
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.system import service_log


def main():
    module = AnsibleModule(argument_spec=service_log.ARGUMENTS, supports_check_mode=True)
    answer(module, service_log.run)


if __name__ == "__main__":
    main()
