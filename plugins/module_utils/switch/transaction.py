# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every health-gated switch has in common, whatever it switches: phases, undoing, and errors that say what has
become of the host.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from types import FrameType

from ..errors import Problem, WindflowError
from ..files import atomic
from ..record import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    from . import probe

RELEASE = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}\Z")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GATEWAY_ERRORS = (0, 502, 503, 504)


@dataclass(frozen=True)
class Options:
    """What every backend's module tells of a switch; the module documents its options."""

    state: str
    plugin: str
    run: str
    release: str
    install_dir: str
    replicas: int
    health: str
    health_timeout: int
    host_header: str
    drain_timeout: int
    port: int


class Switching:
    """One switch. ``changes``, ``timings`` (seconds by phase), ``warnings`` and ``evidence`` then say what happened.

    ``previous`` is the release that ``current`` names at the begin, or an empty text.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.release_dir = self.dir_of(options.release)
        self.current_path = os.path.join(options.install_dir, "current")
        self.previous = self.current()
        self.timings: dict[str, float] = {}
        self.warnings: list[str] = []
        self.changes: list[str] = []
        self.evidence: dict[str, Any] = {}
        self.not_undone: list[str] = []
        self.undone = False

    def dir_of(self, release: str) -> str:
        return os.path.join(self.options.install_dir, "releases", release)

    def current(self) -> str:
        try:
            return os.path.basename(os.readlink(self.current_path))
        except OSError:
            return ""

    def renew_lease(self, seconds: float) -> None:
        """The run is at work for so many seconds more. Raises WindflowError E5002 where another run has taken over:
        two switches side by side would undo each other."""
        if self.options.run:
            lease = store.LEASE_SECONDS + seconds
            with self.outcome_of(self.outcome):
                store.renew(self.options.plugin, self.options.run, "switch", lease)

    @contextlib.contextmanager
    def outcome_of(self, outcome: Callable[[], str]) -> Iterator[None]:
        """Every error says at its end what has become of the host."""
        try:
            yield
        except WindflowError as error:
            raise WindflowError(list(error.problems), outcome()) from None
        except OSError as error:
            raise WindflowError(atomic.problem(error), outcome()) from None

    def outcome(self) -> str:
        """Returns what has become of the host by an error before the switch."""
        serving = "Release %s still serves." % self.previous if self.previous else "No release was there before."
        if self.not_undone:
            return "Not everything could be put back: %s. %s" % ("; ".join(self.not_undone), serving)
        if self.previous == self.options.release:
            return "The release was current already and was left as it is."
        self.changes = []
        return "%s %s" % ("What had been changed was put back." if self.undone else "Nothing was changed.", serving)

    def outcome_after(self) -> str:
        """Returns what has become of the host by an error after the switch."""
        return "Release %s serves; what it replaced has not stopped yet. Run it again." % self.options.release

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.timings[name] = round(time.monotonic() - started, 3)

    def on_failure(self, undo: contextlib.ExitStack, action: Callable[..., Any], *arguments: Any) -> None:
        """Leaves an undoing on the stack; one that fails is reported and does not hide the first fault."""

        def run() -> None:
            self.undone = True
            try:
                action(*arguments)
            except (WindflowError, OSError) as error:
                self.not_undone += [str(problem) for problem in getattr(error, "problems", [error])]

        undo.callback(run)

    def report(self) -> dict[str, Any]:
        """Returns what is told however it ended."""
        return {
            "changed": bool(self.changes),
            "changes": self.changes,
            "timings": self.timings,
            "warnings": self.warnings,
            **self.evidence,
        }

    def accepts(self, answer: probe.Answer) -> bool:
        """Returns whether an answer at the host's port is of the new release: one that names a release must name this
        one."""
        named = answer.headers.get("x-windflow-release", self.options.release)
        good = answer.status == 200 if self.options.health else answer.status not in GATEWAY_ERRORS
        return good and named == self.options.release


def run(options: Options, kind: Callable[[Any], Any], work: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Makes a switch of a kind, does the work with it, and returns a module's result: what the work returned, and what
    is known of the host. An error is in the result too, with "failed"."""
    try:
        check(options)
    except WindflowError as error:
        return dict(error.as_result(), failed=True, changed=False, warnings=[])
    switch = kind(options)
    try:
        result = dict(work(switch), failed=False)
    except WindflowError as error:
        result = dict(error.as_result(), failed=True)
    except OSError as error:
        result = dict(WindflowError(atomic.problem(error)).as_result(), failed=True)
    return dict(result, **switch.report())


def check(options: Options) -> None:
    """Raises WindflowError for invalid options, and for those that would lead out of the plugin's own directories."""
    problems = []
    if options.state != "absent" and not RELEASE.match(options.release):
        problems.append(Problem("E4044", "a release's name", repr(options.release), "use the name that the plan gives"))
    if options.state == "present" and not 0 <= options.port < 65536:
        problems.append(Problem("E4044", "a port from 0 to 65535", str(options.port), "give server.host_port"))
    if options.replicas < 1:
        problems.append(Problem("E4044", "one replica at least", str(options.replicas), "give a number from 1"))
    if not options.plugin or "/" in options.plugin:
        problems.append(Problem("E4044", "a plugin's name", repr(options.plugin), "give the name, not a path"))
    if not re.match(r"(/[!-~]*)?\Z", options.health):
        problems.append(Problem("E4044", "a path of the application", repr(options.health), "begin it with /"))
    if not re.match(r"[!-~]+\Z", options.host_header):
        problems.append(Problem("E4044", "a host's name", repr(options.host_header), "give the name that clients use"))
    if problems:
        raise WindflowError(problems)


def end_by_exception() -> None:
    """From now on a signal becomes an exception, so that a half-made switch is undone; a second one stops nothing."""
    for number in SIGNALS:
        signal.signal(number, _interrupted)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise WindflowError(Problem.plain("E4045", "signal %d interrupted the switch" % number, "", "run again"))
