#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read what a host is, what a plugin left on it, and what drifted
version_added: 1.0.0
description:
  - Reads in one call everything that a plan needs of a host, so that an unchanged host costs one round trip.
  - M(windflow.platform.plan) runs it. Run it by itself to look for drift.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.reads
options:
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  packages:
    description:
      - Names of packages to look for, by OS family (V(debian), V(redhat), V(suse), V(arch)). A name such as V(suse-15)
        or V(redhat-fedora) is for a major version or a distribution and goes before its family.
    type: dict
    default: {}
  services:
    description: Names of services to look at, by OS family as in O(packages).
    type: dict
    default: {}
  available:
    description:
      - Names of packages, by OS family as in O(packages). Where one of them is not installed, the package manager is
        asked whether its enabled repositories have all of them.
    type: dict
    default: {}
  paths:
    description: Directories, there or not, whose filesystem's free space is asked for.
    type: list
    elements: str
    default: []
  port:
    description: TCP port that the plugin is going to listen on.
    type: int
  user:
    description: Account of the application.
    type: str
  group:
    description: Group of the application.
    type: str
  directories:
    description: Directories of the plugin by target, each with its owner, to say whose they are.
    type: dict
    default: {}
  socket_dir:
    description: Directory of the application's sockets, to say whether SELinux lets nginx reach them.
    type: str
    default: ""
  database:
    description: C(name), C(user) and C(port) of the database on the host that the plugin sees to, to say whose it is.
    type: dict
    default: {}
  volumes:
    description:
      - Volumes that the plugin is going to have mounted, to say what there is of each. The NFS server of one that is
        not mounted as wanted is asked whether it gives the export.
    type: list
    elements: dict
    default: []
  networks:
    description: Networks as M(windflow.platform.host_network) takes them, to say what of them is as wanted.
    type: list
    elements: dict
    default: []
  engine:
    description:
      - What to ask the Docker Engine; C(project) of Compose, whose images and containers are listed. Without it, what a
        deployed plugin has there.
      - With C(model) also what Compose makes of a plugin's files; they come as C(files), with C(variables), and are
        read in a directory of their own.
    type: dict
    default: {}
  target:
    description:
      - The target that is certain. Without it, the engine is not asked where the plugin is deployed without it.
    type: str
    default: ""
  wait:
    description: Seconds to wait for the end of a run that is at work on the plugin, before anything is looked at.
    type: int
    default: 0
  everything:
    description:
      - Looks for drift in packages and services, too. They are those of the record, and O(packages) and O(services) are
        not looked at.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look for drift
  windflow.platform.host_info:
    plugin: template
  register: found

- name: Stop where something differs from what was deployed
  ansible.builtin.assert:
    that: found.drift | length == 0
"""

RETURN = r"""
facts:
  description: Operating system, processors, memory (MB), free space (MB, inodes), owner of the port,
    account, group and directories, each with what speaks against it, what there is of the database and of volumes.
  returned: success
  type: dict
  sample: {cpu_threads: 4, ram_mb: 7936, python: 3.11.2, os: {family: debian, id: debian, version: "12"}}
made:
  description: What windflow has made for the plugin, by kind.
  returned: success
  type: dict
  sample: {account: [template], group: [template], directories: [/opt/template], database: [], role: []}
packages:
  description: Names that were looked for on this host.
  returned: success
  type: list
  elements: str
missing_packages:
  description: Those of them that are not installed.
  returned: success
  type: list
  elements: str
services:
  description: Whether each service exists, is running and is enabled.
  returned: success
  type: dict
  sample: {nginx: {exists: true, running: true, enabled: true}}
current:
  description: The revision that serves, or nothing.
  returned: success
  type: dict
recorded:
  description: Whether the host has a record of the plugin.
  returned: success
  type: bool
lease:
  description: The run that is at work on this host, or nothing.
  returned: success
  type: dict
position:
  description: Another one after any run has begun or ended; O(windflow.platform.release#module:seen) takes it.
  returned: success
  type: str
dependents:
  description: What is deployed on the host, or about to be, and needs the plugin.
  returned: success
  type: list
  elements: dict
  sample: [{plugin: shop, name: database, constraint: ">=2.0.0"}]
unreadable:
  description: What is wrong with each other record that cannot be read, by the plugin's name.
  returned: success
  type: dict
port_sites:
  description: Files of nginx that claim O(port), other than the plugin's own.
  returned: success
  type: list
  elements: str
layout:
  description: Where nginx and Supervisor look for files, by their own configuration; empty if no service is asked for.
  returned: success
  type: dict
  sample: {nginx: {enabled_dir: /etc/nginx/conf.d, user: nginx}, supervisor: {program_ext: ini}}
port_conflicts:
  description: What keeps an nginx from starting that is there and stopped.
  returned: success
  type: list
  elements: dict
  sample: [{port: 80, files: [/etc/nginx/sites-enabled/default], name: apache2, pid: 812}]
engine:
  description: Version of the Docker Engine and of Compose, the images asked for, the project's containers, the swarm.
  returned: success
  type: dict
  sample: {version: 26.1.5, compose: 2.26.1, error: "", root: /var/lib/docker, images: {}, containers: []}
drift:
  description: What differs from what the current revision left.
  returned: success
  type: list
  elements: dict
  sample:
    - {step: config, resource: /etc/windflow/template/config.yaml, attribute: mode, expected: "0640", found: "0644"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import host_state


def main():
    module = AnsibleModule(argument_spec=host_state.ARGUMENTS, supports_check_mode=True)
    answer(module, host_state.run)


if __name__ == "__main__":
    main()
