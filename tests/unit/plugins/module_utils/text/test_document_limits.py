# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.text import document_limits as limits


@pytest.mark.parametrize(
    ("text", "base", "number"),
    [
        ("42", 10, 42),
        ("-9223372036854775808", 10, -(2**63)),
        ("9223372036854775807", 10, 2**63 - 1),
        ("0x1f", 16, 31),
        ("0o17", 8, 15),
    ],
)
def test_a_whole_number_fits_in_64_bits(text, base, number):
    assert limits.whole_number(text, base) == number


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "1" * 31, "9" * 100_000])
def test_a_larger_one_is_refused_by_its_length_alone(text):
    with pytest.raises(ValueError, match="a number of %d characters" % len(text)):
        limits.whole_number(text)


def test_a_key_that_stands_twice_is_reported_at_its_second_place():
    found = limits.duplicate_problem("plugin.yml", "host.wsgi", (2, 3), (7, 3))
    assert (found.line, found.column, found.path) == (7, 3, "host.wsgi")
    assert "line 2" in found.got and "line 7" in found.got
