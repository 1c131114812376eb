#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_family
short_description: Compare the table of an OS family with a host
version_added: 1.0.0
description:
  - Compares the packages, services, accounts and paths that the roles of this collection use with those of the host.
  - The module reads only. It says nothing about a package's files before the package is installed.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  table:
    description: What the lookup plugin P(windflow.platform.family#lookup) returns for this host.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Compare the table with the host
  windflow.platform.verify_family:
    table: "{{ lookup('windflow.platform.family', ansible_facts.os_family,
               distribution=ansible_facts.distribution, version=ansible_facts.distribution_version) }}"
  register: verified

- name: Show where they differ
  ansible.builtin.debug:
    msg: "{{ verified.differences }}"
"""

RETURN = r"""
lines:
  description: One sentence for each value of the table.
  returned: success
  type: list
  elements: str
  sample: ["same     nginx.user: the table says www-data, the host says: www-data"]
differences:
  description: Those where the host differs from the table.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.system import family_check


def main():
    module = AnsibleModule(argument_spec={"table": {"type": "dict", "required": True}}, supports_check_mode=True)
    lines = family_check.Comparison(module.params["table"]).compare()
    shape = "%(state)-8s %(key)s: the table says %(expected)s, the host says: %(found)s"
    module.exit_json(
        changed=False,
        lines=[shape % line for line in lines],
        differences=[shape % line for line in lines if line["state"] == family_check.DIFFERS],
    )


if __name__ == "__main__":
    main()
