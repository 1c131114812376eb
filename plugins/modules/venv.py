#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: venv
short_description: Make a virtual environment with its requirements, complete or not at all
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Makes a virtual environment and installs requirements into it.
  - A marker file is written last. An environment without it is deleted and made again.
  - Where a requirement carries a hash, all must (C(--require-hashes)).
  - Where root runs the module, an account without rights installs the packages, because their code may run then. What
    it has made is copied, file by file, and belongs to root. No process of the installation stays.
  - The environment is readable by everybody, whatever the umask.
  - Of pip's settings count C(/etc/pip.conf) and the variables that name an index, certificates or time limits. The
    C(pip.conf) of an account does not.
  - pip runs from the wheel that belongs to the interpreter and is not installed into the environment, unless the
    interpreter has no such wheel.
attributes:
  check_mode:
    description: Can run in check mode and tell whether it would make the environment.
    support: full
  diff_mode:
    description: Returns what changes.
    support: none
  idempotent:
    description: An environment that is complete is left alone.
    support: full
options:
  path:
    description:
      - Absolute path of the environment. Its parent is made if only that is missing.
      - An environment that was made from other requirements is replaced.
    type: str
    required: true
  requirements_content:
    description: The requirements, in pip's format.
    type: str
  requirements:
    description: A file on the host with the requirements.
    type: str
  root:
    description:
      - A directory that O(requirements) lies below, with everything that it refers to by relative paths. All files
        below it count towards the comparison. Without it the file may refer to none.
    type: str
  application:
    description: A directory on the host that the requirements expect at O(application_at). It counts, too.
    type: str
  application_at:
    description: Where the requirements expect O(application), relative to O(root).
    type: str
    default: ""
  user:
    description: The account that installs the packages where root runs the module. It must be able to reach O(path).
    type: str
    default: nobody
  only_binary:
    description: Whether packages are taken as wheels only, so that no code of theirs runs while they are installed.
    type: bool
    default: false
  source_packages:
    description: Packages that are built from source although O(only_binary) is true.
    type: list
    elements: str
    default: []
  python:
    description: The interpreter. By default C(/usr/bin/python3), or the one that runs the module where that is missing.
    type: str
  extra_args:
    description: Further arguments for pip install.
    type: list
    elements: str
    default: []
  cache_dir:
    description: pip's cache, which O(user) must be able to write. By default none is kept.
    type: str
  timeout:
    description: How many seconds each command may take.
    type: int
    default: 600
  wait:
    description:
      - Whether the module waits until the environment is made.
      - If not, the work goes on by itself. A later task with the same options waits for it and fails if it failed.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Install the application's packages
  windflow.platform.venv:
    path: /opt/app/venvs/4f2a9c0d1e3b
    requirements_content: "{{ lookup('file', 'requirements.txt') }}"

- name: Begin to install the application's packages
  windflow.platform.venv:
    path: /opt/app/venvs/4f2a9c0d1e3b
    requirements_content: "{{ lookup('file', 'requirements.txt') }}"
    wait: false

- name: Start PostgreSQL meanwhile
  ansible.builtin.service:
    name: postgresql
    state: started

- name: Wait until the packages are installed
  windflow.platform.venv:
    path: /opt/app/venvs/4f2a9c0d1e3b
    requirements_content: "{{ lookup('file', 'requirements.txt') }}"
"""

RETURN = r"""
digest:
  description: SHA-256 of the requirements and of what they refer to. Empty in check mode, while there is no such file.
  type: str
  returned: success
  sample: 4f2a9c0d1e3b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918070f6e5d4c3b2a19080
packages:
  description: What is installed. Empty in check mode and without O(wait), unless the environment is complete.
  type: list
  elements: str
  returned: success
  sample: [gunicorn-23.0.0]
python:
  description: The interpreter's real path. Empty where the digest is.
  type: str
  returned: success
  sample: /usr/bin/python3.11
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.system import virtualenv


def main():
    module = AnsibleModule(argument_spec=virtualenv.ARGUMENTS, supports_check_mode=True, **virtualenv.RULES)
    answer(module, virtualenv.run)


if __name__ == "__main__":
    main()
