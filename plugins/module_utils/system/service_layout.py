# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the services of a host look for what is put there for them, by their own configuration.

Distributions and the projects' own packages differ: nginx.org's nginx has no ``sites-enabled``, and runs as another
account; a Supervisor may take ``*.ini``, or have no unix socket.
"""

from __future__ import annotations

import configparser
import fnmatch
import glob
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NGINX = "/etc/nginx/nginx.conf"
# Of Debian, of the other families, and of the Supervisor that windflow installs from PyPI.
SUPERVISORS = ("/etc/supervisor/supervisord.conf", "/etc/supervisord.conf")
WINDFLOWS_SUPERVISOR = "/etc/windflow/supervisord.conf"
# Directories of nginx's sites, available and enabled; the first that its configuration includes is taken.
SITES = (
    ("sites-available", "sites-enabled"),
    ("vhosts.d", "vhosts.d"),
    ("conf.d", "conf.d"),
    ("http.d", "http.d"),
)
PROBE = "windflow-probe"
# Files of sites that nginx's configuration includes where it is as its package brought it.
ENABLED = ("sites-enabled/*", "vhosts.d/*.conf", "conf.d/*.conf", "http.d/*.conf")
# Of nginx's language: several directives may stand on one line, and one on several. A # begins a comment between words
# only.
COMMENT = re.compile(r"(?:^|(?<=[\s;{}]))#.*$", re.MULTILINE)
DIRECTIVE = r"(?:^|[\s;{}])%s\s+[\"']?"
INCLUDE = re.compile(DIRECTIVE % "include" + r"([^;\"']+)")
LISTEN = re.compile(DIRECTIVE % "listen" + r"([^;\s\"']+)([^;]*)")
ANY_ADDRESS = ("", "*", "0.0.0.0", "[::]")
DEFAULT_SERVER = re.compile(r"\bdefault(?:_server)?\b")
# Includes that lead in a circle are no configuration of nginx, but may stand there.
MOST_FILES = 1000


def nginx(conf: str = NGINX) -> dict[str, str]:
    """{"user", "available_dir", "enabled_dir", "problem"} by nginx's configuration; {} where there is none."""
    if not os.path.isfile(conf):
        return {}
    text, root = nginx_text(conf), os.path.dirname(conf)
    named = INCLUDE.findall(text)
    # A directory counts by where it really is, whatever names lead to it.
    included = [real_place(os.path.join(root, name.strip())) for name in named]
    user = re.search(r"^\s*user\s+([^;\s]+)", text, re.MULTILINE)
    found = {"user": user.group(1) if user else "", "problem": ""}
    for available, enabled in SITES:
        site = os.path.join(root, enabled, "%s.conf" % PROBE)
        if any(fnmatch.fnmatch(real_place(site), pattern) for pattern in included):
            places = {"available_dir": available, "enabled_dir": enabled}
            return dict(found, **{key: os.path.join(root, name) for key, name in places.items()})
    expected = ", ".join("%s/*" % os.path.join(root, enabled) for _available, enabled in SITES)
    return dict(found, problem="%s includes none of %s" % (conf, expected))


def real_place(path: str) -> str:
    """The path of a file, or of a pattern of files, by the real path of its directory."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def supervisor(conf: str = "") -> dict[str, str]:
    """{"conf", "program_dir", "program_ext", "problem"} by Supervisor's configuration; {} where there is none.
    Without ``conf``, the package's own."""
    conf = conf or next(filter(os.path.exists, SUPERVISORS), SUPERVISORS[0])
    found = _supervisor(conf)
    return dict(found, conf=conf) if found else {}


def _supervisor(conf: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    try:
        if not parser.read(conf):
            return {}
    except configparser.Error as error:
        return {"problem": "%s cannot be read: %s" % (conf, str(error).splitlines()[0])}
    root = os.path.dirname(conf)
    if not parser.has_section("unix_http_server") and not parser.has_section("inet_http_server"):
        return {
            "problem": "%s has neither [unix_http_server] nor [inet_http_server], so windflow cannot reach it" % conf
        }
    server = parser["unix_http_server" if parser.has_section("unix_http_server") else "inet_http_server"]
    if server.get("password", "").startswith("{SHA}"):
        return {"problem": "%s has a password in [%s] that cannot be sent, {SHA}…" % (conf, server.name)}
    patterns = parser.get("include", "files", fallback="").replace("%(here)s", root).split()
    for pattern in patterns:
        folder, name = os.path.split(os.path.join(root, pattern))
        matched = re.fullmatch(r"\*\.(\w+)", name)
        if matched and not re.search(r"[*?\[%]", folder):
            return {"program_dir": os.path.normpath(folder), "program_ext": matched.group(1), "problem": ""}
    got = "[include] with files = %s" % " ".join(patterns) if patterns else "no [include]"
    return {"problem": "%s has %s; files = %s/conf.d/*.conf is needed" % (conf, got, root)}


def adapted(table: dict[str, Any], found: dict[str, dict[str, str]] | None) -> dict[str, Any]:
    """The table of an OS family, with what its services say of themselves. ``found`` is ``layout`` of ``host_info``."""
    said = dict(found or {})
    return dict(
        table,
        **{
            name: dict(
                table[name], **{key: value for key, value in said.get(name, {}).items() if key in keys and value}
            )
            for name, keys in (
                ("nginx", ("user", "available_dir", "enabled_dir")),
                ("supervisor", ("conf", "program_dir", "program_ext")),
            )
            if name in table
        },
    )


def nginx_text(path: str) -> str:
    """A file of nginx's configuration without its comments; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return COMMENT.sub("", stream.read())
    except OSError:
        return ""


def nginx_files(conf: str = NGINX) -> dict[str, str]:
    """{path: text without comments} of nginx's configuration, of what it includes wherever that lies, and of the usual
    places, its own configuration first."""
    root = os.path.dirname(conf)
    usual = [os.path.join(glob.escape(root), pattern) for pattern in ENABLED]
    found: dict[str, str] = {}
    waiting = [conf]
    while (waiting or usual) and len(found) < MOST_FILES:
        if not waiting:
            waiting = sorted(glob.glob(usual.pop(0)))
            continue
        path = waiting.pop(0)
        if path in found or not os.path.isfile(path):
            continue
        found[path] = nginx_text(path)
        for name in INCLUDE.findall(found[path]):
            waiting += sorted(glob.glob(os.path.normpath(os.path.join(glob.escape(root), name.strip()))))
    return found


def listened(text: str) -> list[tuple[int, str, str]]:
    """(port, address, options) of the TCP ports that a file of nginx's listens on."""
    found = []
    for value, options in LISTEN.findall(text):
        port = re.search(r"(?:^|:)([0-9]+)\Z", value)
        if port:
            found.append((int(port.group(1)), value[: port.start()], options))
        elif not value.startswith("unix:"):
            found.append((80, value, options))
    return found


def listened_ports(conf: str = NGINX) -> dict[int, list[str]]:
    """{port: files} of the TCP ports that nginx's files listen on, its own configuration first."""
    found: dict[int, list[str]] = {}
    for path, text in nginx_files(conf).items():
        for port, _address, _options in listened(text):
            if port and path not in found.setdefault(port, []):
                found[port].append(path)
    return found


def sites_on(port: int, own: str, conf: str = NGINX) -> list[str]:
    """Files of nginx, other than those with the name ``own``, that listen on that port.

    nginx's own configuration counts where a default server cannot stand beside what is in it. The server that some
    families bring there is none, and yields to one.
    """
    found = []
    for path, text in nginx_files(conf).items():
        counts = any(
            number == port and (path != conf or address not in ANY_ADDRESS or DEFAULT_SERVER.search(options))
            for number, address, options in listened(text)
        )
        if counts and os.path.basename(path) != own:
            found.append(path)
    return sorted(found)
