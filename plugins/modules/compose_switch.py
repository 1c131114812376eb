#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_switch
short_description: Switch to a release in containers once it is healthy
version_added: 1.0.0
description:
  - Starts the services that outlive releases, then new containers of the application beside the old ones. Probes them,
    tells the front of them and of no others, and lets the old ones drain before it stops them.
  - Whatever fails before the switch is put back, and the old release still serves.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    description: What differs is shown where the release is staged.
  idempotent:
    support: full
    description: A release that is current is left alone.
options:
  state:
    description:
      - V(prepared) brings up what the new release needs and what outlives releases, a database for example, and nothing
        else; for O(engine=compose).
      - V(absent) removes containers, networks and images.
    type: str
    choices: [present, prepared, absent]
    default: present
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  run:
    description:
      - The run that has the lease of the plugin's record. It is renewed, and without it nothing is switched.
      - Without this option no lease is checked.
    type: str
    default: ""
  engine:
    description: V(swarm) deploys a stack of that name on a manager, and leaves the switch to the swarm.
    type: str
    choices: [compose, swarm]
    default: compose
  project:
    description: Name of the Compose project.
    type: str
    required: true
  install_dir:
    description: The application's directory, which has the release in C(releases/).
    type: path
    required: true
  shared_dir:
    description: Directory with what outlives releases, the front's list of servers and secrets.
    type: path
    required: true
  app:
    description: The service that is scaled and switched.
    type: str
    required: true
  front:
    description: The service that passes requests to O(app), an HAProxy with a master process. Empty for none.
    type: str
    default: ""
  images:
    description: Tag by service of the images that are built by the platform. Old ones are removed.
    type: dict
    default: {}
  registry:
    description: Address of the registry that the nodes of a swarm take these images from. Without it they have them.
    type: str
    default: ""
  release:
    description: Name of the release. Required for V(present).
    type: str
    default: ""
  files:
    description: Its Compose files, relative to its directory.
    type: list
    elements: str
    default: []
  replicas:
    description: Number of containers of the application.
    type: int
    default: 1
  app_port:
    description: Port of the application in its container.
    type: int
    default: 8000
  port:
    description: Port of the front on the host; V(0) for an application that has none.
    type: int
    default: 8080
  bind:
    description: Address of the host that O(port) is published at. Empty for what the Compose files say.
    type: str
    default: ""
  allow:
    description:
      - Rights that the services may have beyond what is harmless, as C(compose.allow) of C(plugin.yml) says.
      - The model that Compose makes of the files is judged by it before anything starts. Without this option it is not.
    type: list
    elements: str
  networks:
    description: Networks of other projects that the application joins.
    type: list
    elements: str
    default: []
  health:
    description: Path that answers 200 when the application is healthy. Empty for a program without HTTP.
    type: str
    default: ""
  health_timeout:
    description: Seconds within which all new containers must be healthy.
    type: int
    default: 60
  host_header:
    description: Name of the host in the probes.
    type: str
    default: localhost
  drain_timeout:
    description: Seconds in which the front's old processes may answer their last requests.
    type: int
    default: 30
  purge:
    description: Whether V(absent) deletes volumes too.
    type: bool
    default: false
requirements:
  - Docker Engine, with Compose 2.18 as a plugin of its client
"""

EXAMPLES = r"""
- name: Switch to the release
  windflow.platform.compose_switch:
    plugin: template
    project: windflow-template
    install_dir: /opt/template
    shared_dir: /opt/template/shared
    release: 20261123T012327Z-1a2b3c4d
    files: [app/compose/compose.yaml]
    app: app
    front: front
    replicas: 3
    health: /healthz

- name: Remove everything but the data
  windflow.platform.compose_switch:
    state: absent
    plugin: template
    project: windflow-template
    install_dir: /opt/template
    shared_dir: /opt/template/shared
    app: app
"""

RETURN = r"""
changes:
  description: Containers, services and files that were changed.
  returned: always
  type: list
  elements: str
previous:
  description: The release that served before, if another one did.
  returned: success
  type: str
stopped:
  description: The old containers.
  returned: success
  type: list
  elements: str
timings:
  description: Seconds by phase.
  returned: always
  type: dict
log:
  description: The last lines of the container's log, secrets masked.
  returned: when a container was not well
  type: list
  elements: str
probe_status:
  description: Status of the last answer to the probe, 0 for none.
  returned: when a container was not well
  type: int
volumes:
  description: Volumes that stay.
  returned: when O(state) is V(absent)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.containers import container_switch


def main():
    module = AnsibleModule(argument_spec=container_switch.ARGUMENTS, supports_check_mode=True)
    answer(module, container_switch.run)


if __name__ == "__main__":
    main()
