# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of networks that undoes itself unless somebody confirms it: what the module ``host_network`` does on a host.

``apply`` saves what is there, arms the restore, starts the change in the background and answers at once. ``confirm``
waits until all is as wanted, and answers with a word. A connection that was opened before that proves nothing: whoever
got the word says it to ``confirm`` over a new one, and the restore is disarmed. Restore and confirmation exclude each
other by a link that only one of them can make. Each change has a directory of its own; the script ``restore`` in it can
be run by hand.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
import shutil
import subprocess
import time

from ..errors import Problem, WindflowError
from ..files import atomic
from ..files.reading import text_of
from ..system import processes
from ..system.inspect_host import init_system
from . import interfaces, kept, looking
from .backend import said
from .findings import findings, pending
from .wanted import Network, configured, faults, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any


UNDONE = "The networks are again as they were before."
# How long the host has to become what is wanted after the commands have ended: duplicate addresses are looked for, a
# bond looks at its members.
SETTLE_SECONDS = 15.0
STEADY_SECONDS = 1.0
# Has the number of the last change that was confirmed.
CONFIRMED = "/run/windflow-network-confirmed"
RESTORE_SECONDS = 90.0
# How long the operator's own command may take that confirms a change.
COMMAND_SECONDS = 30.0
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
# What runs the restore where the host is restarted before the change was confirmed: an operator may well try that.
UNITS = "/etc/systemd/system"
UNIT = """\
[Unit]
Description=Undo a change of networks that was not confirmed
DefaultDependencies=no
RequiresMountsFor=%(directory)s
Before=network-pre.target systemd-networkd.service NetworkManager.service wicked.service networking.service
[Service]
Type=oneshot
ExecStart=/bin/sh %(directory)s/restore boot
[Install]
WantedBy=multi-user.target
"""


def run(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the result of the module for its options."""
    if params["state"] == "confirm":
        return confirm(params)
    if params["state"] == "restore":
        return restore(params)
    return apply(params)


def apply(params: dict[str, Any]) -> dict[str, Any]:
    """Returns {"changed": False}, or the number of the change that has begun and waits to be confirmed."""
    refuse_faults(params["networks"])
    cleared = [] if params["check"] else clear()
    found = looking.look(params)
    reasons = pending(params["networks"], found) if found else []
    problems = findings(params["networks"], found, params["consent"] or not reasons) if found else []
    if problems:
        raise WindflowError(problems)
    answer = {"changed": bool(reasons), "change": "", "why": reasons, "warnings": cleared, "moves": ["", ""]}
    answer["diff"] = {"before": "", "after": "".join("%s\n" % reason for reason in reasons)}
    if not reasons or params["check"]:
        return answer
    change = Change(params)
    change.begin(params["seconds"])
    return dict(answer, change=change.number, seconds=params["seconds"], moves=change.moves())


def refuse_faults(entries: list[Any]) -> None:
    """Raises WindflowError for entries that are wrong whatever the host is."""
    problems = []
    for fault in faults(entries):
        path = "networks[%d].%s" % (fault.index, fault.key)
        got = "nothing" if fault.value is None else "%s" % (fault.value,)
        got = "%s, %s" % (got, fault.note) if fault.note else got
        problems.append(Problem(fault.code, fault.expected, got, fault.remedy, path=path))
    if problems:
        raise WindflowError(problems)


def clear() -> list[Any]:
    """Ends what an earlier run has left: a change that nobody confirmed is undone. Returns what was done, in words."""
    found = []
    for folder in sorted(glob.glob("%s/change-*" % kept.FOLDER)):
        if claim_of(folder) == "confirm":
            settle(folder)
        elif not os.path.exists("%s/restored" % folder):
            with contextlib.suppress(OSError):
                os.unlink("%s/claimed" % folder)
            sh("%s/restore" % folder)
            found.append("a change of networks that an earlier run had left unconfirmed was undone")
        disarm(folder)
    return found


def claim_of(folder: str) -> str:
    """Returns who has claimed a change: ``confirm``, ``restore`` or ""."""
    try:
        return os.readlink("%s/claimed" % folder)
    except OSError:
        return ""


def settle(folder: str) -> None:
    """Makes what was confirmed what is kept."""
    source = "%s/kept.json" % folder
    if not os.path.exists(source):
        return
    with open(source, encoding="utf-8") as stream:
        found = json.load(stream)
    path = kept.path_of(found.pop("owner"))
    del found["stays"], found["goes"]
    if found["networks"]:
        atomic.write(path, json.dumps(found, indent=1, sort_keys=True).encode(), 0o600)
    else:
        atomic.remove(path)
    os.unlink(source)


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
            run_at_boot(self.directory)
            detach("%s-restore" % self.number, "%s/restore" % self.directory, seconds)
        except (OSError, subprocess.SubprocessError) as error:
            disarm(self.directory)
            remedy = "look at the journal of the host"
            raise WindflowError(
                Problem.plain("E4103", "the restore could not be armed on the host", str(error), remedy)
            ) from error
        try:
            for path, (text, mode) in sorted(self.files.items()):
                put(path, text, mode)
            detach("%s-apply" % self.number, "%s/apply" % self.directory, 0)
        except (OSError, subprocess.SubprocessError) as error:
            undo(self.directory)
            raise WindflowError(
                Problem.plain("E4100", "the change of networks could not begin", str(error), "correct that"), UNDONE
            ) from error

    def lines(self) -> list[Any]:
        """Returns the commands of the change."""
        changed = {name: old for name, old in reversed(list(self.old.items())) if self.new.get(name) != old}
        found = self.before_removal(self.kept["networks"][name]["backend"] for name in changed)
        removed: dict[str, Any] = {}
        renewed = set()
        for name, old in changed.items():
            found += interfaces.undo(old, self.successor(old), self.before)
            renewed.add(old.interface)
            # With the first address of a network the kernel takes away the others of it.
            own = [one for interface, one in self.staying() if interface == old.interface]
            found += [interfaces.add_address(one, old.interface) for one in own]
            removed.setdefault(self.kept["networks"][name]["backend"], []).append(old)
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

    def before_removal(self, names: Iterable[str]) -> list[Any]:
        """Returns what comes before interfaces go, for those programs."""
        lines = [self.host.backends[name].before_removal for name in dict.fromkeys(names)]
        return [line for line in lines if line]

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


def detach(name: str, script: str, seconds: int) -> None:
    """Starts a script that outlives this session, after some seconds: by systemd, else by a process of its own."""
    unit = "windflow-network-%s" % name
    if init_system() == "systemd":
        later = ["--on-active=%d" % seconds, "--timer-property=AccuracySec=100ms"] if seconds else []
        argv = ["systemd-run", "--quiet", "--collect", "--unit=%s" % unit, *later, "/bin/sh", script]
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False
        )
        if done.returncode:
            raise OSError(done.stdout.decode("utf-8", "replace").strip())
        return
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function
        ["/bin/sh", "-c", "sleep %d; exec /bin/sh %s" % (seconds, script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    if seconds:
        with open(os.path.join(os.path.dirname(script), "timer"), "w", encoding="ascii") as stream:
            stream.write("%d" % process.pid)


def run_at_boot(folder: str) -> None:
    """Has systemd run the restore at the next start of the host, too."""
    if init_system() != "systemd":
        return
    name = "windflow-network-%s.service" % folder.rpartition("-")[2]
    atomic.write("%s/%s" % (UNITS, name), (UNIT % {"directory": folder}).encode())
    atomic.make_directory("%s/multi-user.target.wants" % UNITS)
    atomic.link("%s/multi-user.target.wants/%s" % (UNITS, name), "../%s" % name)


def disarm(folder: str) -> None:
    """Stops what waits to run the restore, and deletes what belongs to the change."""
    name = "windflow-network-%s" % folder.rpartition("-")[2]
    said("systemctl", "stop", "%s-restore.timer" % name)
    number = text_of("%s/timer" % folder)
    with contextlib.suppress(OSError, ValueError):
        os.killpg(int(number), 9)
    for path in ("multi-user.target.wants/%s.service" % name, "%s.service" % name):
        atomic.remove("%s/%s" % (UNITS, path))
    # Whoever had systemd read its units meanwhile, as netplan does, had it read this one, too.
    if said("systemctl", "show", "--property=LoadState", "--value", "%s.service" % name).strip() == "loaded":
        said("systemctl", "daemon-reload")
    atomic.remove("/run/%s.pid" % name)
    shutil.rmtree(folder, ignore_errors=True)


def sh(script: str) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(  # pylint: disable=ansible-bad-function
            ["/bin/sh", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RESTORE_SECONDS,
            check=False,
        )


def undo(folder: str) -> None:
    """Runs the restore now and waits for its end. It runs in the background, because it may cut this connection."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        detach("%s-now" % folder.rpartition("-")[2], "%s/restore" % folder, 0)
    wait_for("%s/restored" % folder, RESTORE_SECONDS)


def wait_for(path: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def log_of(folder: str) -> str:
    """Returns the last lines that the commands of a change printed, without those that the shell traced."""
    lines = [line.strip() for line in text_of("%s/log" % folder).splitlines() if not line.startswith("+")]
    return "\n".join([line for line in lines if line][-8:])


def confirm(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the word for a change after which all is as wanted, or ends it well for who has the word already.

    Raises WindflowError E4100 where not all is as wanted, after it was undone, and E4101 where the restore has run.
    """
    folder = "%s/change-%s" % (kept.FOLDER, params["change"])
    if text_of(CONFIRMED) == params["change"]:
        # The answer of before was lost.
        return {"changed": True}
    wait_for("%s/applied" % folder, params["seconds"])
    code = text_of("%s/applied" % folder).strip()
    if code not in ("", "0"):
        # The change has begun its own restore.
        fail(folder, ["a command failed:\n%s" % log_of(folder)])
    if claim_of(folder) == "restore" or code != "0":
        restored(folder)
    with open("%s/kept.json" % folder, encoding="utf-8") as stream:
        known = json.load(stream)
    word, wanted = text_of("%s/settled" % folder), configured(params["networks"])
    if not word or params["settled"] != word or unsettled(wanted, known["stays"], known["goes"]):
        return {"changed": False, "settled": word_for(folder, params, known)}
    left = refusal(params["command"])
    if left:
        fail(folder, left)
    try:
        os.symlink("confirm", "%s/claimed" % folder)
    except FileExistsError:
        restored(folder)
    atomic.write(CONFIRMED, params["change"].encode(), 0o600)
    settle(folder)
    disarm(folder)
    return {"changed": True}


def word_for(folder: str, params: dict[str, Any], known: dict[str, Any]) -> str:
    """Returns the word by which a change is confirmed, once all is as wanted."""
    left = settled(params, known["stays"], known["goes"])
    if left:
        fail(folder, left)
    word = secrets.token_hex(8)
    atomic.write("%s/settled" % folder, word.encode(), 0o600)
    return word


def refusal(command: str) -> list[Any]:
    """Returns why the operator's own command does not confirm a change."""
    if not command:
        return []
    try:
        code, text = processes.ask(["/bin/sh", "-c", command], os.environ, COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        return ["the command that confirms the change took longer than %d seconds" % COMMAND_SECONDS]
    last = "\n".join(text.strip().splitlines()[-4:])
    return ["the command that confirms the change ended with %d:\n%s" % (code, last)] if code else []


def settled(params: dict[str, Any], stays: dict[str, Any], goes: dict[str, Any]) -> list[Any]:
    """Returns what is not as wanted after a while: the interfaces, what the host had of its own, what should be gone,
    and gateways that do not answer. All has to be as wanted twice: systemd-networkd may configure an interface anew."""
    end = time.monotonic() + SETTLE_SECONDS
    wanted = configured(params["networks"])
    left = unsettled(wanted, stays, goes)
    while True:
        time.sleep(0.5 if left else STEADY_SECONDS)
        before, left = left, unsettled(wanted, stays, goes)
        if not (before or left) or time.monotonic() > end:
            break
    for network in wanted if not left else []:
        if network.gateway and not interfaces.answers(network.gateway, network.interface):
            left.append("the gateway %s does not answer on %s" % (network.gateway, network.interface))
    return left


def unsettled(wanted: list[Network], stays: dict[str, Any], goes: dict[str, Any]) -> list[Any]:
    """Returns what is not as wanted now."""
    host = looking.Host(wanted)
    left = [reason for network in wanted for reason in looking.unlike(host, network)]
    return left + lost(host, stays) + remaining(host, goes)


def lost(host: looking.Host, stays: dict[str, Any]) -> list[Any]:
    """Returns what the host had of its own and has no more."""
    found = [
        "%s has lost its address %s" % (name, address)
        for name, address in stays["addresses"]
        if address not in host.interfaces.get(name, {"addresses": []})["addresses"]
    ]
    now = interfaces.gateways(host.routes)
    return found + [
        "the default route via %s on %s is lost" % (route["gateway"] or "no gateway", route["dev"])
        for route in stays["routes"]
        if route not in now
    ]


def remaining(host: looking.Host, goes: dict[str, Any]) -> list[Any]:
    """Returns what should be gone and is still there."""
    has = {name: state["addresses"] for name, state in host.interfaces.items()}
    found = ["%s is still there" % name for name in goes["interfaces"] if name in has]
    return found + [
        "%s still has the address %s" % (name, one) for name, one in goes["addresses"] if one in has.get(name, ())
    ]


def fail(folder: str, reasons: list[Any]) -> None:
    """Undoes a change and raises WindflowError E4100 with what was wrong."""
    undo(folder)
    well = os.path.exists("%s/restored" % folder)
    if well:
        disarm(folder)
    outcome = UNDONE if well else "The restore has not ended yet: see %s/log on the host." % folder
    remedy = "correct the configuration, then run again"
    said_so = "the host did not become what is wanted"
    raise WindflowError([Problem.plain("E4100", said_so, reason, remedy) for reason in reasons], outcome)


def restored(folder: str) -> None:
    """Raises WindflowError E4101 once the restore has ended."""
    wait_for("%s/restored" % folder, RESTORE_SECONDS if os.path.isdir(folder) else 0)
    disarm(folder)
    said_so = "nobody could reach the host after the change of its networks, so the host undid it"
    remedy = "correct the configuration, or raise the time that a change may take"
    raise WindflowError(Problem.plain("E4101", said_so, "", remedy), UNDONE)


def restore(params: dict[str, Any]) -> dict[str, Any]:
    """Undoes a change that its own run gives up."""
    folder = "%s/change-%s" % (kept.FOLDER, params["change"])
    if not os.path.isdir(folder):
        return {"changed": False}
    undo(folder)
    disarm(folder)
    return {"changed": True}
