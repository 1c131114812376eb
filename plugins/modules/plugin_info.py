#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_info
short_description: Read a plugin and validate its configuration
version_added: 1.0.0
description:
  - Reads a plugin and its configuration on the controller. It does not ask the host.
  - Fails with every finding at once.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.inputs
  - windflow.platform.attributes.reads
  - windflow.platform.attributes.action
options:
  explain:
    description: Keys of the configuration, in dots, whose values are explained.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Validate a plugin
  windflow.platform.plugin_info:
    plugin: ./my-plugin
    config: [production.yaml]
  register: my_plugin
"""

RETURN = r"""
name:
  description: Name of the plugin.
  returned: success
  type: str
version:
  description: Version of the plugin.
  returned: success
  type: str
description:
  description: What the plugin says of itself.
  returned: success
  type: str
path:
  description: Directory of the plugin.
  returned: success
  type: str
targets:
  description: Backends that it supports, in order of preference.
  returned: success
  type: list
  elements: str
hooks:
  description: Its hooks by event, each with C(path), C(on), C(run), C(timeout) in seconds, and C(privileged).
  returned: success
  type: dict
environment_variables:
  description: Environment variables that it reads, with the key that each one sets.
  returned: success
  type: dict
config:
  description: The merged configuration as YAML, secrets masked.
  returned: success
  type: str
explained:
  description: For each of O(explain), its value, where that came from, and what other layers say. Secrets are masked.
  returned: success
  type: list
  elements: str
  sample: ["server.workers = 4 from file (my.yaml:3)\n  instead of 2 from defaults (template/config/defaults.yaml:24)"]
"""
