# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration and what surrounds it, with a PostgreSQL of the test's own, and a backend that does nothing else."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be the user postgres"),
]

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(sys.executable).parent
NAME = "windflow-test-migration-%d" % os.getpid()
STATE = Path("/var/lib/windflow", NAME)
BACKUPS = STATE / "backups" / "database"
SOCKETS = "/var/run/postgresql"
DEPLOY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - windflow.platform.plan:
        plugin: "{{ plugin }}"
      register: deploy_plan
    - ansible.builtin.set_fact:
        deploy_plan: >-
          {{ deploy_plan | combine({'role': 'backend', 'new_release': true, 'release': release,
          'events': {'pre': [], 'migrate': ['migrate'], 'post': []},
          'revision': deploy_plan.revision | combine({'release': release})}) }}
      vars:
        release: "{{ deploy_plan.run.split('-')[0] }}-0123abcd"
    - ansible.builtin.include_role: {name: windflow.platform.deploy, tasks_from: apply, rolespec_validate: false}
"""
FAILING_IN_CONTAINERS = f"""
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - windflow.platform.plan:
        plugin: "{{{{ plugin }}}}"
      register: planned
    - ansible.builtin.copy:
        content: "{{{{ record | to_json }}}}"
        dest: "{STATE}/record.json"
        mode: "0600"
    - windflow.platform.release_info:
        plugin: {NAME}
      register: found
    - ansible.builtin.set_fact:
        compose_prepared: {{changes: [db]}}
        deploy_plan: >-
          {{{{ planned | combine({{'role': 'backend', 'new_release': true, 'target': 'compose',
          'events': {{'pre': [], 'migrate': ['migrate'], 'post': []}},
          'position': found.plugins['{NAME}'].position}}) }}}}
    - ansible.builtin.include_role: {{name: windflow.platform.deploy, tasks_from: apply, rolespec_validate: false}}
"""
DOCKER = """#!/bin/sh
echo "$*" >>"$0.log"
case "$*" in
    *--services*) printf 'app\\ndb\\n' ;;
    *"config --format json"*) echo '{"services": {"app": {}, "db": {}}}' ;;
esac
"""
MIGRATING = """
- ansible.builtin.include_role:
    name: windflow.platform.migration
    rolespec_validate: false
  vars:
    migration_plan: "{{ host_plan }}"
"""
VERIFY = """
- ansible.builtin.fail:
    msg: it does not answer
  when: verify_fails | default(false)
"""


class Site:
    """The plugin, its database, and what an operator does with them."""

    def __init__(self, home: Path, root: str) -> None:
        self.home, self.root = home, root
        self.bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        (home / "config").mkdir()
        (home / "hooks").mkdir()
        (home / "roles" / "backend" / "tasks").mkdir(parents=True)
        place = f"database: {{host: localhost, port: {self.port}, name: app}}\n"
        (home / "config" / "defaults.yaml").write_text(place)
        (home / "plugin.yml").write_text(f"name: {NAME}\nversion: 1.0.0\nhooks: {{migrate: hooks/migrate.sh}}\n")
        (home / "deploy.yml").write_text(DEPLOY)
        (home / "roles" / "backend" / "tasks" / "migrating.yml").write_text(MIGRATING)
        (home / "roles" / "backend" / "tasks" / "verify.yml").write_text(VERIFY)

    def server(self, *arguments: str) -> None:
        argv = ["runuser", "-u", "postgres", "--", str(self.bin / arguments[0]), "-D", self.root + "/data"]
        subprocess.run([*argv, *arguments[1:]], check=True, cwd="/", stdout=subprocess.DEVNULL)

    def sql(self, query: str, database: str = "app") -> str:
        argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-h", SOCKETS, "-p", str(self.port), "-d", database]
        done = subprocess.run([*argv, "-c", query], check=True, cwd="/", capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, argv: list, code: int, environment: dict | None = None, **variables) -> str:
        environment = {
            **(environment or {}),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(self.home / "roles"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "cli"), os.environ.get("PYTHONPATH", "")]),
        }
        done = subprocess.run(
            [*argv, "-e", json.dumps(variables)],
            check=False,
            cwd=self.home,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def deploy(self, hook: str, code: int = 2, **variables) -> dict:
        """The revision that a deploy with that migration leaves."""
        query = f"runuser -u postgres -- psql -XAtq -h {SOCKETS} -p {self.port} -d app -c"
        path = self.home / "hooks" / "migrate.sh"
        path.write_text(f'#!/bin/sh\nexport PATH\ncd /\nsql() {{ {query} "$1"; }}\n{hook}\n')
        path.chmod(0o755)
        argv = [PROGRAMS / "ansible-playbook", "deploy.yml"]
        self.run([*argv], code, plugin=str(self.home), **variables)
        return self.record()["revisions"][-1]

    def platform(self, verb: str, *arguments: str, code: int = 0, **variables) -> str:
        return self.run([PROGRAMS / "platform", "plugin", verb, NAME, *arguments, "--"], code, **variables)

    def record(self) -> dict:
        return json.loads((STATE / "record.json").read_text(encoding="utf-8"))

    def backups(self) -> list:
        return sorted(path.stem for path in BACKUPS.glob("*.dump"))


@pytest.fixture
def site(tmp_path):
    shutil.rmtree(STATE, ignore_errors=True)
    root = tempfile.mkdtemp(prefix="windflow-pg-", dir="/tmp")
    account = pwd.getpwnam("postgres")
    os.chown(root, account.pw_uid, account.pw_gid)
    found = Site(tmp_path, root)
    try:
        found.server("initdb", "-N", "--auth-local=peer", "--auth-host=scram-sha-256")
        options = f"-p {found.port} -k {SOCKETS} -c fsync=off -c listen_addresses=127.0.0.1"
        found.server("pg_ctl", "-o", options, "-l", root + "/log", "-w", "start")
        found.sql("create role app_owner", "postgres")
        found.sql("create database app owner app_owner", "postgres")
        yield found
        found.server("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(root)
        shutil.rmtree(STATE, ignore_errors=True)


def test_a_migration_from_its_first_run_to_the_restore(site):
    # Nothing is there yet.
    first = site.deploy('sql "create table items (name text)"', 0)
    assert (first["state"], first["backup"], site.backups()) == ("deployed", "", [])

    # It fails half way, is tried again, and the backup of before the first attempt is what a restore takes.
    site.sql("insert into items values ('precious')")
    failing = 'sql "delete from items"; echo the migration does not like it; exit 3'
    failed = site.deploy(failing)
    label = failed["backup"]
    assert site.backups() == [label] and "the migration does not like it" in failed["error"]
    assert f"{BACKUPS}/{label}.dump" in failed["error"] and "windflow_hosts=localhost" in failed["error"]
    again = [site.deploy(failing, keep_backups=1)["backup"] for _attempt in range(2)]
    assert site.backups() == sorted([label, again[1]]) and site.sql("select name from items") == ""
    output = site.platform("restore")
    assert output.index(f"{label} of 20") < output.index("TASK [Restore the database]")
    assert site.sql("select name from items") == "precious"
    assert (site.record()["revisions"][-1]["backup"], site.record()["lease"]) == (label, None)

    # The backup is noted before the migration begins. A failure behind it tells of both.
    failed = site.deploy(f'grep "backup.*$WINDFLOW_RELEASE" {STATE}/record.json', verify_fails=True)
    assert failed["error"].index("it does not answer") < failed["error"].index("The database was migrated before that")
    assert f"{BACKUPS}/{failed['backup']}.dump" in failed["error"]


def test_a_restore_that_is_asked_for_says_what_came_of_it(site):
    site.deploy('sql "create table items (name text)"', 0)
    site.sql("insert into items values ('precious')")
    failed = site.deploy('sql "delete from items"; exit 3', restore_on_failure=True)
    assert failed["restored"] and "was restored from the backup" in failed["error"] and "exit code 3" in failed["error"]
    assert site.sql("select name from items") == "precious"
    failed = site.deploy(f"truncate --size=-9 {BACKUPS}/$WINDFLOW_RELEASE.dump; exit 3", restore_on_failure=True)
    assert not failed["restored"] and f"{BACKUPS}/{failed['backup']}.dump" in failed["error"]
    assert failed["error"].index("exit code 3") < failed["error"].index("The restore failed, too: E4097")

    # Others need the database: what they wrote is not thrown away.
    other = Path(f"{STATE}-other")
    needs = {NAME: {"plugin": NAME, "constraint": "*"}}
    revision = {"revision": 1, "version": "1.0.0", "target": "", "state": "deployed", "needs": needs, "release": "r"}
    revision.update(started="2026-11-23T01:23:27Z", finished="2026-11-23T01:23:28Z", step="done", event="install")
    record = {"format": 1, "plugin": other.name, "sequence": 1, "current": 1, "lease": None, "managed": {}}
    try:
        other.mkdir()
        (other / "record.json").write_text(json.dumps({**record, "revisions": [revision]}))
        failed = site.deploy('sql "delete from items"; exit 3', restore_on_failure=True)
        assert f"not restored, because {other.name}" in failed["error"] and "restore_shared=true" in failed["error"]
        assert f"{BACKUPS}/{failed['backup']}.dump" in failed["error"] and site.sql("select name from items") == ""
        refused = site.platform("restore", code=4)
        assert "E5015" in refused and other.name in refused
        site.platform("restore", "--backup", failed["backup"], restore_shared=True)
        assert site.sql("select name from items") == "precious"
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_what_a_first_deploy_finds_is_backed_up_and_can_be_restored(site):
    site.sql("create table items (name text)")
    failed = site.deploy('sql "drop table items"; exit 3')
    assert site.backups() == [failed["backup"]] and site.record()["current"] is None


def test_a_label_that_is_taken_is_refused(site):
    site.sql("create table items (name text)")
    site.deploy("exit 0", 0)
    assert "nightly.dump:" in site.platform("backup", "--label", "nightly")
    assert "E5017" in site.platform("backup", "--label", "nightly", code=4)


def test_what_outlives_releases_is_put_back_in_containers(site):
    """The engine is a script that notes how it is called."""
    old, shared = "20261123T012327Z-0123abcd", site.home / "shared"
    release = site.home / "releases" / old
    for folder in (release / "secrets", shared / "secrets", site.home / "bin", STATE):
        folder.mkdir(parents=True)
    (release / "secrets" / "db_password").write_text("old")
    (shared / "secrets" / "db_password").write_text("new")
    (site.home / "current").symlink_to(f"releases/{old}")
    (site.home / "bin" / "docker").write_text(DOCKER)
    (site.home / "bin" / "docker").chmod(0o755)
    (site.home / "roles" / "backend" / "tasks" / "migrating.yml").write_text(
        "- ansible.builtin.fail: {msg: no backup}\n"
    )
    (site.home / "deploy.yml").write_text(FAILING_IN_CONTAINERS)
    compose = {"project": NAME, "install_dir": str(site.home), "shared_dir": str(shared), "files": ["compose.yaml"]}
    compose.update(app="app", front="", port=0, health_timeout=5)
    revision = {"revision": 1, "version": "1.0.0", "target": "compose", "state": "deployed", "release": old}
    revision.update(started="2026-11-23T01:23:27Z", finished="2026-11-23T01:23:28Z", step="done", event="install")
    record = {"format": 1, "plugin": NAME, "sequence": 1, "current": 1, "lease": None, "managed": {}}
    record["revisions"] = [{**revision, "compose": compose}]
    path = "%s:%s" % (site.home / "bin", os.environ["PATH"])
    failed = site.deploy("exit 0", record=record, environment={"PATH": path})
    assert "no backup" in failed["error"] and "put back" not in failed["error"]
    assert (shared / "secrets" / "db_password").read_text() == "old"
    (up,) = [line for line in (site.home / "bin" / "docker.log").read_text().splitlines() if " up " in line]
    assert f"--file {release}/effective.json" in up and up.endswith(" db")
