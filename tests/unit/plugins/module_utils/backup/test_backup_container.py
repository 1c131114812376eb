# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of the sample plugin's database container, as hardened as its Compose file has it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import backup
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.tests.tools.modules import filled

ROOT = Path(__file__).resolve().parents[5]
IMAGE = "windflow-test-database"


def docker(*arguments, **options) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def engine_answers() -> bool:
    return shutil.which("docker") is not None and not subprocess.call(
        ["docker", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for the backups' directory"),
    pytest.mark.skipif(not engine_answers(), reason="no Docker Engine answers: scripts/docker.sh start"),
]


def build() -> None:
    """The image from the lab's base, which is made from Debian packages if it is not there."""
    code = "import json, images, machine; print(json.dumps([images.ensure('trixie', 'base'), machine.proxies()]))"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tests/lab", stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    base, proxies = json.loads(said.splitlines()[-1])
    options = [item for name, value in proxies.items() for item in ("--build-arg", "%s=%s" % (name, value))]
    source = ROOT / "windflow_plugins/template/compose/database"
    # The builder of old, which every engine has.
    docker(
        *("build", "-q", "-t", IMAGE, "--build-arg", "BASE_IMAGE=" + base, *options, str(source)),
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    build()
    name = "windflow-test-database-" + secrets.token_hex(4)
    secret = tmp_path_factory.mktemp("secret") / "database_password"
    secret.write_text("canary-pass")
    secret.chmod(0o444)
    try:
        docker(
            *("run", "-d", "--name", name, "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"),
            *("--user=10002:10000", "--tmpfs=/tmp", "--memory=1g", "--pids-limit=200", "--network=none"),
            *("-v", "/var/lib/postgresql/data"),
            *(
                "-e",
                "DB_NAME=my app",
                "-e",
                "DB_USER=web",
                "-v",
                "%s:/run/secrets/database_password:ro" % secret,
                IMAGE,
            ),
        )
        for _attempt in range(100):
            asked = ["docker", "exec", name, "pg_isready", "-q", "-h", "127.0.0.1"]
            if subprocess.call(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
                break
            time.sleep(0.2)
        else:
            pytest.fail(subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=False).stderr)
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", name], stdout=subprocess.DEVNULL, check=False)


class Box:
    def __init__(self, container: str, directory: Path):
        self.container = container
        self.directory = directory

    def params(self, **changes) -> dict:
        given = {"name": "my app", "label": "first", "directory": str(self.directory), "timeout": 120}
        given.update(container=self.container)
        return filled(backup.ARGUMENTS, **{**given, **changes})

    def run(self, check: bool = False, **changes) -> dict:
        return backup.bring(self.params(**changes), check)

    def sql(self, text: str, name: str = "my app") -> str:
        argv = [
            "exec",
            "-i",
            self.container,
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-h",
            "/tmp",
            "-U",
            "postgres",
            "-d",
            name,
        ]
        return docker(*argv, "-v", "ON_ERROR_STOP=1", input=text)

    def databases(self) -> list:
        return self.sql("SELECT datname FROM pg_database WHERE oid > 16000 ORDER BY 1", "postgres").splitlines()


@pytest.fixture
def box(container, tmp_path):
    found = Box(container, tmp_path / "backups")
    found.sql("CREATE TABLE t AS SELECT n AS x FROM generate_series(1, 500) n; ALTER TABLE t OWNER TO web;")
    yield found
    found.sql("DROP TABLE IF EXISTS t;")
    for name in found.databases():
        if name != "my app":
            found.sql('DROP DATABASE "%s" WITH (FORCE);' % name, "postgres")


def test_check_real_check_again_real_again(box):
    assert [box.run(check)["changed"] for check in (True, False, True, False)] == [True, True, False, False]
    assert box.databases() == ["my app"]
    assert json.loads((box.directory / "first.json").read_text())["owner"] == "web"


def test_what_was_lost_comes_back_and_what_was_replaced_is_kept(box):
    grants = "SELECT datacl FROM pg_database WHERE datname = 'my app'"
    before = box.sql(grants)
    assert box.run()["rows"] == 500
    box.sql("DELETE FROM t;")
    replaced = box.run(state="restored")["replaced"]
    assert box.sql("SELECT count(*) FROM t") == "500" and box.sql("SELECT count(*) FROM t", replaced) == "0"
    assert box.sql(grants) == before and "web=" in before
    assert box.sql("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == "web"


@pytest.mark.parametrize("method", ["write_dump", "fill"])
def test_a_client_that_was_killed_leaves_nothing_behind_the_next_call(box, method):
    code = """
import json, sys, time
from ansible_collections.windflow.platform.plugins.module_utils.backup import backup as database_backup
real = database_backup.Job.%s
def stopped(*arguments):
    real(*arguments)
    print("there", flush=True)
    time.sleep(60)
database_backup.Job.%s = stopped
database_backup.bring(json.loads(sys.argv[1]), False)
""" % (method, method)
    argv = [sys.executable, "-c", code, json.dumps(box.params())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"there\n"
        process.kill()
    left = [name for name in box.databases() if name != "my app"]
    assert len(left) == (1 if method == "fill" else 0)
    result = box.run()
    assert sorted(result["cleaned"]) == sorted(["first.dump.partial", *left])
    assert box.databases() == ["my app"]


def test_a_time_out_leaves_no_program_in_the_container(box):
    # The client in the container would go on waiting for the lock without anybody who reads it.
    argv = ["docker", "exec", "-i", box.container, "psql", "-X", "-q", "-h", "/tmp", "-U", "postgres", "-d", "my app"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdin.write(b"BEGIN; LOCK TABLE t; \\echo there\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"there\n"
        with pytest.raises(WindflowError, match="E4098"):
            box.run(timeout=3)
        holder.stdin.close()
    assert box.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'backup'") == "0"
    assert box.databases() == ["my app"] and os.listdir(box.directory.parent) == []


@pytest.mark.parametrize("name", ["windflow-no-such-container", "-x"])
def test_a_container_that_is_not_there_is_named(box, name):
    with pytest.raises(WindflowError, match=r"E409[09].*%s" % name):
        box.run(container=name)


def test_a_container_without_the_programs_is_named(box, monkeypatch):
    real = backup.Server.command
    monkeypatch.setattr(
        backup.Server,
        "command",
        lambda self, program, arguments: real(self, program.replace("pg_", "no_"), arguments),
    )
    with pytest.raises(WindflowError, match="E4092.*in the container's image"):
        box.run()
