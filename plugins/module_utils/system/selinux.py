# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SELinux has to allow so that nginx serves an application, and whether a host's policy has it.

nginx runs as ``httpd_t``. Without more rules, that domain may write neither to a socket below ``/opt`` nor connect to a
program that Supervisor has started, and may listen at a few ports only. The first two are one policy module in CIL per
plugin, which needs no compiler; the last is a port label.
"""

from __future__ import annotations

import bz2
import hashlib
import os
import re

from ..files.reading import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENFORCE = "/sys/fs/selinux/enforce"
OWN_LABEL = "/proc/self/attr/current"
CONFIG = "/etc/selinux/config"
STORE = "/var/lib/selinux"
# Where `semodule --install` puts a module by default.
PRIORITY = "400"
SOCKET_TYPE = "httpd_var_run_t"
# What a directory of that type has for its label: the second is its name in the newer reference policy.
SOCKET_TYPES = (SOCKET_TYPE, "httpd_runtime_t")
# Types of http_port_t and http_cache_port_t in the reference policy and in Fedora's: httpd_t may bind to both.
PORTS = {80, 81, 443, 488, 8008, 8009, 8080, 8118, 8123, 8443, 9000, *range(10001, 10011)}
# A program that systemd starts has one of them, by the distribution.
SERVICE_TYPES = ("unconfined_service_t", "initrc_t")
LABEL = "security.selinux"


def mode() -> str:
    """Returns ``enforcing``, ``permissive`` or, without SELinux, "".

    A kernel may have SELinux and no policy: then a process has no label of three parts or more.
    """
    if text_of(OWN_LABEL).count(":") < 2:
        return ""
    return {"1": "enforcing", "0": "permissive"}.get(text_of(ENFORCE).strip(), "")


def module_name(plugin: str) -> str:
    """Returns the name of a plugin's policy module."""
    return "windflow_%s" % re.sub(r"[^a-z0-9_]", "_", plugin)


def module_text(directory: str) -> str:
    """Returns the policy module, in CIL, with which nginx reaches the sockets in ``directory``.

    A policy that lacks a type ignores the optional block that names it.
    """
    lines = [
        '(filecon "%s(/.*)?" any (system_u object_r %s ((s0) (s0))))' % (re.escape(directory), SOCKET_TYPE),
        *(
            "(optional windflow_%s\n    (allow httpd_t %s (unix_stream_socket (connectto))))" % (name, name)
            for name in SERVICE_TYPES
        ),
    ]
    return "\n".join(lines) + "\n"


def digest(text: str) -> str:
    """Returns what two texts of a module are compared by; "" for no text."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def inspect(plugin: str, directory: str, port: int) -> dict[str, Any]:
    """Returns what the host has: {"mode", "module": digest of the module that is loaded, "labelled": whether the
    directory of the sockets has its label, "overruled": the type that it gets whatever a module says, or "", "port":
    whether nginx may listen at ``port``}."""
    found = mode()
    if not found:
        return {"mode": "", "module": "", "labelled": True, "overruled": "", "port": True}
    given = overruling(directory)
    return {
        "mode": found,
        "module": digest(_loaded(module_name(plugin))),
        "labelled": not directory or label_of(directory) in SOCKET_TYPES,
        "overruled": "" if given in SOCKET_TYPES else given,
        "port": not port or port in PORTS or _is_labelled(port),
    }


def label_of(path: str) -> str:
    """Returns the type in the label of a file, "" where it has none."""
    try:
        label = os.getxattr(path, LABEL, follow_symlinks=False)
    except OSError:
        return ""
    parts = label.rstrip(b"\0").decode("ascii", "replace").split(":")
    return parts[2] if len(parts) > 2 else ""


def overruling(path: str) -> str:
    """Returns the type that a directory gets whatever a module says, "" where modules decide.

    Labels of home directories come after those of modules, then those that somebody has set with ``semanage fcontext``:
    https://github.com/SELinuxProject/selinux/blob/main/libselinux/src/label_file.c. The last one that matches counts.
    """
    found = ""
    for name in ("file_contexts.homedirs", "file_contexts.local"):
        for line in text_of(os.path.join(_active(), name)).splitlines():
            fields = line.split()
            # pattern, kind of file if it is one only, label
            if len(fields) not in (2, 3) or fields[0].startswith("#") or (len(fields) == 3 and fields[1] != "-d"):
                continue
            label = fields[-1].split(":")
            if len(label) > 2 and _covers(fields[0], path):
                found = label[2]
    return found


def _covers(pattern: str, path: str) -> bool:
    """Whether a pattern of file_contexts is for the path. One that Python does not understand is for no directory."""
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:
        return False


def _loaded(name: str) -> str:
    """The text of a module of the active policy, "" where there is none."""
    path = os.path.join(_active(), "modules", PRIORITY, name, "cil")
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return ""
    # semodule compresses, unless semanage.conf says otherwise.
    return (bz2.decompress(content) if content.startswith(b"BZh") else content).decode("utf-8", "replace")


def _is_labelled(port: int) -> bool:
    """Whether somebody has given the port a label that nginx may bind to."""
    for line in text_of(os.path.join(_active(), "ports.local")).splitlines():
        found = re.match(r"portcon\s+tcp\s+(\d+)(?:-(\d+))?\s+\S+:(http_port_t|http_cache_port_t):", line)
        if found and int(found.group(1)) <= port <= int(found.group(2) or found.group(1)):
            return True
    return False


def _active() -> str:
    """The directory of the active policy."""
    found = re.search(r"(?m)^\s*SELINUXTYPE\s*=\s*(\w+)", text_of(CONFIG))
    return os.path.join(STORE, found.group(1) if found else "targeted", "active")
