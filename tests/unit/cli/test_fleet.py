# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hosts that are this machine, each with a directory of its own in the place of /var/lib/windflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[3]
HOSTS = ("one", "two", "three")
NAME = "windflow-test-fleet-%d" % os.getpid()
# What Ansible takes for a shell: the same with other mounts.
SHELL = """#!/bin/sh
exec unshare --mount /bin/sh -c 'mount --bind %s /var/lib/windflow && exec /bin/sh "$@"' sh "$@"
"""
# The order of a role: what the migration gives, and the switch behind it.
PLAY = """
- hosts: all
  gather_facts: false
  serial: "{{ serial | default('100%') }}"
  tasks:
    - ansible.builtin.meta: end_host
      when: inventory_hostname in (leave | default([]))
    - windflow.platform.release:
        plugin: "{{ plan.plugin }}"
        state: started
        run: "{{ plan.run }}"
    - ansible.builtin.include_role: {name: windflow.platform.migration}
      vars:
        migration_plan: "{{ plan }}"
    - ansible.builtin.copy:
        content: "{{ migration_outcome.results | to_json }}"
        dest: "{{ directory }}/{{ inventory_hostname }}.switched"
        mode: "0600"
"""


class Fleet:
    def __init__(self, directory):
        # What is mounted over has to be there.
        os.makedirs("/var/lib/windflow", exist_ok=True)
        self.directory = directory
        hosts = {}
        for name in HOSTS:
            (directory / name).mkdir()
            shell = directory / f"{name}.sh"
            shell.write_text(SHELL % (directory / name))
            shell.chmod(0o755)
            hosts[name] = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
            hosts[name]["ansible_shell_executable"] = str(shell)
        self.inventory = directory / "inventory.json"
        self.write_inventory(hosts)
        (directory / "play.yml").write_text(PLAY)

    def write_inventory(self, hosts):
        self.hosts = hosts
        self.inventory.write_text(json.dumps({"all": {"hosts": hosts}}))

    def plugin(self, hook, event="pre-deploy"):
        """A plugin with a hook that runs once and says on which host."""
        (self.directory / "hooks").mkdir(exist_ok=True)
        (self.directory / "plugin.yml").write_text(
            f"name: {NAME}\nversion: 1.0.0\nhooks: {{{event}: {{path: hooks/once.sh, run: once}}}}\n"
        )
        script = self.directory / "hooks" / "once.sh"
        script.write_text(f'#!/bin/sh\necho "$WINDFLOW_HOST" >>{self.directory}/ran\n{hook}\n')
        script.chmod(0o755)

    def run(self, playbook, code, **variables):
        argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", self.inventory, playbook]
        done = subprocess.run(
            [*argv, "-e", json.dumps({"plugin": str(self.directory), **variables})],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def migrate(self, code, **variables):
        """The output of a migration, and what the hosts that were switched had of it by then."""
        inputs = {"plugin": str(self.directory), "config": [], "sets": [], "dependency": False}
        plan = {"plugin": NAME, "version": "1.0.0", "from_version": "", "environment": "", "target": "host"}
        plan.update(release="r", install_dir="/opt/x", url="", user="nobody", local_database={}, inputs=inputs)
        plan.update(run="run", engine="", lease_seconds=900, events={"migrate": ["migrate"]})
        output = self.run(self.directory / "play.yml", code, plan=plan, directory=str(self.directory), **variables)
        return output, {path.stem: json.loads(path.read_text()) for path in self.directory.glob("*.switched")}

    def ran(self):
        file = self.directory / "ran"
        return file.read_text().split() if file.exists() else []

    def record(self, host):
        return json.loads((self.directory / host / NAME / "record.json").read_text())


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path)


RESULT = """sleep 1; echo '{"schema": 7}' >"$WINDFLOW_RESULT_FILE" """


@pytest.mark.parametrize("variables", [{}, {"serial": 1}], ids=["side by side", "in batches"])
def test_what_runs_once_runs_on_one_host_and_the_others_wait_for_what_it_gives(fleet, variables):
    fleet.plugin(RESULT, "migrate")
    _output, switched = fleet.migrate(0, **variables)
    assert len(fleet.ran()) == 1 and switched == dict.fromkeys(HOSTS, {"schema": 7})


def test_where_the_first_host_has_left_the_play_another_one_runs_it(fleet):
    fleet.plugin(RESULT, "migrate")
    _output, switched = fleet.migrate(0, leave=["one"])
    assert fleet.ran() in (["two"], ["three"]) and switched == dict.fromkeys(HOSTS[1:], {"schema": 7})


def test_where_it_fails_no_host_is_switched_and_each_names_hook_and_host(fleet):
    fleet.plugin("sleep 1; exit 3", "migrate")
    output, switched = fleet.migrate(2)
    (runner,) = fleet.ran()
    assert not switched and f"hook hooks/once.sh (migrate) failed on {runner}: exit code 3" in output
    others = f"E3008: hook hooks/once.sh (migrate) failed on {runner}, which runs it for all hosts: E3001"
    assert output.count(others) >= 2


def test_every_record_has_the_results_and_every_failure(fleet):
    fleet.plugin(RESULT)
    fleet.run("deploy.yml", 0)
    assert len(fleet.ran()) == 1
    assert [fleet.record(host)["revisions"][-1]["results"] for host in HOSTS] == [{"schema": 7}] * 3
    fleet.plugin("exit 3")
    # The host that is first in the inventory does not even get there.
    fleet.write_inventory({**fleet.hosts, "one": {"ansible_host": "127.0.0.1", "ansible_port": 1}})
    fleet.run("deploy.yml", 4)
    _before, runner = fleet.ran()
    assert fleet.record("one")["sequence"] == 1 and runner in ("two", "three")
    for host in ("two", "three"):
        last = fleet.record(host)["revisions"][-1]
        assert last["state"] == "failed" and ("E3001" if host == runner else "E3008") in last["error"]
        assert runner in last["error"] and "hooks/once.sh" in last["error"]


def test_a_second_play_of_the_same_process_runs_it_again(fleet):
    fleet.plugin(RESULT)
    both = fleet.directory / "both.yml"
    play = f"- import_playbook: {ROOT}/deploy.yml\n"
    both.write_text(f"{play}{play}  vars: {{force: true}}\n")
    fleet.run(both, 0)
    assert len(fleet.ran()) == 2
