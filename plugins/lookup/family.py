# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: family
short_description: Names and paths of an OS family
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Returns the packages, services, accounts and paths that the roles of this collection use on an OS family.
  - Fails for a family that the collection does not support, and names those that it does.
options:
  _terms:
    description: Names of families, such as V(debian), or what C(ansible_facts.os_family) says.
    required: true
  distribution:
    description: What C(ansible_facts.distribution) says. Some distributions differ from their family.
    type: str
    default: ""
  version:
    description: What C(ansible_facts.distribution_version) says. Some major versions differ from their family.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show where nginx's sites are
  ansible.builtin.debug:
    msg: "{{ lookup('windflow.platform.family', ansible_facts.os_family).nginx.available_dir }}"
"""

RETURN = r"""
_list:
  description: One table for each name.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.windflow.platform.plugins.module_utils.backends import families
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        try:
            system = [str(kwargs.get(key) or "") for key in ("distribution", "version")]
            return [families.find(str(term), *system) for term in terms]
        except WindflowError as error:
            raise AnsibleLookupError(str(error)) from error
