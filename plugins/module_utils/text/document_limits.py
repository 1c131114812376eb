# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a document may be, and the findings that YAML and JSON have in common."""

from __future__ import annotations

from ..errors import Problem

MAX_BYTES = 1000000
MAX_VALUES = 50000
MAX_DEPTH = 50


def whole_number(text: str, base: int = 10) -> int:
    """Returns the integer in ``text``, which must fit in 64 bits (signed)."""
    if len(text) <= 30:
        number = int(text.replace("0o", "").replace("0x", ""), base)
        if -(2**63) <= number < 2**63:
            return number
    raise ValueError("a number of %d characters" % len(text))


def number_problem(file: str, line: int, column: int, path: str, reason: object) -> Problem:
    return Problem(
        "E1016",
        "a number that fits in 64 bits",
        str(reason),
        "put the value in quotes if it is text",
        file,
        line,
        column,
        path,
    )


def depth_problem(file: str, line: int, column: int) -> Problem:
    expected = "at most %d levels of maps and lists" % MAX_DEPTH
    return Problem("E1013", expected, "more", "make the structure flatter", file, line, column)


def count_problem(file: str) -> Problem:
    return Problem("E1002", "at most %d values in a file" % MAX_VALUES, "more", "make the file smaller", file)


def duplicate_problem(file: str, path: str, first: tuple[int, int], again: tuple[int, int]) -> Problem:
    got = "one on line %d and again on line %d" % (first[0], again[0])
    return Problem("E1010", "each key once", got, "remove one of the two", file, again[0], again[1], path)
