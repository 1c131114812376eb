# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ansible_collections.windflow.platform.plugins.module_utils.backends import compose_files
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings
from ansible_collections.windflow.platform.plugins.module_utils.backends.compose_plan import ComposeBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

PLUGINS = Path(__file__).parents[5] / "windflow_plugins"
# Secrets as a host makes them.
KEPT = {"app.secret_key": "canary-key-0815", "database.password": "canary-db-4711"}
RELEASE = "20261123T012327Z-1a2b3c4d"


def backend(*sets, plugin="template", **settings):
    manifest = load_manifest(PLUGINS / plugin)
    kept = KEPT if plugin == "template" else {"database.password": "canary-db-4711"}
    return ComposeBackend(
        manifest, load_config(manifest, None, None, [], {}, list(sets), kept=kept), Settings(**settings)
    )


def documents(made, **changes):
    section = {"install_dir": "/opt/template", "shared_dir": "/opt/template/shared", "app": "app", "networks": []}
    section.update(
        files=["app/compose/compose.yaml"], images={"app": "windflow-template-app:0123"}, own_networks=["default"]
    )
    return compose_files.documents(made, {"release": RELEASE, "compose": {**section, **changes}})


def variables(text):
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_compose_interpolates_declared_variables_and_no_secret():
    found = variables(documents(backend())[".env"])
    assert {"DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DEBUG", "LOG_LEVEL", "HOST_PORT"} <= set(found)
    assert not {"DB_PASSWORD", "SECRET_KEY"} & set(found)
    assert "canary" not in str(documents(backend()))


def test_the_platforms_own_variables_name_the_release_and_its_places():
    found = json.loads(documents(backend(environment="staging"))["variables.json"])
    assert (found["WINDFLOW_RELEASE"], found["WINDFLOW_ENVIRONMENT"]) == (RELEASE, "staging")
    assert found["WINDFLOW_RELEASE_DIR"] == "/opt/template/releases/%s" % RELEASE
    assert found["WINDFLOW_FRONT_DIR"] == "/opt/template/shared/front"


def test_a_local_database_is_the_service_and_another_one_is_left_alone():
    found = variables(documents(backend())[".env"])
    assert (found["DB_HOST"], found["COMPOSE_PROFILES"]) == ("db", "database")
    assert compose_files.release_config(backend())["database"]["host"] == "db"
    away = backend("database.host=db.example.com")
    found = variables(documents(away)[".env"])
    assert found["DB_HOST"] == "db.example.com" and "COMPOSE_PROFILES" not in found
    assert compose_files.release_config(away)["database"]["host"] == "db.example.com"


def test_what_the_containers_see_changes_nothing_of_the_configuration():
    found = backend()
    compose_files.release_config(found)["app"]["secret_key"] = "another"
    assert found.config.get("database.host") != "db" and found.config.get("app.secret_key") == "canary-key-0815"


def test_secrets_are_files_by_variable():
    found = compose_files.secret_files(backend().config)
    assert found == {"DB_PASSWORD": "canary-db-4711", "SECRET_KEY": "canary-key-0815"}


def test_the_overlay_names_images_that_are_never_pulled():
    services = yaml.safe_load(documents(backend())["windflow.yaml"])["services"]
    assert services["app"]["image"] == "windflow-template-app:0123"
    assert services["app"]["pull_policy"] == "never"
    assert services["app"]["labels"] == {"windflow.release": RELEASE}


def test_a_service_keeps_its_own_networks_beside_those_of_what_it_needs():
    found = documents(backend(), networks=["windflow-database_default"], own_networks=["default", "inner"])
    overlay = yaml.safe_load(found["windflow.yaml"])
    assert set(overlay["services"]["app"]["networks"]) == {"default", "inner", "windflow-database_default"}
    assert overlay["networks"] == {"windflow-database_default": {"name": "windflow-database_default", "external": True}}


def test_any_value_reaches_compose_as_it_is():
    found, value = backend(), "two\nlines, 'quotes' of \"both\" kinds, $HOME and a \\"
    found.config.data["database"]["name"] = value
    assert json.loads(documents(found)["variables.json"])["DB_NAME"] == value


def test_a_rollback_finds_the_names_of_the_compose_files():
    assert json.loads(documents(backend())["compose.json"]) == ["app/compose/compose.yaml"]


def test_others_reach_a_database_by_the_name_of_its_container_and_its_own_port():
    found = compose_files.seen_by_others(backend("database.port=5499", plugin="database"))["database"]
    assert (found["host"], found["port"]) == ("windflow-database-db-1", 5432)


def test_a_stack_gives_a_database_that_others_need_the_same_name():
    database = backend(plugin="database", engine="swarm")
    assert compose_files.aliases(database) == {"db": ["windflow-database-db-1"]}
    assert compose_files.aliases(backend(plugin="database")) == {}
    # Nobody else's.
    assert compose_files.stands_in(backend(engine="swarm")) and compose_files.aliases(backend(engine="swarm")) == {}
