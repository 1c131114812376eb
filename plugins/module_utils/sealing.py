# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on their way from a host to the controller.

Ansible shows what a connection prints, at -vvvv, before anybody can mask it. What goes to a host on standard input is
not shown. So the controller sends a key along with the question, a new one each time, and the answer comes back under
it: XORed with a keystream of SHA-256 over key and counter, because a host has nothing but the standard library.
Whether it arrives as it was sent is the connection's business.
"""

from __future__ import annotations

import base64
import hashlib
import json


def seal(value, key):
    """``value``, plain data, as a text that says nothing without the key. A key must be used once."""
    return base64.b64encode(_mixed(json.dumps(value).encode("utf-8"), key)).decode("ascii")


def unseal(text, key):
    """What was sealed; raises ValueError for another key."""
    return json.loads(_mixed(base64.b64decode(text), key).decode("utf-8"))


def _mixed(data, key):
    stream = bytearray()
    counter = 0
    while len(stream) < len(data):
        stream += hashlib.sha256(b"%s:%d" % (key.encode("ascii"), counter)).digest()
        counter += 1
    return bytes(byte ^ stream[place] for place, byte in enumerate(data))
