# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a serving release has outside its own directory: program, site, ``current``, configuration.

Reads only. ``host`` brings a host there.
"""

from __future__ import annotations

import glob
import grp
import json
import os
import pwd
from dataclasses import dataclass

from ..errors import Problem, WindflowError
from ..files import atomic
from .transaction import RELEASE, Options, Switching


@dataclass(frozen=True)
class HostOptions(Options):
    """The options of the module ``release_switch``."""

    settle: int
    address: str
    program_dir: str
    program_ext: str
    supervisor_conf: str
    supervisor_socket: str
    site_available_dir: str
    site_enabled_dir: str
    nginx_conf: str
    nginx_binary: str
    remove_default_site: bool
    default_site: str
    config_copy: dict[str, str] | None
    log_dir: str
    backup_dir: str


@dataclass(frozen=True)
class Entry:
    """A file with ``data``, a link to ``target``, or, with neither, nothing at ``path``."""

    path: str
    data: bytes | None = None
    target: str | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0


class Installation(Switching):
    """What the release of ``options`` has there, and what others of the plugin have."""

    options: HostOptions

    def __init__(self, options: HostOptions) -> None:
        super().__init__(options)
        self.program = "windflow-%s-%s" % (options.plugin, options.release)
        self.program_path = self.path_of(self.program)
        site = "windflow-%s.conf" % options.plugin
        self.site_path = os.path.join(options.site_available_dir, site)
        self.enabled_path = os.path.join(options.site_enabled_dir, site)
        self.default_path = options.default_site or os.path.join(options.site_enabled_dir, "default")
        self.run_dir = os.path.join(options.install_dir, "run")

    def path_of(self, program: str) -> str:
        return os.path.join(self.options.program_dir, "%s.%s" % (program, self.options.program_ext))

    def release_of(self, program: str) -> str:
        """Release of one of this plugin's programs, "" for any other: plugin ``a`` has nothing of ``a-b``."""
        prefix = "windflow-%s-" % self.options.plugin
        release = program[len(prefix) :] if program.startswith(prefix) else ""
        return release if RELEASE.match(release) else ""

    def programs_on_disk(self) -> list[str]:
        pattern = os.path.join(glob.escape(self.options.program_dir), "windflow-*.%s" % self.options.program_ext)
        names = (os.path.splitext(os.path.basename(path))[0] for path in glob.glob(pattern))
        return sorted(name for name in names if self.release_of(name))

    def sockets(self) -> dict[str, tuple[str, int]]:
        """{path: (release, number)} of the sockets in the run directory."""
        found = {}
        for path in glob.glob(os.path.join(glob.escape(self.run_dir), "*.sock")):
            release, _hyphen, number = os.path.basename(path)[: -len(".sock")].rpartition("-")
            if RELEASE.match(release) and number.isdigit():
                found[path] = (release, int(number))
        return found

    def program_entry(self) -> Entry:
        return Entry(self.program_path, self.release_file("supervisor.conf"), mode=0o644)

    def site_entries(self) -> list[Entry]:
        if not self.options.port:
            # Of the release before, which served.
            paths = dict.fromkeys((self.enabled_path, self.site_path))
            return [Entry(path) for path in paths if os.path.lexists(path)]
        entries = [Entry(self.site_path, self.release_file("nginx.conf"), mode=0o644)]
        if self.enabled_path != self.site_path:
            entries.append(Entry(self.enabled_path, target=self.site_path))
        if self.options.remove_default_site:
            entries.append(Entry(self.default_path))
        return entries

    def last_entries(self) -> list[Entry]:
        entries = []
        copy = self.options.config_copy
        if copy:
            uid, gid = ids(copy.get("owner") or "root", copy.get("group") or "root")
            mode = int(copy.get("mode") or "0640", 8)
            entries.append(Entry(copy["path"], self.release_file("config.yaml"), None, mode, uid, gid))
        entries.append(Entry(self.current_path, target="releases/%s" % self.options.release))
        return entries

    def release_file(self, name: str) -> bytes:
        path = os.path.join(self.release_dir, name)
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except OSError as error:
            raise WindflowError(
                Problem.plain(
                    "E4038", "a file of the release cannot be read", error.strerror or "", "deploy again", path
                )
            ) from None

    def secrets(self) -> list[str]:
        """Returns what must not be shown of what the release's processes print or answer; the release brings the
        list."""
        path = os.path.join(self.release_dir, "secrets.json")
        if not os.path.exists(path):
            return []
        return json.loads(self.release_file("secrets.json"))

    def pending(self) -> list[tuple[str, atomic.Saved, bytes | None]]:
        """[(path, as it is, wanted data)] of everything that a switch would write, without asking any service."""
        wanted = [self.program_entry(), *self.site_entries(), *self.last_entries()]
        found = [(entry.path, atomic.save(entry.path), entry.data) for entry in wanted if differs(entry)]
        others = [self.path_of(name) for name in self.programs_on_disk() if name != self.program]
        return found + [(path, atomic.save(path), None) for path in others]

    def pending_removal(self) -> list[tuple[str, atomic.Saved, bytes | None]]:
        paths = [self.path_of(name) for name in self.programs_on_disk()]
        paths += [self.enabled_path, self.site_path, self.current_path]
        if self.options.config_copy:
            paths.append(self.options.config_copy["path"])
        return [(path, atomic.save(path), None) for path in dict.fromkeys(paths) if os.path.lexists(path)]


def ids(owner: str, group: str) -> tuple[int, int]:
    """Numbers of an account and a group; E4039 where there is none of the name."""
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise WindflowError(
            Problem.plain("E4039", "the account or the group does not exist", str(error.args[0]), "create them first")
        ) from None


def differs(entry: Entry) -> bool:
    """Returns whether a file, link or absence is not as wanted."""
    saved = atomic.save(entry.path)
    if entry.data is None:
        return saved.data is not None or saved.target != entry.target
    return (saved.data, saved.mode, saved.uid, saved.gid) != (entry.data, entry.mode, entry.uid, entry.gid)
