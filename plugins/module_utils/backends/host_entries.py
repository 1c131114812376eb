# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account, the directories and the volumes of an application that is straight on the machine."""

from __future__ import annotations

from typing import Any

from ..config.adoption import adopts
from ..config.loading import Config
from ..storage import compare, volumes
from .backend import BackendBase
from .steps import Step, digest, entries_step, parents


def all_entries(backend: BackendBase, nginx_group: str) -> list[dict[str, str]]:
    """The directories of an application, its volumes among them, and where volumes are mounted."""
    places, given = backend.layout, backend.config.get("storage.volumes", [])
    mounted = [
        {"path": volume["path"], "state": "directory", "owner": places["user"], "group": places["group"], "mode": ""}
        for volume in given
        if volumes.kind_of(volume) != "directory"
    ]
    return directory_entries(places, nginx_group) + volume_entries(backend) + mounted


def directory_entries(places: dict[str, str], nginx_group: str) -> list[dict[str, str]]:
    """The directories of an application, those above them first."""

    def entry(path: str, owner: str, group: str, mode: str) -> dict[str, str]:
        return {"path": path, "state": "directory", "owner": owner, "group": group, "mode": mode}

    user, group, install_dir = places["user"], places["group"], places["install_dir"]
    entries = [
        entry(install_dir, "root", "root", "0755"),
        entry("%s/releases" % install_dir, "root", "root", "0755"),
        entry("%s/venvs" % install_dir, "root", "root", "0755"),
        entry(places["shared_dir"], user, group, "0750"),
        # Of nginx's group is what the program makes there, too, and so the socket that it listens on.
        entry(places["run_dir"], user, nginx_group, "02750"),
        entry(places["data_dir"], user, group, "0750"),
        entry(places["log_dir"], user, group, "0750"),
        entry("/var/log/windflow", "root", "root", "0755"),
        entry(places["program_log_dir"], "root", group, "0750"),
        entry("/etc/windflow", "root", "root", "0755"),
        entry(places["config_dir"], "root", group, "0750"),
    ]
    # Data and logs may be in one.
    entries = list({item["path"]: item for item in entries}.values())
    return parents([item["path"] for item in entries]) + entries


def volume_entries(backend: BackendBase) -> list[dict[str, str]]:
    """The volumes that are directories, and the directories above them first."""
    places = backend.layout
    entries = [
        {
            "path": volume["path"],
            "state": "directory",
            "owner": places["user"],
            "group": places["group"],
            "mode": volumes.MODE,
            **{key: given for key, given in (volume.get("options") or {}).items() if key in compare.OWNED and given},
        }
        for volume in backend.config.get("storage.volumes", [])
        if volumes.kind_of(volume) == "directory"
    ]
    return parents([item["path"] for item in entries]) + entries


def backing_places(config: Config) -> list[str]:
    """Where volumes in files need room, if there are any."""
    given = config.get("storage.volumes", [])
    return [volumes.BACKING_DIR] if any(volumes.kind_of(volume) == "file" for volume in given) else []


def volume_sizes(config: Config) -> dict[str, tuple[str, float]]:
    """{path: (its key in the configuration, GB that have to be free)} of the volumes that are directories and say
    so."""
    return {
        volume["path"]: ("storage.volumes[%d].size_gb" % index, volume["size_gb"])
        for index, volume in enumerate(config.get("storage.volumes", []))
        if volumes.kind_of(volume) == "directory" and volume.get("size_gb")
    }


def mounted_volumes(backend: BackendBase, host: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The volumes that have a file system of their own; without ``host``, as far as they are known before it is
    asked."""
    if not backend.manifest.host_section.program:
        return []
    places = backend.layout
    systemd = host is None or host["facts"]["init"] == "systemd"
    given = backend.config.get("storage.volumes", [])
    found = volumes.volumes(given, places["user"], places["group"], systemd, backend.manifest.name)
    return [volume for volume in found if compare.is_mounted(volume)]


def mount_lines(mounted: list[dict[str, Any]]) -> list[list[str]]:
    """The lines of fstab of the volumes."""
    return [compare.fstab_line(volume, volume["path"]) for volume in mounted]


def mount_points(mounted: list[dict[str, Any]], facts: dict[str, Any]) -> list[str]:
    """Where the volumes are mounted, without links, as the host's table of mounts names it."""
    return [facts["volumes"][volume["path"]]["at"] for volume in mounted]


def recorded_volumes(host: dict[str, Any]) -> list[dict[str, Any]]:
    """The mounted volumes of the deployed revision; one of an earlier version of the platform has none."""
    return ((host["current"] or {}).get("host") or {}).get("storage", [])


def volumes_step(backend: BackendBase, host: dict[str, Any]) -> Step:
    """Directories, and what is mounted. ``gone`` are volumes of the deployed revision that are not wanted any more."""
    step = entries_step(volume_entries(backend), adopts(backend.config, "directories"))
    mounted = mounted_volumes(backend, host)
    paths = {volume["path"] for volume in backend.config.get("storage.volumes", [])}
    recorded = recorded_volumes(host)
    gone = [volume for volume in recorded if volume["path"] not in paths]
    if mounted or recorded:
        step.digest = digest([step.data["entries"], mounted])
    drift = [item for item in host["drift"] if item["step"] == "volumes"]
    step.why.extend(volumes.reasons(mounted, host["facts"]["volumes"], drift))
    step.data.update(mounted=mounted, gone=gone)
    return step


def account_step(backend: BackendBase, host: dict[str, Any], table: dict[str, Any]) -> Step:
    """What was made for the plugin is brought to what is wanted; what is adopted is used as it is."""
    places = backend.layout
    wanted = {"group": places["group"], "home": places["data_dir"], "shell": table["nologin"]}
    adopt = [kind for kind in ("account", "group") if adopts(backend.config, kind)]
    step = Step(data={"user": places["user"], **wanted, "adopt": adopt})
    found = host["facts"]["account"]
    if found is None:
        step.why.append("user %s does not exist" % places["user"])
    elif places["user"] in host["made"]["account"]:
        step.why.extend(
            "user %s has %s %s instead of %s" % (places["user"], key, found[key], value)
            for key, value in wanted.items()
            if found[key] != value
        )
    return step
