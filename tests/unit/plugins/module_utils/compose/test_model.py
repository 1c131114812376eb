# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.compose import model

VARIABLES = {"HOST": "db", "EMPTY": "", "NUMBER": "8080"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$HOST:${NUMBER}", "db:8080"),
        ("$$HOST", "$HOST"),
        ("${MISSING}x$MISSING", "x"),
        ("${EMPTY:-other}", "other"),
        ("${EMPTY-other}", ""),
        ("${MISSING-${HOST}}", "db"),
        ("${MISSING:-${EMPTY:-deep}}", "deep"),
        ("${HOST:+set}${EMPTY:+no}${EMPTY+yes}", "setyes"),
        ("${HOST:?needed}", "db"),
        ("5$ and ${", "5$ and "),
    ],
)
def test_variables_are_filled_in_as_compose_does(text, result):
    assert model.filled(text, VARIABLES) == result


def test_keys_are_left_as_they_are_and_so_is_what_is_no_text():
    assert model.interpolated({"$HOST": ["$HOST", 5, None]}, VARIABLES) == {"$HOST": ["db", 5, None]}


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/data", {"type": "volume", "target": "/data"}),
        ("data:/data", {"type": "volume", "source": "data", "target": "/data"}),
        ("./x:/x:ro", {"type": "bind", "source": "./x", "target": "/x", "read_only": True}),
        ("/a:/a:rshared", {"type": "bind", "source": "/a", "target": "/a", "bind": {"propagation": "rshared"}}),
        ("~/a:/a", {"type": "bind", "source": "~/a", "target": "/a"}),
    ],
)
def test_a_mount_in_its_short_form_says_whether_it_is_a_place_of_the_host(text, mount):
    assert model.mount(text) == mount


@pytest.mark.parametrize(
    ("item", "port"),
    [
        (8080, {"target": "8080", "protocol": "tcp"}),
        ("80:8080", {"target": "8080", "protocol": "tcp", "published": "80"}),
        ("53:53/udp", {"target": "53", "protocol": "udp", "published": "53"}),
        ("127.0.0.1:80:8080", {"target": "8080", "protocol": "tcp", "published": "80", "host_ip": "127.0.0.1"}),
        ("127.0.0.1::8080", {"target": "8080", "protocol": "tcp", "host_ip": "127.0.0.1"}),
        ("[::1]:80:8080", {"target": "8080", "protocol": "tcp", "published": "80", "host_ip": "::1"}),
        ("9000-9001:8000-8001", {"target": "8000-8001", "protocol": "tcp", "published": "9000-9001"}),
    ],
)
def test_a_port_in_its_short_form_says_where_it_is_published(item, port):
    assert model.ports(item) == [port]


def test_files_merge_by_keys_mounts_by_their_targets_and_lists_grow():
    base = {"environment": {"A": "1", "B": "1"}, "volumes": [{"source": "x", "target": "/a"}, {"target": "/b"}]}
    over = {"environment": {"B": "2"}, "volumes": [{"source": "y", "target": "/a"}], "labels": {"l": "1"}}
    assert model.merged(base, over) == {
        "environment": {"A": "1", "B": "2"},
        "volumes": [{"target": "/b"}, {"source": "y", "target": "/a"}],
        "labels": {"l": "1"},
    }
    assert model.merged({"dns": ["a", "b"]}, {"dns": ["b", "c"]}) == {"dns": ["a", "b", "c"]}
    assert model.merged({"image": "a"}, {"image": None}) == {"image": "a"}


def test_the_command_of_a_later_file_takes_the_place_of_the_one_before():
    assert model.merged({"command": ["a", "b"]}, {"command": ["c"]}) == {"command": ["c"]}


def test_a_list_of_pairs_is_a_map_and_a_name_alone_has_no_value():
    assert model.pairs(["A=1=2", "B"]) == {"A": "1=2", "B": None}
    assert model.pairs({"A": 1}) == {"A": 1}


def test_files_of_the_environment_that_the_plugin_lacks_are_named(tmp_path):
    (tmp_path / "there.env").touch()
    names = [{"path": "/p/there.env"}, {"path": "/p/a/gone.env"}, {"path": "/etc/x.env"}]
    names.append({"path": "/p/optional.env", "required": False})
    found = {"services": {"app": {"env_file": names}, "odd": None}}
    assert model.missing_files(found, "/p", tmp_path) == ["a/gone.env"]
