# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import hba

RULES = """# local all all trust
local   sameuser  all  md5
local   all   "postgres",root   reject  # nobody
host    all   all   all  scram-sha-256
"""


@pytest.fixture
def cluster(tmp_path):
    """A cluster's directories, with this process in the place of its server."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / ".s.PGSQL.5433.lock").write_text("%d\n%s\n0\n" % (os.getpid(), data), encoding="utf-8")
    (data / "pg_hba.conf").write_text(RULES, encoding="utf-8")
    (data / "postgresql.conf").write_text("port = 5433\n", encoding="utf-8")
    return tmp_path


def test_the_line_that_decides_for_the_superuser_is_named_with_its_place(cluster):
    assert hba.line(5433, str(cluster)) == '%s/data/pg_hba.conf:3: local all "postgres",root reject' % cluster


def test_the_rules_are_looked_for_where_the_configuration_says(cluster):
    (cluster / "rules").write_text("local all all peer\n", encoding="utf-8")
    (cluster / "data/postgresql.conf").write_text(" hba_file = '%s/rules'\n" % cluster, encoding="utf-8")
    assert hba.line(5433, str(cluster)) == "%s/rules:1: local all all peer" % cluster


def test_rules_without_such_a_line_are_said_to_have_none(cluster):
    (cluster / "data/pg_hba.conf").write_text("host all all all md5\nlocal shop all md5\n", encoding="utf-8")
    assert hba.line(5433, str(cluster)) == "%s/data/pg_hba.conf without such a line" % cluster


@pytest.mark.parametrize("lock", ["", "x\n", "%d\n"])
def test_of_a_server_that_is_not_there_nothing_is_known(cluster, lock):
    assert hba.line(5999, str(cluster)) == "pg_hba.conf"
    (cluster / ".s.PGSQL.5433.lock").write_text(lock, encoding="utf-8")
    assert hba.line(5433, str(cluster)) == "pg_hba.conf"


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ('FATAL:  no pg_hba.conf entry for host "[local]"', True),
        ('FATAL:  Peer authentication failed for user "postgres"', True),
        ("could not connect to server: No such file or directory", False),
    ],
)
def test_a_refusal_differs_from_a_server_that_is_away(said, refused):
    assert hba.refused(said) is refused
