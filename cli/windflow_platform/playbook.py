# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a playbook of the collection as a process of ansible-playbook."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .interruption import Waiting, account
from .outcome import INVALID, exit_code
from .settings import environment

# Options of ansible-playbook that leave tasks out.
PARTIAL = re.compile(r"(--tags|--skip-tags|--start-at-task)(=|\Z)|-t")
NO_TAGS = (
    "E2050: %s would leave out tasks. Nothing was changed. "
    "Fix: remove the option; steps have no tags, and each needs those before it."
)
# Playbooks that change a host only after they have begun on its record, or change nothing.
BEGINNING = ("deploy", "explain", "plan", "remove", "restore", "rollback", "validate")
NO_HOST = "E2031: the run has no host. Nothing was changed. Fix: check windflow_hosts, --limit and the inventory."


def run(
    playbook: str,
    values: Mapping[str, Any],
    inventory: list[str] | None,
    check: bool,
    diff: bool,
    arguments: list[str] | None,
    asks: bool = False,
) -> int:
    """Runs ``windflow.platform.<playbook>`` and returns the exit code of the command.

    ``asks``: the playbook changes nothing even without ``check``.
    """
    program = find_program()
    if program is None:
        print("platform: ansible-playbook was not found. Fix: pip install ansible-core.", file=sys.stderr)
        return INVALID
    partial = next((word for word in arguments or () if PARTIAL.match(word)), None)
    if partial:
        print("platform: %s" % (NO_TAGS % partial), file=sys.stderr)
        return INVALID
    argv = [program, *command_line(playbook, values, inventory, check, diff), *(arguments or ())]
    with tempfile.TemporaryDirectory(prefix="windflow-") as directory:
        report, waiting = Path(directory, "outcome.json"), Waiting(Path(directory, "stop"))
        status = waiting.wait_for(argv, environment(os.environ, Path.cwd(), report, waiting.stop))
        hosts = json.loads(report.read_text(encoding="utf-8")) if report.exists() else None
        if waiting.signals:
            again = shlex.join(["platform", *sys.argv[1:]])
            print(
                account(hosts, waiting.begun(), again, same_hosts(values, inventory, arguments)),
                end="",
                file=sys.stderr,
            )
    if hosts == {} and not status:
        print("platform: %s" % NO_HOST, file=sys.stderr)
    return exit_code(status, hosts, check or asks, playbook in BEGINNING)


def find_program() -> str | None:
    """ansible-playbook beside this interpreter, else on the PATH."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    return str(beside) if beside.exists() else shutil.which("ansible-playbook")


def same_hosts(values: Mapping[str, Any], inventory: list[str] | None, arguments: list[str] | None) -> list[str]:
    """Returns the words of another command for the same plugin on the same hosts."""
    words = [values["plugin"]] if values.get("plugin") else []
    for option, name in (("--config", "config"), ("--set", "sets")):
        words += [word for value in values.get(name) or () for word in (option, value)]
    words += ["--env", values["environment_name"]] if values.get("environment_name") else []
    words += [word for path in inventory or () for word in ("-i", path)]
    return [*words, "--", *arguments] if arguments else words


def command_line(
    playbook: str, values: Mapping[str, Any], inventory: list[str] | None, check: bool, diff: bool
) -> list[str]:
    """Returns the arguments of ansible-playbook. What was not given is not sent: it would take the inventory's
    place."""
    argv = ["windflow.platform.%s" % playbook]
    for path in inventory or ():
        argv += ["--inventory", path]
    argv += ["--check"] * check + ["--diff"] * diff
    return [*argv, "--extra-vars", extra_vars({key: value for key, value in values.items() if value not in (None, [])})]


def extra_vars(values: Mapping[str, Any]) -> str:
    """Variables as one YAML flow mapping, in which no text is a template."""

    def encode(value: Any) -> str:
        if isinstance(value, str):
            # Ansible reads an empty text that is marked as none at all.
            return "!unsafe %s" % json.dumps(value, ensure_ascii=False) if value else '""'
        if isinstance(value, list):
            return "[%s]" % ", ".join(encode(item) for item in value)
        return json.dumps(value)

    return "{%s}" % ", ".join("%s: %s" % (key, encode(value)) for key, value in values.items())
