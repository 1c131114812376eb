# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: config
short_description: A value of a plugin's merged configuration
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Reads a plugin's configuration from its layers and returns the value of each key.
  - Lets a task take a secret straight from its source, so that no variable or result carries it.
    Set C(no_log) on such a task.
extends_documentation_fragment:
  - windflow.platform.inputs
options:
  _terms:
    description: Keys, in dots.
    required: true
"""

EXAMPLES = r"""
- name: The database exists
  windflow.platform.database:
    name: myapp
    user: dbuser
    password: "{{ lookup('windflow.platform.config', 'database.password', plugin='template') }}"
  no_log: true
"""

RETURN = r"""
_list:
  description: The values.
  type: list
  elements: raw
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.inputs import ARGUMENTS, read_inputs
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import place_of


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        arguments = {key: self.get_option(key) for key in ARGUMENTS}
        try:
            inputs = read_inputs(arguments, place_of(self, variables or {}))
        except WindflowError as error:
            raise AnsibleLookupError(str(error)) from error
        return [inputs.config.get(term, "") for term in terms]
