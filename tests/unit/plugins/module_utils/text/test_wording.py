# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.text import wording


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({}, "an empty map"),
        ({"a": 1}, "a map"),
        ([1], "a list"),
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("two words", '"two words"'),
        ("é", '"é"'),
        ("\x1b[31m", '"\\u001b[31m"'),
    ],
)
def test_a_value_is_shown_as_in_json_and_nothing_a_terminal_would_act_on(value, shown):
    assert wording.show(value) == shown


def test_a_long_text_is_cut():
    assert wording.show("x" * 61) == '"%s..."' % ("x" * 60)
    assert wording.show("x" * 60) == '"%s"' % ("x" * 60)


@pytest.mark.parametrize("value", ["canary", 4711, 47.11, True])
def test_the_kind_of_a_value_says_nothing_of_the_value(value):
    said = wording.kind(value)
    assert said and str(value).lower() not in said.replace("true or false", "")


def test_a_key_path_is_written_in_dots_and_odd_keys_in_brackets():
    assert wording.dotted(("storage", "volumes", 1, "path")) == "storage.volumes[1].path"
    assert wording.dotted(("a.b", "c d", "")) == '["a.b"]["c d"][""]'
    assert wording.dotted(()) == ""


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Log-Level", "log_level"),
        ("loglevle", "log_level"),
        ("ubuntu", "debian"),
        ("deb", "debian"),
        ("zzz", ""),
        ("", ""),
        (None, ""),
        ("x" * 65, ""),
    ],
)
def test_the_nearest_choice_is_what_was_most_likely_meant(word, meant):
    assert wording.nearest(word, ["log_level", "debian", 7]) == meant


def test_a_list_is_cut_and_says_how_many_are_left_out():
    assert wording.listed(["a", "b"]) == "a, b"
    assert wording.listed(range(5), 3) == "0, 1, 2, ... (2 more)"


def test_a_remedy_names_the_nearest_choice_or_all():
    assert wording.use_or_list("hots", ["host", "compose"]) == 'write "host"'
    assert wording.use_or_list("qq", ["host", "compose"], "give") == "give one of: host, compose"
