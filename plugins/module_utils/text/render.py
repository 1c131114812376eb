# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's Jinja template and values into the text of a file. Values are data and never templates."""

from __future__ import annotations

import functools
import hashlib
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..collection import ROOT
from ..errors import Problem, WindflowError
from . import encoders
from .thirdparty import MISSING, jinja2, require

ROLES = ROOT / "roles"
PROGRAM_TEMPLATE = ROLES / "host_supervisor/templates/etc/supervisor/conf.d/windflow.conf.j2"
SITE_TEMPLATE = ROLES / "host_nginx/templates/etc/nginx/sites-available/windflow.conf.j2"
# What the roles write where no plugin is deployed.
OWN_PROGRAM_TEMPLATE = ROLES / "host_supervisor/templates/program.conf.j2"
OWN_SITE_TEMPLATE = ROLES / "host_nginx/templates/site.conf.j2"
OWN_PROGRAM = {"directory": "/", "user": "root", "environment": {}, "processes": 1, "stop_seconds": 10, "log": ""}
OWN_SITE = {"port": 80, "ipv6": False, "default": False, "server_names": [], "proxy": "", "root": "", "directives": []}

# Waits until each path before -- is mounted, then becomes the command behind it. The table of mounts is read and not
# the path: that would wait for a server that does not answer. A field of the table stands between blanks.
WAIT = (
    'while [ "$1" != -- ]; do grep -qF " $1 " /proc/self/mounts || echo "waiting until $1 is mounted"; '
    'until grep -qF " $1 " /proc/self/mounts; do sleep 1; done; shift; done; shift; exec "$@"'
)
# After its time-out a request is still answered or killed by the application server; only then Supervisor kills.
STOP_MARGIN = 10


@functools.lru_cache(maxsize=None)
def _environment() -> Any:
    require()
    # The output is no markup: autoescape would change values. The encoders are the escaping.
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(encoders.FILTERS)
    return environment


@functools.lru_cache(maxsize=None)
def _template(path: Path) -> Any:
    return _environment().from_string(path.read_text(encoding="utf-8"))


def compile_templates() -> None:
    """Compiles the templates of a release. Who renders them in several processes calls it before it forks those. A
    package that is missing is told where something is rendered."""
    for path in () if MISSING else (PROGRAM_TEMPLATE, SITE_TEMPLATE):
        _template(path)


def render(template_path: str | Path, values: Mapping[str, Any]) -> str:
    """Text of the template with ``values``. An undefined name is a fault of the template and raises."""
    return _template(Path(template_path)).render(values)


def program_argv(values: Mapping[str, Any]) -> list[str]:
    """The command of one instance; ``encoders.INSTANCE`` stands for its number."""
    socket = "%s/%s-%s.sock" % (values["run_dir"], values["release"], encoders.INSTANCE)
    if values.get("command"):
        return custom_argv(values["command"], socket, values)
    # The virtual environment is named by the release's link, so that the command says which release runs.
    argv = [
        "%s/venv/bin/gunicorn" % values["release_dir"],
        "--bind=unix:%s" % socket,
        "--workers=%d" % values["workers"],
        "--timeout=%d" % values["timeout"],
        "--graceful-timeout=%d" % values["timeout"],
        # The workers' heartbeat files: on a disk a slow write looks like a dead worker.
        "--worker-tmp-dir=/dev/shm",
        "--name=windflow-%s-%s" % (values["plugin"], values["release"]),
    ]
    if values.get("asgi"):
        return [*argv, "--worker-class=uvicorn_worker.UvicornWorker", values["asgi"]]
    return [*argv, values["wsgi"]]


def after_mounts(mounts: list[str], argv: list[str]) -> list[str]:
    """The command that starts when the volumes are mounted, also after a restart of the host. Supervisor itself, and
    what else it runs, does not wait."""
    fields = [path.replace("\\", "\\134").replace(" ", "\\040") for path in mounts]
    return ["/bin/sh", "-c", WAIT, "windflow-wait", *fields, "--", *argv] if mounts else argv


def custom_argv(command: list[str], socket: str, values: Mapping[str, Any]) -> list[str]:
    """A plugin's own command with its placeholders filled in. ``{{`` and ``}}`` are braces."""
    known = {
        "socket": socket,
        "workers": str(values["workers"]),
        "timeout": str(values["timeout"]),
        "venv": "%s/venv" % values["release_dir"],
        "app": values["app_dir"],
    }
    argv = []
    for argument in command:
        if encoders.INSTANCE in argument:
            raise WindflowError(Problem("E1191", "no control characters in host.command", repr(argument)))
        parts = []
        for literal, name, form, conversion in string.Formatter().parse(argument):
            if name is not None and (name not in known or form or conversion):
                expected = "a placeholder of %s in host.command" % ", ".join("{%s}" % key for key in known)
                raise WindflowError(
                    Problem("E1188", expected, "{%s}" % name, "use one of these, or {{ and }} for braces")
                )
            parts += [literal, known[name] if name is not None else ""]
        argv.append("".join(parts))
    # A program without a path is one of the virtual environment.
    if "/" not in argv[0]:
        argv[0] = "%s/venv/bin/%s" % (values["release_dir"], argv[0])
    return argv


def program_file(values: Mapping[str, Any]) -> str:
    """Supervisor's file of one release: a group of ``replicas`` processes, each on its own socket.

    ``program_log_dir`` (``log_dir`` where it is not given) is where Supervisor writes what the processes
    print. Supervisor opens those files as root, so the application should not be able to write there.
    """
    return render(
        PROGRAM_TEMPLATE,
        {
            "program_log_dir": values["log_dir"],
            **values,
            "argv": after_mounts(values.get("mounts") or [], program_argv(values)),
            "stop_seconds": int(values["timeout"]) + STOP_MARGIN,
        },
    )


def site_file(values: Mapping[str, Any]) -> str:
    """nginx's site of one release. No allowed host, or ``*`` among them, means any name."""
    allowed = list(values["allowed_hosts"])
    return render(
        SITE_TEMPLATE,
        {
            **values,
            "server_names": [] if "*" in allowed else allowed,
            # Both ends need the slash: without it a request could climb out of the directory.
            "static": {
                "%s/" % prefix.rstrip("/"): "%s/%s/" % (values["app_dir"], folder.strip("/"))
                for prefix, folder in sorted((values.get("static") or {}).items())
            },
            # nginx allows no hyphens in a variable's name and has a table with short rows for them.
            "variable": "windflow_%s" % hashlib.sha256(values["plugin"].encode()).hexdigest()[:8],
        },
    )


def own_program_file(program: Mapping[str, Any]) -> str:
    """Supervisor's file of a program that belongs to no plugin, as the role host_supervisor describes it."""
    given = {key: value for key, value in program.items() if value is not None}
    return render(OWN_PROGRAM_TEMPLATE, {"options": {}, **OWN_PROGRAM, **given})


def own_site_file(site: Mapping[str, Any]) -> str:
    """nginx's file of a site that belongs to no plugin, as the role host_nginx describes it."""
    given = {key: value for key, value in site.items() if value is not None}
    return given.get("content") or render(OWN_SITE_TEMPLATE, {**OWN_SITE, **given})
