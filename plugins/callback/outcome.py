# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a run came to on each host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcome
type: notification
short_description: What a run came to on each host, as JSON
version_added: 1.0.0
description:
  - At the end of a run, writes one JSON object to a file. Its keys are the hosts.
  - Each value has C(state), one of V(ok), V(changed), V(failed), V(unreachable) and, after a batch that failed,
    V(not begun); and, where a plan was made,
    C(pending), whether something differs from it.
  - For a host that failed there are also C(task), C(message) and C(code) of the first task that failed, the code
    empty where the task has none, and C(restored), whether what served before the run serves after it.
  - Where a run had begun on a host's record, there is C(begun), which is true.
  - Where no host matched the last play, what was well before it is left out. So an empty object says that the run was
    for no host.
  - After a run has ended on a host's record there is C(serves), the release that serves then.
  - The command C(platform) makes its exit code of it. Nothing is written for a run that is interrupted.
  - Where O(stop) is set, Ctrl-C does not reach Ansible. The command makes that file instead, and the run ends between
    two of its steps. As soon as a run begins on a host's record, there is a file of that name with C(.begun), which has
    the hosts.
author:
  - Windflow contributors (@windflow)
options:
  path:
    description: File to write. Nothing is written without it.
    type: path
    env:
      - name: WINDFLOW_OUTCOME
    ini:
      - section: windflow
        key: outcome
  stop:
    description: File that is there if the run is to end.
    type: path
    env:
      - name: WINDFLOW_STOP
requirements:
  - named in the setting C(callbacks_enabled)
"""

import json
import re
import signal

from ansible.plugins.callback import CallbackBase

RECORD = "windflow.platform.release"
PLAN = "windflow.platform.plan"
CODE = re.compile(r"E[0-9]{4}\b")
# What sudo, or Ansible for it, says where no password was given or the one given is wrong, or nothing is allowed.
NO_RIGHTS = re.compile(
    r"(Missing|Incorrect) \w+ password|a password is required|a terminal is required|no tty present|must have a tty"
    r"|is not in the sudoers file|not allowed to (execute|run sudo)|incorrect password attempt|Authentication failure"
)
OUTPUTS = ("module_stderr", "module_stdout", "stderr")
# Told apart from the others: a password is of no use where sudo wants a terminal, which pipelining does not make.
TERMINAL = "must have a tty"
NO_TERMINAL = (
    "%s: E2001: the run has no root rights on the host: sudo wants a terminal (requiretty), which pipelining does not "
    "make. Fix: set ansible_pipelining: false for the host, or take requiretty out of its sudoers."
)
RIGHTS = (
    "%s: E2001: the run has no root rights on the host: %s. "
    "Fix: give the password of become (--ask-become-pass, or -K; to platform after --), or allow it without one."
)


class CallbackModule(CallbackBase):
    """Remembers of each host the first failure, the plan and how the record was closed."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "windflow.platform.outcome"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._failures: dict[str, dict] = {}
        self._notes: dict[str, dict] = {}
        self._matched = True
        self._hosts: list[str] = []

    def v2_playbook_on_start(self, playbook) -> None:
        """Whoever has answered for passwords may press Ctrl-C: Ansible would leave a host in the middle of a run."""
        if self.get_option("stop"):
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def v2_runner_on_start(self, host, task) -> None:
        """A run may begin on a host's record."""
        stop = self.get_option("stop")
        if stop and task.action == RECORD and task.args.get("state") == "started" and not task.check_mode:
            with open("%s.begun" % stop, "a", encoding="utf-8") as stream:
                stream.write("%s\n" % host.get_name())

    def v2_playbook_on_play_start(self, play) -> None:
        """A play begins, with hosts or without; of a serial one each batch does."""
        self._matched = True
        manager = play.get_variable_manager()
        self._hosts = (
            [host.get_name() for host in manager._inventory.get_hosts(play.hosts, ignore_restrictions=True)]
            if manager
            else []
        )

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """It has none. The first play of our playbooks often has none, and then another one follows."""
        self._matched = False

    def v2_runner_on_ok(self, result) -> None:
        """Note what a plan found pending, and how a failed run was closed."""
        found, action = result._result, result._task.action
        if action == PLAN:
            notes = self._notes.setdefault(result._host.get_name(), {})
            # A plugin and what it needs are planned one by one, or in a loop.
            notes["pending"] = any(
                [notes.get("pending"), *(item.get("pending") for item in found.get("results", [found]))]
            )
        if action == RECORD and not result._task.check_mode:
            notes = self._notes.setdefault(result._host.get_name(), {})
            state = (found.get("revision") or {}).get("state", "")
            if state == "running":
                notes.update(begun=True, restored=False)
            elif state == "deployed":
                # Of a plugin that another one needs: what fails after it has nothing to bring back.
                notes["restored"] = True
            notes.update((key, found[key]) for key in ("restored", "serves") if key in found)

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        """Remember the first failure of a host."""
        if ignore_errors:
            return
        # Of a loop the first item that failed says why; the loop only says that one did.
        found = next((item for item in result._result.get("results", ()) if item.get("failed")), result._result)
        message = str(found.get("msg", ""))
        # What a playbook asserts has its code at the begin of the message.
        code = CODE.match(message)
        failure = {
            "task": result._task.get_name(),
            "message": message,
            "code": str(found.get("code", code.group() if code else "")),
        }
        host = result._host.get_name()
        told = NO_RIGHTS.search("\n".join([message, *(str(found.get(key, "")) for key in OUTPUTS)]))
        if told and not failure["code"] and host not in self._failures:
            failure["code"] = "E2001"
            said = NO_TERMINAL % host if told.group() == TERMINAL else RIGHTS % (host, told.group())
            self._display.display(said, color="red")
        self._failures.setdefault(host, failure)

    def v2_playbook_on_stats(self, stats) -> None:
        """Write the file."""
        left = [name for name in self._hosts if name not in stats.processed]
        if left and self._matched:
            self._display.display("not begun, because the run ended before: %s" % ", ".join(left), color="red")
        path = self.get_option("path")
        if not path:
            return
        hosts = {name: self._host(name, stats.summarize(name)) for name in sorted(stats.processed)}
        if self._matched:
            hosts.update((name, {"state": "not begun"}) for name in left)
        else:
            hosts = {name: host for name, host in hosts.items() if host["state"] in ("failed", "unreachable")}
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(hosts, stream, indent=2)

    def _host(self, name: str, counts: dict) -> dict:
        notes = self._notes.get(name, {})
        if counts["unreachable"]:
            return {"state": "unreachable", **notes}
        if counts["failures"]:
            return {"state": "failed", "restored": False, **self._failures.get(name, {}), **notes}
        return {"state": "changed" if counts["changed"] else "ok", **notes}
