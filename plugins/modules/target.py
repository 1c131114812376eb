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
  - Adds, for a run whose inventory names no host, the host of C(host.connection) in the configuration
    (host, port, user, and key_file or password), or this machine where there is none.
  - Refuses where an inventory was named, with C(-i) or in Ansible's settings, and names no host.
  - An empty O(plugin) is for a run that is not about a certain one, on this machine. So are a name that is found
    nowhere and a plugin that is not in order and says nowhere how to connect, because what is on a host may have to be
    looked after all the same.
  - Host keys are checked as the user's SSH configuration says.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.inputs
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    description: Changes the inventory in memory only.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Add the host to deploy to
  windflow.platform.target:
    plugin: physical-host
    config: [my-host.json]
  no_log: true
  when: groups['all'] | length == 0
"""

RETURN = r""" # """
