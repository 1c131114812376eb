# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import host_secrets

KEYS = ["app.key", "database.password"]


@pytest.fixture
def state(tmp_path):
    return str(tmp_path)


def test_secrets_are_made_once_and_only_root_can_read_them(state):
    assert host_secrets.make("shop", KEYS, state)
    first = host_secrets.load("shop", state)
    assert set(first) == set(KEYS) and len(set(first.values())) == 2
    assert not host_secrets.make("shop", KEYS, state) and host_secrets.load("shop", state) == first
    assert host_secrets.make("shop", [*KEYS, "app.other"], state)
    assert {key: host_secrets.load("shop", state)[key] for key in KEYS} == first
    assert stat.S_IMODE(os.stat(host_secrets.path_of("shop", state)).st_mode) == 0o600


def test_a_secret_and_its_mark_are_no_numbers_to_any_reader(state):
    host_secrets.make("shop", ["k%d" % number for number in range(40)], state)
    for text in (*host_secrets.load("shop", state).values(), *host_secrets.marks("shop", state).values()):
        assert len(text) == host_secrets.CHARACTERS and text.isalnum() and text[0].isalpha()


def test_a_mark_says_nothing_of_the_secret_and_is_the_same_as_long_as_it_is(state):
    host_secrets.make("shop", KEYS, state)
    marks = host_secrets.marks("shop", state)
    assert marks == host_secrets.marks("shop", state)
    assert not set(marks.values()) & set(host_secrets.load("shop", state).values())
    host_secrets.remove("shop", state)
    host_secrets.make("shop", KEYS, state)
    assert not set(marks.values()) & set(host_secrets.marks("shop", state).values())


@pytest.mark.parametrize("encode", [str, str.encode], ids=["text", "bytes"])
def test_a_mark_is_filled_in_and_no_other_one(state, encode):
    host_secrets.make("shop", KEYS, state)
    secrets, marks = host_secrets.load("shop", state), host_secrets.marks("shop", state)
    shipped = encode("key: %s\npassword: %s\n" % (marks["app.key"], marks["database.password"]))
    found = host_secrets.fill(shipped, {marks["app.key"]: ["shop", "app.key"]}, state)
    assert found == encode("key: %s\npassword: %s\n" % (secrets["app.key"], marks["database.password"]))


def test_a_secret_that_was_made_anew_meanwhile_is_not_filled_in(state):
    host_secrets.make("shop", KEYS, state)
    made = {host_secrets.marks("shop", state)["app.key"]: ["shop", "app.key"]}
    host_secrets.remove("shop", state)
    for again in (False, True):
        if again:
            host_secrets.make("shop", KEYS, state)
        with pytest.raises(WindflowError) as caught:
            host_secrets.fill("x", made, state)
        assert caught.value.code == "E5019"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"app.key": 7}', '{"app.key": "short"}', '{"app.key": "1234567890123456"}']
)
def test_a_damaged_file_is_an_error_and_no_reason_to_make_others(state, content):
    host_secrets.make("shop", KEYS, state)
    with open(host_secrets.path_of("shop", state), "w", encoding="utf-8") as stream:
        stream.write(content)
    for call in (host_secrets.load, host_secrets.marks, lambda *place: host_secrets.make(place[0], KEYS, place[1])):
        with pytest.raises(WindflowError) as caught:
            call("shop", state)
        assert caught.value.code == "E5013"


def test_a_plugin_without_secrets_has_none(state):
    assert host_secrets.load("shop", state) == {} and host_secrets.marks("shop", state) == {}
    host_secrets.remove("shop", state)
