# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.windflow.platform.plugins.module_utils.config import dialects
from ansible_collections.windflow.platform.plugins.module_utils.config.schema import Schema, load_schema
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError

COLLECTIONS = Path(dialects.__file__).resolve().parents[3] / "collections"
DRAFT_07 = "http://json-schema.org/draft-07/schema#"
URIS = [DRAFT_07, "https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema"]


@pytest.fixture
def load(tmp_path):
    def call(content: object) -> Schema:
        path = tmp_path / "schema.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return load_schema(path, "schema.json")

    return call


def place(path: tuple) -> tuple[str, int, int]:
    return "config.yaml", 7, 1


def validate(schema: Schema, data: dict) -> list[Problem]:
    return schema.validate(data, place)


# case: (schema, code, line, path, words)
MALFORMED = {
    "empty file": ("", "E1005", 1, "", ["empty"]),
    "not JSON": ("type: object\n", "E1008", 1, "", ["valid JSON"]),
    "not JSON, a comma": ('{"type": "object",\n}', "E1008", 1, "", ["comma"]),
    "a list": ("[]", "E1006", 1, "", ["a map"]),
    "type strng": (
        {"properties": {"a": {"type": "strng"}}},
        "E1061",
        4,
        "properties.a.type",
        ['"strng"', 'write "string"', "boolean"],
    ),
    "minimum a text": ({"properties": {"a": {"minimum": "1"}}}, "E1061", 4, "properties.a.minimum", ["a number"]),
    "required a text": ({"required": "a"}, "E1061", 2, "required", ["a list"]),
    "properties a list": ({"properties": []}, "E1061", 2, "properties", ["a map"]),
    "unknown dialect": (
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        "E1062",
        2,
        "$schema",
        ["draft-04", "draft-07, 2019-09 or 2020-12"],
    ),
    "unknown dialect of someone's own": ({"$schema": "https://example.com/my"}, "E1062", 2, "$schema", ["example.com"]),
    "$schema a number": ({"$schema": 7}, "E1062", 2, "$schema", ["7"]),
    "remote $ref": (
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/x.json"}}},
        "E1063",
        4,
        "properties.a.$ref",
        ["http://127.0.0.1:9/x.json", "#/definitions"],
    ),
    "file $ref": ({"$ref": "file:///etc/passwd"}, "E1063", 2, "$ref", ["file:///etc/passwd"]),
    "relative $ref": ({"allOf": [{"$ref": "other.json#/a"}]}, "E1063", 4, "allOf[0].$ref", ["other.json"]),
    "remote $ref in a property called properties": (
        {"properties": {"properties": {"$ref": "http://x/"}}},
        "E1063",
        4,
        "properties.properties.$ref",
        ["http://x/"],
    ),
    "$ref to nothing": ({"$ref": "#/definitions/none"}, "E1064", 2, "$ref", ["#/definitions/none"]),
    "$id inside": (
        {"properties": {"a": {"$id": "http://x/a"}}},
        "E1063",
        4,
        "properties.a.$id",
        ["$id only at the top"],
    ),
    "pattern that is none": ({"properties": {"a": {"pattern": "("}}}, "E1065", 4, "properties.a.pattern", ['"("']),
    "pattern for keys that is none": ({"patternProperties": {"[": {}}}, "E1065", 3, 'patternProperties["["]', ['"["']),
    "pattern of a megabyte": ({"properties": {"a": {"pattern": "a" * 5000}}}, "E1065", 4, "", ["5000 characters"]),
    "x-env that is no name": ({"properties": {"a": {"x-env": "A-B"}}}, "E1066", 4, "", ['"A-B"', "underscores"]),
    "x-env that is no text": ({"properties": {"a": {"x-env": 1}}}, "E1066", 4, "", ["environment variable"]),
    "x-env that others need": ({"properties": {"a": {"x-env": "LD_PRELOAD"}}}, "E1066", 4, "", ["LD_PRELOAD"]),
    "x-env twice": (
        {"properties": {"a": {"x-env": "A"}, "b": {"x-env": "A"}}},
        "E1066",
        7,
        "properties.b.x-env",
        ["A also at a"],
    ),
    "x-env in a list": ({"properties": {"a": {"items": {"x-env": "A"}}}}, "E1066", 3, "", ["whole list"]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_schema_is_rejected_with_its_own_message(case, load, findings):
    content, code, line, path, words = MALFORMED[case]
    problem = findings(load, content)[0]
    assert (problem.code, problem.file, problem.line) == (code, "schema.json", line), problem
    assert problem.path == path or not path, problem.path
    assert problem.expected and problem.got and problem.remedy, problem
    for word in words:
        assert word in str(problem)


def test_an_absent_schema_is_rejected(tmp_path, only):
    only("E1060", "schema.json", ["no such file"], load_schema, tmp_path / "none.json", "schema.json")


def test_all_findings_of_a_schema_come_at_once(load, findings):
    content = {"properties": {"a": {"type": "strng"}, "b": {"minimum": "1"}, "c": {"required": [1]}}}
    assert [problem.path for problem in findings(load, content)] == [
        "properties.a.type",
        "properties.b.minimum",
        "properties.c.required[0]",
    ]


@pytest.mark.parametrize("uri", [*URIS, "https://json-schema.org/draft-07/schema", None])
def test_each_dialect_is_accepted_and_an_invalid_type_is_found_in_it(uri, load, findings):
    head = {"$schema": uri} if uri else {}
    schema = load({**head, "properties": {"a": {"type": "integer"}}})
    assert [problem.code for problem in validate(schema, {"a": "x"})] == ["E1101"]
    assert findings(load, {**head, "properties": {"a": {"type": "strng"}}})[0].code == "E1061"


@pytest.mark.fault(7)
@pytest.mark.parametrize("reference", ["http://127.0.0.1:%d/s.json", "file://%s", "https://example.com/s.json"])
def test_a_foreign_ref_opens_no_socket_and_no_file(reference, load, findings, tmp_path):
    wanted = tmp_path / "secret.json"
    wanted.write_text("{}")
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    if "%" in reference:
        reference = reference % (server.getsockname()[1] if "%d" in reference else wanted)
    opened = []
    sys.addaudithook(
        lambda event, arguments: (
            opened.append(event)
            if event == "socket.connect" or (event == "open" and arguments[0] == str(wanted))
            else None
        )
    )
    with server:
        assert findings(load, {"properties": {"a": {"$ref": reference}}})[0].code == "E1063"
        # even a schema that was never looked at fetches nothing
        unchecked = Schema({"properties": {"a": {"$ref": reference}}}, "schema.json")
        with pytest.raises(Exception, match="."):
            validate(unchecked, {"a": 1})
        with pytest.raises(TimeoutError):
            server.accept()
    assert opened == []


def test_a_local_ref_is_followed(load):
    schema = load(
        {"definitions": {"p": {"type": "integer", "x-env": "P"}}, "properties": {"a": {"$ref": "#/definitions/p"}}}
    )
    assert schema.environment == {"P": ("a",)}
    assert [problem.code for problem in validate(schema, {"a": "x"})] == ["E1101"]


@pytest.mark.parametrize(
    "content",
    [{"$ref": "#"}, {"properties": {"a": {"$ref": "#/properties/a"}}}, {"allOf": [{"$ref": "#"}]}],
    ids=["root", "property", "branch"],
)
@pytest.mark.parametrize("uri", URIS)
def test_a_ref_that_leads_to_itself_is_a_coded_error(content, uri, load, findings):
    start = time.monotonic()
    schema = load({"$schema": uri, **content})
    assert findings(validate, schema, {"a": 1})[0].code == "E1018"
    assert time.monotonic() - start < 5


def test_a_recursive_structure_is_fine(load):
    node = {"properties": {"children": {"items": {"$ref": "#/definitions/node"}}, "key": {"writeOnly": True}}}
    schema = load({"definitions": {"node": node}, "$ref": "#/definitions/node"})
    data = {"children": [{"key": "a", "children": [{"key": "b"}]}]}
    assert validate(schema, data) == []
    assert schema.secret_paths(data) == {("children", 0, "key"), ("children", 0, "children", 0, "key")}


BOMBS = {
    "regex": "{'properties': {'a': {'pattern': '(a+)+$'}}}, {'a': 'a' * 60 + 'b'}",
    "regex for keys": "{'patternProperties': {'(a+)+$': {}}}, {'a' * 60 + 'b': 1}",
    "branches": "chain(lambda n: {'anyOf': [{'$ref': n}, {'$ref': n}]}), {'a': 1}",
    "properties": "chain(lambda n: {'properties': {'a': {'$ref': n}, 'b': {'$ref': n}}}), {'a': 1}",
    "large errors": "{'anyOf': [{'additionalProperties': {'minLength': n, 'type': 'string'}} for n in range(40)]},"
    " many(40000)",
    "unique items": "{'properties': {'a': {'uniqueItems': True}}}, {'a': [{'x': n} for n in range(20000)]}",
}
BOMB = """
import json, re, tempfile, time
from pathlib import Path
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.config.schema import load_schema
def chain(make):
    links = {"d%%d" %% n: make("#/definitions/d%%d" %% (n + 1)) for n in range(60)}
    return {"definitions": {**links, "d60": {"type": "string"}}, "$ref": "#/definitions/d0"}
def many(count):
    return {"k%%d" %% n: n for n in range(count)}
content, data = %s
path = Path(tempfile.mkdtemp(), "schema.json")
path.write_text(json.dumps(content))
start = time.monotonic()
try:
    load_schema(path).validate(data, lambda path: ("f", 1, 1))
except WindflowError as error:
    seconds = time.monotonic() - start
    # Not ru_maxrss: that counts what pytest had when it started this process.
    highest = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]
    print(json.dumps([error.code, seconds, int(highest) / 1024]))
"""


@pytest.mark.fault(8)
@pytest.mark.parametrize("case", BOMBS)
def test_no_schema_takes_more_than_five_seconds_or_256_megabytes(case):
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    code = BOMB % BOMBS[case]
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    code, seconds, megabytes = json.loads(done.stdout)
    assert code in ("E1017", "E1018")
    assert seconds <= 5
    assert megabytes <= 256


def test_annotations_are_found_wherever_they_stand(load):
    schema = load(
        {
            "properties": {
                "plain": {"type": "string", "x-env": "PLAIN", "writeOnly": True},
                "list": {"items": {"properties": {"key": {"writeOnly": True}}}},
                "any": {"additionalProperties": {"writeOnly": True}},
                "branch": {"anyOf": [{"properties": {"x": {"writeOnly": True, "x-env": "X"}}}, {"type": "null"}]},
                "tree": {"type": "object", "writeOnly": True},
            },
            "patternProperties": {"^s_": {"writeOnly": True}},
        }
    )
    assert schema.environment == {"PLAIN": ("plain",), "X": ("branch", "x")}
    assert set(schema.secrets) == {("plain",), ("list", "*", "key"), ("any", "*"), ("branch", "x"), ("tree",), ("*",)}
    data = {
        "plain": "p",
        "list": [{"key": 1, "other": 2}, {}],
        "any": {"a": 1},
        "branch": {"x": 1, "y": 2},
        "tree": {"a": {"b": 1}},
        "s_one": 1,
        "other": 1,
    }
    assert schema.secret_paths(data) == {
        ("plain",),
        ("list", 0, "key"),
        ("any", "a"),
        ("branch", "x"),
        ("tree",),
        ("s_one",),
    }


def test_a_secret_inside_a_secret_counts_once(load):
    inner = {"writeOnly": True, "properties": {"b": {"writeOnly": True}}}
    for more in ({}, {"properties": {"other": {"$ref": "#/definitions/x"}}, "definitions": {"x": {}}}):
        schema = load({**more, "properties": {**more.get("properties", {}), "a": inner, "c": {"writeOnly": True}}})
        assert schema.secret_paths({"a": {"b": 1}}) == {("a",)}
        assert schema.secret_paths({"a": 1, "c": None}) == {("a",), ("c",)}


def test_types_are_known_by_path(load):
    schema = load(
        {
            "definitions": {"port": {"type": ["integer", "null"]}},
            "properties": {
                "a": {"properties": {"port": {"$ref": "#/definitions/port"}}},
                "e": {"enum": ["x", 1, None]},
                "o": {"oneOf": [{"type": "boolean"}, {"type": "string"}]},
                "l": {"items": {"type": "number"}},
            },
        }
    )
    assert schema.types_at(("a", "port")) == {"integer", "null"}
    assert schema.types_at(("e",)) == {"string", "integer", "null"}
    assert schema.types_at(("o",)) == {"boolean", "string"}
    assert schema.types_at(("l", 3)) == {"number"}
    assert schema.types_at(("unknown", "deeper")) == frozenset()


def test_a_schema_checks_formats_of_text(load):
    schema = load({"additionalProperties": {"format": "cidr"}})
    assert validate(schema, {"k": "10.0.0.0/8"}) == [] == validate(schema, {"k": 5})
    assert validate(schema, {"k": "10.0.0.1/8"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["string", "a", "#", "^a", "object", "", "strng"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(dialects._RULES), "x-env", "unknown"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(schema=st.dictionaries(st.sampled_from([*sorted(dialects._RULES), "x-y"]), JSON, max_size=4))
@pytest.mark.parametrize("uri", URIS)
def test_what_the_quick_look_accepts_the_metaschema_accepts_too(uri, schema):
    schema.pop("$schema", None)
    if dialects._plain_schema(schema):
        errors = list(dialects._metaschema_validator(dialects.known(uri)).iter_errors(schema))
        # whether a pattern compiles, and whether a $ref can be followed, is judged elsewhere
        assert [error.message for error in errors if error.validator != "format"] == []


def test_a_secret_that_may_be_made_is_marked(load):
    secret = {"type": "string", "writeOnly": True, "x-generate": True}
    schema = load({"properties": {"a": {"properties": {"b": secret}}, "c": {**secret, "x-generate": False}}})
    assert schema.generated == (("a", "b"),)


@pytest.mark.parametrize(
    "node",
    [
        {"type": "string", "x-generate": True},
        {"type": "integer", "writeOnly": True, "x-generate": True},
        {"type": "array", "items": {"type": "string", "writeOnly": True, "x-generate": True}},
        {"type": "string", "writeOnly": True, "x-generate": "yes"},
    ],
)
def test_only_a_secret_text_outside_lists_can_be_made(load, node):
    with pytest.raises(WindflowError) as caught:
        load({"properties": {"a": node}})
    assert caught.value.code == "E1067" and "x-generate" in str(caught.value)


# Ways in which a schema can come to speak about a value; {} is what it says, the second the value around it.
STEPS = {
    "property": (lambda part: {"properties": {"k": part}}, lambda value: {"k": value}),
    "pattern": (lambda part: {"patternProperties": {"^k": part}}, lambda value: {"key": value}),
    "any key": (lambda part: {"additionalProperties": part}, lambda value: {"any": value}),
    "unevaluated key": (lambda part: {"unevaluatedProperties": part}, lambda value: {"any": value}),
    "item": (lambda part: {"items": part}, lambda value: [value]),
    "first item": (lambda part: {"prefixItems": [part]}, lambda value: [value]),
    "further item": (lambda part: {"items": [{}], "additionalItems": part}, lambda value: ["x", value]),
    "unevaluated item": (lambda part: {"unevaluatedItems": part}, lambda value: [value]),
    "contained": (lambda part: {"contains": part}, lambda value: [value]),
    "allOf": (lambda part: {"allOf": [{}, part]}, lambda value: value),
    "anyOf": (lambda part: {"anyOf": [{}, part]}, lambda value: value),
    "oneOf": (lambda part: {"oneOf": [part]}, lambda value: value),
    "if": (lambda part: {"if": part}, lambda value: value),
    "then": (lambda part: {"if": {}, "then": part}, lambda value: value),
    "else": (lambda part: {"if": False, "else": part}, lambda value: value),
    "dependent": (lambda part: {"dependentSchemas": {"k": part}}, lambda value: value),
    "dependency": (lambda part: {"dependencies": {"k": part}}, lambda value: value),
}


@pytest.mark.fault(74)
@settings(deadline=None)
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5),
    st.sampled_from(["plain", "$ref", "$anchor", "$dynamicRef", "$dynamicRef to a path", "content"]),
)
def test_a_secret_is_found_however_the_schema_comes_to_speak_of_it(tmp_path_factory, steps, reached):
    leaf = {"writeOnly": True}
    more = {}
    if reached == "content":
        leaf = {"contentMediaType": "application/json", "contentSchema": {"properties": {"p": leaf}}}
    elif reached != "plain":
        more = {"$defs": {"leaf": {"writeOnly": True, "$anchor": "here", "$dynamicAnchor": "there"}}}
        name = "$dynamicRef" if "dynamic" in reached else "$ref"
        where = {"$anchor": "#here", "$dynamicRef": "#there"}.get(reached, "#/$defs/leaf")
        leaf = {name: where}
    schema, data = leaf, "CANARY"
    for step in reversed(steps):
        schema, data = STEPS[step][0](schema), STEPS[step][1](data)
    schema = {"$schema": URIS[2], "properties": {"top": schema}, **more}
    if "further item" in steps:
        schema["$schema"] = URIS[1]
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    path.write_text(json.dumps(schema))
    assert load_schema(path).secret_paths({"top": data})


@pytest.mark.fault(74)
@pytest.mark.parametrize(
    "more",
    [
        {"$schema": URIS[1], "$recursiveAnchor": True, "child": {"$recursiveRef": "#"}},
        {"$schema": URIS[2], "$dynamicAnchor": "node", "child": {"$dynamicRef": "#node"}},
    ],
)
def test_a_schema_that_refers_to_itself_has_its_secrets_at_any_depth(load, more):
    dialect = {key: value for key, value in more.items() if key != "child"}
    schema = load({**dialect, "properties": {"password": {"writeOnly": True}, "child": more["child"]}})
    data = {"child": {"child": {"password": "x"}}, "password": "y"}
    assert schema.secret_paths(data) == {("password",), ("child", "child", "password")}


@pytest.mark.fault(74)
@pytest.mark.parametrize("value", ["true", "True", 1, None, [True], {"a": True}])
@pytest.mark.parametrize("place", [("properties", "a"), ("definitions", "a"), ("allOf", 0), ("items",)])
def test_what_is_no_boolean_is_no_writeonly(load, findings, value, place):
    schema = {"writeOnly": value}
    for part in reversed(place):
        schema = [schema] if part == 0 else {part: schema}
    (problem,) = findings(load, schema)
    assert (problem.code, problem.expected) == ("E1068", "true or false")


@pytest.mark.parametrize("key", ["writeonly", "write_only", "WriteOnly", "write-only"])
def test_a_keyword_that_is_meant_as_writeonly_is_named(load, findings, key):
    (problem,) = findings(load, {"properties": {"a": {key: True}}})
    assert problem.code == "E1068" and "writeOnly" in problem.remedy
    load({"properties": {key: {"default": {key: "x"}, "x-form": {key: 1}}}})


def test_a_reference_into_data_is_judged_as_well(load, findings):
    schema = {"properties": {"a": {"$ref": "#/properties/b/default"}, "b": {"default": {"writeOnly": "yes"}}}}
    assert findings(load, schema)[0].code == "E1068"


def test_an_anchor_that_two_parts_have_is_refused(load, findings):
    schema = {
        "$schema": URIS[2],
        "properties": {"a": {"$dynamicRef": "#x"}},
        "$defs": {"one": {"$dynamicAnchor": "x"}, "two": {"$anchor": "x", "writeOnly": True}},
    }
    assert findings(load, schema)[0].code == "E1064"
