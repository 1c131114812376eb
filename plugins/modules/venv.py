#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: venv
short_description: A virtual environment with its requirements, complete or not there
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Makes a virtual environment and installs requirements into it.
  - A marker file is written last. An environment without it is removed and made anew.
  - Where a requirement carries a hash, all must (C(--require-hashes)).
  - The environment belongs to who runs the module and is readable by everybody, whatever the umask.
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
    description: A file on the host with the requirements. Files that it includes do not count towards the comparison.
    type: str
  python:
    description: The interpreter. By default C(/usr/bin/python3), or the one that runs the module where that is missing.
    type: str
  extra_args:
    description: Further arguments for pip install.
    type: list
    elements: str
    default: []
  cache_dir:
    description: pip's cache. By default none is kept.
    type: str
  timeout:
    description: How many seconds each command may take.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: The application's packages are installed
  windflow.platform.venv:
    path: /opt/app/venvs/4f2a9c0d1e3b
    requirements_content: "{{ lookup('file', 'requirements.txt') }}"
"""

RETURN = r"""
digest:
  description: SHA-256 of the requirements.
  type: str
  returned: success
  sample: 4f2a9c0d1e3b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918070f6e5d4c3b2a19080
packages:
  description: What is installed. Empty in check mode, unless the environment is complete.
  type: list
  elements: str
  returned: success
  sample: [gunicorn-23.0.0]
python:
  description: The interpreter's real path.
  type: str
  returned: success
  sample: /usr/bin/python3.11
"""

import os
import sys

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils import virtualenv
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError


def read(params: dict, check: bool) -> str | None:
    """The text of the requirements; None for a file that does not exist yet in a check."""
    if params["requirements_content"] is not None:
        return params["requirements_content"]
    try:
        with open(params["requirements"], encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        if check and isinstance(error, FileNotFoundError):
            return None
        problem = Problem("E4060", "requirements in UTF-8", str(error), "correct the file", path="requirements")
        raise WindflowError(problem) from error


def run(params: dict, check: bool) -> dict:
    """The module's result. Raises WindflowError."""
    path = params["path"]
    python = params["python"] or ("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable)
    requirements = read(params, check)
    virtualenv.check_path(path)
    marker = virtualenv.marker_text(requirements or "", python, params["extra_args"])
    complete = requirements is not None and virtualenv.is_complete(path, marker)
    if not complete and not check:
        virtualenv.build(
            path,
            python,
            requirements,
            params["requirements"] or "",
            params["extra_args"],
            params["timeout"],
            params["cache_dir"] or "",
        )
    return {
        "changed": not complete,
        "digest": virtualenv.requirements_digest(requirements or ""),
        "packages": virtualenv.installed(path) if complete or not check else [],
        "python": os.path.realpath(python),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "requirements_content": {"type": "str"},
            "requirements": {"type": "str"},
            "python": {"type": "str"},
            "extra_args": {"type": "list", "elements": "str", "default": []},
            "cache_dir": {"type": "str"},
            "timeout": {"type": "int", "default": 600},
        },
        mutually_exclusive=[("requirements_content", "requirements")],
        required_one_of=[("requirements_content", "requirements")],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except WindflowError as error:
        module.fail_json(**error.as_result())


if __name__ == "__main__":
    main()
