# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import logins
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def test_each_login_has_a_name_and_a_password_of_its_own_and_shows_no_password():
    one, other = logins.new(logins.LOOKER), logins.new(logins.LOOKER)
    assert re.fullmatch(r"windflow_look_[0-9a-f]{8}", one.name) and one.name != other.name
    assert one.password != other.password and one.password not in repr(one)
    assert logins.new(logins.WORKER, "0815abcd").name == "windflow_login_0815abcd"


def test_the_server_is_told_a_verifier_and_never_the_password():
    login = logins.new(logins.WORKER)
    for sql in (logins.creation(login), logins.make_worker(login, []), logins.make_looker(login, "shop", ["web"])):
        assert login.password not in sql and "SCRAM-SHA-256$" in sql
        assert "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION" in sql


def test_a_looker_ends_by_itself_and_is_never_a_member_of_a_superuser():
    sql = logins.make_looker(logins.new(logins.LOOKER), "it's", ["web", "owner"])
    assert "VALID UNTIL" in sql and "NOT rolsuper" in sql and "NOBYPASSRLS" in sql
    # The text of CREATE ROLE is a literal itself, and so are the names.
    assert "'it''s'" in sql and "rolname IN ('web', 'owner')" in sql and "rolname <> 'web'" in sql


def test_a_worker_sees_every_row_and_gets_what_its_work_needs():
    sql = logins.make_worker(logins.Login("w", "p"), ["GRANT CREATE ON SCHEMA public TO %s;"])
    assert " BYPASSRLS " in sql and sql.endswith('GRANT CREATE ON SCHEMA public TO "w";\n')


def test_a_login_that_is_dropped_has_no_session_and_no_privilege_left():
    lines = logins.drop_worker('o"dd').splitlines()
    assert lines[0].startswith("SELECT count(pg_terminate_backend(pid))") and "usename = 'o\"dd'" in lines[0]
    assert "DROP OWNED BY" in lines[1] and lines[2] == 'DROP ROLE IF EXISTS "o""dd";'


def test_only_lookers_whose_time_is_over_are_dropped_with_one():
    sql = logins.drop_lookers(logins.Login("windflow_look_0815abcd", "p"))
    assert "rolname ~ '^windflow_look_[0-9a-f]{8}$' AND rolvaliduntil < now()" in sql


def test_a_name_that_the_server_would_cut_is_refused():
    with pytest.raises(WindflowError):
        logins.drop_worker("x" * 64)
