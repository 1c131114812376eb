# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the configuration's usual sections that a schema cannot say, or that must not depend on one.

They hold for ``host``, ``app``, ``database``, ``server``, ``storage``, ``network`` and ``email`` as the
plugin documentation describes them, where a plugin has them. The value of a secret is never shown.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from ..errors import Problem
from ..network import wanted
from ..system.places import of_system
from ..text.wording import KeyPath, dotted, listed, show, use_or_list
from . import formats, kinds

if TYPE_CHECKING:
    from .loading import Config

PRODUCTION = "production"
FAMILIES = ("debian", "redhat", "suse", "arch")
FILESYSTEMS = ("ext4", "xfs")
# Where Supervisor comes from: a package where a repository has one, a package, PyPI.
SUPERVISOR_SOURCES = ("auto", "package", "venv")

_LONGEST_INSTALL_DIR = 64  # below it lie sockets, whose whole path may have 107 bytes

# Where the database counts as the host's own, and is set up by the platform.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\Z")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?\Z")
_DIRECTORY = re.compile(r"[A-Za-z0-9._/@+-]+\Z")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?\Z")
_PYTHON = re.compile(r"3\.(?:[89]|[1-9][0-9])\Z")
_GROUP = re.compile(r"[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,63}\Z")
_OWNER = re.compile(r"(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})\Z")
_MODE = re.compile(r"0?[0-7]{3,4}\Z")
_MOUNT_OPTIONS = re.compile(r"[A-Za-z0-9_.:=/@%+-]+(?:,[A-Za-z0-9_.:=/@%+-]+)*\Z")
_DEVICE = re.compile(r"/dev/(?!(?:.*/)?\.\.?(?:/|\Z))[A-Za-z0-9._:@/+-]+\Z")
# What nginx can hold in 63 bits.
_SIZE = re.compile(r"(?:[0-9]{1,18}|[0-9]{1,9}[kKmMgG])\Z")
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}\Z")
_PLACEHOLDER = re.compile(
    r"(?:your|change|replace|insert|enter)[-_ ]?(?:me|this|it|secret|password|key|here)\b.*|dbpassword|passw(?:or)?d"
    r"|secret|secret[-_]?key|postgres|admin|example|todo|x{3,}|\*{3,}|12345\d*",
    re.IGNORECASE,
)
KNOWN_SECRETS = (("app", "secret_key"), ("database", "password"), ("host", "connection", "password"))


def check_config(config: Config, environment: str | None, on_host: bool = False) -> tuple[list[Problem], list[Problem]]:
    """Errors and warnings. A placeholder for a secret is an error in production and a warning elsewhere. ``on_host``:
    whether the host backend reads it."""
    checks = _Checks(config, environment == PRODUCTION)
    checks.host()
    checks.app()
    checks.database()
    checks.server()
    checks.storage()
    checks.network()
    checks.email()
    checks.secrets()
    checks.every_text()
    if on_host:
        checks.kinds()
    return checks.errors, checks.warnings


def check_volumes(volumes: list[Any], name: str) -> list[Problem]:
    """The findings about volumes that stand in no configuration but in the variable ``name``."""
    checks = _Checks(cast("Config", _Variable(volumes)), False)
    checks.storage()
    return [replace(problem, path=problem.path.replace("storage.volumes", name, 1)) for problem in checks.errors]


@dataclass
class _Variable:
    """Volumes of a variable, as the checks see a configuration."""

    volumes: list[Any]

    @property
    def data(self) -> dict[str, Any]:
        return {"storage": {"volumes": self.volumes}}

    def place(self, _path: KeyPath) -> tuple[str, int, int]:
        return "", 0, 0

    def is_secret(self, _path: KeyPath) -> bool:
        return False


@dataclass
class _Checks:
    config: Config
    production: bool
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def _problem(self, code: str, path: KeyPath, expected: str, got: str, remedy: str) -> Problem:
        return Problem(code, expected, got, remedy, *self.config.place(path), dotted(path))

    def add(self, code: str, path: KeyPath, expected: str, got: str, remedy: str = "") -> None:
        self.errors.append(self._problem(code, path, expected, got, remedy))

    def value(self, *path: str | int) -> Any:
        data: Any = self.config.data
        for part in path:
            data = data.get(part) if isinstance(data, dict) else None
        return data

    def map(self, *path: str | int) -> dict[str, Any]:
        found = self.value(*path)
        return found if isinstance(found, dict) else {}

    def maps(self, *path: str | int) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
        """The maps in the list at ``path``, each with its path."""
        found = self.value(*path)
        for index, entry in enumerate(found if isinstance(found, list) else ()):
            if isinstance(entry, dict):
                yield path + (index,), entry

    def shown(self, path: KeyPath, value: Any) -> str:
        return "a value that is not shown" if self.config.is_secret(path) else show(value)

    def text(self, path: KeyPath, value: Any) -> bool:
        """Whether ``value`` is a text without control characters; reports it if it has some."""
        if not isinstance(value, str):
            return False
        if value.isprintable():
            return True
        remedy = "remove line breaks and control characters"
        self.add("E1139", path, "one line of printable text", self.shown(path, value), remedy)
        return False

    def name(self, path: KeyPath, value: Any, pattern: re.Pattern[str], expected: str, remedy: str) -> None:
        if self.text(path, value) and not pattern.match(value):
            self.add("E1140", path, expected, self.shown(path, value), remedy)

    def address(self, path: KeyPath, value: Any) -> None:
        if self.text(path, value) and not (_HOST.match(value) or formats.is_address(value.strip("[]"))):
            remedy = "write for example db.example.com or 192.0.2.1"
            self.add("E1140", path, "a host name or an address", self.shown(path, value), remedy)

    def port(self, path: KeyPath, value: Any) -> None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535):
            remedy = "write for example 8080, without quotes"
            self.add("E1141", path, "a port, a whole number from 1 to 65535", self.shown(path, value), remedy)

    def directory(self, path: KeyPath, value: Any) -> str | None:
        """The directory at ``path`` if it is absolute, normalised and not the system's."""
        if not self.text(path, value):
            return None
        if not value.startswith("/"):
            self.add("E1134", path, "an absolute path", self.shown(path, value), "begin it with /")
        elif ".." in value.split("/"):
            self.add("E1134", path, "a path without ..", self.shown(path, value), "write the path it leads to")
        elif of_system(posixpath.normpath(value)):
            got = "%s, a directory of the system" % self.shown(path, value)
            remedy = "choose a directory of its own, such as %s/app" % posixpath.normpath(value).replace("//", "/")
            if of_system(posixpath.normpath(value + "/app")):
                remedy = "choose a directory of its own, such as /srv/app"
            self.add("E1135", path, "a directory that is not the system's", got, remedy.replace("//", "/"))
        elif posixpath.normpath(value) != value or value.startswith("//"):
            remedy = 'write "%s"' % posixpath.normpath(value).replace("//", "/")
            self.add("E1134", path, "a path in its shortest form", self.shown(path, value), remedy)
        else:
            return value
        return None

    def kinds(self) -> None:
        told = {problem.path for problem in self.errors}
        for path, kind, value in kinds.wrong(self.config.data):
            if dotted(path) not in told:
                code, remedy = ("E1102", "write one, or remove the entry") if value is None else ("E1101", kind.remedy)
                self.add(code, path, kind.expected, self.shown(path, value), remedy)

    def host(self) -> None:
        path: tuple[str, ...] = ("host", "connection")
        connection = self.map(*path)
        if connection.get("password") is not None and connection.get("key_file") is not None:
            got = "password and key_file"
            self.add("E1130", path, "one way to log in", got, "remove one of the two, preferably the password")
        if "host" in connection:
            self.address(path + ("host",), connection["host"])
        self.port(path + ("port",), connection.get("port"))
        remedy = "write the name of an account, such as admin"
        self.name(path + ("user",), connection.get("user"), _LOGIN, "a login name", remedy)
        self.text(path + ("key_file",), connection.get("key_file"))
        family = self.value("host", "os", "family")
        if family is not None and family not in FAMILIES:
            path = ("host", "os", "family")
            self.add(
                "E1131", path, "one of %s" % listed(FAMILIES), self.shown(path, family), use_or_list(family, FAMILIES)
            )
        self.text(("host", "os", "version"), self.value("host", "os", "version"))
        path = ("host", "supervisor_source")
        source = self.value(*path)
        if source is not None and source not in SUPERVISOR_SOURCES:
            remedy = use_or_list(source, SUPERVISOR_SOURCES)
            self.add("E1131", path, "one of %s" % listed(SUPERVISOR_SOURCES), self.shown(path, source), remedy)

    def app(self) -> None:
        app = self.map("app")
        path: KeyPath
        expected = "a name of lower-case letters, digits, _ and -, at most 32"
        for key in ("user", "group"):
            path = ("app", key)
            self.name(path, app.get(key), _ACCOUNT, expected, "write for example app")
            if app.get(key) == "root":
                self.add("E1140", path, "an account without privileges", '"root"', "write for example app")
        directories = {}
        for key in ("install_dir", "data_dir", "log_dir"):
            path = ("app", key)
            found = self.directory(path, app.get(key))
            if found and not _DIRECTORY.match(found):
                remedy = "use letters, digits and . _ - + @"
                self.add("E1134", path, "a path without spaces and special characters", self.shown(path, found), remedy)
            elif found:
                directories[key] = found
        self._keep_data_outside(directories)
        hosts = app.get("allowed_hosts")
        for index, host in enumerate(hosts if isinstance(hosts, list) else ()):
            path = ("app", "allowed_hosts", index)
            if isinstance(host, str) and host != "*":
                # "*.example.com" and ".example.com" stand for all names below it
                self.address(path, re.sub(r"^(?:\*?\.)(?=.)", "", host))
        self.text(("app", "log_level"), app.get("log_level"))
        self.packages(("app", "source_packages"), app.get("source_packages"))
        python = app.get("python")
        if python is not None and not (isinstance(python, str) and _PYTHON.match(python)):
            path, remedy = ("app", "python"), 'write it in quotes, such as "3.12"'
            self.add("E1140", path, "a minor version of Python, from 3.8 on", self.shown(path, python), remedy)

    def packages(self, path: KeyPath, value: Any) -> None:
        """Names of Python packages, each exactly: ``:all:`` would be no exception any more."""
        for index, name in enumerate(value if isinstance(value, list) else ()):
            if not isinstance(name, str) or not _PACKAGE.match(name):
                expected = "the name of a Python package"
                self.add("E1140", path + (index,), expected, self.shown(path, name), "write for example psycopg2")
        if value is not None and not isinstance(value, list):
            self.add("E1140", path, "a list of package names", self.shown(path, value), "write [name, name]")

    def _keep_data_outside(self, directories: dict[str, str]) -> None:
        install = directories.get("install_dir", "")
        if len(install) > _LONGEST_INSTALL_DIR:
            got = "%d characters" % len(install)
            expected = "a path of at most %d characters" % _LONGEST_INSTALL_DIR
            self.add("E1134", ("app", "install_dir"), expected, got, "choose a shorter one")
        for key in ("data_dir", "log_dir"):
            if install and key in directories and (directories[key] + "/").startswith(install + "/"):
                expected = "a directory outside install_dir, which goes away when the application is removed"
                remedy = "choose for example %s" % ("/var/lib/app" if key == "data_dir" else "/var/log/app")
                problem = self._problem(
                    "E1142", ("app", key), expected, self.shown(("app", key), directories[key]), remedy
                )
                self.warnings.append(problem)

    def database(self) -> None:
        database = self.map("database")
        if database.get("host"):
            path, host = ("database", "host"), database["host"]
            if not (isinstance(host, str) and host.startswith("/") and self.text(path, host)):
                self.address(path, host)
                self._password_elsewhere(host)
        self.port(("database", "port"), database.get("port"))
        for key in ("name", "user"):
            path, value = ("database", key), database.get(key)
            if not self.text(path, value):
                continue
            if not value or value.startswith("-") or len(value.encode("utf-8", "replace")) > 63:
                expected = "a name of at most 63 bytes that does not begin with -"
                self.add("E1140", path, expected, self.shown(path, value), "write for example app")

    def _password_elsewhere(self, host: Any) -> None:
        path = ("database", "password")
        if path in self.config.generated and host not in LOCAL_HOSTS:
            expected = "the password of the role at %s, which exists already" % show(host)
            self.add("E1086", path, expected, "a generated one", self._secret_remedy(path))

    def server(self) -> None:
        self.port(("server", "host_port"), self.value("server", "host_port"))
        place, bind = ("server", "bind"), self.value("server", "bind")
        if bind not in (None, ""):
            try:
                ipaddress.ip_address(bind.strip("[]") if isinstance(bind, str) else "")
            except ValueError:
                remedy = "write 127.0.0.1, ::1, or an address of the host"
                self.add("E1073", place, "an IP address", self.shown(place, bind), remedy)
        path, size = ("server", "max_body_size"), self.value("server", "max_body_size")
        if size is not None and (isinstance(size, bool) or not _SIZE.match(str(size))):
            expected = "a number of bytes, or one with k, m or g"
            self.add("E1140", path, expected, self.shown(path, size), "write for example 50m; 0 is no limit")

    def storage(self) -> None:
        seen: dict[str, dict[str, str]] = {"name": {}, "path": {}}
        for path, volume in self.maps("storage", "volumes"):
            expected = "a name of letters, digits, dots, _ and -"
            self.name(path + ("name",), volume.get("name"), _WORD, expected, "write for example data")
            self.directory(path + ("path",), volume.get("path"))
            for key, known in seen.items():
                value = volume.get(key)
                if not isinstance(value, str):
                    continue
                plain = posixpath.normpath(value).replace("//", "/") if key == "path" else value
                if plain in known:
                    got = "%s, also of %s" % (self.shown(path + (key,), value), known[plain])
                    remedy = "change one of the two"
                    self.add("E1136", path + (key,), "a %s for each volume" % key, got, remedy)
                known.setdefault(plain, dotted(path))
            size = volume.get("size_gb")
            if isinstance(size, (int, float)) and not isinstance(size, bool) and size <= 0:
                self.add(
                    "E1133",
                    path + ("size_gb",),
                    "a size above 0",
                    self.shown(path + ("size_gb",), size),
                    "write the size in GB, such as 10",
                )
            options = volume.get("options")
            self._volume_options(path, volume, options if isinstance(options, dict) else {})

    def _volume_options(self, path: KeyPath, volume: dict[str, Any], options: dict[str, Any]) -> None:
        kind = "nfs" if volume.get("type") == "nfs" else "local"
        if volume.get("type", kind) != kind:
            got = self.shown(path + ("type",), volume["type"])
            self.add("E1140", path + ("type",), "one of local and nfs", got, "write local or nfs")
        if kind == "nfs":
            self._nfs(path + ("options",), options)
        place = path + ("options",)
        others = ("vg", "devices", "filesystem", "backing") if kind == "nfs" else ("server", "export", "options")
        useless = dict.fromkeys(others, "in a volume of type %s" % kind)
        if kind == "local" and options.get("backing") is not None:
            useless.update(dict.fromkeys(("vg", "devices", "filesystem"), "beside backing: file"))
        elif kind == "local" and options.get("vg") is None:
            useless.update(dict.fromkeys(("devices", "filesystem"), "without vg"))
        for key in sorted(useless):
            if options.get(key) is not None:
                where, remedy = place + (key,), "remove it, or correct the rest"
                self.add("E1160", where, "no %s %s" % (key, useless[key]), self.shown(where, options[key]), remedy)
        if kind == "local" and (options.get("vg") or options.get("backing")) and not volume.get("size_gb"):
            expected = "the size of a volume with a file system of its own"
            self.add("E1161", path + ("size_gb",), expected, "none", "add size_gb, such as 10")
        self._volume_values(place, options)

    def _volume_values(self, place: KeyPath, options: dict[str, Any]) -> None:
        backing, filesystem = options.get("backing"), options.get("filesystem")
        if backing is not None and backing != "file":
            got = self.shown(place + ("backing",), backing)
            self.add("E1140", place + ("backing",), '"file"', got, "write file, or remove it")
        if filesystem is not None and filesystem not in FILESYSTEMS:
            expected, got = "one of %s" % listed(FILESYSTEMS), self.shown(place + ("filesystem",), filesystem)
            self.add("E1140", place + ("filesystem",), expected, got, use_or_list(filesystem, FILESYSTEMS))
        expected = "a volume group's name of letters, digits, dots, _, + and -"
        self.name(place + ("vg",), options.get("vg"), _GROUP, expected, "write for example data")
        for key in ("owner", "group"):
            expected = "a name of lower-case letters, digits, _ and -, or a number"
            self.name(place + (key,), options.get(key), _OWNER, expected, "write for example app")
        mode = options.get("mode")
        if mode is not None and not (isinstance(mode, str) and _MODE.match(mode)):
            got = self.shown(place + ("mode",), mode)
            self.add("E1140", place + ("mode",), "a mode in octal, in quotes", got, 'write for example "0750"')
        found = options.get("options")
        expected = "options of mount, with commas and without blanks"
        self.name(place + ("options",), found, _MOUNT_OPTIONS, expected, "write for example vers=4.2,timeo=100")
        devices = options.get("devices")
        for index, device in enumerate(devices if isinstance(devices, list) else ()):
            where = place + ("devices", index)
            expected = "the path of a device below /dev"
            self.name(where, device, _DEVICE, expected, "write for example /dev/disk/by-id/…")
        if devices is not None and not isinstance(devices, list):
            where = place + ("devices",)
            self.add("E1140", where, "a list of devices", self.shown(where, devices), "write [/dev/sdb]")

    def _nfs(self, path: KeyPath, options: dict[str, Any]) -> None:
        examples = {"server": "nfs-server.example.com", "export": "/exports/data"}
        for key, example in examples.items():
            if not options.get(key):
                self.add("E1137", path + (key,), "the %s of an NFS volume" % key, "none", "add %s: %s" % (key, example))
        if options.get("server"):
            self.address(path + ("server",), options["server"])
        export = options.get("export")
        if export and self.text(path + ("export",), export) and not export.startswith("/"):
            self.add(
                "E1134",
                path + ("export",),
                "an absolute path",
                self.shown(path + ("export",), export),
                "begin it with /",
            )

    def network(self) -> None:
        for path, network in self.maps("network", "networks"):
            expected = "a name of letters, digits, dots, _ and -"
            self.name(path + ("name",), network.get("name"), _WORD, expected, "write for example app-network")
            expected, remedy = "an interface's name, at most 15 characters", "write for example eth0"
            self.name(path + ("interface",), network.get("interface"), _INTERFACE, expected, remedy)
            cidr = network.get("cidr")
            if isinstance(cidr, str) and not formats.check(cidr, "cidr"):
                meant = formats.network_of(cidr)
                remedy = 'the host bits are set; write "%s"' % meant if meant else "write for example 192.168.1.0/24"
                self.add(
                    "E1132", path + ("cidr",), "a network in CIDR notation", self.shown(path + ("cidr",), cidr), remedy
                )

        entries = self.value("network", "networks")
        entries = [entry if isinstance(entry, dict) else {} for entry in entries] if isinstance(entries, list) else []
        told = {problem.path for problem in self.errors}
        for fault in wanted.faults(entries):
            path = ("network", "networks", fault.index, fault.key)
            if dotted(path) not in told and entries[fault.index]:
                got = "nothing" if fault.value is None else self.shown(path, fault.value)
                self.add(fault.code, path, fault.expected, got + ", %s" % fault.note * bool(fault.note), fault.remedy)

    def email(self) -> None:
        for key in ("smtp_server", "sender"):
            self.text(("email", key), self.value("email", key))
        self.port(("email", "smtp_port"), self.value("email", "smtp_port"))

    def secrets(self) -> None:
        paths = {*self.config.secrets, *(path for path in KNOWN_SECRETS if self.value(*path) is not None)}
        for path in sorted(paths, key=dotted):
            value: Any = self.config.data
            for part in path:
                value = value[part]
            got = ""
            if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
                got = "a placeholder"
            elif value == "" and path in KNOWN_SECRETS:
                got = "an empty text"
            elif path == ("database", "password") and value == self.value("database", "user"):
                got = "the user's name"
            if got:
                problem = self._problem("E1138", path, "a real secret", got, self._secret_remedy(path))
                (self.errors if self.production else self.warnings).append(problem)

    def _secret_remedy(self, path: KeyPath) -> str:
        environment = self.config.schema.environment if self.config.schema else {}
        names = [name for name, known in environment.items() if known == path]
        by_name = " or the environment variable %s" % names[0] if names else ""
        return "set it in a vaulted windflow_config, a --config file%s" % by_name

    def every_text(self) -> None:
        """No text may hold NUL: neither an environment variable nor PostgreSQL can take it."""
        pending: list[tuple[KeyPath, Any]] = [((), self.config.data)]
        while pending:
            path, value = pending.pop()
            if isinstance(value, dict):
                pending.extend((path + (key,), part) for key, part in value.items())
            elif isinstance(value, list):
                pending.extend((path + (index,), part) for index, part in enumerate(value))
            elif isinstance(value, str) and "\0" in value and not any(p.path == dotted(path) for p in self.errors):
                self.add("E1139", path, "text without NUL characters", "a NUL character", "remove the character")
