#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan what a deploy of a plugin would do to a host
version_added: 1.0.0
description:
  - Reads a plugin and its configuration on the controller, validates both, and asks the host once for
    its record of the plugin, for drift, and for what a preflight needs.
  - Fails with every finding at once, before anything is written.
  - The result lists the steps, and for each whether and why it is pending. The roles apply exactly that.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.inputs
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: full
    details:
      - Shows the pending steps with their reasons.
  idempotent:
    support: full
    description: Changes nothing.
options:
  target:
    description:
      - Backend to deploy to. Without it, the first that the plugin supports and the host can do.
      - For a dependency it is only preferred.
    type: str
    default: ""
  replicas:
    description:
      - How many instances of the application run behind the front.
      - Without it, as many as are deployed; on a first deploy, one.
    type: int
  engine:
    description:
      - What runs the containers of the target V(compose). V(compose) is the host's own engine, V(swarm) a stack in the
        swarm that the host manages. Empty is what it is deployed with, else V(compose). For a O(dependency) that is
        deployed already it is no more than a wish.
    type: str
    choices: ["", compose, swarm]
    default: ""
  allow_downgrade:
    description:
      - Whether an older version than the one that is deployed may be deployed.
      - Of a plugin that is deployed because another one needs it, it is not; nor are O(force), O(replicas), O(engine).
    type: bool
    default: false
  backup:
    description:
      - When the deploy backs up the database before its switch. The plan is the same either way; a value that cannot be
        meant fails before anything is done.
    type: str
    choices: [auto, always, never]
    default: auto
  network_consent:
    description: Whether an interface may be changed that carries the connection.
    type: bool
    default: false
  wait:
    description: Seconds to wait for the end of another run that is at work on the plugin, before the host is asked.
    type: int
    default: 0
  saved:
    description:
      - A file of the playbook C(plan), on the controller. If anything differs from what it
        says, the plan fails and nothing is done.
    type: path
  force:
    description: Make a new release even if nothing differs.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Plan the deploy
  windflow.platform.plan:
    plugin: template
    environment_name: production
    config: [/etc/myapp/config.yaml]
    replicas: 3
  register: windflow_plan

- name: End the play where nothing differs
  ansible.builtin.meta: end_host
  when: not windflow_plan.pending
"""

RETURN = r"""
pending:
  description: Whether anything differs from what is wanted.
  returned: success
  type: bool
event:
  description: V(install), V(upgrade) to another version, or V(deploy) of the same one.
  returned: success
  type: str
scaling:
  description: How the number of instances changes; empty where it does not.
  returned: success
  type: str
  sample: replicas 3 → 1
release:
  description: Name of the release that serves after the run.
  returned: success
  type: str
  sample: 20261123T012327Z-1a2b3c4d
engine:
  description: What runs the containers of the target V(compose); empty for another target.
  returned: success
  type: str
new_release:
  description: Whether that is a new one.
  returned: success
  type: bool
role:
  description: The role of the backend; empty for a plugin that has hooks only.
  returned: success
  type: str
steps:
  description: The steps, each with C(title), C(pending), C(why) and what its tasks need.
  returned: success
  type: dict
dependencies:
  description:
    - What has to be deployed before, in order. Empty for a plugin that is deployed because another one needs it.
  returned: success
  type: list
  elements: dict
  contains:
    plugin:
      description: Directory of the plugin.
      type: str
    name:
      description: Name of the plugin.
      type: str
    version:
      description: Version of the plugin.
      type: str
privileged:
  description: Hooks of the run that have root's rights on the host, as path and event.
  returned: success
  type: list
  elements: str
  sample: ["hooks/migrate.sh (migrate)"]
adopted:
  description: What the run uses though windflow has not made it, in words; empty where nothing is pending.
  returned: success
  type: list
  elements: str
  sample: ["account tools is used as it is, and stays at a purge"]
generate:
  description: Secrets of the configuration, by key in dots, that are made on the host because nobody gives them.
  returned: success
  type: list
  elements: str
secrets_of:
  description: Plugins whose secrets the run needs, the plugin itself included; none if it needs nothing of a host.
  returned: success
  type: list
  elements: str
drift:
  description: What differs on the host from what the last run left.
  returned: success
  type: list
  elements: dict
directory:
  description: Directory on the controller in which the command was given.
  returned: success
  type: str
agreement:
  description: What is agreed to by agreeing to the plan. The playbook C(plan) saves it.
  returned: success
  type: dict
config:
  description: The merged configuration as YAML, secrets masked.
  returned: success
  type: str
host:
  description: Paths and names that the tasks of the host backend need.
  returned: when the target is the host itself
  type: dict
resources:
  description: What the record is to remember; empty for a plugin that has hooks only.
  returned: success
  type: dict
user:
  description: The account that the application and the hooks on the host run as.
  returned: success
  type: str
install_dir:
  description: The application's directory, which holds its releases; empty for a plugin that has hooks only.
  returned: success
  type: str
inputs:
  description: The options that give the same inputs again, with absolute paths.
  returned: success
  type: dict
run:
  description: Identity of the run.
  returned: success
  type: str
problems:
  description: Findings, each with code, file, line, path, expected and got or a message, and remedy.
  returned: failure
  type: list
  elements: dict
"""
