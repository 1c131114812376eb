# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Given
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import Config, Origin, load_config
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "app": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "x-env": "APP_NAME"},
                "debug": {"type": "boolean", "x-env": "DEBUG"},
                "code": {"type": "string", "x-env": "CODE"},
                "hosts": {"type": "array", "items": {"type": "string"}, "x-env": "HOSTS"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}, "x-env": "LABELS"},
                "level": {"enum": ["debug", "info", "warning"], "x-env": "LEVEL"},
                "banner": {"type": "string"},
            },
        },
        "database": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "port": {"type": "integer", "minimum": 1, "maximum": 65535, "x-env": "DB_PORT"},
                "ratio": {"type": "number", "x-env": "RATIO"},
                "password": {"type": "string", "writeOnly": True, "x-env": "DB_PASSWORD"},
                "keys": {"type": "object", "writeOnly": True},
                "mixed": {"type": ["integer", "string"], "x-env": "MIXED"},
            },
        },
    },
}
DEFAULTS = """\
app:
  name: my-app
  debug: false
  hosts: [a, b]
  labels:
    one: "1"
    two: "2"
database:
  port: 5432
  password: CANARY-default
"""
OVERLAY = "app:\n  debug: true\ndatabase:\n  port: 1\n"


@pytest.fixture
def load(make_plugin, tmp_path):
    """``load(defaults=..., files=[text], ...)``: the configuration of a plugin with the schema above."""

    def call(
        defaults: str = DEFAULTS,
        schema: object = ...,
        overlays: dict | None = None,
        environment: str | None = None,
        inventory: object = None,
        files: list | tuple = (),
        environ: dict | None = None,
        sets: list | tuple = (),
    ) -> Config:
        content = {"config/defaults.yaml": defaults}
        if schema is not None:
            content["config/schema.json"] = SCHEMA if schema is ... else schema
        for name, text in (overlays or {"production": OVERLAY}).items():
            content["config/environments/%s.yaml" % name] = text
        manifest = load_manifest(make_plugin(files=content))
        paths = [
            text if isinstance(text, Path) else make_plugin.write(tmp_path / ("file%d.yaml" % number), text)
            for number, text in enumerate(files)
        ]
        given = () if inventory is None else (Given(inventory),)
        return load_config(manifest, environment, given, paths, environ or {}, list(sets))

    return call


def test_each_layer_wins_over_the_ones_below(load):
    steps = [
        ({}, 5432, "defaults"),
        ({"environment": "production"}, 1, "overlay"),
        ({"inventory": {"database": {"port": 2}}}, 2, "inventory"),
        ({"files": ["database: {port: 3}\n"]}, 3, "file"),
        ({"files": ["database: {port: 3}\n", "database: {port: 4}\n"]}, 4, "file"),
        ({"environ": {"DB_PORT": "5"}}, 5, "environment"),
        ({"sets": ["database.port=6"]}, 6, "set"),
        ({"sets": ["database.port=6", "database.port=7"]}, 7, "set"),
    ]
    layers = {}
    for more, value, layer in steps:
        layers.update(more)
        config = load(**layers)
        assert config.get("database.port") == value
        assert config.origin(("database", "port")).layer == layer


def test_maps_merge_and_lists_and_scalars_replace(load):
    config = load(files=["app: {hosts: [c], labels: {two: x, three: y}}\n"])
    assert config.data["app"] == {
        "name": "my-app",
        "debug": False,
        "hosts": ["c"],
        "labels": {"one": "1", "two": "x", "three": "y"},
    }


def test_null_deletes(load):
    config = load(files=["app: {labels: {one: null}, debug: ~, code: null}\n"], sets=["app.hosts=null"])
    assert config.data["app"] == {"name": "my-app", "labels": {"two": "2"}}
    assert ("app", "labels", "one") not in config.owners
    assert ("app", "hosts") not in config.owners


def test_a_deleted_section_can_be_given_again_as_something_else(load):
    schema = {"type": "object"}
    assert load(schema=schema, files=["app: null\n", "app: text\n"]).data["app"] == "text"


@pytest.mark.parametrize(
    ("files", "line", "path", "words"),
    [
        (["app: text\n"], 1, "app", ["a map, as in sample/config/defaults.yaml:1", "a single value"]),
        (["app:\n  labels: [x]\n"], 2, "app.labels", ["a map, as in sample/config/defaults.yaml:5", "a list"]),
        (
            ["app:\n  name:\n    x: y\n"],
            2,
            "app.name",
            ["a single value, as in sample/config/defaults.yaml:2", "a map"],
        ),
        (["app:\n  hosts: {x: y}\n"], 2, "app.hosts", ["a list, as in sample/config/defaults.yaml:4", "a map"]),
    ],
)
def test_a_clash_of_map_and_scalar_names_both_places(files, line, path, words, load, tmp_path, only):
    place = "%s:%d %s" % (tmp_path / "file0.yaml", line, path)
    only("E1120", place, words, load, files=files)


def test_the_environment_is_coerced_by_the_schemas_type(load):
    environ = {
        "APP_NAME": "true",
        "DEBUG": "False",
        "CODE": "0123",
        "HOSTS": '["x", "y"]',
        "LABELS": '{"three": "3"}',
        "LEVEL": "info",
        "DB_PORT": "5433",
        "RATIO": "1.5",
        "DB_PASSWORD": " 12 ",
        "MIXED": "0123",
    }
    config = load(environ=environ)
    assert config.data == {
        "app": {
            "name": "true",
            "debug": False,
            "code": "0123",
            "hosts": ["x", "y"],
            "labels": {"one": "1", "two": "2", "three": "3"},
            "level": "info",
        },
        "database": {"port": 5433, "ratio": 1.5, "password": " 12 ", "mixed": "0123"},
    }
    assert load(environ={"MIXED": "12"}).get("database.mixed") == 12


def test_an_undeclared_or_empty_variable_has_no_effect(load):
    environ = {"PORT": "1", "database": "x", "DB_PORT": "", "APP_NAME": "", "WINDFLOW_DB_PORT": "3"}
    assert load(environ=environ).data == load().data


@pytest.mark.parametrize(
    ("environ", "code", "path", "words"),
    [
        ({"DB_PORT": "abc"}, "E1101", "database.port", ["from 1 to 65535", '"abc"']),
        ({"DB_PORT": "70000"}, "E1105", "database.port", ["70000"]),
        ({"DEBUG": "yes"}, "E1101", "app.debug", ["write true or false"]),
        ({"HOSTS": "a,b"}, "E1101", "app.hosts", ["a list"]),
        ({"LEVEL": "loud"}, "E1104", "app.level", ["debug, info, warning"]),
    ],
)
def test_a_variable_that_does_not_fit_is_named(environ, code, path, words, load, only):
    place = "environment variable %s %s" % (next(iter(environ)), path)
    only(code, place, words, load, environ=environ)


def test_broken_json_in_a_variable_is_named(load, findings):
    assert findings(load, environ={"LABELS": "{broken"})[0].file == "environment variable LABELS"


def test_sets_are_coerced_too(load):
    config = load(
        sets=[
            "app.debug=true",
            "app.code=0123",
            "app.name=a=b",
            'app.hosts=["x"]',
            'app.labels={"three": "3"}',
            "database.port=1234",
            "app.banner=",
        ]
    )
    assert config.get("app.debug") is True
    assert config.get("app.code") == "0123"
    assert config.get("app.name") == "a=b"
    assert config.get("app.hosts") == ["x"]
    assert config.get("app.labels") == {"one": "1", "two": "2", "three": "3"}
    assert config.get("database.port") == 1234
    assert config.get("app.banner") == ""


def test_sets_without_a_schema_are_read_like_yaml(load):
    config = load(schema=None, sets=["a.b=3", "a.c=true", "a.d=x", "a.e=[1, 2]", 'a.f={"g": null}', "a.h=0777", "a.i="])
    assert config.data["a"] == {"b": 3, "c": True, "d": "x", "e": [1, 2], "f": {}, "h": "0777", "i": ""}


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("app.debug", "--set, number 2", "key=value"),
        ("=x", "--set, number 2", "key=value"),
        ("app..debug=true", "--set, number 2", "key=value"),
        ("app.hosts[0]=x", "--set, number 2 app.hosts[0]", "app.hosts="),
        ("a.%s=1" % ("b." * 200), "--set, number 2", "key=value"),
    ],
)
def test_a_set_that_cannot_be_read_is_refused(text, place, word, load, only):
    only("E1124", place, [word], load, sets=["app.code=1", text])


def test_broken_json_in_a_set_is_refused(load, only):
    only("E1008", "--set app.labels:1", ["valid JSON"], load, sets=["app.labels={broken"])


@pytest.mark.fault(9)
def test_config_values_are_never_templates(load):
    text = "{{ lookup('pipe', 'touch /tmp/x') }} {% raw %} ${HOME} $(id)"
    config = load(
        files=["app: {banner: %s}\n" % json.dumps(text)],
        environ={"CODE": text},
        sets=["app.name=" + text],
        inventory={"database": {"password": text}},
    )
    assert [config.get("app.banner"), config.get("app.code"), config.get("app.name")] == [text] * 3
    assert config.get("database.password") == text


def test_origins_have_the_place_in_the_file(load, tmp_path):
    config = load(files=["# comment\napp:\n  labels:\n    two: x\n"], environ={"CODE": "1"}, sets=["app.level=info"])
    file = str(tmp_path / "file0.yaml")
    assert config.origin(("app", "labels", "two")) == Origin("file", file, 4, 5)
    assert config.origin(("app", "labels", "one")) == Origin("defaults", "sample/config/defaults.yaml", 6, 5)
    assert config.origin(("app", "hosts")).line == 4
    assert config.origin(("app", "code")) == Origin("environment", "environment variable CODE")
    assert config.origin(("app", "level")) == Origin("set", "--set app.level")
    assert config.origin(("app", "hosts", 1)).line == 4


def test_explain_tells_which_layer_won(load):
    config = load(environment="production", environ={"DB_PORT": "7", "DB_PASSWORD": "CANARY-env"})
    assert str(config.explain("database.port")) == (
        "database.port = 7 from environment (environment variable DB_PORT)\n"
        "  instead of 1 from overlay (sample/config/environments/production.yaml:4)\n"
        "  instead of 5432 from defaults (sample/config/defaults.yaml:9)"
    )
    with pytest.raises(WindflowError) as caught:
        config.explain("app.nothing")
    assert caught.value.code == "E1089"
    for path in ("database.password", "database"):
        assert "CANARY" not in str(config.explain(path))
        assert "********" in str(config.explain(path))


@pytest.mark.fault(15)
def test_secrets_are_redacted_wholly_and_a_change_does_not_show(load):
    one = load(inventory={"database": {"keys": {"a": "CANARY-a", "b": ["CANARY-b"]}}})
    two = load(inventory={"database": {"keys": {"other": "CANARY-x"}}}, environ={"DB_PASSWORD": "CANARY-2"})
    assert one.secrets == {("database", "password"), ("database", "keys")}
    assert one.redacted()["database"] == {"port": 5432, "password": "********", "keys": "********"}
    assert one.redacted() == two.redacted()
    assert one.get("database.password") == "CANARY-default"  # the copy was changed, not the data


def test_secret_values_are_what_output_must_not_show(load):
    secret = 'a "b" /?&\nsecond line'
    values = load(inventory={"database": {"password": secret, "keys": {"n": 12345, "flag": True}}}).secret_values()
    assert values == {secret, "12345"}


def test_the_declared_environment_has_the_merged_values_as_text(load):
    config = load(environ={"RATIO": "0.5"}, sets=["app.debug=true"])
    assert config.declared_environment() == {
        "APP_NAME": "my-app",
        "DEBUG": "true",
        "HOSTS": '["a", "b"]',
        "LABELS": '{"one": "1", "two": "2"}',
        "DB_PORT": "5432",
        "RATIO": "0.5",
        "DB_PASSWORD": "CANARY-default",
    }


def test_get_has_a_default(load):
    config = load()
    assert config.get("app.nothing", 3) == 3
    assert config.get("app.name.deeper", "x") == "x"
    assert config.get("nothing") is None


def test_all_findings_of_all_layers_come_at_once_each_at_its_place(load, tmp_path, findings):
    problems = findings(
        load,
        defaults="app:\n  debug: no\n  prot: 1\n",
        files=["database:\n  port: '8080'\n"],
        environ={"LEVEL": "warn"},
        sets=["app.hosts=x", "broken"],
        inventory={"database": {"ratio": "much"}},
    )
    assert {(problem.code, problem.file, problem.line, problem.path) for problem in problems} == {
        ("E1101", "sample/config/defaults.yaml", 2, "app.debug"),
        ("E1103", "sample/config/defaults.yaml", 3, "app.prot"),
        ("E1102", "sample/config/defaults.yaml", 1, "app.name"),
        ("E1101", str(tmp_path / "file0.yaml"), 2, "database.port"),
        ("E1101", "windflow_config in the inventory", 0, "database.ratio"),
        ("E1104", "environment variable LEVEL", 0, "app.level"),
        ("E1101", "--set app.hosts", 0, "app.hosts"),
        ("E1124", "--set, number 2", 0, ""),
    }


@pytest.mark.parametrize(
    "setting", ["host.supervisor_source=venv", "host.os.family=redhat", "host.os.version=9", "app.python=3.12"]
)
def test_what_the_operator_decides_about_the_host_needs_no_plugin_that_names_it(load, setting):
    """The schema closes its sections and has no section host."""
    key, value = setting.split("=")
    assert load(sets=["app.name=x", setting]).get(key) == value


def test_other_keys_beside_those_of_the_operator_are_still_refused(load, findings):
    problems = findings(load, sets=["app.name=x", "host.supervisor_source=venv", "host.sup=1", "app.pithon=3"])
    assert {(problem.code, problem.path) for problem in problems} == {("E1103", "host"), ("E1103", "app.pithon")}
    problems = findings(load, sets=["app.name=x", "host.supervisor_source=venv", "host.os=1"])
    assert {(problem.code, problem.path) for problem in problems} == {("E1103", "host")}


def test_a_map_that_the_schema_wants_stays_though_nothing_else_is_in_it(load):
    host = {"type": "object", "additionalProperties": False, "properties": {}}
    schema = {"type": "object", "required": ["host"], "properties": {"host": host}}
    assert (
        load(defaults="", schema=schema, sets=["host.supervisor_source=venv"]).get("host.supervisor_source") == "venv"
    )


def test_defaults_that_violate_the_schema_are_rejected_at_their_line(load, only):
    place = "sample/config/defaults.yaml:4 database.port"
    only("E1105", place, ["from 1 to 65535", "70000"], load, defaults="app:\n  name: x\ndatabase:\n  port: 70000\n")


def test_what_the_rules_find_is_told_together_with_what_the_schema_finds(load, findings):
    schema = {"properties": {"server": {"properties": {"workers": {"type": "integer"}}}}}
    text = "server: {workers: many}\nstorage: {volumes: [{name: a, path: /etc}]}\n"
    codes = [problem.code for problem in findings(load, schema=schema, defaults="", files=[text])]
    assert codes == ["E1101", "E1135"]


def test_findings_in_two_files_come_at_once(load, tmp_path, findings):
    files = ["a: 1\na: 2\n", "b: &x 1\n", tmp_path / "missing.yaml"]
    codes = [(problem.code, Path(problem.file).name) for problem in findings(load, files=files)]
    assert codes == [("E1010", "file0.yaml"), ("E1011", "file1.yaml"), ("E1121", "missing.yaml")]


def test_a_secret_is_in_no_finding(load, findings):
    problems = findings(
        load,
        defaults="database: {password: [CANARY-1]}\n",
        files=["database: {password: {CANARY-k: CANARY-2}}\n"],
        inventory={"database": {"keys": "CANARY-3"}},
        environ={"DB_PASSWORD": "CANARY-4"},
        sets=["database.passwordCANARY-5"],
    )
    assert len(problems) >= 3
    assert not any("CANARY" in str(problem) for problem in problems)


@pytest.mark.parametrize("environment", [None, "development", "production", "staging"])
def test_an_environment_without_an_overlay_is_fine(environment, make_plugin):
    manifest = load_manifest(make_plugin(files={"config/defaults.yaml": "a: 1\n"}, name="plain"))
    assert load_config(manifest, environment).data == {"a": 1}


def test_the_usual_environments_need_no_overlay_where_there_are_others(load):
    assert load(overlays={"staging": ""}, environment="production").get("database.port") == 5432


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("produktion", ["development, production, staging", 'write "production"']),
        ("prod", ['write "production"']),
        ("qa", ["config/environments/qa.yaml"]),
    ],
)
def test_an_environment_that_no_overlay_knows_names_those_that_exist(environment, words, load, only):
    overlays = {"staging": "", "production": ""}
    only("E1122", "sample/plugin.yml environment", words, load, overlays=overlays, environment=environment)


@pytest.mark.parametrize("environment", ["../x", "a/b", "a\nb", "-x", "x" * 65])
def test_an_environment_must_be_a_name(environment, make_plugin, findings):
    manifest = load_manifest(make_plugin())
    assert findings(load_config, manifest, environment)[0].code == "E1122"


def test_without_a_schema_any_map_is_accepted(load):
    text = "anything: {goes: [1, {two: null}], here: yes}\n"
    config = load(schema=None, defaults="", files=[text])
    assert config.data == {"anything": {"goes": [1, {"two": None}], "here": "yes"}}
    assert config.secrets == frozenset()
    assert config.declared_environment() == {}


def test_a_plugin_without_any_configuration_has_an_empty_one(make_plugin):
    config = load_config(load_manifest(make_plugin()))
    assert (config.data, config.owners, config.redacted()) == ({}, {}, {})


def test_a_json_file_may_carry_comments(load, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{ // mine\n  "app": {"code": "x"} /* end */\n}')
    config = load(files=[path])
    assert config.get("app.code") == "x"
    assert config.origin(("app", "code")).line == 2


def test_an_empty_file_of_the_user_changes_nothing(load):
    assert load(files=["# nothing yet\n"]).data == load().data


class Tagged(str):
    """As Ansible's own kinds of text: a subclass that carries something more."""


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("databse.port", 'write "database"'), ("database.prot", 'write "port"'), ("app.name.x", "there are no keys here")],
)
def test_a_key_that_nothing_knows_has_near_names(load, key, remedy):
    problem = load().unknown_key(key)
    assert (problem.code, problem.path) == ("E1089", key) and remedy in problem.remedy


def test_a_key_that_is_set_or_described_is_known(load):
    config = load()
    assert [config.unknown_key(key) for key in ("database.port", "database", "database.password")] == [None] * 3


def test_the_inventorys_own_kinds_of_values_become_plain_ones(load):
    config = load(inventory={Tagged("app"): {Tagged("code"): Tagged("x"), "hosts": (Tagged("a"),)}})
    assert isinstance(config.get("app.code"), str)
    assert [type(key) for key in config.data["app"]] == [str] * len(config.data["app"])
    assert config.get("app.hosts") == ["a"]


@pytest.mark.parametrize(
    ("inventory", "path"),
    [
        ([1], ""),
        ({"app": {"code": object()}}, "app.code"),
        ({"app": {"code": float("nan")}}, "app.code"),
        ({"app": {"code": 2**70}}, "app.code"),
        ({"app": {"hosts": ["a", b"x"]}}, "app.hosts[1]"),
    ],
)
def test_an_inventory_with_other_values_is_refused(inventory, path, load, only):
    place = "windflow_config in the inventory " + path
    only("E1101", place.strip(), [], load, inventory=inventory)


def test_an_inventory_with_keys_that_are_no_text_is_refused(load, findings):
    assert findings(load, inventory={"app": {1: 2}})[0].code == "E1014"


def test_text_that_is_not_utf8_is_refused(load, only):
    only("E1123", "environment variable CODE app.code", ["UTF-8"], load, environ={"CODE": "a\udcff"})


def test_a_schema_that_never_ends_is_stopped(load, findings):
    schema = {"properties": {"app": {"properties": {"name": {"pattern": "(a+)+$"}}}}}
    problems = findings(load, schema=schema, sets=["app.name=" + "a" * 60 + "b"])
    assert [problem.code for problem in problems] == ["E1017"]
