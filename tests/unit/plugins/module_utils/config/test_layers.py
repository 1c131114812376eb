# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Layer, coerce, merge
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def merged(*data):
    problems = []
    found, owners = merge([Layer("layer", item, "file-%d" % index) for index, item in enumerate(data)], problems)
    return found, owners, problems


def test_maps_merge_and_lists_and_single_values_are_replaced():
    found, owners, problems = merged({"a": {"x": 1, "y": 1}, "l": [1, 2]}, {"a": {"y": 2}, "l": [3]})
    assert found == {"a": {"x": 1, "y": 2}, "l": [3]} and problems == []
    assert (owners[("a", "x")], owners[("a", "y")], owners[("a",)], owners[("l",)]) == (0, 1, 1, 1)


def test_nothing_takes_away_what_is_below_with_all_of_it():
    found, owners, _problems = merged({"a": {"x": {"deep": 1}}, "b": 1}, {"a": None, "c": None})
    assert found == {"b": 1} and set(owners) == {("b",)}
    assert merged({"a": {"x": 1}}, {"a": None}, {"a": {"y": 2}})[0] == {"a": {"y": 2}}


@pytest.mark.parametrize(("below", "above"), [({"x": 1}, 5), (5, {"x": 1}), ([1], {"x": 1})])
def test_a_map_over_something_else_is_a_finding_with_both_places(below, above):
    found, _owners, (problem,) = merged({"a": below}, {"a": above})
    assert (problem.code, problem.file, problem.path) == ("E1120", "file-1", "a") and "file-0" in problem.expected
    assert found == {"a": below}


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("8080", {"integer"}, 8080),
        ("8080", {"string"}, "8080"),
        ("8080", {"string", "null"}, "8080"),
        (" true ", {"boolean"}, True),
        ("yes", {"boolean"}, "yes"),
        ("1.5", {"number"}, 1.5),
        ("1.5", {"integer"}, "1.5"),
        ("1e999", {"number"}, "1e999"),
        ('["a"]', {"array"}, ["a"]),
        ('{"a": 1}', {"object"}, {"a": 1}),
        ('["a"]', {"string"}, '["a"]'),
        ("99999999999999999999", {"integer"}, "99999999999999999999"),
        ("", {"integer"}, ""),
        ("8080", set(), "8080"),
    ],
)
def test_a_text_becomes_what_the_schema_has_and_stays_text_where_it_fits_nothing(text, types, value):
    found = coerce(text, frozenset(types))
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"), [("8080", 8080), ("true", True), ("null", "null"), ("x", "x"), ("[1]", [1])]
)
def test_without_a_schema_a_value_of_the_command_line_is_read_like_yaml(text, value):
    assert coerce(text, frozenset(), guess=True) == value


def test_broken_json_where_only_json_fits_is_an_error():
    with pytest.raises(WindflowError) as caught:
        coerce("[1, 2", frozenset({"array"}), where="the variable LIST")
    assert caught.value.problems[0].file == "the variable LIST"
