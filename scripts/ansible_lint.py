# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-lint with one syntax check for all playbooks: python scripts/ansible_lint.py [ARGUMENTS of ansible-lint]

ansible-lint starts Ansible once for each playbook, each role and each import of a playbook, and that takes longer than
all of its rules. Here one start checks all of them. Where it finds something, ansible-lint checks each by itself, to
say where.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from ansiblelint.__main__ import main
from ansiblelint.runner import Runner

check_each = Runner._run_syntax_check_phase


def check_all(runner: Runner, matches: list[Any]) -> list[Any]:
    """Takes the place of the method of ansible-lint."""
    files = runner._collect_syntax_check_files()
    playbooks = [str(file.path) for file in files if file.kind == "playbook"]
    roles = [str(file.path.absolute()) for file in files if file.kind == "role"]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "roles.yml")
        tasks = [{"ansible.builtin.import_role": {"name": role}} for role in roles]
        path.write_text(yaml.safe_dump([{"name": "Roles", "hosts": "localhost", "tasks": tasks}]), encoding="utf-8")
        environment = {**runner.app.runtime.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "False"}
        argv = ["ansible-playbook", "--syntax-check", *playbooks, str(path)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment)
    if done.returncode:
        return check_each(runner, matches)
    runtime, checked = runner.app.runtime, {Path(playbook).resolve() for playbook in playbooks}
    ask = runtime.has_playbook
    runtime.has_playbook = lambda playbook, **more: Path(playbook).resolve() in checked or ask(playbook, **more)
    return files


if __name__ == "__main__":
    Runner._run_syntax_check_phase = check_all  # type: ignore[method-assign]
    sys.exit(main())
