# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to, as an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DONE = 0
PENDING = 2
INVALID = 3
PREFLIGHT = 4
FAILED_SAFE = 5
FAILED = 6
LOCKED = 7
UNREACHABLE = 8
INTERRUPTED = 130

WORST_FIRST = (INTERRUPTED, FAILED, FAILED_SAFE, UNREACHABLE, LOCKED, PREFLIGHT, INVALID, PENDING, DONE)
LEASE_HELD = "E5001"
# Another run came in between; nothing to roll back to, to restore or to unlock; others need what is to be removed or
# restored; hosts that were not named; a label that is taken: found out before anything was done.
REFUSED = ("E5005", "E5010", "E5011", "E5014", "E5015", "E5016", "E5017", "E5018")
# The host undid a change of its networks, before anything else of the plugin was changed.
NETWORKS_UNDONE = ("E4100", "E4101")
# ansible-playbook: the user interrupted it; something is wrong before any play (an option, an inventory, a playbook).
ANSIBLE_INTERRUPTED = 99
ANSIBLE_NOT_STARTED = (1, 2, 4, 5)


def exit_code(
    status: int, hosts: Mapping[str, Mapping[str, Any]] | None, check: bool = False, begins: bool = False
) -> int:
    """Returns the command's exit code.

    ``status`` is that of ansible-playbook, ``hosts`` what the callback ``windflow.platform.outcome`` wrote: for
    each host its state and, where it failed, code, restored and begun. Empty: no host matched. None: it wrote nothing.
    ``check``: the run only asked, so what it found is still to be done. ``begins``: the run changes no host before it
    has begun on its record.
    """
    if status in (INTERRUPTED, ANSIBLE_INTERRUPTED):
        return INTERRUPTED
    if hosts is None:
        return INVALID if status in ANSIBLE_NOT_STARTED else FAILED if status else DONE
    if not hosts and not status:
        # ansible-playbook ends well where no host matched.
        return PREFLIGHT
    codes = {of_host(host, check, begins) for host in hosts.values()}
    worst = next((code for code in WORST_FIRST if code in codes), DONE)
    # A run may fail where no host did: a play without hosts, a callback that broke.
    return FAILED if status and worst in (DONE, PENDING) else worst


def of_host(host: Mapping[str, Any], check: bool = False, begins: bool = False) -> int:
    """Returns what the run came to on one host."""
    if host["state"] == "unreachable":
        return UNREACHABLE
    if host["state"] == "failed":
        code = host.get("code", "")
        if code == LEASE_HELD:
            return LOCKED
        # After a run has begun, such a finding has not kept it from changing something.
        if not host.get("begun"):
            if code.startswith("E1"):
                return INVALID
            # Ansible's own faults have no code: no rights on the host, an option of a kind that it does not know.
            if code.startswith("E2") or code in REFUSED or begins and not code:
                return PREFLIGHT
        return FAILED_SAFE if host.get("restored") or code in NETWORKS_UNDONE else FAILED
    return PENDING if check and host.get("pending", host["state"] == "changed") else DONE
