#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_images
short_description: Build, load, save or push the images of a release
version_added: 1.0.0
description:
  - Builds the images that are missing out of the release's own files or out of O(source), loads them from O(archive),
    or takes them from O(registry).
  - A tag is made of everything that goes into the image, so an image that is there is never built again.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Names the images that are made.
  idempotent:
    support: full
    description: Existing images are left alone.
options:
  state:
    description:
      - V(present) makes the images that are missing.
      - V(archived) writes them to O(archive), for another host.
      - V(pushed) puts them into O(registry).
    type: str
    choices: [present, archived, pushed]
    default: present
  images:
    description: Tag by service.
    type: dict
    required: true
  project:
    description: Name of the Compose project. Needed to build.
    type: str
  release:
    description: Name of the release. Needed to build out of its files.
    type: str
  install_dir:
    description: The application's directory. Needed to build out of a release's files.
    type: path
  source:
    description:
      - The plugin's directory on the controller, to build on a host that has no release of the plugin.
      - The files of O(folders) go to the host as one archive and are removed from it after the build.
    type: path
  folders:
    description: Directories in O(source) whose files are needed to build. What C(.windflowignore) names is left out.
    type: list
    elements: str
    default: []
  builds:
    description:
      - Section C(build) by service, as Compose makes it of all files, with paths relative to C(app). Needed to build.
    type: dict
    default: {}
  archive:
    description: Archive to load missing images from, or to write. Nothing is built where one is given to load from.
    type: path
  registry:
    description:
      - Address of a registry, such as C(registry.example.com:5000). The engine must be logged in to it, if it asks for
        that. An image's name there is this address and the tag.
    type: str
requirements:
  - Docker Engine, with Compose 2.18 as a plugin of its client
"""

EXAMPLES = r"""
- name: Build the images
  windflow.platform.compose_images:
    images: {app: "windflow-template-app:0a1b2c3d4e5f"}
    project: windflow-template
    release: 20261123T012327Z-1a2b3c4d
    install_dir: /opt/template
    builds: {app: {context: build, dockerfile: Dockerfile}}

- name: Load what another host built
  windflow.platform.compose_images:
    images: {app: "windflow-template-app:0a1b2c3d4e5f"}
    archive: /root/images.tar

- name: Pull them from a registry
  windflow.platform.compose_images:
    images: {app: "windflow-template-app:0a1b2c3d4e5f"}
    registry: registry.example.com:5000
"""

RETURN = r"""
images:
  description: Identity of each image by tag; empty for one that is not there yet.
  returned: success
  type: dict
  sample: {"windflow-template-app:0a1b2c3d4e5f": "sha256:9f86d081884c7d65..."}
made:
  description: Services whose images were built or loaded, or would be.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.containers import building


def main():
    module = AnsibleModule(argument_spec=building.ARGUMENTS, supports_check_mode=True, **building.RULES)
    answer(module, building.run)


if __name__ == "__main__":
    main()
