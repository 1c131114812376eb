# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host said when a run took its lease: the tasks of that run read it here instead of asking the host again.

Ansible runs each task of a host in a process of its own. They share only the directory that the run has on the
controller, which Ansible deletes at the end. The answer holds marks of secrets, never a secret.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any

from ansible import constants as C


def keep(host: str, answer: dict[str, Any]) -> None:
    """Keeps the answer of ``host``, in the shape that M(windflow.platform.dependency_info) documents."""
    descriptor = os.open(path_of(host), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)


def recall(host: str, plugins: list[str]) -> dict[str, Any] | None:
    """Returns the answer of ``host``; None where none is kept, or where it is not about all of ``plugins``."""
    try:
        with open(path_of(host), encoding="utf-8") as stream:
            answer = json.load(stream)
    except FileNotFoundError:
        return None
    return answer if set(plugins) <= set(answer["secrets"]) else None


def forget(host: str) -> None:
    """Deletes what is kept of ``host``, if anything is: a run begins or ends there."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path_of(host))


def path_of(host: str) -> str:
    return os.path.join(C.DEFAULT_LOCAL_TMP, "windflow-known-%s.json" % hashlib.sha256(host.encode()).hexdigest())
