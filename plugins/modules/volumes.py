#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volumes
short_description: Mount storage volumes, and unmount them
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Brings the mounts of volumes, their lines in C(/etc/fstab) and their owners to what is wanted.
  - Every step that touches a mount has a time limit. A server that does not answer never keeps the task waiting.
  - Logical volumes and file systems are made by other modules between O(state=prepared) and O(state=mounted). The role
    P(windflow.platform.host_volumes#role) runs all of them in their order.
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    description: Returns what changes.
    support: full
  idempotent:
    support: full
options:
  volumes:
    description:
      - What there should be, as the filter P(windflow.platform.volume_list#filter) and a plan describe it.
    type: list
    elements: dict
    default: []
  state:
    description:
      - V(prepared) refuses what carries data of somebody else, unmounts what is not as wanted, makes mount points and
        the files of volumes in files.
      - V(mounted) mounts, writes C(/etc/fstab), lets file systems grow and sets the owner.
      - V(unmounted) removes the lines of C(/etc/fstab) and unmounts. What is on a volume stays.
      - V(purged) deletes the logical volumes and files that were made for O(plugin). Nothing on NFS is deleted.
    type: str
    choices: [prepared, mounted, unmounted, purged]
    default: mounted
  plugin:
    description: Whose volumes they are. Its record notes what is made. Without it nothing is recorded.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Mount the volumes of a plan
  windflow.platform.volumes:
    plugin: "{{ plan.plugin }}"
    volumes: "{{ plan.steps.volumes.mounted }}"
"""

RETURN = r"""
changes:
  description: What was changed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{path: /mnt/data, attribute: mount, before: none, after: "nfs.example.com:/exports/data"}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.storage import apply


def main():
    module = AnsibleModule(argument_spec=apply.ARGUMENTS, supports_check_mode=True)
    answer(module, apply.run)


if __name__ == "__main__":
    main()
