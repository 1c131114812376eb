# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs once for all hosts of a play: the first that comes to it runs it, the others wait for what comes of it.

Ansible works on hosts in processes of their own, which share nothing but the directory that the run has on the
controller. A file in it, locked by who runs, is where they meet; who waits for it waits for a process that is at work.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any, TextIO

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


@contextlib.contextmanager
def turn(directory: str, key: list[str], host: str) -> Iterator[dict[str, Any]]:
    """The round of ``key`` that ``host`` takes part in, as soon as nobody runs it: ``runner`` is the host that runs it,
    ``results`` what came of it, None where it did not end well, and ``code`` then that of its error, if it had one.

    The runner runs it within this context and sets ``results``. A host that comes again begins another round.
    """
    name = "windflow-once-%s.json" % hashlib.sha256(json.dumps(key).encode()).hexdigest()
    descriptor = os.open(os.path.join(directory, name), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        rounds = json.loads(stream.read() or "[]")
        found = next((entry for entry in rounds if host not in entry["hosts"]), None)
        if found is None:
            found = {"runner": host, "hosts": [], "results": None, "code": ""}
            rounds.append(found)
        found["hosts"].append(host)
        # A runner that is killed leaves a round without results.
        write(stream, rounds)
        try:
            yield found
        except WindflowError as error:
            if found["runner"] == host:
                found["code"] = error.code
            raise
        finally:
            write(stream, rounds)


def write(stream: TextIO, rounds: list[dict[str, Any]]) -> None:
    stream.seek(0)
    stream.truncate()
    json.dump(rounds, stream)
    stream.flush()
