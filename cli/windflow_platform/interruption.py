# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C: the run ends between two of its steps, and nobody has to find out what became of a host.

Once a run has begun on a host's record, Ansible is not told of the first Ctrl-C, or TERM, at all: it would leave the
host as it is at that moment. A file is made instead, at which the collection looks before each step; the run then fails
like any other, so that what was changed is undone and the record closed. The second one ends Ansible at once.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .outcome import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOT_BEGUN = "\nplatform: no host was changed yet, so the run ends now.\n"
BEGUN = (
    "\nplatform: the run ends as soon as the hosts finish what they do now, and undoes what it changed. "
    "Once more ends it at once, whatever state the hosts are in.\n"
)
AT_ONCE = "\nplatform: the run ends now, in the middle.\n"


class Waiting:
    """Waits for a process. ``signals`` are those that came meanwhile."""

    def __init__(self, stop: Path) -> None:
        self.stop = stop
        self.signals: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None

    def wait_for(self, argv: list[str], settings: Mapping[str, str]) -> int:
        """Runs a process to its end and returns its exit code; 130 if a signal ended it or us."""
        before = {number: signal.signal(number, self.handle) for number in SIGNALS}
        try:
            with terminal_as_it_was():
                self.process = subprocess.Popen(argv, env=settings)
                if self.signals:
                    self.process.terminate()
                status = self.process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return INTERRUPTED if self.signals or status < 0 else status

    def handle(self, number: int, _frame: Any) -> None:
        """A signal came. The file is made first: a run that begins in this moment sees it."""
        self.signals.append(number)
        first = len(self.signals) == 1
        if first:
            self.stop.touch()
        waits = first and bool(self.begun())
        # Not print: it may be at work in what the signal has come into.
        os.write(2, (BEGUN if waits else NOT_BEGUN if first else AT_ONCE).encode())
        if self.process and not waits:
            (self.process.terminate if len(self.signals) < 3 else self.process.kill)()

    def begun(self) -> list[str]:
        """Returns the hosts on whose record the run has begun, or is about to."""
        try:
            return sorted(set(Path("%s.begun" % self.stop).read_text(encoding="utf-8").split()))
        except OSError:
            return []


@contextlib.contextmanager
def terminal_as_it_was() -> Iterator[None]:
    """Whoever is ended while it asks for a password leaves a terminal that shows nothing of what is typed."""
    try:
        before = termios.tcgetattr(sys.stdin)
    except (termios.error, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def account(hosts: Mapping[str, Mapping[str, Any]] | None, begun: list[str], again: str, look: list[str]) -> str:
    """Returns what an interrupted run has come to on each host, and what to type. ``hosts`` as for ``exit_code``: None
    where Ansible was ended. ``look`` are the words behind ``platform plugin status``."""
    ended = hosts or {}
    unknown = [name for name in begun if ended.get(name, {}).get("state") in (None, "unreachable")]
    lines = ["%s: %s" % (name, of_host(host)) for name, host in ended.items() if name not in unknown]
    lines += ["%s: unknown which release serves; the run may hold its lease." % name for name in unknown]
    if not begun:
        lines = ["nothing was changed on any host."]
    if unknown:
        lines.append("See which one serves, and whether a run is active: %s" % command("status", look))
        lines.append("The lease expires by itself. Where no run is active any more: %s" % command("unlock", look))
    elif begun:
        lines.append("See what is deployed: %s" % command("status", look))
    if begun and all(is_done(host) for host in ended.values()) and not unknown:
        lines.append("To go back: %s" % command("rollback", look))
    else:
        lines.append("To go on: %s" % again)
    return "".join("platform: %s\n" % line for line in lines)


def is_done(host: Mapping[str, Any]) -> bool:
    return bool(host.get("begun")) and host["state"] != "failed"


def of_host(host: Mapping[str, Any]) -> str:
    """Returns what the run has come to on one host."""
    if not host.get("begun"):
        return "nothing was changed."
    release = host.get("serves", "")
    serves = "release %s serves" % release if release else "no release serves"
    if host["state"] != "failed":
        return "the run had come to its end, %s." % serves if "serves" in host else "the run had come to its end."
    if "serves" not in host:
        return "the run is recorded as failed, its lease is given back."
    before = ", as before the run" if host.get("restored") else ", which is not what served before the run"
    return "%s%s. The run is recorded as failed, its lease is given back." % (serves, before)


def command(verb: str, words: list[str]) -> str:
    return shlex.join(["platform", "plugin", verb, *words])
