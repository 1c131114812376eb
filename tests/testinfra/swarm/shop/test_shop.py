# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the deploy of a plugin that needs another one, both as stacks."""

from __future__ import annotations

import json


def sql(app, query: str) -> str:
    """The answer of the database's task, which is on the manager, to one query."""
    name = app.host.check_output("docker ps -q --filter label=com.docker.swarm.service.name=windflow-database_db")
    return app.host.check_output("docker exec %s psql -h /tmp -U postgres -d app -Atc %s", name, query)


def test_application_writes_and_reads_its_database_through_what_it_was_given(shop):
    status, body = shop.request("/items", {"name": "stored in a stack's database"})
    assert status == 201, body
    assert "stored in a stack's database" in shop.request("/items")[1]
    assert sql(shop, "select name from items") == "stored in a stack's database"


def test_tasks_on_all_nodes_reach_it(shop):
    said = shop.host.check_output(
        "docker service ps windflow-shop_app --filter desired-state=running --format '{{.Node}}'"
    )
    assert len(set(said.split())) == 2
    # The front takes them in turn, and their health is that of the database, too.
    assert len({json.loads(shop.request("/healthz")[1])["instance"] for _number in range(10)}) == 2
    assert all("stored in a stack's database" in shop.request("/items")[1] for _number in range(10))


def test_what_it_needs_is_a_stack_of_its_own_and_was_there_before(shop, database):
    first, second = database.current(), shop.current()
    assert (first["compose"]["engine"], first["compose"]["replicas"], first["state"]) == ("swarm", 1, "deployed")
    assert (second["compose"]["engine"], second["compose"]["replicas"], second["state"]) == ("swarm", 2, "deployed")
    assert first["finished"] <= second["started"]
    assert second["needs"] == {"database": {"plugin": "database", "constraint": ">=2.0.0, <3"}}


def test_port_of_the_database_is_published_nowhere(shop, database, services_of):
    (service,) = services_of("windflow-database").values()
    assert not service["Endpoint"].get("Ports") and not service["Spec"]["EndpointSpec"].get("Ports")
    assert ":5432" not in shop.host.check_output("ss -Htln; docker ps --format '{{.Ports}}'")
    assert database.current()["port"] == 0


def test_two_servers_never_have_one_volume(services_of):
    (service,) = services_of("windflow-database").values()
    assert service["Spec"]["UpdateConfig"]["Order"] == service["Spec"]["RollbackConfig"]["Order"] == "stop-first"


def test_password_was_made_on_the_manager_and_is_a_secret_of_the_swarm(shop, database, services_of):
    password = json.loads(shop.host.file("/var/lib/windflow/database/secrets.json").content_string)["database.password"]
    for app in (shop, database):
        assert password not in json.dumps(services_of(f"windflow-{app.plugin}")) + json.dumps(app.record())


def test_second_run_changes_nothing(deploy, state):
    said = deploy("-e", "replicas=2", plugin=str(state / "plugins" / "shop"))
    assert "changed=0" in said and said.count("nothing to do") == 2


def test_database_is_not_taken_away_from_the_shop(playbook, database):
    done = playbook("playbooks/remove.yml", "database", "-e", "purge=database")
    assert done.returncode == 2 and "E5011" in done.stdout and "shop" in done.stdout
    assert database.record()["current"] and sql(database, "select count(*) from items") == "1"
