# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths per OS family: the files ``roles/host/vars/*.yml``.

A file is named after the family, or after the family and what distinguishes a distribution or a major version
(``suse-15``, ``redhat-fedora``). Such a file holds only what differs; the rest comes from the file whose name is the
beginning of its own.
"""

from __future__ import annotations

import functools
from typing import Any

from ..collection import ROOT
from ..config.loading import Config
from ..errors import Problem, WindflowError
from ..system.inspect_host import choose
from ..system.service_layout import WINDFLOWS_SUPERVISOR, adapted
from ..text.documents import read
from ..text.wording import listed, show

VARS = ROOT / "roles" / "host" / "vars"
PACKAGE, VENV = "package", "venv"
# The Supervisor that comes from PyPI, instead of what the table says of the package.
OWN_SUPERVISOR = {
    "source": VENV,
    "conf": WINDFLOWS_SUPERVISOR,
    "program_dir": "/etc/windflow/supervisor.d",
    "program_ext": "conf",
}
OWN_SERVICE = "windflow-supervisord"


@functools.lru_cache(maxsize=None)
def _documents() -> dict[str, dict[str, Any]]:
    """{name: what its file has}."""
    return {path.stem: read(path).data for path in sorted(VARS.glob("*.yml"))}


@functools.lru_cache(maxsize=None)
def load_all() -> dict[str, dict[str, Any]]:
    """{name: table}; each table knows its family. ``inspect_host.choose`` finds the one of a host."""
    files = {name: document["__host_os"] for name, document in _documents().items()}
    return {name: {**inherited(name, files), "family": name.split("-")[0]} for name in files}


def find(name: str, distribution: str = "", version: str = "") -> dict[str, Any]:
    """The table of a system, by its family's name or by what ``ansible_facts`` calls family, distribution and version.

    Raises WindflowError (E2003) for a family that no table is for.
    """
    facts = {document["__host_os_family"].lower(): key for key, document in _documents().items() if "-" not in key}
    family = facts.get(name.lower(), name)
    found = choose(load_all(), {"family": family, "id": distribution.lower(), "version": version})
    if not found or not found["supported"]:
        remedy = "choose another host, or name its family" if name else "gather facts, or name the family"
        expected = "an OS family that the roles support (%s)" % listed(facts.values())
        raise WindflowError(Problem("E2003", expected, show(name) if name else "none", remedy))
    return found


def inherited(name: str, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The table ``name``, with what it does not say from the tables that it is a special case of."""
    parts = name.split("-")
    found: dict[str, Any] = {}
    for length in range(1, len(parts) + 1):
        found = merged(found, files.get("-".join(parts[:length]), {}))
    return found


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Maps of maps merge; any other value takes the place of the one before."""
    found = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if both else value
    return found


def settle(config: Config, host: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The table of one host by what it is, has and is to have; and the host's answer without what it needs not have.

    The table is None for a system that has none. ``host`` is the answer of ``host_info``.
    """
    table = choose(load_all(), host["facts"]["os"])
    if table is None:
        return None, host
    table = with_python(table, config.get("app.python", ""))
    packages, service = table["packages"]["supervisor"], table["services"]["supervisor"]
    if supervisor_source(table, config, host) == VENV:
        table = merged(table, {"supervisor": OWN_SUPERVISOR, "packages": {"supervisor": []}})
        table["services"]["supervisor"] = OWN_SERVICE
        needless = {*packages, service}
    else:
        table = merged(table, {"supervisor": {"source": PACKAGE}})
        needless = {OWN_SERVICE}
    labels = host["facts"].get("selinux") or {"mode": "", "port": True}
    if labels["port"]:
        # They label a port for SELinux.
        needless.update(table["packages"]["selinux"])
    known = {key: [name for name in host[key] if name not in needless] for key in ("packages", "missing_packages")}
    services = {name: state for name, state in host["services"].items() if name not in needless}
    layout = dict(host.get("layout") or {})
    if table["supervisor"]["source"] == VENV:
        layout["supervisor"] = {}
    if table["nginx"]["include"]:
        said = layout.get("nginx") or {}
        table = merged(table, {"nginx": {"include": "" if said.get("enabled_dir") else table["nginx"]["include"]}})
        layout["nginx"] = {**said, "problem": ""}
    return adapted(table, layout), {**host, **known, "services": services, "layout": layout}


def supervisor_source(table: dict[str, Any], config: Config, host: dict[str, Any]) -> str:
    """``package`` or ``venv``: as configured, else what the host has already, else what its repositories have."""
    wanted = config.get("host.supervisor_source", "auto")
    if wanted != "auto":
        return wanted
    if host["services"].get(OWN_SERVICE, {}).get("exists"):
        return VENV
    if not set(table["packages"]["supervisor"]) & set(host["missing_packages"]):
        return PACKAGE
    available = host.get("available", {}).get("supervisor")
    if available is None:
        return table["supervisor"]["source"]
    return PACKAGE if available else VENV


def with_python(table: dict[str, Any], version: str) -> dict[str, Any]:
    """The table for virtual environments of another minor version of Python, such as ``3.12``."""
    other = table["python"]["other"]
    if not version or not other:
        return table
    names = {"dotted": version, "plain": version.replace(".", "")}
    return merged(
        table,
        {
            "packages": {"python": [name.format(**names) for name in other["packages"]]},
            "python": {"interpreter": other["interpreter"].format(**names)},
        },
    )
