# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config import dialects, findings
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


LATEST = URIS[2]
# case: (schema of the key a, value, code, path, expected and got and remedy must have)
KEYWORDS = {
    "two forms fit": (
        {"oneOf": [{"type": "integer"}, {"minimum": 3}]},
        5,
        "E1111",
        "a",
        ["exactly one of the forms", "fits several", "Fix: see the schema"],
    ),
    "another kind than any form": (
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "format": "cidr"}, {"type": "integer"}]},
        [],
        "E1101",
        "a",
        ["a whole number of at least 1 or", "or a whole number, got an empty list"],
    ),
    "a form that is never": ({"anyOf": [False, {"maximum": 1}]}, 2, "E1105", "a", ["at most 1, got 2"]),
    "a form that is never, and another kind": (
        {"anyOf": [False, {"const": 1}]},
        2,
        "E1101",
        "a",
        ["expected 1, got 2"],
    ),
    "forms that are all never": ({"oneOf": [False, False]}, 1, "E1103", "a", ["left out"]),
    "a key that is never": ({"properties": {"b": False}}, {"b": 1}, "E1103", "a.b", ["left out", "remove it"]),
    "an item that is never": ({"prefixItems": [{}, False]}, [1, 2], "E1103", "a[1]", ["left out"]),
    "a key that is never by its pattern": (
        {"patternProperties": {"^x": False}},
        {"x1": 1},
        "E1103",
        "a.x1",
        ["left out"],
    ),
    "a key that another one excludes": (
        {"if": {"required": ["b"]}, "then": {"properties": {"c": False}}},
        {"b": 1, "c": 2},
        "E1103",
        "a.c",
        ["left out", "remove it"],
    ),
    "the form with fewer findings is meant": (
        {"anyOf": [{"required": ["x", "y"], "type": "object"}, {"properties": {"b": {"maximum": 3}}}]},
        {"b": 4},
        "E1105",
        "a.b",
        ["of at most 3, got 4"],
    ),
    "the form with another constant is not meant": (
        {
            "anyOf": [
                {"properties": {"kind": {"const": "nfs"}}},
                {"properties": {"kind": {"const": "lvm"}, "size": {"minimum": 1}, "count": {"minimum": 1}}},
            ]
        },
        {"kind": "lvm", "size": 0},
        "E1105",
        "a.size",
        ["of at least 1, got 0"],
    ),
    "any of, keys": (
        {"anyOf": [{"required": ["b"]}, {"required": ["c", "d"]}]},
        {},
        "E1111",
        "a",
        ["b, c and d"],
    ),
    "a value that is excluded": ({"not": {"type": "null"}}, None, "E1110", "a", ["not excluded", "another value"]),
    "never": (False, 1, "E1103", "a", ["left out", "remove it"]),
    "names of keys": ({"propertyNames": {"maxLength": 2}}, {"abc": 1}, "E1106", "a", ["at most 2 characters", "got 3"]),
    "names of keys that are never": ({"propertyNames": False}, {"abc": 1}, "E1103", "a", ["left out"]),
    "left over": (
        {"properties": {"known": {}}, "unevaluatedProperties": False},
        {"known": 1, "knwon": 1},
        "E1103",
        "a.knwon",
        ['"knwon"', 'write "known"'],
    ),
    "no key is known": ({"additionalProperties": False}, {"b": 1}, "E1103", "a.b", ["Fix: remove the key"]),
    "a key by its pattern": (
        {"patternProperties": {"^x-": {}}, "additionalProperties": False},
        {"x-b": 1, "y": 1},
        "E1103",
        "a.y",
        ["a known key"],
    ),
    "a keyword without words of its own": (
        {"contains": {"const": 1}},
        [2],
        "E1113",
        "a",
        ["satisfies contains"],
    ),
    "steps": ({"multipleOf": 5}, 7, "E1105", "a", ["a value in steps of 5, got 7"]),
    "too few keys": ({"minProperties": 1}, {}, "E1106", "a", ["at least 1 keys, got 0", "make it fit"]),
    "text for a number": ({"type": "integer"}, "many", "E1101", "a", ["write a number"]),
    "long text for a number": ({"type": "number"}, "1" * 40, "E1101", "a", ["write a number"]),
    "nothing for a text": ({"type": "string"}, None, "E1101", "a", ["give a value or remove the line"]),
    "a text for a list": ({"type": "array"}, "b", "E1101", "a", ["write a list, such as [a, b]"]),
    "a text for a map": ({"type": "object"}, "b", "E1101", "a", ["write keys and values"]),
    "a list for a text": ({"type": "string"}, [], "E1101", "a", ["write text"]),
    "odd choices": ({"enum": ["a\nb", "", 1, None]}, "x", "E1104", "a", [r'one of "a\nb", "", 1, null']),
    "the schema's first sentence": (
        {"pattern": "^b", "description": "It begins with b. It may end with c."},
        "c",
        "E1107",
        "a",
        ["Fix: see what the schema says: It begins with b."],
    ),
    "a description without text": ({"maxLength": 1, "description": " "}, "bc", "E1106", "a", ["Fix: make it fit"]),
}


@pytest.mark.parametrize("case", KEYWORDS)
def test_each_keyword_has_words_a_place_and_a_remedy(case):
    schema, value, code, path, words = KEYWORDS[case]
    whole = Schema({"properties": {"a": schema}}, "schema.json", dialects.known(LATEST))
    (problem,) = whole.validate({"a": value}, place)
    assert (problem.code, problem.path, problem.file, problem.line) == (code, path, "config.yaml", 7)
    for word in words:
        assert word in str(problem)


def test_of_a_value_of_another_type_nothing_else_is_said(validate):
    schema = {"type": "integer", "enum": [1, 2], "minimum": 1, "const": 1}
    (problem,) = validate({"properties": {"a": schema}}, {"a": "x"})
    assert problem.code == "E1101"
    assert sorted(item.code for item in validate({"properties": {"a": schema}}, {"a": 0})) == [
        "E1104",
        "E1105",
        "E1109",
    ]


@pytest.mark.parametrize(
    ("description", "said"),
    [("It begins with b. It may end with c.", "It begins with b"), ("b" * 300, "b" * 200), ("See v1.2", "See v1.2")],
)
def test_of_a_description_the_first_sentence_is_the_remedy_and_not_more_than_a_line(validate, description, said):
    (problem,) = validate({"properties": {"a": {"pattern": "^b", "description": description}}}, {"a": "c"})
    assert problem.remedy == "see what the schema says: %s" % said


def test_what_two_branches_say_is_said_once(validate):
    schema = {"properties": {"a": {"maxLength": 2}}, "allOf": [{"properties": {"a": {"maxLength": 2}}}]}
    assert len(validate(schema, {"a": "abc"})) == 1


def test_after_enough_findings_no_more_are_looked_for(validate):
    looked = []

    def errors():
        validator = dialects.validator({"items": {"type": "integer"}}, dialects.known(LATEST))
        for error in validator.iter_errors(["x"] * 10000):
            looked.append(error)
            yield error

    found = findings.Findings(place, frozenset()).of(errors())
    assert len(found) == len(looked) < 10000


def test_an_item_that_comes_twice_late_in_a_long_list_is_still_said(validate):
    schema = {"properties": {"a": {"uniqueItems": True}}}
    (problem,) = validate(schema, {"a": [*range(1500), 1400]})
    assert (problem.code, problem.path, problem.got) == ("E1112", "a", "an item twice")


@pytest.mark.parametrize(("rule", "got"), [({"minLength": 20}, "fewer"), ({"maxLength": 2}, "more")])
def test_of_a_secret_not_even_the_length_is_shown(validate, rule, got):
    (problem,) = validate({"properties": {"a": {"type": "string", "writeOnly": True, **rule}}}, {"a": "canary"})
    assert (problem.code, problem.got) == ("E1106", got)


def test_of_a_secret_map_no_key_is_named_and_the_place_is_that_of_the_map(tmp_path):
    places = []

    def noted(path):
        places.append(path)
        return "config.yaml", 7, 1

    keys = {"tree": {"type": "object", "writeOnly": True, "additionalProperties": {"type": "integer"}}}
    (tmp_path / "schema.json").write_text(json.dumps({"properties": keys}), encoding="utf-8")
    schema = load_schema(tmp_path / "schema.json", "schema.json")
    (problem,) = schema.validate({"tree": {"canary": {"x": "y"}}}, noted)
    assert (problem.path, places, problem.got) == ("tree", [("tree",)], findings.HIDDEN)


def test_a_choice_near_to_a_secret_is_not_proposed(validate):
    keys = {"a": {"enum": ["debug", "info"], "type": "string", "writeOnly": True}}
    (problem,) = validate({"properties": keys}, {"a": "debig"})
    assert problem.remedy == "write one of them" and problem.got == findings.HIDDEN


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (True, "a value"),
        ({}, "a value"),
        ({"minimum": 3}, "a value of at least 3"),
        ({"type": ["string", "null"]}, "text or nothing"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "a number above 0 below 1"),
        ({"type": "integer", "minimum": 0, "multipleOf": 2}, "a whole number of at least 0 in steps of 2"),
        ({"type": "string", "minimum": 3}, "text"),
        ({"type": "string", "format": "unknown"}, "text"),
        ({"type": "integer", "format": "email"}, "a whole number"),
        ({"type": "odd"}, "odd"),
        ({"const": "on", "type": "string"}, '"on"'),
        ({"enum": ["a", 1]}, "one of a, 1"),
    ],
)
def test_a_schema_is_described_in_a_few_words(schema, words):
    assert findings.describe(schema) == words
