# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.action.plugin_info import view
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    InputContext,
    database_on_host,
    out_of_reach,
    read_inputs,
    unreachable_dependencies,
)

ROOT = Path(__file__).parents[5]


def arguments(**changes):
    return {"plugin": "template", "environment_name": "", "config": [], "sets": [], **changes}


def test_the_arguments_that_come_back_give_the_same_inputs_from_anywhere(tmp_path):
    (tmp_path / "my.yaml").write_text("server: {host_port: 8099}\n", encoding="utf-8")
    first = read_inputs(arguments(config=["my.yaml"]), InputContext({}, {}, tmp_path))
    second = read_inputs(first.arguments, InputContext({}, {}, Path("/")))
    assert second.config.data == first.config.data
    assert first.config.get("server.host_port") == 8099


def test_the_inventory_lies_below_files_and_above_defaults(tmp_path):
    (tmp_path / "my.yaml").write_text("server: {workers: 3}\n", encoding="utf-8")
    inventory = {"server": {"workers": 5, "timeout": 44}}
    config = read_inputs(
        arguments(config=["my.yaml"]), InputContext({"windflow_config": inventory}, {}, tmp_path)
    ).config
    assert config.get("server.workers") == 3 and config.get("server.timeout") == 44


@pytest.mark.parametrize("text", ["database.password=canary", 'database={"password": "canary"}'])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(text):
    with pytest.raises(WindflowError) as caught:
        read_inputs(arguments(sets=[text]), InputContext({}, {}, ROOT))
    assert caught.value.code == "E1150"
    assert "canary" not in str(caught.value)


def test_other_values_on_the_command_line_win():
    config = read_inputs(arguments(sets=["app.log_level=debug"]), InputContext({}, {"LOG_LEVEL": "error"}, ROOT)).config
    assert config.get("app.log_level") == "debug"


PLACEHOLDERS = {"DB_PASSWORD": "dbpassword", "SECRET_KEY": "your-secret-key-here"}


def test_placeholders_for_secrets_are_refused_in_production():
    with pytest.raises(WindflowError) as caught:
        read_inputs(arguments(environment_name="production"), InputContext({}, PLACEHOLDERS, ROOT))
    assert {problem.path for problem in caught.value.problems} == {"app.secret_key", "database.password"}


def test_placeholders_for_secrets_are_a_warning_elsewhere():
    assert {problem.path for problem in read_inputs(arguments(), InputContext({}, PLACEHOLDERS, ROOT)).warnings} == {
        "app.secret_key",
        "database.password",
    }


# Dependencies: a shop that needs a database, which is the plugin of that name.

SCHEMA = """{"type": "object", "properties": {"database": {"type": "object", "additionalProperties": false,
"required": ["host", "password"], "properties": {"host": {"type": "string", "x-env": "DB_HOST"},
"password": {"type": "string"}, "port": {"type": "integer"}}}}}"""


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "windflow_plugins" / "shop"
    (folder / "config").mkdir(parents=True)
    text = 'name: shop\nversion: 1.0.0\ndependencies: [{database: ">=2.0.0"}]\n'
    (folder / "plugin.yml").write_text(text, encoding="utf-8")
    (folder / "config" / "schema.json").write_text(SCHEMA, encoding="utf-8")
    return arguments(plugin="shop")


def place(tmp_path, host=None, environ=None, **inventory):
    return InputContext(inventory, environ or {}, tmp_path, host)


def on_host(target="host", results=None, engine="compose", **secrets):
    deployed = {"version": "2.0.0", "target": target, "engine": engine, "needs": {}, "results": results or {}}
    return {"plugins": {"database": deployed}, "secrets": {"database": secrets}}


def test_what_a_dependency_gives_is_configuration_as_far_as_the_schema_knows_it(shop, tmp_path):
    found = read_inputs(shop, place(tmp_path, on_host(**{"database.password": "kept on the host"})), "host")
    assert found.config.data == {"database": {"host": "localhost", "port": 5432, "password": "kept on the host"}}
    assert found.config.layer_of("database.port") == "dependency"
    assert found.needs == {"database": {"plugin": "database", "constraint": ">=2.0.0"}}


def test_a_secret_of_a_dependency_is_one_of_its_dependent_too(shop, tmp_path):
    found = read_inputs(shop, place(tmp_path, on_host(**{"database.password": "canary-4711"})), "host")
    assert "canary" not in str(found.config.redacted()) + str(found.config.explain("database.password"))
    assert "canary-4711" in found.config.secret_values() and "canary-4711" in found.secret_values()


SECRET_SECTION = SCHEMA.replace('"additionalProperties"', '"writeOnly": true, "additionalProperties"')


@pytest.mark.parametrize("schema", [SCHEMA, None, SECRET_SECTION], ids=["not marked", "no schema", "section"])
@pytest.mark.parametrize("inventory", [{}, {"database": {"password": "canary-mine"}}], ids=["given", "replaced"])
def test_a_secret_of_a_dependency_shows_in_no_layer_and_in_nothing_that_is_printed(shop, tmp_path, schema, inventory):
    file = tmp_path / "windflow_plugins" / "shop" / "config" / "schema.json"
    file.write_text(schema) if schema else file.unlink()
    host = on_host(**{"database.password": "canary-4711"})
    found = read_inputs(shop, place(tmp_path, host, windflow_config=inventory), "host")
    for key in ("database", "database.password"):
        text = str(found.config.explain(key))
        assert "canary" not in text and "********" in text and "(dependency database (plugin database 2.0.0))" in text
    assert "canary" not in str(view(found)) and "********" in view(found)["config"]
    inside = found.secret_values()
    assert "canary-4711" in inside and ("canary-mine" in inside) == bool(inventory)


def test_a_map_with_a_secret_in_it_is_one_as_a_whole(tmp_path):
    for name, text in (
        ("db", "name: db\nversion: 1.0.0\nresults: {all: own}\nconfig: {defaults: d.yaml, schema: s.json}\n"),
        ("shop", "name: shop\nversion: 1.0.0\ndependencies: [{db: '*'}]\n"),
    ):
        (tmp_path / "windflow_plugins" / name).mkdir(parents=True)
        (tmp_path / "windflow_plugins" / name / "plugin.yml").write_text(text)
    folder = tmp_path / "windflow_plugins" / "db"
    (folder / "d.yaml").write_text("own: {key: canary, port: 1}\n")
    own = (
        '{"type": "object", "properties": {"key": {"type": "string", "writeOnly": true}, "port": {"type": "integer"}}}'
    )
    (folder / "s.json").write_text('{"type": "object", "properties": {"own": %s}}' % own)
    config = read_inputs(arguments(plugin="shop"), place(tmp_path)).config
    assert config.get("db.all.key") == "canary" and "canary" in config.secret_values()
    assert "canary" not in str(config.redacted()) + str(config.explain("db")) + str(config.explain("db.all.key"))


@pytest.mark.parametrize(
    "rule",
    [
        '"maxProperties": 1',
        '"enum": [{}]',
        '"const": {}',
        '"not": {"required": ["password"]}',
        '"propertyNames": {"maxLength": 1}',
        '"anyOf": [{"properties": {"password": {"type": "integer"}}}]',
        '"properties": {"password": {"enum": ["x"]}, "host": {}, "port": {}}',
        '"properties": {"password": {"pattern": "^x"}, "host": {}, "port": {}}',
        '"additionalProperties": false',
    ],
)
def test_a_secret_of_a_dependency_is_in_no_finding(shop, tmp_path, rule):
    file = tmp_path / "windflow_plugins" / "shop" / "config" / "schema.json"
    known = '"properties": {"password": {}, "host": {}, "port": {}}, '
    section = '{"type": "object", %s%s}' % ("" if rule.startswith('"prop') and "Names" not in rule else known, rule)
    file.write_text('{"type": "object", "properties": {"database": %s}}' % section)
    inventory = {"database": {"password": "canary-mine", "other": 1}}
    host = on_host(**{"database.password": "canary-4711"})
    with pytest.raises(WindflowError) as caught:
        read_inputs(shop, place(tmp_path, host, windflow_config=inventory), "host")
    assert "canary" not in str(caught.value) + str(caught.value.as_result())


def test_before_it_is_deployed_its_configuration_is_known_and_its_secret_stands_for_itself(shop, tmp_path):
    found = read_inputs(shop, place(tmp_path), "host")
    assert found.config.get("database.host") == "localhost" and len(found.config.get("database.password")) == 48


def test_whoever_operates_has_the_last_word(shop, tmp_path):
    inventory = {"windflow_config": {"database": {"port": 5433}}}
    found = read_inputs(shop, place(tmp_path, environ={"DB_HOST": "db.example.com"}, **inventory), "host")
    assert (found.config.get("database.host"), found.config.get("database.port")) == ("db.example.com", 5433)


def test_a_dependency_is_configured_by_its_own_variable_and_by_nothing_that_is_meant_for_its_dependent(shop, tmp_path):
    mine = {"windflow_plugin_config": {"database": {"database": {"port": 6000}}}, "windflow_config": {"database": {}}}
    found = read_inputs(shop, place(tmp_path, environ={"DB_NAME": "not its", "DB_PORT": "1"}, **mine), "host")
    provider = found.providers["database"].config
    assert (provider.get("database.port"), provider.get("database.name")) == (6000, "app")
    assert found.config.get("database.port") == 6000


def test_an_environment_that_only_the_dependent_knows_does_not_stop_its_dependency(shop, tmp_path):
    plugins = tmp_path / "windflow_plugins"
    for folder, name, port in (("shop", "staging", 1), ("database", "qa", 2)):
        (plugins / folder / "config" / "environments").mkdir(parents=True)
        overlay = plugins / folder / "config" / "environments" / ("%s.yaml" % name)
        overlay.write_text("database: {host: h, password: p, port: %d}\n" % port, encoding="utf-8")
    (plugins / "database" / "plugin.yml").write_text("name: database\nversion: 2.0.0\n", encoding="utf-8")
    found = read_inputs({**shop, "environment_name": "staging"}, place(tmp_path), "host")
    assert found.config.get("database.port") == 1 and found.providers["database"].config.data == {}
    assert found.providers["database"].environment == "staging"
    for wrong in ({**shop, "environment_name": "qa"}, arguments(plugin="database", environment_name="staging")):
        with pytest.raises(WindflowError) as caught:
            read_inputs(wrong, place(tmp_path), "host")
        assert caught.value.code == "E1122"


def test_containers_reach_a_dependency_in_containers_over_its_network(shop, tmp_path):
    found = read_inputs(shop, place(tmp_path, on_host("compose")), "compose")
    assert found.config.get("database.host") == "windflow-database-db-1"
    assert read_inputs(shop, place(tmp_path, on_host("compose")), "host").config.get("database.host") == "localhost"


def test_containers_do_not_reach_a_dependency_on_the_host(shop, tmp_path):
    where = place(tmp_path, on_host("host"))
    (problem,) = out_of_reach(read_inputs(shop, where), "compose", where)
    assert problem.code == "E2025" and "dependency database" in problem.message
    assert out_of_reach(read_inputs(shop, where), "host", where) == []
    inside = place(tmp_path, on_host("compose"))
    assert out_of_reach(read_inputs(shop, inside), "compose", inside) == []


@pytest.mark.parametrize(
    ("target", "engine", "theirs", "reached"),
    [
        ("compose", "compose", "compose", True),
        ("compose", "swarm", "swarm", True),
        ("compose", "swarm", "compose", False),
        ("compose", "compose", "swarm", False),
        ("host", "compose", "compose", True),
        ("host", "compose", "swarm", False),
        ("", "compose", "swarm", False),
    ],
)
def test_a_stack_and_what_is_none_do_not_reach_each_other(shop, tmp_path, target, engine, theirs, reached):
    where = place(tmp_path, on_host("compose", engine=theirs))
    problems = unreachable_dependencies(read_inputs(shop, where, target), target, engine, where)
    assert [problem.code for problem in problems] == ([] if reached else ["E2027"])
    for problem in problems:
        assert "dependency database" in problem.message and "engine %s" % theirs in problem.got and problem.remedy


def test_what_is_not_deployed_yet_gets_its_dependents_engine(shop, tmp_path):
    for engine in ("compose", "swarm"):
        assert (
            unreachable_dependencies(read_inputs(shop, place(tmp_path), "compose"), "compose", engine, place(tmp_path))
            == []
        )


def test_a_dependency_on_the_host_itself_has_no_engine(shop, tmp_path):
    where = place(tmp_path, on_host("host"))
    assert unreachable_dependencies(read_inputs(shop, where, "host"), "host", "compose", where) == []


def test_what_a_hook_has_returned_wins_but_for_secrets(shop, tmp_path):
    host = on_host(results={"host": "127.0.0.2", "password": "another"}, **{"database.password": "real"})
    found = read_inputs(shop, place(tmp_path, host), "host")
    assert (found.config.get("database.host"), found.config.get("database.password")) == ("127.0.0.2", "real")


def test_a_dependency_that_is_met_from_elsewhere_is_not_deployed(shop, tmp_path):
    inventory = {"windflow_external": ["database"], "windflow_config": {"database": {"host": "x", "password": "y"}}}
    found = read_inputs(shop, place(tmp_path, **inventory), "host")
    assert len(found.resolution.order) == 1 and found.needs == {} and found.provided == ()


def test_a_secret_that_is_given_is_not_made(tmp_path):
    given = {"windflow_config": {"database": {"password": "given"}}}
    made = read_inputs(arguments(plugin="database"), place(tmp_path)).config
    assert made.generated == {("database", "password")} and made.is_secret(("database", "password"))
    found = read_inputs(arguments(plugin="database"), place(tmp_path, **given)).config
    assert found.generated == frozenset() and found.get("database.password") == "given"


# Where a database is on the host, for backups of it.


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        (on_host("host"), "host", {"name": "app", "port": 5432, "container": "", "plugin": "database"}),
        (
            on_host("compose"),
            "host",
            {"name": "app", "port": 5432, "container": "windflow-database-db-1", "plugin": "database"},
        ),
        (
            on_host("compose"),
            "compose",
            {"name": "app", "port": 5432, "container": "windflow-database-db-1", "plugin": "database"},
        ),
    ],
)
def test_a_database_of_a_dependency_is_where_that_one_is(tmp_path, host, target, expected):
    folder = tmp_path / "windflow_plugins" / "shop"
    folder.mkdir(parents=True)
    (folder / "plugin.yml").write_text('name: shop\nversion: 1.0.0\ndependencies: [{database: "*"}]\n', "utf-8")
    where = place(tmp_path, host)
    assert database_on_host(read_inputs(arguments(plugin="shop"), where, target), target, where) == expected


@pytest.mark.parametrize(
    ("target", "sets", "expected"),
    [
        ("host", [], {"name": "myapp", "port": 5432, "container": "", "plugin": "template"}),
        (
            "compose",
            ["database.port=6000"],
            {"name": "myapp", "port": 5432, "container": "windflow-template-db-1", "plugin": "template"},
        ),
        ("host", ["database.host=db.example.com"], {}),
        ("compose", ["database.host=db.example.com"], {}),
    ],
)
def test_a_database_of_its_own_is_on_the_host_or_elsewhere(tmp_path, target, sets, expected):
    (tmp_path / "my.yaml").write_text("database: {password: its own}\n")
    where = place(tmp_path)
    inputs = read_inputs(arguments(config=["my.yaml"], sets=sets), where, target)
    assert database_on_host(inputs, target, where) == expected
