#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_images
short_description: The images of a release are on the host
version_added: 1.0.0
description:
  - Builds the images that are missing out of the release's own files, or loads them from an archive.
  - A tag is made of the content of the image's build context and of the name of the base image, so an image that is
    there is never built again.
author: Windflow contributors (@windflow)
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing it.
    support: full
  diff_mode:
    description: Tells what it changed, or would change, in diff mode.
    support: full
    details:
      - Names the images that are made.
  idempotent:
    support: full
    description: Images that are there are left alone.
options:
  state:
    description:
      - V(present) makes the images that are missing.
      - V(archived) writes them to O(archive), for another host.
    type: str
    choices: [present, archived]
    default: present
  images:
    description: Tag by service.
    type: dict
    required: true
  project:
    description: Name of the Compose project. Needed to build.
    type: str
  release:
    description: Name of the release. Needed to build.
    type: str
  install_dir:
    description: The application's directory. Needed to build.
    type: path
  files:
    description: The release's Compose files. Needed to build.
    type: list
    elements: str
    default: []
  archive:
    description: Archive to load missing images from, or to write. It is built from the release's files without it.
    type: path
requirements:
  - Docker Engine, with Compose 2.18 as a plugin of its client
"""

EXAMPLES = r"""
- name: Build
  windflow.platform.compose_images:
    images: {app: "windflow-template-app:0a1b2c3d4e5f"}
    project: windflow-template
    release: 20261123T012327Z-1a2b3c4d
    install_dir: /opt/template
    files: [app/compose/compose.yaml]

- name: Load what another host has built
  windflow.platform.compose_images:
    images: {app: "windflow-template-app:0a1b2c3d4e5f"}
    archive: /root/images.tar
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

from ansible_collections.windflow.platform.plugins.module_utils import building
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "archived"], "default": "present"},
            "images": {"type": "dict", "required": True},
            "project": {"type": "str"},
            "release": {"type": "str"},
            "install_dir": {"type": "path"},
            "files": {"type": "list", "elements": "str", "default": []},
            "archive": {"type": "path"},
        },
        required_if=[("state", "archived", ["archive"])],
        required_one_of=[("archive", "install_dir")],
        required_together=[("project", "release", "install_dir")],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except WindflowError as error:
        module.fail_json(**error.as_result())


def run(params, check):
    """The result for the module's options."""
    images = params["images"]
    if not images:
        return {"changed": False, "images": {}, "made": []}
    found = building.identities(sorted(images.values()))
    if params["state"] == "archived":
        if not check:
            building.save(sorted(images.values()), params["archive"])
        return {"changed": True, "images": found, "made": []}
    missing = sorted(service for service, tag in images.items() if not found[tag])
    if missing and not check:
        if params["archive"]:
            building.load(params["archive"])
        else:
            building.build(params, missing)
        found = building.identities(sorted(images.values()))
    return {
        "changed": bool(missing),
        "images": found,
        "made": missing,
        "diff": {"before": "", "after": "".join("%s\n" % images[name] for name in missing), "after_header": "images"},
    }


if __name__ == "__main__":
    main()
