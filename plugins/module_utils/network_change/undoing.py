# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change of networks is undone: by a script that systemd, or a process that outlives the session, runs later.

Each change has a directory of its own; the script ``restore`` in it can be run by hand. Restore and confirmation
exclude each other by the link ``claimed`` in it, which only one of them can make.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time

from ..files import atomic
from ..files.reading import text_of
from ..network.backend import said
from ..system.inspect_host import init_system

UNDONE = "The networks are again as they were before."
RESTORE_SECONDS = 90.0
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


def claim_of(folder: str) -> str:
    """Returns who has claimed a change: ``confirm``, ``restore`` or ""."""
    try:
        return os.readlink("%s/claimed" % folder)
    except OSError:
        return ""


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
