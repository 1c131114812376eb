# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the host's own configuration, which may be missing."""

from __future__ import annotations


def text_of(path: str) -> str:
    """Returns a file's text; "" where it is missing or cannot be read. What is no UTF-8 is replaced."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
