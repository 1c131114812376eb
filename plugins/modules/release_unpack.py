#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_unpack
short_description: Unpack a shipped archive into a new release
version_added: 1.0.0
description:
  - The host's part of M(windflow.platform.release_stage), which packs the archive.
  - Every member of the archive is checked before anything is written. The release appears complete or not at all.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    description: Names the files that differ from the current release.
    support: full
  idempotent:
    description: A release that is there is left alone.
    support: full
options:
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  run:
    description: Identity of the run, which must hold the lease of the plugin's record.
    type: str
    required: true
  release:
    description: Name of the release.
    type: str
    required: true
  install_dir:
    description: The application's directory.
    type: path
    required: true
  group:
    description: Name or number of the group of the O(readable) files.
    type: str
    required: true
  readable:
    description: Names of files that O(group) may read and nobody else but root; they get mode 0640.
    type: list
    elements: str
    default: []
  private:
    description:
      - Names of files that only root may read; they get mode 0600. The directory C(requirements) gets 0700.
    type: list
    elements: str
    default: []
  venv:
    description: Name of the virtual environment that the release uses. None without it.
    type: str
    default: ""
  made:
    description:
      - Secrets that were made on the host, by their marks, each as a list of its plugin and key. They take the place of
        the marks in the O(readable) and O(private) files.
    type: dict
    default: {}
  masked:
    description: The same, of everything that C(secrets.json) has to name.
    type: dict
    default: {}
  folders:
    description: Names of directories that the release has, whatever is in them.
    type: list
    elements: str
    default: []
  archive:
    description: The archive in base64, a tar that may be gzipped.
    type: str
  archive_path:
    description: The archive as a file on the host, instead of O(archive).
    type: path
  documents:
    description: Text by name of the rendered files that hold no secret, for the diff.
    type: dict
    required: true
  config_before:
    description: The current configuration, secrets masked, for the diff.
    type: str
    default: ""
  config_after:
    description: The new configuration, secrets masked, for the diff.
    type: str
    default: ""
  listing:
    description: Relative path, mode and SHA-256 of each file of the application, for the diff.
    type: list
    elements: list
    default: []
"""

EXAMPLES = r"""
- name: Unpack the release
  windflow.platform.release_unpack:
    plugin: template
    run: 20261123T012327Z-4711
    release: 20261123T012327Z-1a2b3c4d
    install_dir: /opt/template
    group: template
    readable: [config.yaml]
    private: [secrets.json]
    venv: 0a1b2c3d4e5f-20261123T012327Z
    archive_path: /root/release.tar.gz
    documents: {}
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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import staging


def main():
    module = AnsibleModule(
        argument_spec={
            "plugin": {"type": "str", "required": True},
            "run": {"type": "str", "required": True},
            "release": {"type": "str", "required": True},
            "install_dir": {"type": "path", "required": True},
            "group": {"type": "str", "required": True},
            "readable": {"type": "list", "elements": "str", "default": []},
            "private": {"type": "list", "elements": "str", "default": []},
            "venv": {"type": "str", "default": ""},
            "made": {"type": "dict", "default": {}},
            "masked": {"type": "dict", "default": {}},
            "folders": {"type": "list", "elements": "str", "default": []},
            "archive": {"type": "str", "no_log": True},
            "archive_path": {"type": "path"},
            "documents": {"type": "dict", "required": True},
            "config_before": {"type": "str", "default": ""},
            "config_after": {"type": "str", "default": ""},
            "listing": {"type": "list", "elements": "list", "default": []},
        },
        supports_check_mode=True,
    )
    answer(module, staging.run)


if __name__ == "__main__":
    main()
