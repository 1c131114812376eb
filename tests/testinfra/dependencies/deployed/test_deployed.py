# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the first deploy of a plugin that needs another one."""

from __future__ import annotations

import json


def test_the_shop_answers_and_stores(app):
    assert app.answers()
    assert app.request("/items", {"name": "stored by the verification"})[0] == 201


def test_what_it_needs_was_deployed_before_and_has_a_record_of_its_own(app, shop):
    database = shop.database()
    assert (database["version"], database["state"]) == ("2.0.0", "deployed")
    assert database["target"] == app.current()["target"]
    assert database["finished"] <= app.current()["started"]


def test_the_record_says_what_the_shop_needs(app):
    assert app.current()["needs"] == {"database": {"plugin": "database", "constraint": ">=2.0.0, <3"}}


def test_each_host_has_the_target_that_it_can_have(app):
    assert app.current()["target"] == {"molecule-plain": "host", "molecule-containers": "compose"}[app.name]


def test_the_password_was_made_on_the_host_and_is_private(app, shop):
    path = app.host.file("/var/lib/windflow/database/secrets.json")
    assert (path.user, path.mode) == ("root", 0o600)
    password = json.loads(path.content_string)["database.password"]
    assert len(password) == 48
    for name in ("shop", "database"):
        assert password not in app.host.file(f"/var/lib/windflow/{name}/record.json").content_string


def test_the_shop_has_made_no_database_of_its_own(shop):
    found = shop.sql("select datname from pg_database where not datistemplate order by 1").split()
    assert found == ["app", "postgres"]


def test_the_migration_ran_before_the_release_served_and_nothing_was_backed_up_yet(app, shop):
    assert shop.sql("select count(*) from orders") == "1"
    assert not app.host.file("/var/lib/windflow/shop/backups/database").exists


def test_the_application_in_containers_reaches_it_over_its_network(app, shop):
    if shop.contained:
        networks = app.containers("app")[0]["NetworkSettings"]["Networks"]
        assert set(networks) == {"windflow-shop_default", "windflow-database_default"}
        ports = app.host.check_output("docker port windflow-database-db-1")
        assert ports == "5432/tcp -> 127.0.0.1:5432"
