# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is: operating system, processors, memory, disk, ports, accounts, packages, services.

Reads /proc, /etc and /sys directly and starts as few programs as it can, all at the same time:
this runs on every host at every run, also where there is nothing to do.
"""

from __future__ import annotations

import glob
import os
import platform
import re
import stat
import subprocess

from . import mounts, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Where its index is not there yet, the package manager fetches it.
OFFERED_SECONDS = 120
SHARED_MEMORY = "/dev/shm"
FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "rhel": "redhat",
    "fedora": "redhat",
    "centos": "redhat",
    "suse": "suse",
    "opensuse": "suse",
    "arch": "arch",
}


def os_release(text: str) -> dict[str, str]:
    """The text of os-release(5) as a map, with the platform's word for the family (or "")."""
    values = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and not key.startswith("#"):
            values[key.strip()] = value.strip().strip("\"'")
    words = [values.get("ID", "")] + values.get("ID_LIKE", "").split()
    family = next((FAMILIES[word] for word in words if word in FAMILIES), "")
    return {"id": values.get("ID", ""), "version": values.get("VERSION_ID", ""), "family": family}


def tables_for(found: Mapping[str, str]) -> list[str]:
    """Names of the tables that may describe a system of ``os_release``, the most specific one first."""
    family, name, major = found["family"], found["id"], found["version"].split(".")[0]
    parts = [[name, major], [major, name], [name], [major], []]
    return ["-".join([family, *more]) for more in parts if family and all(more)]


def choose(tables: Mapping[str, Any], found: Mapping[str, str]) -> Any:
    """What ``tables`` has for the system, by the most specific name; None where it has nothing."""
    return next((tables[name] for name in tables_for(found) if name in tables), None)


def read_os() -> dict[str, str]:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8") as stream:
                return os_release(stream.read())
        except FileNotFoundError:
            continue
    return os_release("")


def memory_mb() -> int:
    with open("/proc/meminfo", encoding="ascii") as stream:
        for line in stream:
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) // 1024
    return 0


def free_space(path: str) -> dict[str, Any]:
    """Free MB and inodes of the filesystem that holds ``path`` or will hold it, which one that is, and whether it is
    mounted read-only or without execution; ``silent``, the name of its mount, where it does not answer."""
    try:
        return mounts.answer(path, _free_space, path)
    except mounts.NotAnswering as error:
        return {"silent": error.text}


def _free_space(path: str) -> dict[str, Any]:
    while not os.path.isdir(path):
        path = os.path.dirname(path) or "/"
    status = os.statvfs(path)
    # A filesystem that makes inodes as it goes (btrfs) reports none at all.
    inodes = status.f_favail if status.f_files else None
    free = status.f_bavail * status.f_frsize // (1024 * 1024)
    return {
        "mb": free,
        "inodes": inodes,
        "device": os.stat(path).st_dev,
        "ro": bool(status.f_flag & os.ST_RDONLY),
        "noexec": bool(status.f_flag & os.ST_NOEXEC),
    }


def listening_inodes(port: int) -> set[str]:
    """Inodes of the TCP sockets that listen on ``port``, from /proc/net/tcp and tcp6."""
    inodes = set()
    wanted = ":%04X" % port
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name, encoding="ascii") as stream:
                for line in stream:
                    fields = line.split()
                    if len(fields) > 9 and fields[3] == "0A" and fields[1].endswith(wanted):
                        inodes.add(fields[9])
        except FileNotFoundError:
            continue
    return inodes


def port_owner(port: int) -> dict[str, Any] | None:
    """Name and process id of what listens on a TCP port; None where nothing does."""
    inodes = {"socket:[%s]" % inode for inode in listening_inodes(port)}
    if not inodes:
        return None
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if any(os.readlink(entry.path) in inodes for entry in os.scandir("/proc/%s/fd" % process)):
                with open("/proc/%s/comm" % process, encoding="utf-8", errors="replace") as stream:
                    return {"pid": int(process), "name": stream.read().strip()}
        except OSError:
            continue
    return {"pid": 0, "name": "a process that cannot be seen from here"}


def has_ipv6() -> bool:
    """Whether any interface has an IPv6 address, so that a server can listen on ``[::]``."""
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as stream:
            return bool(stream.read(1))
    except FileNotFoundError:
        return False


def for_everybody(path: str) -> bool:
    """Whether there is a directory in which every account may make files."""
    try:
        info = os.stat(path)
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_mode & 0o003 == 0o003


def init_system() -> str:
    return "systemd" if os.path.isdir("/run/systemd/system") else "service"


def _start(argv: list[str]) -> subprocess.Popen[bytes] | None:
    environment = dict(os.environ, LC_ALL="C")
    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
    except OSError:
        return None


def installed_command(family: str, packages: Iterable[str]) -> list[str]:
    """The command that lists which of ``packages`` are installed, one name a line."""
    if family == "debian":
        return ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\\n", *packages]
    if family == "arch":
        return ["pacman", "-Qq", *packages]
    return ["rpm", "-q", "--qf", "%{NAME}\\n", *packages]


def parse_installed(family: str, output: str) -> set[str]:
    names = set()
    for line in output.splitlines():
        words = line.split()
        if family == "debian" and words[1:] == ["installed"] or family != "debian" and len(words) == 1:
            names.add(words[0])
    return names


# How a package manager says which of some packages its repositories have; the first that is there is asked. zypper ends
# with 104 where it finds none, and pacman with 1, as it does without an index.
OFFERED = (
    ("/usr/bin/dnf", ["repoquery", "--quiet", "--available", "--queryformat", "%{name}\\n"]),
    ("/usr/bin/zypper", ["--non-interactive", "--quiet", "search", "--match-exact", "--type", "package"]),
    ("/usr/bin/pacman", ["-Ssq"]),
)


def offered(packages: list[str]) -> bool | None:
    """Whether the enabled repositories have all of ``packages``; None where that cannot be known."""
    for program, arguments in OFFERED:
        if os.path.exists(program):
            exact = ["^%s$" % name for name in packages] if program.endswith("pacman") else packages
            code, said = processes.ask([program, *arguments, *exact], dict(os.environ, LC_ALL="C"), OFFERED_SECONDS)
            known = code in (0, 104) or (code == 1 and "pacman" in program and "database" not in said)
            return set(packages) <= set(re.findall(r"[^\s|]+", said)) if known else None
    return None


def parse_systemctl(output: str) -> dict[str, dict[str, bool]]:
    """``systemctl show`` of several units into {unit: {"running": bool, "enabled": bool, "exists": bool}}."""
    states = {}
    for block in output.strip().split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = values.get("Id", "")
        if name.endswith(".service"):
            states[name[: -len(".service")]] = {
                "running": values.get("ActiveState") in ("active", "reloading"),
                "enabled": values.get("UnitFileState", "").startswith("enabled"),
                "exists": values.get("LoadState") == "loaded",
            }
    return states


class Questions:
    """Programs that answer while the rest is read; started first, read last."""

    def __init__(self, family: str, packages: Iterable[str], services: Iterable[str]) -> None:
        self.family = family
        self.packages = list(packages)
        self.services = list(services)
        self.init = init_system()
        self._packages = _start(installed_command(family, self.packages)) if family and self.packages else None
        self._services = {}
        if self.services and self.init == "systemd":
            properties = "--property=Id,ActiveState,UnitFileState,LoadState"
            self._services[""] = _start(
                ["systemctl", "show", properties, *("%s.service" % name for name in self.services)]
            )
        elif self.services:
            for name in self.services:
                exists = os.path.exists("/etc/init.d/%s" % name)
                self._services[name] = _start(["service", name, "status"]) if exists else None

    def missing_packages(self) -> list[str]:
        """Names that are not installed; all of them where the package manager does not answer."""
        if not self._packages:
            return self.packages
        output = self._packages.communicate()[0].decode("utf-8", "replace")
        installed = parse_installed(self.family, output)
        return [name for name in self.packages if name not in installed]

    def service_states(self) -> dict[str, dict[str, bool]]:
        """{name: {"running", "enabled", "exists"}} of every service asked for."""
        absent = {"running": False, "enabled": False, "exists": False}
        states = {name: dict(absent) for name in self.services}
        if self.init == "systemd":
            process = self._services.get("")
            if process:
                found = parse_systemctl(process.communicate()[0].decode("utf-8", "replace"))
                states.update((name, state) for name, state in found.items() if name in states)
            return states
        for name, process in self._services.items():
            if process:
                process.communicate()
                states[name] = {
                    "running": process.returncode == 0,
                    "enabled": bool(glob.glob("/etc/rc[2-5].d/S[0-9][0-9]%s" % glob.escape(name))),
                    "exists": True,
                }
        return states


def facts(paths: Iterable[str], port: int | None) -> dict[str, Any]:
    """Everything about the host that a plan asks for, besides packages, services and accounts."""
    return {
        "os": read_os(),
        "python": platform.python_version(),
        "cpu_threads": len(os.sched_getaffinity(0)),
        "ram_mb": memory_mb(),
        "root": os.geteuid() == 0,
        "init": init_system(),
        "ipv6": has_ipv6(),
        "shared_memory": for_everybody(SHARED_MEMORY),
        "space": {path: free_space(path) for path in paths},
        "port_owner": port_owner(port) if port else None,
    }
