# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator's Ctrl-C, as the end of a run between two of its steps.

The command keeps Ctrl-C away from Ansible, which would leave a lease and a host that nobody knows. It makes a file in
its stead, named by ``WINDFLOW_STOP``. Whoever is about to change a host looks for it: the run then fails there as by
any other fault, and whatever follows a fault, what was changed is undone and the record says how the run ended. So a
host is told once: what comes after is that undoing.
"""

from __future__ import annotations

import hashlib
import os

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError

VARIABLE = "WINDFLOW_STOP"


def asked(host: str) -> str:
    """Returns the file that says that a run is to end on a host, there or not; "" where nobody can say so or the host
    was told."""
    path = os.environ.get(VARIABLE, "")
    return "" if not path or os.path.exists(_told(path, host)) else path


def check(host: str, outcome: str = "Nothing was changed.") -> None:
    """Raises ``WindflowError`` E4048 if the run is to end, once for each host."""
    path = asked(host)
    if path and os.path.exists(path):
        end(host, outcome)


def end(host: str, outcome: str) -> None:
    """Raises that error."""
    with open(_told(os.environ[VARIABLE], host), "w", encoding="utf-8"):
        pass
    raise WindflowError(
        Problem.plain("E4048", "Ctrl-C at the controller interrupted the run", "", "run again"), outcome
    )


def _told(path: str, host: str) -> str:
    return "%s-%s" % (path, hashlib.sha256(host.encode()).hexdigest()[:16])
