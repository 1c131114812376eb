# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL: a private cluster of the tests' own."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from glob import glob

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import postgres


class Cluster:
    def __init__(self, root):
        self.root = root
        found = sorted(glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
        if not found[-1]:
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        self.bin = os.path.dirname(found[-1])
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        account = pwd.getpwnam("postgres")
        os.chown(root, account.pw_uid, account.pw_gid)

    def start(self):
        data = self.root + "/data"
        self.call("initdb", "-D", data, "-N", "--auth-local=peer", "--auth-host=scram-sha-256", "--locale=C.UTF-8")
        options = "-p %d -k %s -c fsync=off -c listen_addresses=127.0.0.1 -c log_statement=all" % (self.port, self.root)
        options += " -c max_prepared_transactions=2 -c log_connections=on"
        self.call("pg_ctl", "-D", data, "-o", options, "-l", self.root + "/log", "-w", "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.root + "/data", "-m", "immediate", "-w", "stop")

    @contextlib.contextmanager
    def hba(self, text):
        """Other rules of who may come in, as long as this lasts."""
        path = self.root + "/data/pg_hba.conf"
        with open(path, encoding="utf-8") as stream:
            before = stream.read()
        try:
            self.write_hba(path, text)
            yield
        finally:
            self.write_hba(path, before)

    def write_hba(self, path, text):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        self.call("pg_ctl", "-D", self.root + "/data", "reload")

    def call(self, program, *arguments):
        argv = ["runuser", "-u", "postgres", "--", os.path.join(self.bin, program), *arguments]
        subprocess.run(argv, check=True, cwd="/", stdout=subprocess.DEVNULL)

    def params(self, **changes):
        return {
            "name": "app",
            "user": "web",
            "password": "canary-pass",
            "port": self.port,
            "max_connections": -1,
            "socket_dir": self.root,
            "wait": 5,
            "state": "present",
            "plugin": "",
            "adopt": [],
            **changes,
        }

    def login(self, name="app", user="web", password="canary-pass", sql="SELECT 1"):
        """(code, output) of a psql that logs in with the password, over TCP."""
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-A",
                "-t",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                user,
                "-d",
                postgres.conninfo(name),
            ],
            input=sql,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": password, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def sql(self, text):
        """What psql answers the superuser, who takes names from where somebody careless does."""
        careless = functools.partial(postgres.run, environment={"PGOPTIONS": "-c client_min_messages=warning"})
        return postgres.execute_sql(text, self.port, careless, self.root).strip()


@pytest.fixture(scope="module")
def server():
    root = tempfile.mkdtemp(prefix="windflow-pg-", dir="/tmp")
    cluster = Cluster(root)
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(root)


@pytest.fixture
def cluster(server):
    yield server
    for name in server.sql("SELECT datname FROM pg_database WHERE oid > 16000").splitlines():
        server.sql("DROP DATABASE %s WITH (FORCE);" % postgres.quote_identifier(name))
    for name in server.sql("SELECT rolname FROM pg_roles WHERE oid > 16000").splitlines():
        server.sql("DROP ROLE %s;" % postgres.quote_identifier(name))
    server.sql("ALTER ROLE postgres PASSWORD NULL;")
