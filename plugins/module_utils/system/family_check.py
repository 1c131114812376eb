# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the table of an OS family with a host, and changes nothing."""

from __future__ import annotations

import glob
import os
import pwd
import re

from . import inspect_host, processes, service_layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SAME, DIFFERS, UNKNOWN = "same", "differs", "unknown"
SECONDS = 30


class Comparison:
    """One table beside one host.

    ``lines`` holds a map for each value: ``key`` (its place in the table), ``expected`` (what the table says),
    ``found`` (what the host says, or why it cannot say anything) and ``state`` (``same``, ``differs``, ``unknown``).
    """

    def __init__(self, table: dict[str, Any]) -> None:
        self.table = table
        self.lines: list[dict[str, str]] = []
        names = [name for group in table["packages"].values() for name in group]
        questions = inspect_host.Questions(table["family"], names, list(table["services"].values()))
        self.missing = questions.missing_packages()
        self.states = questions.service_states()

    def compare(self) -> list[dict[str, str]]:
        """Compares everything; returns ``lines``."""
        self.packages()
        self.services()
        self.file("nologin", self.table["nologin"])
        if self.has("python"):
            self.file("python.interpreter", self.table["python"]["interpreter"])
        if self.has("nginx"):
            self.nginx()
        if self.has("supervisor"):
            self.supervisor()
        if self.has("postgresql"):
            self.postgresql()
        return self.lines

    def add(self, key: str, expected: Any, found: Any, state: str) -> None:
        self.lines.append({"key": key, "expected": str(expected), "found": str(found), "state": state})

    def same(self, key: str, expected: Any, found: Any) -> None:
        self.add(key, expected, found, SAME if expected == found else DIFFERS)

    def file(self, key: str, path: str) -> None:
        there = os.path.exists(path)
        self.add(key, path, "it exists" if there else "it does not exist", SAME if there else DIFFERS)

    def has(self, concern: str) -> bool:
        """Whether the packages of a concern are installed. Without them, the host cannot say where their files are."""
        names = self.table["packages"][concern]
        if names and not set(names) & set(self.missing):
            return True
        self.add(concern, "paths and accounts", "not installed", UNKNOWN)
        return False

    def packages(self) -> None:
        for concern, names in self.table["packages"].items():
            # Of these, the table says itself that no enabled repository needs to have them.
            optional = concern == "supervisor" and self.table["supervisor"]["source"] == "venv"
            for name in names:
                there = True if name not in self.missing else offers(name)
                said = {True: "known", False: "no enabled repository has it", None: "no index of packages"}[there]
                state = SAME if there else UNKNOWN if there is None or optional else DIFFERS
                self.add("packages.%s" % concern, name, "installed" if name not in self.missing else said, state)

    def services(self) -> None:
        for concern, name in self.table["services"].items():
            if set(self.table["packages"][concern]) & set(self.missing):
                self.add("services.%s" % concern, name, "not installed", UNKNOWN)
            else:
                there = self.states[name]["exists"]
                found = "it exists" if there else "no such service"
                self.add("services.%s" % concern, name, found, SAME if there else DIFFERS)

    def nginx(self) -> None:
        table = self.table["nginx"]
        said = service_layout.nginx(table["conf"])
        self.file("nginx.conf", table["conf"])
        if not said:
            return
        try:
            pwd.getpwnam(table["user"])
        except KeyError:
            self.add("nginx.user", table["user"], "no such account", DIFFERS)
        if said["user"]:
            self.same("nginx.user", table["user"], said["user"])
        if table["include"]:
            self.add("nginx.include", table["include"], said.get("enabled_dir", "not included yet"), UNKNOWN)
        else:
            for key in ("available_dir", "enabled_dir"):
                self.same("nginx.%s" % key, table[key], said.get(key) or said["problem"])
        self.same("nginx.default_inline", table["default_inline"], has_server(table["conf"]))
        self.file("nginx.log_dir", table["log_dir"])

    def supervisor(self) -> None:
        table = self.table["supervisor"]
        if table["source"] == "venv" and table["conf"] == service_layout.WINDFLOWS_SUPERVISOR:
            return
        said = service_layout.supervisor(table["conf"])
        self.file("supervisor.conf", table["conf"])
        for key in ("program_dir", "program_ext") if said else ():
            self.same("supervisor.%s" % key, table[key], said.get(key) or said["problem"])

    def postgresql(self) -> None:
        initialise = self.table["postgresql"]["initialise"]
        if not initialise:
            clusters = glob.glob("/etc/postgresql/*/*/pg_hba.conf")
            self.add(
                "postgresql.initialise",
                "the package makes a cluster",
                ", ".join(clusters) or "no cluster",
                SAME if clusters else DIFFERS,
            )
            return
        if initialise.get("command"):
            self.file("postgresql.initialise.command", initialise["command"][0])
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            self.add("postgresql", "account postgres", "no such account", DIFFERS)
        if initialise.get("creates"):
            there = os.path.exists(initialise["creates"])
            found = "it exists" if there else "not initialised yet, or elsewhere"
            self.add("postgresql.initialise.creates", initialise["creates"], found, SAME if there else UNKNOWN)


def has_server(conf: str) -> bool:
    """Whether nginx.conf itself has a ``server`` block, not only the files that it includes."""
    with open(conf, encoding="utf-8", errors="replace") as stream:
        return bool(re.search(r"^\s*server\s*\{", stream.read(), re.MULTILINE))


def offers(name: str) -> bool | None:
    """Whether an enabled repository has the package; None where the package manager has no index."""
    if not os.path.exists("/usr/bin/apt-cache"):
        return inspect_host.offered([name])
    if not glob.glob("/var/lib/apt/lists/*_Packages*"):
        return None
    argv = ["/usr/bin/apt-cache", "show", "--no-all-versions", name]
    return processes.ask(argv, dict(os.environ, LC_ALL="C"), SECONDS)[0] == 0
