# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: supervisor_program
short_description: The configuration file of a program of Supervisor
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Writes each value so that the program reads back exactly that value, and refuses a value that cannot be written so.
options:
  _input:
    description:
      - The program, as an item of P(windflow.platform.host_supervisor#role) describes it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the file
  ansible.builtin.debug:
    msg: >-
      {{ {'name': 'worker', 'command': ['/opt/reports/bin/worker', '--queue', 'mail'], 'user': 'reports'}
      | windflow.platform.supervisor_program }}
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

from ansible_collections.windflow.platform.plugins.module_utils.text import render
from ansible_collections.windflow.platform.plugins.plugin_utils.filtering import as_filter

supervisor_program = as_filter(render.own_program_file)


class FilterModule:
    def filters(self):
        return {"supervisor_program": supervisor_program}
