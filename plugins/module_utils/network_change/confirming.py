# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change of networks is confirmed: by whoever reaches the host again after all was as wanted."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time

from ..errors import Problem, WindflowError
from ..files import atomic
from ..files.reading import text_of
from ..network import interfaces, kept, looking
from ..network.wanted import Network, configured
from ..system import processes
from . import undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How long the host has to become what is wanted after the commands have ended: duplicate addresses are looked for, a
# bond looks at its members.
SETTLE_SECONDS = 15.0
STEADY_SECONDS = 1.0
# Has the number of the last change that was confirmed.
CONFIRMED = "/run/windflow-network-confirmed"
# How long the operator's own command may take that confirms a change.
COMMAND_SECONDS = 30.0


def confirm(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the word for a change after which all is as wanted, or ends it well for who has the word already.

    Raises WindflowError E4100 where not all is as wanted, after it was undone, and E4101 where the restore has run.
    """
    folder = "%s/change-%s" % (kept.FOLDER, params["change"])
    if text_of(CONFIRMED) == params["change"]:
        # The answer of before was lost.
        return {"changed": True}
    undoing.wait_for("%s/applied" % folder, params["seconds"])
    code = text_of("%s/applied" % folder).strip()
    if code not in ("", "0"):
        # The change has begun its own restore.
        fail(folder, ["a command failed:\n%s" % undoing.log_of(folder)])
    if undoing.claim_of(folder) == "restore" or code != "0":
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
    undoing.disarm(folder)
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
    undoing.undo(folder)
    well = os.path.exists("%s/restored" % folder)
    if well:
        undoing.disarm(folder)
    outcome = undoing.UNDONE if well else "The restore has not ended yet: see %s/log on the host." % folder
    remedy = "correct the configuration, then run again"
    said_so = "the host did not become what is wanted"
    raise WindflowError([Problem.plain("E4100", said_so, reason, remedy) for reason in reasons], outcome)


def restored(folder: str) -> None:
    """Raises WindflowError E4101 once the restore has ended."""
    undoing.wait_for("%s/restored" % folder, undoing.RESTORE_SECONDS if os.path.isdir(folder) else 0)
    undoing.disarm(folder)
    said_so = "nobody could reach the host after the change of its networks, so the host undid it"
    remedy = "correct the configuration, or raise the time that a change may take"
    raise WindflowError(Problem.plain("E4101", said_so, "", remedy), undoing.UNDONE)


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
