# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: plugin_name
short_description: The name of a plugin that is given as a name or a directory
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - A host knows a plugin by the name in its C(plugin.yml), whatever its directory is called.
  - Nothing else of the plugin has to be in order, so that what is on a host can be unlocked or removed.
  - What leads to no C(plugin.yml) with a name stays as it is.
options:
  _input:
    description: Name or directory of the plugin, as for M(windflow.platform.plan).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read what is deployed
  windflow.platform.release_info:
    plugin: "{{ './my-plugin/' | windflow.platform.plugin_name }}"
"""

RETURN = r"""
_value:
  description: The name of the plugin.
  type: str
"""

import os
from pathlib import Path

from ansible_collections.windflow.platform.plugins.module_utils.manifest.discovery import find_plugin, name_of


def plugin_name(given: object) -> str:
    name = name_of(str(given), Path.cwd(), os.environ)
    # Without a name, the whole record would be meant.
    return name if name.strip() else str(find_plugin(name, Path.cwd(), os.environ))


class FilterModule:
    def filters(self):
        return {"plugin_name": plugin_name}
