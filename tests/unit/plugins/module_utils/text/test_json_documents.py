# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.text.json_documents import (
    JsonPositions,
    read_json,
    without_comments,
)


def refusal(text):
    with pytest.raises(WindflowError) as caught:
        read_json(text, "x.json")
    (problem,) = caught.value.problems
    return problem


def test_comments_are_read_over_and_what_looks_like_one_in_a_text_is_kept():
    text = '{\n  // one\n  "url": "http://x/*y*/", /* two\n lines */ "b": 1\n}'
    assert read_json(text, "x.json") == {"url": "http://x/*y*/", "b": 1}


def test_places_stay_as_they_are_without_comments():
    text = '/* a\n b */ {"k": 1} // end\n'
    assert without_comments(text) == '    \n      {"k": 1}       \n'
    assert without_comments("{} /* no end") == "{} /* no end"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{"a": 1,\n}', "E1008", 1, 8),
        ('{"a": 1}\n{}', "E1008", 2, 1),
        ('{"a": [1, 2}', "E1008", 1, 12),
        ('{"a": 1,\n "a": 2}', "E1010", 2, 2),
        ('{"a": NaN}', "E1015", 1, 7),
        ('{"a":\n 1e999}', "E1016", 2, 2),
        ('{"a": 99999999999999999999}', "E1016", 1, 7),
        ('{"a": "\\ud800"}', "E1004", 1, 7),
    ],
    ids=["comma", "more text", "bracket", "twice", "NaN", "infinite", "too large", "half a character"],
)
def test_what_is_wrong_is_found_at_its_place(text, code, line, column):
    found = refusal(text)
    assert (found.code, found.line, found.column) == (code, line, column)


def test_a_document_that_is_too_deep_or_too_large_is_refused():
    assert read_json("[" * 50 + "]" * 50, "x.json")
    assert refusal("[" * 51 + "]" * 51).code == "E1013"
    assert refusal("[%s]" % ",".join("1" * 60_000)).code == "E1002"


def test_the_place_of_every_key_and_item_is_known():
    places = JsonPositions('{"a": [1,\n  {"b": 2}]}')
    assert dict(places) == {(): (1, 1), ("a",): (1, 2), ("a", 0): (1, 8), ("a", 1): (2, 3), ("a", 1, "b"): (2, 4)}
