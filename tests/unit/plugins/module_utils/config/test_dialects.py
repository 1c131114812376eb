# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config import dialects


@pytest.mark.parametrize("end", ["", "#"])
@pytest.mark.parametrize("scheme", ["http://", "https://"])
def test_a_dialect_is_known_however_its_name_is_written(scheme, end):
    assert dialects.known(scheme + "json-schema.org/draft-07/schema" + end) == "json-schema.org/draft-07/schema"
    assert dialects.known(scheme + "example.com/schema" + end) is None


def test_the_end_of_a_pattern_is_the_end_of_the_text():
    assert dialects.compiled("^a$").search("a") and not dialects.compiled("^a$").search("a\n")


@pytest.mark.parametrize(("pattern", "text"), [(r"^[a$]+$", "a$a"), (r"^\$$", "$"), (r"^[\]$]+$", "]$")])
def test_a_dollar_in_a_class_or_behind_a_backslash_is_itself(pattern, text):
    assert dialects.compiled(pattern).search(text)


def test_a_pattern_that_is_none_raises():
    with pytest.raises(re.error):
        dialects.compiled("(")


@pytest.mark.parametrize("dialect", sorted(dialects.DIALECTS))
def test_every_dialect_validates_and_knows_a_wrong_schema(dialect):
    schema = {"properties": {"port": {"type": "integer", "minimum": 1}}}
    assert dialects.schema_errors(schema, dialect) == []
    assert dialects.schema_errors({"properties": {"port": {"type": "number or so"}}}, dialect)
    validator = dialects.validator(schema, dialect)
    assert not list(validator.iter_errors({"port": 5})) and list(validator.iter_errors({"port": 0}))
