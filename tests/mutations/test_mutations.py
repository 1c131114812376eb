# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing of an OS family wrong in a copy of the collection, and a deploy to a host of that family.

The deploy has to fail, and its error has to name the cause. A mutation replaces a text that has to be there once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = [sys.executable, str(ROOT / "tests" / "lab" / "lab.py")]


class Mutation(NamedTuple):
    """What is wrong: ``old`` of ``file`` is ``new``; ``said``: the words of the error, in their order."""

    system: str
    file: str
    old: str
    new: str
    said: tuple[str, ...]


MUTATIONS = {
    "no database cluster is made": Mutation(
        "el9",
        "roles/host_postgresql/tasks/initialise.yml",
        "when: not ansible_check_mode",
        "when: false",
        ("postgresql",),
    ),
    "pg_hba.conf asks ident": Mutation(
        "el9",
        "plugins/module_utils/database/access.py",
        'return _lines(_quoted(database), "all", mark(database)) + without_lines(text, database)',
        "return text",
        ("Ident authentication failed",),
    ),
    "the program's file has an extension that Supervisor does not read": Mutation(
        "fedora",
        "roles/host/vars/redhat.yml",
        "program_ext: ini",
        "program_ext: conf",
        ("[include] of /etc/supervisord.conf",),
    ),
    "nginx.conf does not include the directory of the sites": Mutation(
        "arch",
        "roles/host_nginx/tasks/configuration.yml",
        """    backup: true
  when: __host_nginx_include | length > 0 and not ansible_check_mode""",
        """    backup: true
  when: false""",
        ("E4034", "/etc/nginx/nginx.conf"),
    ),
    "no repository has Supervisor's package": Mutation(
        "el9",
        "plugins/module_utils/backends/families.py",
        'config.get("host.supervisor_source", "auto")',
        '"package"',
        ("supervisor",),
    ),
}


def run(argv: list, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        argv,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_deploy_fails_and_names_the_cause(name, tmp_path):
    mutation = MUTATIONS[name]
    copied = run([ROOT / "scripts" / "copy_tree.sh", tmp_path])
    assert copied.returncode == 0, copied.stdout
    copy = Path(copied.stdout.splitlines()[-1])
    text = (copy / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1
    (copy / mutation.file).write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    host = "mutation-%s" % mutation.system
    try:
        started = run([*LAB, "up", host, mutation.system])
        assert started.returncode == 0, started.stdout
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(run([*LAB, "inventory", host]).stdout, encoding="utf-8")
        done = run(
            ["ansible-playbook", "-i", inventory, copy / "deploy.yml", "-e", "plugin=template"],
            ANSIBLE_CONFIG=str(copy / "ansible.cfg"),
            # The copy stands before the checkout, and the collections that it needs come from there.
            ANSIBLE_COLLECTIONS_PATH="%s:%s" % (tmp_path, ROOT / "collections"),
        )
    finally:
        run([*LAB, "down", host])
    assert done.returncode != 0, done.stdout
    error = " ".join(line for line in done.stdout.splitlines() if "rror" in line or "atal" in line or "ailed" in line)
    position = 0
    for word in mutation.said:
        position = error.find(word, position)
        assert position >= 0, "%s is not named:\n%s" % (word, done.stdout)
