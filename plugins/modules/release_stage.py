#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_stage
short_description: Ship an application and its rendered files as a new release
version_added: 1.0.0
description:
  - Packs the application's files, its configuration and the files for Supervisor and nginx on the controller,
    sends them in one archive, checks every member, and unpacks them into a new release beside the others.
  - Nothing uses the release until M(windflow.platform.release_switch) switches to it.
  - Reads the plugin and its configuration again on the controller, so that no secret passes through a variable.
    Fails if they are no longer what the plan was made of.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Names the files that differ from the current release. Secrets in the configuration are masked.
  idempotent:
    support: full
options:
  inputs:
    description: RV(windflow.platform.plan#module:inputs) of the plan.
    type: dict
    required: true
  plan:
    description: The result of M(windflow.platform.plan).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Ship the application's files as a new release
  windflow.platform.release_stage:
    inputs: "{{ windflow_plan.inputs }}"
    plan: "{{ windflow_plan }}"
"""

RETURN = r"""
path:
  description: Directory of the release.
  returned: success
  type: str
  sample: /opt/template/releases/20261123T012327Z-1a2b3c4d
files:
  description: Number of files of the release.
  returned: success
  type: int
"""
