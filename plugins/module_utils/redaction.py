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


def redact_data(value: object, secrets: object) -> object:
    """The same for every text in a structure of maps and lists, keys included."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, dict):
        return {redact_data(key, secrets): redact_data(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_data(item, secrets) for item in value]
    return value
