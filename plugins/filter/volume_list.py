# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: volume_list
short_description: Storage volumes with all that the module volumes needs to know of them
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Checks volumes as a plugin's configuration is checked, and fills in what they leave out.
options:
  _input:
    description:
      - The volumes, as the variable C(host_volumes_volumes) of P(windflow.platform.host_volumes#role) has them.
    type: list
    elements: dict
    required: true
  owner:
    description: Account that volumes belong to which name none.
    type: str
    default: root
  group:
    description: Group that volumes belong to which name none.
    type: str
    default: root
  systemd:
    description: Whether the host runs systemd.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show how an export is mounted
  ansible.builtin.debug:
    msg: >-
      {{ [{'path': '/mnt/data', 'type': 'nfs', 'options': {'server': 'nfs.example.com', 'export': '/exports/data'}}]
      | windflow.platform.volume_list }}
"""

RETURN = r"""
_value:
  description:
    - C(volumes) for M(windflow.platform.volumes) and directories, told apart by C(kind), and C(packages), the names of
      what they need in the table of the lookup P(windflow.platform.family#lookup).
  type: dict
"""

from typing import Any

from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_volumes
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.storage import volumes
from ansible_collections.windflow.platform.plugins.plugin_utils.filtering import as_filter


def described(
    given: list[dict[str, Any]], owner: str = "root", group: str = "root", systemd: bool = True
) -> dict[str, Any]:
    problems = check_volumes(given, "host_volumes_volumes")
    if problems:
        raise WindflowError(problems)
    return {"volumes": volumes.volumes(given, owner, group, systemd), "packages": volumes.tools(given)}


volume_list = as_filter(described)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"volume_list": volume_list}
