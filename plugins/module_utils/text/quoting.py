# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and texts as SQL, and names of databases as connection strings."""

from __future__ import annotations

from ..errors import Problem, WindflowError


def quote_identifier(name: str) -> str:
    """A name as SQL. Raises WindflowError for one that PostgreSQL could not keep as it is."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 0 < size <= 63:
        raise invalid("a name of 1 to 63 bytes", "%s, %d bytes" % (ascii(name), size))
    if not _encodable(name):
        raise invalid("a name in UTF-8 without NUL", ascii(name))
    return '"%s"' % name.replace('"', '""')


def quote_literal(value: str) -> str:
    """A string as SQL, the same whatever ``standard_conforming_strings`` says. Raises WindflowError."""
    if not _encodable(value):
        raise invalid("a text in UTF-8 without NUL", "one that is not")
    quoted = "'%s'" % value.replace("'", "''")
    return " E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted


def conninfo(name: str) -> str:
    """``dbname`` as a connection string: psql would read a bare name with = in it as one."""
    return "dbname='%s'" % name.replace("\\", "\\\\").replace("'", "\\'")


def invalid(expected: str, got: str) -> WindflowError:
    """Returns the error for a value that is not fit for PostgreSQL."""
    return WindflowError(Problem("E4050", expected, got, "choose another one"))


def _encodable(value: str) -> bool:
    return "\0" not in value and not any(0xD800 <= ord(char) < 0xE000 for char in value)
