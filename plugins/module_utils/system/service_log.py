# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service did not start: the last lines of its journal, or of its log."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import time

from ..errors import Problem, WindflowError
from . import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "names": {"type": "list", "elements": "str", "required": True},
    "error": {"type": "str", "default": ""},
    "lines": {"type": "int", "default": 20},
}
SECONDS = 20
# For systemd, some services have started as soon as their process is there: nobody waits longer for what comes of it.
STARTING_SECONDS = 5.0
AT_ONCE = ("simple", "exec")
BYTES = 65536
SHOWN = 2000
# Logs of services that have one of their own; any other may have one after its name.
LOGS = {
    "nginx": ["/var/log/nginx/error.log"],
    "supervisor": ["/var/log/supervisor/supervisord.log"],
    "supervisord": ["/var/log/supervisor/supervisord.log"],
    "postgresql": ["/var/log/postgresql/*.log", "/var/lib/pgsql/data/log/*.log"],
    "apache2": ["/var/log/apache2/error.log"],
    "httpd": ["/var/log/httpd/error_log"],
}
# What a service says of its own configuration; it may end before it logs anything.
TESTS = {"nginx": ["nginx", "-t", "-q"]}
PASSWORD = re.compile(r"(?i)(password\s*[=:]?\s*)('(?:[^']|'')*'|\"[^\"]*\"|\S+)")


def explain(names: list[str], error: str, lines: int) -> None:
    """Raises ``WindflowError`` E4047 with the last lines of each service that did not start; where ``error`` is empty,
    only if one of them has an instance that failed, as each cluster of PostgreSQL is one.

    Returns where no service is to blame. A single one whose task failed is, if the host has it: it may serve still,
    as when it did not load its new configuration.
    """
    single = len(names) == 1 and bool(error)
    for name in [] if error else names:
        wait_until_started(name)
    blamed = [name for name in names if (is_there(name) if single else failed(name))]
    problems = []
    for name in blamed:
        said = last_lines(name, lines)
        got = error.strip() or "it failed"
        if said:
            got += "\n  its last lines:\n    %s" % "\n    ".join(said).rstrip(".")
        remedy = "correct what they name, then run again" if said else "start it by hand to see why"
        problems.append(Problem.plain("E4047", "the service %s did not start" % name, got, remedy))
    if problems:
        raise WindflowError(problems, "What served before still serves.")


def wait_until_started(name: str) -> None:
    """Waits until a service whose process has just been started takes connections, or has fallen."""
    deadline = time.monotonic() + STARTING_SECONDS
    while os.path.isdir("/run/systemd/system") and time.monotonic() < deadline:
        state = _properties(name, "Type", "ActiveState", "MainPID", "ActiveEnterTimestampMonotonic")
        if state.get("Type") not in AT_ONCE or state.get("ActiveState") != "active":
            return
        # Microseconds of the same clock.
        age = time.monotonic() - int(state.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        if age > STARTING_SECONDS or processes.listens(int(state.get("MainPID") or 0)):
            return
        time.sleep(0.1)


def _properties(name: str, *wanted: str) -> dict[str, str]:
    """What systemd says of a service."""
    said = _output(["systemctl", "show", "--property=%s" % ",".join(wanted), _units(name)[0]])
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def is_there(name: str) -> bool:
    """Returns whether the host has a service of this name."""
    if not os.path.isdir("/run/systemd/system"):
        return os.path.exists("/etc/init.d/%s" % name)
    return _properties(name, "LoadState").get("LoadState") != "not-found"


def failed(name: str) -> bool:
    """Returns whether the service, or an instance of it, is there and down, or systemd is about to start it once
    more."""
    if not os.path.isdir("/run/systemd/system"):
        return os.path.exists("/etc/init.d/%s" % name) and _run(["service", name, "status"])[0] != 0
    state = _properties(name, "LoadState", "ActiveState", "SubState")
    if state.get("LoadState") == "loaded":
        if state.get("ActiveState") in ("failed", "inactive") or state.get("SubState") == "auto-restart":
            return True
    return bool(_output(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", *_units(name)]).strip())


def _units(name: str) -> list[str]:
    return ["%s.service" % name, "%s@*.service" % name]


def last_lines(name: str, lines: int) -> list[str]:
    """Returns the end of its journal, else of its newest log; what a test of its configuration says comes last."""
    units = [word for unit in _units(name) for word in ("--unit", unit)]
    journal = _output(["journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=%d" % lines, *units])
    found = journal.splitlines()[-lines:]
    logs = [path for pattern in LOGS.get(name, ["/var/log/%s.log" % name]) for path in glob.glob(pattern)]
    if logs and not any("rror" in line or "emerg" in line for line in found):
        found += _tail(max(logs, key=os.path.getmtime), lines)
    if name in TESTS:
        found += _output(TESTS[name]).splitlines()[-lines:]
    return [PASSWORD.sub(r"\1********", line)[:SHOWN] for line in dict.fromkeys(found) if line.strip()][-2 * lines :]


def _tail(path: str, lines: int) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as stream:
        stream.seek(max(os.fstat(descriptor).st_size - BYTES, 0))
        return stream.read(BYTES).decode("utf-8", "replace").splitlines()[-lines:]


def _output(argv: list[str]) -> str:
    """Both outputs of a program; "" of one that is not there."""
    return _run(argv)[1]


def _run(argv: list[str]) -> tuple[int, str]:
    """(exit code, both outputs) of a program; (-1, "") of one that is not there, or does not end."""
    environment = dict(os.environ, LC_ALL="C", SYSTEMD_COLORS="0")
    environment["PATH"] = "%s:/usr/sbin:/sbin" % environment.get("PATH", "/usr/bin:/bin")
    try:
        return processes.ask(argv, environment, SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.service_log) to its options. Raises WindflowError."""
    explain(params["names"], params["error"], params["lines"])
    # No service is to blame: the task failed for another reason.
    return {"changed": False, **({"failed": True, "msg": params["error"]} if params["error"] else {})}
