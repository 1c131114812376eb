# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCRAM-SHA-256 verifiers, which PostgreSQL keeps instead of passwords (RFC 5802, 5803, 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import stringprep
import unicodedata

ITERATIONS = 4096
_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)\Z")


def scram_verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Returns what PostgreSQL stores for a password (RFC 5802 and 7677, as in its scram-common.c)."""
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), salt, iterations)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", "sha256").digest()).digest()
    server = hmac.new(salted, b"Server Key", "sha256").digest()
    salt64, stored64, server64 = (base64.b64encode(part).decode("ascii") for part in (salt, stored, server))
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (iterations, salt64, stored64, server64)


def verify_scram(password: str, verifier: str) -> bool:
    """Returns whether ``verifier`` was made from ``password``; False for any other kind (md5, none)."""
    parts = _VERIFIER.match(verifier or "")
    if not parts:
        return False
    try:
        salt = base64.b64decode(parts.group(2), validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(scram_verifier(password, salt, int(parts.group(1))), verifier)


def _prepared(password: str) -> bytes:
    """SASLprep (RFC 4013). As in PostgreSQL, a password that it prohibits is taken as it is."""
    raw = password.encode("utf-8")
    if password.isascii():
        return raw
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char)
    )
    text = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    prohibited = (
        stringprep.in_table_a1,
        stringprep.in_table_c12,
        stringprep.in_table_c21_c22,
        stringprep.in_table_c3,
        stringprep.in_table_c4,
        stringprep.in_table_c5,
        stringprep.in_table_c6,
        stringprep.in_table_c7,
        stringprep.in_table_c8,
        stringprep.in_table_c9,
    )
    if not text or any(table(char) for table in prohibited for char in text):
        return raw
    if any(stringprep.in_table_d1(char) for char in text):
        ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
        if not ends or any(stringprep.in_table_d2(char) for char in text):
            return raw
    return text.encode("utf-8")
