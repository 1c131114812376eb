# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health-gated switch from one release of a plugin to another, and its way back.

The new release starts beside the old one, is probed, nginx is pointed at it and reloaded, the old
one drains and stops. Until ``current`` has been switched every step leaves its undoing on a stack:
whatever fails before, the host is as it was and the old release has served all the time.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
import time
from dataclasses import replace

from ..errors import Problem, WindflowError
from ..files import atomic, nofollow
from ..redaction import redact, redact_lines
from ..text.log_end import READ, log_end
from . import nginx, probe
from .installed import Entry, HostOptions, Installation, differs
from .supervisor import Supervisor, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Supervisor's states of a process that did not stay up.
FALLEN = ("BACKOFF", "FATAL", "EXITED", "UNKNOWN")
STATE_INTERVAL = 0.2
EDGE_SECONDS = 10.0


class Switch(Installation):
    """One switch or one removal."""

    supervisor: Supervisor

    def __init__(self, options: HostOptions) -> None:
        super().__init__(options)
        self.backups: list[str] = []

    def report(self) -> dict[str, Any]:
        return dict(super().report(), backups=self.backups)

    # The switch.

    def deploy(self) -> dict[str, Any]:
        """Switches to the release. Raises WindflowError; ``evidence`` then says what was seen."""
        options = self.options
        with self.outcome_of(self.outcome):
            master, old_workers, answer = self.bring_up()
        with self.outcome_of(self.outcome_after):
            with self.phase("drain"):
                self.finish_drain(master, old_workers)
            with self.phase("stop"):
                stopped = self.stop_others()
        return {
            "previous": self.previous if self.previous != options.release else "",
            "stopped": stopped,
            "status": answer.status,
            "url": "http://%s:%d/" % (options.host_header, options.port) if options.port else "",
        }

    def bring_up(self) -> tuple[int, list[int], probe.Answer]:
        """Everything up to ``current``, or nothing. Returns nginx's master, its old workers and the answer."""
        program, site, last = self.program_entry(), self.site_entries(), self.last_entries()
        self.supervisor = Supervisor(self.options.supervisor_conf, self.options.supervisor_socket)
        with contextlib.ExitStack() as undo:
            with self.phase("start"):
                offsets = self.log_sizes()
                self.start(program, undo)
            with self.phase("health"):
                self.wait_healthy(offsets)
            with self.phase("nginx"):
                master, old_workers = self.point_nginx(site, undo)
            with self.phase("verify"):
                answer = self.verify(offsets)
            with self.phase("current"):
                for entry in last:
                    self.put(entry, undo)
            undo.pop_all()
        return master, old_workers, answer

    def put(self, entry: Entry, undo: contextlib.ExitStack) -> bool:
        """Brings one file or link to what is wanted. Returns whether it had to be changed."""
        if not differs(entry):
            return False
        path, saved = entry.path, atomic.save(entry.path)
        if saved.data is not None and self.edited(path, saved.data):
            self.backups.append(atomic.back_up(path, saved.data, self.options.backup_dir))
        self.on_failure(undo, atomic.restore, path, saved)
        if entry.target is not None:
            atomic.link(path, entry.target)
        elif entry.data is not None:
            atomic.write(path, entry.data, entry.mode, entry.uid, entry.gid)
        else:
            atomic.remove(path)
        self.changes.append(path)
        return True

    def edited(self, path: str, data: bytes) -> bool:
        """Returns whether a file is not what the previous release put there, and is to be kept."""
        if not self.options.backup_dir:
            return False
        copy = (self.options.config_copy or {}).get("path")
        name = {self.program_path: "supervisor.conf", self.site_path: "nginx.conf", copy: "config.yaml"}.get(path)
        try:
            with open(os.path.join(self.options.install_dir, "releases", self.previous, name or "-"), "rb") as stream:
                return stream.read() != data
        except OSError:
            return True

    def start(self, entry: Entry, undo: contextlib.ExitStack) -> None:
        options = self.options
        running = self.supervisor.processes([self.program])
        if self.previous != options.release:
            self.on_failure(undo, self.drop_program)
            if not running:
                # What the application has put there before would keep the new processes from listening.
                self.remove_planted(self.targets())
        self.remove_foreign_logs()
        written = self.put(entry, undo)
        up = [item for item in running if item["statename"] in ("RUNNING", "STARTING")]
        if not written and len(up) == options.replicas:
            return
        changed = self.supervisor.reload()[1]
        if self.program in changed:
            # The same release with another definition than the one that runs: there is no way around a restart.
            self.supervisor.remove([self.program], self.stop_seconds([self.program_path]))
        self.supervisor.start(self.program)
        self.changes.append(self.program)

    def drop_program(self) -> None:
        """Stops the program, takes it out of Supervisor and removes its file and its sockets."""
        atomic.remove(self.program_path)
        self.supervisor.remove([self.program], self.stop_seconds([os.path.join(self.release_dir, "supervisor.conf")]))
        self.supervisor.reload()
        self.remove_planted(
            path for path, (release, _number) in self.sockets().items() if release == self.options.release
        )

    def targets(self) -> list[str]:
        """Returns the sockets of the new release's instances."""
        return [
            os.path.join(self.run_dir, "%s-%d.sock" % (self.options.release, number))
            for number in range(self.options.replicas)
        ]

    def remove_planted(self, paths: Iterable[str]) -> list[str]:
        """Removes sockets and logs, or whatever the application has made in their place. Returns what is gone; what
        stays stops nobody, and is told."""
        removed = []
        for path in paths:
            try:
                removed += [path] if nofollow.remove(path) else []
            except (OSError, WindflowError) as error:
                self.warnings.append("%s could not be removed: %s" % (path, getattr(error, "strerror", None) or error))
        return removed

    def remove_foreign_logs(self) -> None:
        """Supervisor opens the logs as root. Their directory is root's now; what is in it may be of a time before."""
        pattern = os.path.join(glob.escape(self.options.log_dir), "*.log*")
        for path in glob.glob(pattern) if self.options.log_dir else []:
            state = os.lstat(path)
            if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
                self.changes += self.remove_planted([path])

    def wait_healthy(self, offsets: dict[str, int]) -> None:
        options = self.options
        if not options.health:
            self.wait_settled(offsets)
            return
        health = probe.wait_healthy(
            self.targets(), options.health, options.host_header, limit=options.health_timeout, stop=self.stop_reason()
        )
        if not health.healthy:
            said = "%s does not answer 200 at %s within %d s" % (
                os.path.basename(str(health.target)),
                options.health,
                options.health_timeout,
            )
            raise self.unhealthy("E4040", said, health.answer, health.stopped, offsets)

    def wait_settled(self, offsets: dict[str, int]) -> None:
        """No health path: every process has been running for ``settle`` seconds."""
        options = self.options
        reason_now = self.stop_reason()
        deadline = time.monotonic() + max(options.health_timeout, options.settle + 5)
        while True:
            found = self.supervisor.processes([self.program])
            steady = [i for i in found if i["statename"] == "RUNNING" and i["now"] - i["start"] >= options.settle]
            if len(steady) == options.replicas:
                return
            reason = reason_now()
            if reason or time.monotonic() > deadline:
                said = "%s did not keep running for %d s" % (self.program, options.settle)
                raise self.unhealthy("E4041", said, None, reason, offsets)
            time.sleep(STATE_INTERVAL)

    def stop_reason(self) -> Callable[[], str]:
        """A function that says which process did not stay up, and asks Supervisor only now and then."""
        asked = [0.0]

        def reason_now() -> str:
            if time.monotonic() - asked[0] < STATE_INTERVAL:
                return ""
            asked[0] = time.monotonic()
            found = self.supervisor.processes([self.program])
            return ", ".join(describe(item) for item in found if item["statename"] in FALLEN)

        return reason_now

    def unhealthy(
        self, code: str, said: str, answer: probe.Answer | None, reason: str, offsets: dict[str, int]
    ) -> WindflowError:
        """Returns the error of a release that does not work: last answer, Supervisor's states, the end of its log."""
        found = self.supervisor.processes([self.program])
        states = [describe(item) for item in found]
        secrets = self.secrets()
        log = []
        for item in found:
            path = item.get("stdout_logfile") or ""
            lines = nginx.tail(path, offsets.get(path, 0), READ)
            if lines:
                log = ["%s:" % path, *log_end(redact_lines(lines, secrets))]
                break
        if answer:
            answer = replace(answer, body=redact(answer.body, secrets))
        self.evidence = {
            "probe_status": answer.status if answer else 0,
            "probe_body": answer.body[: probe.BODY_CHARACTERS] if answer else "",
            "probe_error": answer.error if answer else "",
            "processes": states,
            "log": log,
        }
        got = [str(answer)] if answer else []
        got.append("Supervisor: %s" % (reason or ", ".join(states) or "no such program"))
        if log:
            got.append("last lines of %s" % "\n    ".join(log))
        return WindflowError(Problem.plain(code, said, "; ".join(got), "correct the application, then deploy again"))

    def log_sizes(self) -> dict[str, int]:
        """{path: bytes} of the logs, so that only what the new release writes is shown."""
        paths = glob.glob(os.path.join(glob.escape(self.options.log_dir), "*.log")) if self.options.log_dir else []
        return {path: os.path.getsize(path) for path in paths if os.path.isfile(path)}

    # nginx.

    def master(self) -> int:
        pid = nginx.master(self.options.nginx_conf, self.options.nginx_binary)
        if not pid:
            raise WindflowError(
                Problem.plain("E4042", "nginx does not run", "it has no master process", "start the service nginx")
            )
        return pid

    def point_nginx(self, entries: list[Entry], undo: contextlib.ExitStack) -> tuple[int, list[int]]:
        """Installs the site and reloads. Returns (master, workers that may still answer for the old release)."""
        if not entries:
            return 0, []
        master = self.master()
        if not any(differs(entry) for entry in entries) and self.previous == self.options.release:
            return master, []
        site = (entries[0].data or b"").decode("utf-8")
        changes = {entry.path: None if entry.data is None and entry.target is None else site for entry in entries}
        nginx.test(changes, self.options.nginx_conf, self.options.nginx_binary)
        # Undone last to first: the files are put back before nginx reads them again.
        self.on_failure(undo, self.reload_and_drain, master)
        for entry in entries:
            self.put(entry, undo)
        return master, nginx.reload(master, self.options.nginx_conf)

    def reload_and_drain(self, master: int) -> None:
        old = nginx.reload(master, self.options.nginx_conf)
        nginx.drain(master, old, self.options.drain_timeout)

    def verify(self, offsets: dict[str, int]) -> probe.Answer:
        """Returns the answer through nginx. One that names a release must name this one."""
        options = self.options
        if not options.port:
            return probe.Answer()
        path = options.health or "/"
        limit = min(EDGE_SECONDS, options.health_timeout)
        health = probe.wait_healthy(
            [(options.address, options.port)], path, options.host_header, limit=limit, accept=self.accepts
        )
        if not health.healthy:
            named = health.answer.headers.get("x-windflow-release", "")
            said = "%s does not answer for release %s through nginx at port %d, path %s" % (
                options.host_header,
                options.release,
                options.port,
                path,
            )
            reason = "release %s answered" % named if named else self.closed_sockets()
            raise self.unhealthy("E4043", said, health.answer, reason, offsets)
        return health.answer

    def closed_sockets(self) -> str:
        """Sockets that the release's processes have made so that nginx cannot connect, in words."""
        found = []
        for path, (release, _number) in self.sockets().items():
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            if release == self.options.release and not mode & 0o022:
                found.append("%s has mode %04o, so nginx cannot connect; make it with 0660" % (path, mode))
        return ", ".join(found)

    def finish_drain(self, master: int, old_workers: list[int]) -> None:
        left = nginx.drain(master, old_workers, self.options.drain_timeout) if old_workers else []
        if left:
            self.warnings.append(
                "nginx's workers %s still answered after %d s" % (", ".join(map(str, left)), self.options.drain_timeout)
            )

    # The old release's end.

    def stop_others(self) -> list[str]:
        found = {item["group"] for item in self.supervisor.processes()}
        others = {name for name in found if self.release_of(name)} | set(self.programs_on_disk())
        others.discard(self.program)
        stopped = self.stop(sorted(others))
        self.remove_planted(
            path
            for path, (release, number) in self.sockets().items()
            if release != self.options.release or number >= self.options.replicas
        )
        return stopped

    def stop(self, programs: list[str]) -> list[str]:
        """Stops programs and removes their files, the files first: Supervisor must not start them again."""
        if not programs:
            return []
        limit = self.stop_seconds([self.path_of(name) for name in programs])
        for name in programs:
            if atomic.remove(self.path_of(name)):
                self.changes.append(self.path_of(name))
        self.supervisor.reload()
        stopped = self.supervisor.remove(programs, limit)
        self.changes += stopped
        return stopped

    @staticmethod
    def stop_seconds(paths: Iterable[str]) -> int:
        """After how many seconds Supervisor must have killed the programs of these files, and a little more."""
        longest = 10
        for path in paths:
            with contextlib.suppress(OSError), open(path, encoding="utf-8") as stream:
                found = re.search(r"^stopwaitsecs=([0-9]+)", stream.read(), re.MULTILINE)
                longest = max(longest, int(found.group(1)) if found else 0)
        return longest + 5

    # Removal.

    def remove(self) -> dict[str, Any]:
        """Takes site, programs, ``current`` and the configuration's copy away. Data and logs stay."""
        with self.outcome_of(
            lambda: "Not everything was removed. Run again." if self.changes else "Nothing was changed."
        ):
            with self.phase("nginx"):
                self.remove_site()
            with self.phase("stop"):
                stopped = self.stop_all()
            with self.phase("current"):
                paths = [self.current_path]
                if self.options.config_copy:
                    paths.append(self.options.config_copy["path"])
                self.changes += [path for path in paths if atomic.remove(path)]
                self.changes += self.remove_planted(self.sockets())
        return {"previous": self.previous, "stopped": stopped}

    def remove_site(self) -> None:
        paths = [path for path in dict.fromkeys((self.enabled_path, self.site_path)) if os.path.lexists(path)]
        if not paths:
            return
        master = nginx.master(self.options.nginx_conf, self.options.nginx_binary)
        if master:
            nginx.test(dict.fromkeys(paths), self.options.nginx_conf, self.options.nginx_binary)
        for path in paths:
            atomic.remove(path)
            self.changes.append(path)
        if master:
            self.reload_and_drain(master)

    def stop_all(self) -> list[str]:
        on_disk = set(self.programs_on_disk())
        try:
            self.supervisor = Supervisor(self.options.supervisor_conf, self.options.supervisor_socket)
            known = {item["group"] for item in self.supervisor.processes() if self.release_of(item["group"])}
        except WindflowError as error:
            if error.code != "E4031":
                raise
            # Supervisor does not run, so no program of it does.
            removed = [self.path_of(name) for name in sorted(on_disk) if atomic.remove(self.path_of(name))]
            self.changes += removed
            return []
        return self.stop(sorted(on_disk | known))
