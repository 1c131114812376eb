# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front of an application in containers: HAProxy, which reads a list of its servers.

When it is told to reload, its master process starts a worker with the new list, and the old worker ends when it has
answered what it had begun.
"""

from __future__ import annotations

import contextlib
import os
import time

from ..errors import Problem, WindflowError
from ..files import atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .project import Containers

POLL_SECONDS = 0.2
RELOAD_SECONDS = 10.0


class Front:
    """The front of one switch. ``switch`` (``Containers``) runs the commands and collects what is told of them."""

    def __init__(self, switch: Containers) -> None:
        self.switch = switch
        self.service = switch.options.front
        self.path = os.path.join(switch.options.shared_dir, "front", "%s.cfg" % switch.options.app)

    def point(self, names: list[str], undo: contextlib.ExitStack) -> list[tuple[str, int]]:
        """Tells the front of these containers and of no others. Returns its old workers, which ``drain`` waits for."""
        if not self.service:
            return []
        options = self.switch.options
        self.switch.on_failure(undo, self._back, atomic.save(self.path))
        atomic.write(self.path, servers(options.app, options.app_port, names).encode(), 0o644)
        self.switch.changes.append(self.path)
        return self._up()

    def drain(self, workers: Iterable[tuple[str, int]]) -> None:
        """Waits until old workers have answered their last request; those that do not get a warning."""
        limit = self.switch.options.drain_timeout
        deadline = time.monotonic() + limit
        left = set(workers)
        while left:
            left &= {worker for identity in {item[0] for item in left} for worker in self._workers(identity)}
            if left and time.monotonic() > deadline:
                shown = ", ".join(str(pid) for _identity, pid in sorted(left))
                self.switch.warnings.append("the front's processes %s still answered after %d s" % (shown, limit))
                return
            time.sleep(POLL_SECONDS if left else 0)

    def _up(self, release: str | None = None) -> list[tuple[str, int]]:
        """The front runs with what is in its directory. Returns the workers that served before."""
        before = set(self._running())
        argv = ["up", "--detach", "--no-build", "--no-deps", self.service]
        self.switch.compose("the front to be up", *argv, release=release)
        kept = [identity for identity in self._running() if identity in before]
        self.switch.changes += [self.service] if not kept else []
        return [worker for identity in kept for worker in self._reload(identity)]

    def _back(self, saved: atomic.Saved) -> None:
        """The front serves what it served before, or is gone if there was nothing."""
        atomic.restore(self.path, saved)
        if self.switch.previous:
            self.drain(self._up(self.switch.previous))
        else:
            self.switch.compose("to take the front away", "rm", "--stop", "--force", self.service)

    def _running(self) -> list[str]:
        return [item["id"] for item in self.switch.containers(self.service) if item["state"] == "running"]

    def _workers(self, identity: str) -> list[tuple[str, int]]:
        """[(container, process id)] of HAProxy's workers: every process but the first."""
        docker = self.switch.docker
        said = docker("to list the front's processes", "top", identity, "-eo", "pid", check=False)
        pids = sorted(int(word) for word in said.split() if word.isdigit())
        master = docker("the front's main process", "inspect", "--format", "{{.State.Pid}}", identity).strip()
        return [(identity, pid) for pid in pids if str(pid) != master]

    def _reload(self, identity: str) -> list[tuple[str, int]]:
        """Has HAProxy read its files again, and waits until a new worker answers. Returns the old ones."""
        old = self._workers(identity)
        self.switch.docker("reload the front", "kill", "--signal", "USR2", identity)
        deadline = time.monotonic() + RELOAD_SECONDS
        while not set(self._workers(identity)) - set(old):
            if time.monotonic() > deadline:
                log = self.switch.log(identity)
                self.switch.evidence = {"log": log}
                got = "no new process within %d s; last lines: %s" % (RELOAD_SECONDS, "\n    ".join(log))
                said = "the front did not load its new list of servers"
                raise WindflowError(Problem.plain("E4074", said, got, "correct its files"))
            time.sleep(POLL_SECONDS)
        return old


def servers(app: str, port: int, names: list[str]) -> str:
    """Returns the front's list: a backend with a server for each container."""
    lines = ["# Written by windflow at each deploy.", "backend %s" % app]
    lines += ["    server %s %s:%d" % (name, name, port) for name in names]
    return "\n".join(lines) + "\n"
