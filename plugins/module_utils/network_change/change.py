# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of the networks of an owner: its files, its commands, and the script that brings back what was there."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess

from ..errors import Problem, WindflowError
from ..files import atomic
from ..network import interfaces, kept, looking
from ..network.wanted import Network, configured, parse
from . import undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

APPLY = """\
#!/bin/sh
# Made by windflow: applies a change of networks.
exec >>%(directory)s/log 2>&1
echo $$ >%(pid)s
sleep 1
[ ! -L %(directory)s/claimed ] || exit 0
(
set -ex
%(lines)s
)
code=$?
echo "$code" >%(directory)s/applied.new
mv %(directory)s/applied.new %(directory)s/applied
[ "$code" = 0 ] || exec /bin/sh %(directory)s/restore
"""
RESTORE = """\
#!/bin/sh
# Made by windflow: brings the networks back to what they were before a change. It can be run by hand.
ln -s restore %(directory)s/claimed 2>/dev/null || exit 0
exec >>%(directory)s/log 2>&1
if [ ! -e %(directory)s/applied ] && group=$(cat %(pid)s); then
    # What was asked of the kernel before may still be done after the signal.
    kill -9 "-$group"
    for once in 1 2 3 4 5 6 7 8 9 10; do kill -0 "-$group" 2>/dev/null || break; sleep 0.1; done
fi
set -x
%(files)s
# At a start of the host, what comes next reads the files.
if [ "$1" = boot ]; then
%(boot)s
echo done >%(directory)s/restored
exit 0
fi
%(lines)s
echo done >%(directory)s/restored
"""


class Change:
    """One change, from what an owner has now to what it wants."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.owner = params["plugin"]
        self.stem = looking.stem(self.owner)
        self.wanted = configured(params["networks"])
        self.kept = kept.read(self.owner)
        self.host = looking.Host(self.wanted)
        self.number = secrets.token_hex(4)
        self.directory = "%s/change-%s" % (kept.FOLDER, self.number)
        # After a restart another process may have that number.
        self.pid = "/run/windflow-network-%s.pid" % self.number
        self.old = {name: parse(item["network"]) for name, item in self.kept["networks"].items()}
        self.new = {network.name: network for network in self.wanted}
        # A network without a backend has been refused before.
        self.backends: dict[str, Any] = {
            network.name: self.host.backend(network, self.kept["networks"].get(network.name, {}).get("backend", ""))
            for network in self.wanted
        }
        touched = [*self.old.values(), *self.wanted]
        self.touched = list(dict.fromkeys(name for one in touched for name in (*one.members, one.interface)))
        known = self.kept["before"]
        self.before = {name: known.get(name, self.host.interfaces.get(name)) for name in self.touched}
        self.files = self._files()

    def _files(self) -> dict[str, Any]:
        """Returns {path: (text, mode)} of the files to write; an empty text removes one."""
        found: dict[str, Any] = {}
        for item in self.kept["networks"].values():
            backend = self.host.backends[item["backend"]]
            found.update((path, (backend.left(path), 0o600)) for path in item["files"])
        for network in self.wanted:
            found.update(self.backends[network.name].files(network, self.stem))
        return found

    def moves(self) -> list[Any]:
        """Returns the address of the connection that goes away and the one that takes its place; two empty texts where
        it stays."""
        address = self.host.carrying()[0]
        for name, old in self.old.items():
            new = self.new.get(name)
            if address and old.address.partition("/")[0] == address and new and new.address not in ("", old.address):
                return [address, new.address.partition("/")[0]]
        return ["", ""]

    def begin(self, seconds: int) -> None:
        """Saves, arms and starts."""
        atomic.make_directory(kept.FOLDER, 0o700)
        atomic.make_directory(self.directory, 0o700)
        atomic.write("%s/restore" % self.directory, self.restore_script().encode(), 0o700)
        script = APPLY % {"directory": self.directory, "pid": self.pid, "lines": "\n".join(self.lines())}
        atomic.write("%s/apply" % self.directory, script.encode(), 0o700)
        atomic.write("%s/kept.json" % self.directory, json.dumps(self.next_kept()).encode(), 0o600)
        try:
            undoing.run_at_boot(self.directory)
            undoing.detach("%s-restore" % self.number, "%s/restore" % self.directory, seconds)
        except (OSError, subprocess.SubprocessError) as error:
            undoing.disarm(self.directory)
            remedy = "look at the journal of the host"
            raise WindflowError(
                Problem.plain("E4103", "the restore could not be armed on the host", str(error), remedy)
            ) from error
        try:
            for path, (text, mode) in sorted(self.files.items()):
                put(path, text, mode)
            undoing.detach("%s-apply" % self.number, "%s/apply" % self.directory, 0)
        except (OSError, subprocess.SubprocessError) as error:
            undoing.undo(self.directory)
            raise WindflowError(
                Problem.plain("E4100", "the change of networks could not begin", str(error), "correct that"),
                undoing.UNDONE,
            ) from error

    def lines(self) -> list[Any]:
        """Returns the commands of the change."""
        changed = {name: old for name, old in reversed(list(self.old.items())) if self.new.get(name) != old}
        removed: dict[str, Any] = {}
        for name, old in changed.items():
            removed.setdefault(self.kept["networks"][name]["backend"], []).append(old)
        found = self.before_removal(removed)
        renewed = set()
        for old in changed.values():
            found += interfaces.undo(old, self.successor(old), self.before)
            renewed.add(old.interface)
            # With the first address of a network the kernel takes away the others of it.
            own = [one for interface, one in self.staying() if interface == old.interface]
            found += [interfaces.add_address(one, old.interface) for one in own]
        for name, networks in removed.items():
            found += self.host.backends[name].refresh(networks, self.stem)
            found += [line for old in networks for line in interfaces.undo_mtu(old, self.successor(old), self.before)]
        for network in self.wanted:
            backend = self.backends[network.name]
            known = self.kept["networks"].get(network.name, {})
            differs = looking.differences(self.host, network, backend, known, self.owner)
            # What lies on an interface goes with it.
            if differs or renewed & set(network.members):
                found += backend.up(network, self.stem)
                renewed.add(network.interface)
        return [line for number, line in enumerate(found) if not _again(line, found[:number])] or ["true"]

    def before_removal(self, networks: dict[str, Any]) -> list[Any]:
        """Returns what comes before interfaces go, for the networks of each program."""
        return [line for name, found in networks.items() for line in self.host.backends[name].before_removal(found)]

    def staying(self) -> list[Any]:
        """Returns [interface, address] of everything that somebody else has given the interfaces to stay."""
        mine = {(old.interface, old.address) for old in self.old.values()}
        return [
            [name, one]
            for name in self.touched
            for one in self.host.interfaces.get(name, {"own": []})["own"]
            if (name, one) not in mine and self.before[name] is not None
        ]

    def going(self, used: Collection[str]) -> dict[str, Any]:
        """Returns the interfaces, and the [interface, address], that were made for the owner and are wanted no more.
        ``used`` are the interfaces that are wanted."""
        kept_ones = {(network.interface, network.address) for network in self.wanted}
        kept_ones |= {(name, one) for name, state in self.before.items() if state for one in state["addresses"]}
        mine = [(old.interface, old.address) for old in self.old.values() if old.address]
        return {
            "interfaces": [name for name, state in self.before.items() if state is None and name not in used],
            "addresses": [list(one) for one in mine if one not in kept_ones],
        }

    def staying_routes(self) -> list[Any]:
        """Returns the default routes that somebody else has set."""
        mine = [(old.gateway, old.interface) for old in self.old.values()]
        found = interfaces.gateways(self.host.routes)
        return [route for route in found if (route["gateway"], route["dev"]) not in mine]

    def successor(self, old: Network) -> Network | None:
        """Returns what a network has become; None if it is not wanted any more, or at another interface."""
        new = self.new.get(old.name)
        return new if new and new.interface == old.interface else None

    def restore_script(self) -> str:
        """Returns the script that brings back what is there now."""
        files, lines = [], []
        for number, path in enumerate(sorted(self.files)):
            if os.path.exists(path):
                copy = "%s/file-%d" % (self.directory, number)
                shutil.copy2(path, copy)
                # A directory of drop-ins goes with its last file.
                files.append("mkdir -p '%s' && cp -p %s '%s'" % (os.path.dirname(path), copy, path))
            else:
                files.append("rm -f '%s'" % path)
        changed: dict[str, Any] = {}
        for network in self.wanted:
            changed.setdefault(self.backends[network.name].name, []).append(network)
        for name, old in self.old.items():
            changed.setdefault(self.kept["networks"][name]["backend"], []).append(old)
        added = {network.interface: network.address for network in self.wanted if network.address}
        gone = [name for name in reversed(self.touched) if name not in self.host.interfaces]
        stays = [name for name in self.touched if name in self.host.interfaces]
        lines += self.before_removal(changed) if gone else []
        for name in gone:
            lines += interfaces.bring_back(name, None, [])
        for name, networks in changed.items():
            lines += self.host.backends[name].refresh(networks, self.stem)
        for network in self.wanted:
            if network.gateway:
                words = (network.version, network.gateway, network.interface, interfaces.QUIETLY)
                lines.append("ip -%d route delete default via %s dev %s%s" % words)
        for name in stays:
            members = tuple(one for one, state in self.host.interfaces.items() if state["master"] == name)
            given = [added[name]] if name in added else []
            lines += interfaces.bring_back(name, self.host.interfaces[name], given, members)
        lines += interfaces.bring_back_routes(self.host.routes, stays)
        boot = [self.host.backends[name].at_boot for name in changed]
        parts = {"files": files, "boot": [line for line in boot if line] or [":"], "lines": lines}
        texts = {name: "\n".join(part) for name, part in parts.items()}
        return RESTORE % {"directory": self.directory, "pid": self.pid, **texts}

    def next_kept(self) -> dict[str, Any]:
        """Returns what is kept once the change is confirmed."""
        networks = {
            network.name: {
                "network": network.as_dict(),
                "backend": self.backends[network.name].name,
                "files": sorted(self.backends[network.name].files(network, self.stem)),
            }
            for network in self.wanted
        }
        used = {name for network in self.wanted for name in (network.interface, *network.members)}
        before = {name: state for name, state in self.before.items() if name in used}
        stays = {"addresses": self.staying(), "routes": self.staying_routes()}
        return {"owner": self.owner, "networks": networks, "before": before, "stays": stays, "goes": self.going(used)}


def _again(line: str, before: list[Any]) -> bool:
    """Whether a command that reads all files has been there already: they are written before the first."""
    return line.startswith(("networkctl reload", "netplan ")) and line in before


def put(path: str, text: str, mode: int) -> None:
    """Writes or removes one file of a backend, and the directory of drop-ins that this leaves empty."""
    if text:
        atomic.make_directory(os.path.dirname(path))
        atomic.write(path, text.encode(), mode)
        return
    atomic.remove(path)
    if os.path.dirname(path).endswith(".network.d"):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(path))
