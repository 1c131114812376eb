# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config import dialects
from ansible_collections.windflow.platform.plugins.module_utils.config.schema import Schema, load_schema
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem

URIS = [
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
]


def place(path: tuple) -> tuple[str, int, int]:
    return "config.yaml", 7, 1


@pytest.fixture
def validate(tmp_path):
    """``validate(schema, data)``: the findings in data, by a schema from a file, so that its secrets are known."""

    def call(schema: dict, data: dict) -> list[Problem]:
        (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
        return load_schema(tmp_path / "schema.json", "schema.json").validate(data, place)

    return call


KINDS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "description": "The name. In lower case."},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "ratio": {"type": "number", "exclusiveMinimum": 0},
        "debug": {"type": "boolean"},
        "level": {"enum": ["debug", "info", "warning"]},
        "fixed": {"const": "on"},
        "net": {"type": "string", "format": "cidr"},
        "mail": {"type": "string", "format": "email"},
        "hosts": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "text": {"type": "string", "maxLength": 3},
        "login": {"type": "object", "not": {"required": ["password", "key_file"]}},
        "one": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "either": {"anyOf": [{"type": "integer"}, {"enum": ["auto"]}]},
        "section": {"type": "object"},
        # draft-07 knows the first, the later dialects the second
        "pair": {
            "type": "object",
            "dependencies": {"user": ["password"]},
            "dependentRequired": {"user": ["password"]},
        },
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "os": {"type": "string", "enum": ["debian", "redhat", "suse", "arch"]},
    },
}

# case: (value of the key, code, path, expected and got and remedy must have)
INVALID = {
    "host_port quoted": (
        {"port": "8080"},
        "E1101",
        "port",
        ["whole number from 1 to 65535", '"8080"', "without quotes"],
    ),
    "host_port 0": ({"port": 0}, "E1105", "port", ["from 1 to 65535", "got 0"]),
    "host_port 70000": ({"port": 70000}, "E1105", "port", ["from 1 to 65535", "70000"]),
    "host_port 8080.0": ({"port": 8080.0}, "E1101", "port", ["whole number", "8080.0"]),
    "a boolean is no number": ({"port": True}, "E1101", "port", ["true"]),
    "ratio": ({"ratio": 0}, "E1105", "ratio", ["above 0"]),
    "debug yes": ({"debug": "yes"}, "E1101", "debug", ["true or false", '"yes"', "write true or false"]),
    "debug 1": ({"debug": 1}, "E1101", "debug", ["write true or false"]),
    "enum": ({"level": "warn"}, "E1104", "level", ["debug, info, warning", '"warn"', 'write "warning"']),
    "enum by case": ({"level": "INFO"}, "E1104", "level", ['write "info"']),
    "os.family ubuntu": ({"os": "ubuntu"}, "E1104", "os", ['write "debian"']),
    "const": ({"fixed": "off"}, "E1109", "fixed", ['"on"', '"off"']),
    "cidr with host bits": ({"net": "192.168.1.5/24"}, "E1108", "net", ["host bits", '"192.168.1.0/24"']),
    "cidr that is none": ({"net": "home"}, "E1108", "net", ["192.168.1.0/24", '"home"']),
    "email": ({"mail": "me"}, "E1108", "mail", ["e-mail", '"me"']),
    "unknown key": ({"prot": 1}, "E1103", "prot", ['write "port"']),
    "pattern": ({"name": "A"}, "E1107", "name", ["^[a-z]+$", '"A"', "The name"]),
    "pattern and a last newline": ({"name": "abc\n"}, "E1107", "name", ['"abc\\n"']),
    "too long": ({"text": "abcd"}, "E1106", "text", ["at most 3 characters", "4"]),
    "a list that is none": ({"hosts": "a"}, "E1101", "hosts", ["a list", '"a"']),
    "an item": ({"hosts": ["a", 1]}, "E1101", "hosts[1]", ["text", "got 1", "quotes"]),
    "an empty list": ({"hosts": []}, "E1106", "hosts", ["at least 1 items"]),
    "an item twice": ({"hosts": ["a", "b", "a"]}, "E1112", "hosts[2]", ["each item once", "item 1"]),
    "not both": (
        {"login": {"password": "x", "key_file": "y"}},
        "E1110",
        "login",
        ["not more than one of password, key_file"],
    ),
    "one of, none": ({"one": {}}, "E1111", "one", ["exactly one of a, b", "none"]),
    "one of, both": ({"one": {"a": 1, "b": 2}}, "E1111", "one", ["a and b", "keep one"]),
    "any of, near": ({"either": "aut"}, "E1104", "either", ['write "auto"']),
    "any of, a type": ({"either": 1.5}, "E1104", "either", ["auto"]),
    "dependency": ({"pair": {"user": 1}}, "E1102", "pair.user", ["password together with user", "add password"]),
    "nothing": ({"section": None}, "E1101", "section", ["a map", "nothing"]),
    "any key": ({"map": {"x": "1"}}, "E1101", "map.x", ["whole number"]),
}


@pytest.mark.parametrize("uri", URIS)
@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_value_is_named_with_what_was_expected_and_what_to_do(case, uri):
    data, code, path, words = INVALID[case]
    problems = Schema(KINDS, "schema.json", dialects.known(uri)).validate({"name": "abc", **data}, place)
    assert [(problem.code, problem.path) for problem in problems] == [(code, path)], problems
    assert (problems[0].file, problems[0].line) == ("config.yaml", 7)
    for word in words:
        assert word in str(problems[0])


def test_a_missing_key_names_the_variable_that_sets_it(validate):
    schema = {"required": ["a", "b"], "properties": {"a": {"type": "integer", "x-env": "THE_A"}}}
    problems = validate(schema, {})
    assert [(problem.code, problem.path) for problem in problems] == [("E1102", "a"), ("E1102", "b")]
    assert problems[0].expected == "a whole number"
    assert "THE_A" in problems[0].remedy


def test_the_value_of_a_secret_is_in_no_finding(validate):
    rules = {"minLength": 90, "pattern": "^x", "enum": ["y"], "format": "email", "const": "z", "not": {"minLength": 1}}
    properties = {name: {"type": "string", "writeOnly": True, "allOf": [{name: rule}]} for name, rule in rules.items()}
    properties["type"] = {"type": "integer", "writeOnly": True}
    properties["tree"] = {"type": "object", "writeOnly": True, "additionalProperties": {"type": "integer"}}
    data = {name: "CANARY-1" for name in properties if name != "tree"}
    problems = validate({"properties": properties}, {**data, "tree": {"x": "CANARY-2"}})
    assert len(problems) >= len(properties)
    assert not any("CANARY" in str(problem) for problem in problems)


@pytest.mark.fault(74)
def test_of_a_secret_or_an_unknown_key_a_finding_shows_no_value(validate):
    keys = {
        "known": {"type": "integer"},
        "password": {"type": "string", "writeOnly": True},
        "env": {"additionalProperties": {"type": "integer"}},
    }
    data = {"known": "shown", "password": {"CANARY": 1}, "env": {"TOKEN": "CANARY"}}
    told = "\n".join(map(str, validate({"properties": keys}, data)))
    assert '"shown"' in told and "CANARY" not in told and "env.TOKEN" in told
