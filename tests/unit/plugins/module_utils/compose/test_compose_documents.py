# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.compose.compose_documents import read_compose
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


@pytest.fixture
def read(tmp_path):
    def call(content):
        path = tmp_path / "compose.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_compose(path, "compose/compose.yaml")

    return call


def test_a_file_is_its_map_and_nothing_else_is_one(read):
    assert read("services: {app: {image: a}}\n") == {"services": {"app": {"image": "a"}}}
    assert read("") == {} and read("- a\n") == {}


def test_a_tag_of_composes_own_is_no_more_than_its_value(read):
    found = read("services:\n  app: {ports: !reset [], volumes: !override [a], image: !x b, labels: !y {k: v}}\n")
    assert found["services"]["app"] == {"ports": [], "volumes": ["a"], "image": "b", "labels": {"k": "v"}}


def test_anchors_are_followed(read):
    assert read("x-a: &a {k: 1}\nservices: {app: *a}\n")["services"]["app"] == {"k": 1}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a: [1,\n  2\nb: 3\n", 3),
        ("a: \tx: y\n", 1),
        ("a: &a [*a]\n", 0),
        (b"a: \xff\n", 0),
        ("a: !!python/object:os.system x\n", 1),
    ],
    ids=["bracket", "tab", "itself", "bytes", "tag of Python"],
)
def test_what_cannot_be_read_is_an_error_with_a_line_where_there_is_one(read, content, line):
    with pytest.raises(WindflowError) as caught:
        read(content)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line) == ("E1049", "compose/compose.yaml", line)


def test_aliases_that_stand_for_millions_are_refused_at_once(read):
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"]
    lines += ["a%d: &a%d [%s]" % (n, n, ", ".join(["*a%d" % (n - 1)] * 10)) for n in range(1, 9)]
    with pytest.raises(WindflowError) as caught:
        read("\n".join(lines))
    assert caught.value.code == "E1049" and "aliases" in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(WindflowError) as caught:
        read_compose(tmp_path / "absent.yaml", "compose/absent.yaml")
    assert caught.value.code == "E1049"
