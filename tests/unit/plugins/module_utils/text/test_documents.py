# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.text import documents
from ansible_collections.windflow.platform.plugins.module_utils.text.documents import load_json, load_yaml, read

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    "%s: &%s [%s]\n" % (here, here, ",".join(["*" + before] * 9))
    for before, here in zip("abcdefgh", "bcdefghi", strict=True)
)

# case: (text, code, line, path, words that the message must have)
MALFORMED_YAML = {
    "empty file": ("", "E1005", 1, "", ["an empty file"]),
    "only a comment": ("# nothing\n", "E1005", 1, "", ["an empty file"]),
    "top level a list": ("- a\n- b\n", "E1006", 1, "", ["a map at the top level", "a list"]),
    "top level a text": ("hello\n", "E1006", 1, "", ["a map at the top level", "got text"]),
    "tab indentation": ("a:\n\tb: 1\n", "E1007", 2, "", ["a tab", "spaces"]),
    "tab after spaces": ("a:\n  \tb: 1\n", "E1007", 2, "", ["a tab"]),
    "not UTF-8": (b"a: 1\nb: \xff\n", "E1003", 2, "", ["UTF-8", "other bytes"]),
    "UTF-16": ("a: 1\n".encode("utf-16"), "E1003", 1, "", ["UTF-8"]),
    "NUL": ("a: 1\nb: x\0y\n", "E1004", 2, "", ["NUL"]),
    "escape character": ("a: \x1b[31m\n", "E1004", 1, "", ["U+001B"]),
    "two documents": ("a: 1\n---\nb: 2\n", "E1009", 2, "", ["one document"]),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "E1010", 3, "a", ["line 1", "line 3"]),
    "duplicate nested key": ("a:\n  b: 1\n  b: 2\n", "E1010", 3, "a.b", ["line 2", "line 3"]),
    "anchor": ("a: &x 1\n", "E1011", 1, "a", ["anchors and aliases", "an anchor", "in quotes"]),
    "merge key": ("a:\n  <<: {b: 1}\n", "E1011", 2, "a.<<", ["merge key"]),
    "python object": ("a: !!python/object:os.system x\n", "E1012", 1, "a", ["a tag", "in quotes"]),
    "vault": ("a: !vault |\n  $ANSIBLE_VAULT\n", "E1012", 1, "a", ["windflow_config"]),
    "binary": ("a: !!binary aGVsbG8=\n", "E1012", 1, "a", ["a tag"]),
    "over 1 MB": ("a: " + "x" * 1000000, "E1002", 0, "", ["1 MB"]),
    "over 50,000 values": ("a: [" + "1," * 60000 + "]", "E1002", 0, "", ["50000"]),
    "over depth 50": ("a: " + "[" * 60 + "]" * 60, "E1013", 1, "", ["50 levels"]),
    "key not text": ("8080: a\n", "E1014", 1, "", ["text as the key", "a number", "quotes"]),
    "key a boolean": ("a:\n  true: b\n", "E1014", 2, "a", ["text as the key", "true or false"]),
    "template without quotes": ("a: {{ b }}\n", "E1014", 1, "a", ["{", "quotes"]),
    "unclosed bracket": ("a: [b\n", "E1008", 2, "", ["valid YAML"]),
    "unclosed quote": ("a: 'b\n", "E1008", 2, "", ["valid YAML"]),
    "colon in a value": ("a: b: c\n", "E1008", 1, "", ["colon", "quotes"]),
    "huge whole number": ("a: 99999999999999999999\n", "E1016", 1, "a", ["64 bits"]),
    "infinity": ("a: .inf\n", "E1016", 1, "a", ["infinity"]),
    "number beyond a float": ("a: 1e999\n", "E1016", 1, "a", ["1.8e308"]),
}

MALFORMED_JSON = {
    "empty file": ("", "E1005", 1, "", ["an empty file"]),
    "top level a list": ("[1]", "E1006", 1, "", ["a list"]),
    "duplicate key": ('{"a": 1,\n"a": 2}', "E1010", 2, "a", ["line 1", "line 2"]),
    "duplicate key in a list": ('{"a": [{"b": 1,\n"b": 2}]}', "E1010", 2, "a[0].b", ["line 1", "line 2"]),
    "NaN": ('{"a": NaN}', "E1015", 1, "a", ["NaN"]),
    "Infinity": ('{\n"a": -Infinity}', "E1015", 2, "a", ["-Infinity"]),
    "huge whole number": ('{"a": 99999999999999999999}', "E1016", 1, "a", ["64 bits"]),
    "number of 5,000 digits": ('{"a": %s}' % ("9" * 5000), "E1016", 1, "a", ["64 bits"]),
    "number beyond a float": ('{"a": 1e999}', "E1016", 1, "a", ["1.8e308"]),
    "comma before the end": ('{"a": 1,\n}', "E1008", 1, "", ["comma"]),
    "more than one value": ('{"a": 1} {"b": 2}', "E1008", 1, "", ["one JSON value"]),
    "unclosed": ('{"a": "b', "E1008", 1, "", ["valid JSON"]),
    "unclosed comment": ('{"a": 1} /* x */ /*/', "E1008", 1, "", ["one JSON value"]),
    "over depth 50": ('{"a": %s%s}' % ("[" * 50, "]" * 50), "E1013", 1, "", ["50 levels"]),
    "over 50,000 values": ('{"a": [%s1]}' % ("1," * 60000), "E1002", 0, "", ["50000"]),
    "half a character": ('{"a": "\\ud800"}', "E1004", 1, "a", ["surrogate"]),
    "not UTF-8": (b'{"a": "\xe4"}', "E1003", 1, "", ["UTF-8"]),
    "NUL": ('{"a": "\0"}', "E1004", 1, "", ["NUL"]),
}


@pytest.mark.fault(6)
@pytest.mark.parametrize("case", MALFORMED_YAML)
def test_malformed_yaml_is_rejected_with_its_own_message(case, findings):
    text, code, line, path, words = MALFORMED_YAML[case]
    problem = findings(load_yaml, text, "some.yaml")[0]
    assert (problem.code, problem.file, problem.line, problem.path) == (code, "some.yaml", line, path)
    assert problem.expected and problem.got and problem.remedy
    for word in words:
        assert word in str(problem)


@pytest.mark.parametrize("case", MALFORMED_JSON)
def test_malformed_json_is_rejected_with_its_own_message(case, findings):
    text, code, line, path, words = MALFORMED_JSON[case]
    problem = findings(load_json, text, "some.json")[0]
    assert (problem.code, problem.file, problem.line, problem.path) == (code, "some.json", line, path)
    assert problem.expected and problem.got and problem.remedy
    for word in words:
        assert word in str(problem)


# What an author may write behind "password:" without quotes, as YAML and as JSON.
UNQUOTED = [
    "&Tr0ub4dor-CANARY",
    "*Tr0ub4dor-CANARY",
    "!Tr0ub4dor-CANARY",
    "!<CANARY> x",
    "%CANARY",
    "@CANARY",
    "`CANARY",
    "|CANARY",
    ">CANARY",
    "CANARY: x",
    "x: CANARY: y",
    "{CANARY}",
    "{CANARY: *x}",
    "{CANARY, CANARY}",
    "{{ CANARY }}",
    "{&CANARY x: y}",
    "[CANARY, &x CANARY]",
    "[CANARY",
    "'CANARY' CANARY",
    '"\\CANARY"',
    '"CANARY',
    "'CANARY",
    "- CANARY",
    "? CANARY",
    "&x !y *CANARY",
    '"\\xCANARY"',
    "<<: CANARY",
    "9CANARY\x00",
    "CANARY\x07",
    "99999999999999999999",
]


def told(function, text):
    """Everything that a reader says about a text; empty if it takes it."""
    try:
        function(text, "config.yaml")
    except WindflowError as error:
        return "%s %s" % (error, error.as_result())
    return ""


@pytest.mark.fault(73)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("value", UNQUOTED)
def test_nothing_of_a_configuration_file_is_shown(value, loader, monkeypatch):
    monkeypatch.setattr(documents, "_LOADER", getattr(documents.yaml, loader))
    for text in ("database:\n  password: %s\n", "password: %s", "a: {b: 1, password: %s}", "l:\n  - %s\n"):
        said = told(load_yaml, text % value)
        assert "CANARY" not in said and "99999" not in said, said
    for text in ('{"password": %s}', '{"database": {"password": %s, "x": 1}}', "%s"):
        assert "CANARY" not in told(load_json, text % value)


@pytest.mark.fault(73)
@given(
    st.text(alphabet="&*!%@`|>{}[]'\"\\:-?,# <x\t", max_size=12), st.text(alphabet="&*!|>{}[]'\"\\:-?,# \t", max_size=8)
)
def test_no_text_around_a_password_makes_a_finding_show_it(before, after):
    for text in ("database:\n  password: x%sCANARY%s\n", "password: %sCANARY%s", "a:\n  - %sCANARY%s\n"):
        assert "CANARY" not in told(load_yaml, text % (before, after))
    assert "CANARY" not in told(load_json, '{"password": %sCANARY%s}' % (before, after))


def test_every_kind_of_finding_has_its_own_code_and_words():
    seen = {}
    for case, (text, code, *_rest) in MALFORMED_YAML.items():
        with pytest.raises(WindflowError) as caught:
            load_yaml(text, "f")
        assert caught.value.code == code, case
        seen.setdefault(code, set()).add(caught.value.problems[0].expected)
    assert all(len(expected) == 1 for code, expected in seen.items() if code not in ("E1002", "E1004")), seen


def test_all_findings_of_a_file_come_at_once(findings):
    text = "a: &x 1\nb: *x\nc: !!str d\na: 2\n9: e\nf: 99999999999999999999\n"
    found = [(problem.code, problem.line) for problem in findings(load_yaml, text, "f")]
    assert found == [("E1011", 1), ("E1011", 2), ("E1012", 3), ("E1010", 4), ("E1014", 5), ("E1016", 6)]


def test_all_findings_of_a_json_file_come_at_once(findings):
    text = '{"a": NaN,\n"a": 1,\n"b": 1e999,\n"c": "\\udc00"}'
    found = [(problem.code, problem.line) for problem in findings(load_json, text, "f")]
    assert found == [("E1015", 1), ("E1010", 2), ("E1016", 3), ("E1004", 4)]


@pytest.mark.fault(5)
def test_an_alias_bomb_is_rejected_in_under_a_second(findings):
    start = time.monotonic()
    codes = {problem.code for problem in findings(load_yaml, BOMB, "bomb.yaml")}
    assert time.monotonic() - start < 1
    assert codes == {"E1011"}


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"' + '\\"' * 450000,
        '{"a":' + "/*" * 400000,
        '"' * 900000,
        "{" * 900000,
        '{"a":"' + "\\" * 900000,
        '{"a":' + "/" * 900000,
    ],
    ids=["escaped quotes", "comment openers", "quotes", "braces", "backslashes", "slashes"],
)
def test_a_megabyte_of_broken_json_is_answered_in_a_second(text, findings):
    start = time.process_time()
    findings(load_json, text, "f")
    assert time.process_time() - start < 1.5


def test_plain_scalars_follow_yaml_1_2_and_ambiguous_ones_stay_text():
    text = """
yes: no
on: off
octal: 0777
octal12: 0o17
hex: 0x1F
time: 12:30:00
date: 2026-01-31
version: 1.0.0
grouped: 1_000
truth: true
shout: FALSE
none: null
tilde: ~
nothing:
whole: -12
plus: +3
decimal: 1.50
exponent: 1e3
quoted: "8080"
single: '1.5'
block: |
  true
"""
    assert load_yaml(text, "f").data == {
        "yes": "no",
        "on": "off",
        "octal": "0777",
        "octal12": 15,
        "hex": 31,
        "time": "12:30:00",
        "date": "2026-01-31",
        "version": "1.0.0",
        "grouped": "1_000",
        "truth": True,
        "shout": False,
        "none": None,
        "tilde": None,
        "nothing": None,
        "whole": -12,
        "plus": 3,
        "decimal": 1.5,
        "exponent": 1000.0,
        "quoted": "8080",
        "single": "1.5",
        "block": "true\n",
    }


def test_a_key_in_quotes_is_no_merge_key():
    assert load_yaml("a:\n  '<<': x\n  \"<<b\": {'<<': 1}\n", "f").data == {"a": {"<<": "x", "<<b": {"<<": 1}}}


def test_the_text_of_a_number_is_kept():
    document = load_yaml("version: 1.10\nlist: [1.0, '1.0']\n", "f")
    assert document.numbers == {("version",): "1.10", ("list", 0): "1.0"}


def test_yaml_places_count_from_one_and_fall_back_to_the_nearest_ancestor():
    document = load_yaml("a:\n  b:\n    - c: 1\n    - [x, y]\n", "f")
    assert document.place(("a", "b")) == (2, 3)
    assert document.place(("a", "b", 0, "c")) == (3, 7)
    assert document.place(("a", "b", 1, 1)) == (4, 11)
    assert document.place(("a", "b", 0, "missing", "deeper")) == (3, 7)
    assert document.place(("missing",)) == (1, 1)


def test_json_places_are_those_of_the_text_with_its_comments():
    text = '{ // a comment with "quotes"\n  "a": "http://x", /* two\n  lines */ "b": [1,\n    {"c": {}}]\n}'
    document = load_json(text, "f")
    assert document.data == {"a": "http://x", "b": [1, {"c": {}}]}
    assert document.place(("a",)) == (2, 3)
    assert document.place(("b",)) == (3, 12)
    assert document.place(("b", 0)) == (3, 18)
    assert document.place(("b", 1, "c", "missing")) == (4, 6)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": 1} // end', {"a": 1}),
        ('{"a"://x\n1}', {"a": 1}),
        ('{"a": "/* no comment */ // none"}', {"a": "/* no comment */ // none"}),
        ('/* first */ {"a": "\\"//"}', {"a": '"//'}),
        ('\ufeff{"a": 1}', {"a": 1}),
    ],
)
def test_json_comments_are_left_out_and_texts_are_not_touched(text, data):
    assert load_json(text, "f").data == data


def test_an_empty_file_is_an_empty_map_where_that_is_allowed():
    assert load_yaml("# only a comment\n", "f", allow_empty=True).data == {}
    assert load_json(" \n", "f", allow_empty=True).data == {}


def test_templates_are_text():
    assert load_yaml("a: \"{{ lookup('pipe', 'id') }}\"\nb: x {% raw %}\n", "f").data == {
        "a": "{{ lookup('pipe', 'id') }}",
        "b": "x {% raw %}",
    }


def test_the_suffix_chooses_the_format(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1 /* x */}')
    (tmp_path / "a.yaml").write_text("a: 1\n")
    assert read(tmp_path / "a.json").data == read(tmp_path / "a.yaml").data == {"a": 1}


def test_what_cannot_be_read_is_named(tmp_path, only):
    only("E1001", "missing.yaml", ["no such file", "the answers"], read, tmp_path / "x", "missing.yaml", "the answers")


def test_a_named_pipe_is_refused_at_once(tmp_path, findings):
    os.mkfifo(tmp_path / "pipe.yaml")
    start = time.monotonic()
    assert findings(read, tmp_path / "pipe.yaml")[0].code == "E1001"
    assert time.monotonic() - start < 1


def test_a_directory_is_refused(tmp_path, findings):
    assert findings(read, tmp_path)[0].code == "E1001"


def test_a_file_over_the_limit_is_not_read_whole(tmp_path, findings):
    with open(tmp_path / "big.yaml", "wb") as file:
        file.truncate(5 * 10**9)
    start = time.monotonic()
    assert findings(read, tmp_path / "big.yaml")[0].code == "E1002"
    assert time.monotonic() - start < 1


def test_the_parser_written_in_python_gives_the_same(monkeypatch):
    text = "a: {b: [1, 'x', null], c: true}\nd: |\n  e\n"
    with_c = load_yaml(text, "f")
    monkeypatch.setattr(documents, "_LOADER", documents.yaml.SafeLoader)
    assert load_yaml(text, "f") == with_c


def test_reading_works_outside_the_main_thread(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\n")
    found = []
    thread = threading.Thread(target=lambda: found.append(read(tmp_path / "a.yaml").data))
    thread.start()
    thread.join()
    assert found == [{"a": 1}]
