# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of what programs print: a hook's output, the end of an application's log."""

from __future__ import annotations

REDACTED = "********"


def redact(text: str, secrets: object) -> str:
    """``text`` with asterisks for every secret, the longest first, so that none hides a part of another."""
    for secret in sorted({item for item in secrets if item}, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def revealing(value: object, secrets: object, path: str = "") -> list:
    """Where in a structure of maps and lists a text contains a secret, or a key is one: keys with dots."""
    if isinstance(value, str):
        return [path] if any(secret in value for secret in secrets if secret) else []
    found = []
    if isinstance(value, dict):
        for key, item in value.items():
            name = REDACTED if key in secrets else key
            here = "%s.%s" % (path, name) if path else name
            found += [here] if key in secrets else revealing(item, secrets, here)
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += revealing(item, secrets, "%s[%d]" % (path, number))
    return found
