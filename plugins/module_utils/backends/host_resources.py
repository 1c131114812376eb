# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host remembers of an application that is straight on the machine."""

from __future__ import annotations

from typing import Any


def resources(plan: dict[str, Any]) -> dict[str, Any]:
    """What the host is asked to remember at the end of the run, and is compared with afterwards."""
    steps = plan["steps"]
    database = steps["database"]
    mine = database["managed"] and database["local"]
    wall = steps["services"]["firewall"]
    found = {
        "packages": steps["packages"]["all"],
        "services": steps["services"]["all"],
        "database": {key: database[key] for key in ("name", "user", "port")} if mine else {},
    }
    if wall["backend"] and wall["port"]:
        found["firewall"] = {key: wall[key] for key in ("backend", "port")}
    rules = steps["services"]["selinux"]
    if rules["name"]:
        found["selinux"] = {key: rules[key] for key in ("name", "module", "directory", "port")}
    if steps["network"]["networks"]:
        found["networks"] = steps["network"]["networks"]
    if plan["host"]["program"]:
        found.update(program_resources(plan))
    if steps["network"]["files"]:
        files = [{"path": path, "step": "network"} for path in steps["network"]["files"]]
        found["paths"] = [*found.get("paths", []), *files]
    return found


def program_resources(plan: dict[str, Any]) -> dict[str, Any]:
    """The same, of a program."""
    host, steps, table = plan["host"], plan["steps"], plan["host"]["os"]
    release_dir = "%s/releases/%s" % (host["install_dir"], plan["release"])
    site = "windflow-%s.conf" % plan["plugin"]
    paths = [
        (entry["path"], name)
        for name in ("directories", "volumes")
        for entry in steps[name]["entries"]
        if "owner" in entry
    ]
    paths += [
        ("%s/config.yaml" % release_dir, "config"),
        ("%s/config.yaml" % host["config_dir"], "config"),
        (
            "%s/%s.%s" % (table["supervisor"]["program_dir"], host["program"], table["supervisor"]["program_ext"]),
            "program",
        ),
        ("%s/current" % host["install_dir"], "application"),
        ("%s/venv" % release_dir, "virtualenv"),
    ]
    if host["port"]:
        directories = (table["nginx"]["available_dir"], table["nginx"]["enabled_dir"])
        paths += [("%s/%s" % (directory, site), "site") for directory in directories]
    return {
        "volumes": host["storage"],
        "paths": [{"path": path, "step": step} for path, step in paths],
        "trees": [
            {"root": "%s/app" % release_dir, "step": "application"},
            {"root": steps["virtualenv"]["path"], "step": "virtualenv"},
        ],
        "program": {
            "sockets": host["sockets"],
            "name": host["program"],
            "conf": table["supervisor"]["conf"],
            "logs": [
                "%s/windflow-%s-%d.log" % (host["program_log_dir"], plan["plugin"], number)
                for number in range(host["replicas"])
            ],
        },
    }


def revision(plan: dict[str, Any]) -> dict[str, Any]:
    """What the record keeps of a revision of this backend, besides what it keeps of every one."""
    return {
        "venv": plan["steps"]["virtualenv"]["name"],
        "port": plan["host"]["port"],
        "host": plan["host"],
        "database": plan["resources"]["database"],
    }
