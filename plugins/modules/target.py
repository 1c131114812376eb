#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target
short_description: Add the host that a plugin's configuration names
version_added: 1.0.0
description:
  - For a run whose inventory names no host. Adds the host of C(host.connection) in the configuration
    (host, port, user, and key_file or password), or this machine where there is none.
  - An empty O(plugin) is for a run that is not about a certain one, on this machine. So are a name that is found
    nowhere and a plugin that is not in order and says nowhere how to connect, because what is on a host may have to be
    looked after all the same.
  - Host keys are checked as the user's SSH configuration says.
author: Windflow contributors (@windflow)
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing it.
    support: full
  diff_mode:
    support: none
    description: Changes the inventory in memory only.
  idempotent:
    description: Run again with the same options, outside check mode, it changes nothing.
    support: full
  action:
    description: There is an action of the same name, which does the part on the controller.
    support: full
options:
  plugin:
    description: Directory or name of a plugin; see M(windflow.platform.plan).
    type: str
    required: true
  environment_name:
    description: Environment, for the overlay.
    type: str
    default: ""
  config:
    description: Paths of configuration files, the last one wins.
    type: list
    elements: str
    default: []
  sets:
    description: Single values as C(key=value).
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

EXAMPLES = r"""
- name: There is a host to deploy to
  windflow.platform.target:
    plugin: physical-host
    config: [my-host.json]
  no_log: true
  when: groups['all'] | length == 0
"""

RETURN = r""" # """
