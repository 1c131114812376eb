# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of ``module_utils.plan.inputs.ARGUMENTS``."""

    DOCUMENTATION = r"""
options:
  plugin:
    description:
      - Directory of a plugin, or a name that is looked up in C(./windflow_plugins), in the directories of the
        environment variable E(WINDFLOW_PLUGINS_PATH), and among the plugins of the collection.
    type: str
    required: true
  environment_name:
    description: Environment, for the overlay C(config/environments/<name>.yaml). V(production) makes checks stricter.
    type: str
    default: ""
  config:
    description:
      - Paths of configuration files, the last one wins. They may be encrypted with Ansible Vault, as a whole or value
        by value.
      - They lie above the variable C(windflow_config) of the inventory, and below environment variables. That variable
        merges from the group C(all) to the host.
    type: list
    elements: str
    default: []
  sets:
    description: Single values as C(key=value), above everything else. Not for secrets.
    type: list
    elements: str
    default: []
  dependency:
    description:
      - Whether the plugin is deployed because another one needs it. It is then configured by the variable
        C(windflow_plugin_config) of the inventory alone.
    type: bool
    default: false
"""
