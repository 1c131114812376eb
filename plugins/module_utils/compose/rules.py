# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose project may have without asking, and what needs a word in ``compose.allow``.

It judges the effective model, as ``docker compose config`` prints it. What is harmless is listed; everything else is
a finding. A finding has the kind by which the plugin may ask for it, or no kind where there is no way.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any


# What a plugin may ask for by name. Each of them is as good as root's rights on the host, or reaches what is not
# the plugin's own.
ALLOWED = (
    *("build-secrets", "capabilities", "devices", "docker-socket", "external", "host-namespaces", "host-network"),
    *("host-paths", "logging", "privileged", "remote-build", "runtime", "security-options", "sysctls"),
    "volume-drivers",
)
SERVICE = frozenset(
    (
        *("annotations", "attach", "blkio_config", "cap_drop", "command", "container_name", "cpu_count", "cpu_percent"),
        *("cpu_period", "cpu_quota", "cpu_shares", "cpus", "cpuset", "depends_on", "develop", "dns", "dns_opt"),
        *("dns_search", "domainname", "entrypoint", "environment", "expose", "extra_hosts", "group_add"),
        *("healthcheck", "hostname", "image", "init", "isolation", "mac_address", "mem_limit", "mem_reservation"),
        *("mem_swappiness", "memswap_limit", "name", "oom_score_adj", "pids_limit", "platform", "ports", "profiles"),
        *("pull_policy", "read_only", "restart", "scale", "shm_size", "stdin_open", "stop_grace_period"),
        *("stop_signal", "storage_opt", "tmpfs", "tty", "ulimits", "user", "working_dir"),
    )
)
BUILD = frozenset(
    (
        *("args", "dockerfile_inline", "extra_hosts", "isolation", "labels", "no_cache", "platforms", "provenance"),
        *("pull", "sbom", "shm_size", "target", "ulimits"),
    )
)
TOP = frozenset(("configs", "name", "networks", "secrets", "services", "version", "volumes"))
DEPLOY = frozenset(
    (
        *("endpoint_mode", "labels", "mode", "placement", "replicas", "resources", "restart_policy"),
        *("rollback_config", "update_config"),
    )
)
OWN_LABELS = ("windflow.", "com.docker.compose.", "com.docker.stack.", "com.docker.swarm.")
SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock", "docker_engine")
LOGGING = ("", "json-file", "local", "none", "journald")
NETWORK_DRIVERS = ("", "bridge", "overlay", "default")
NETWORK_OPTIONS = ("com.docker.network.driver.mtu", "encrypted")
REMOTE = ("git@", "github.com/", "gitlab.com/", "bitbucket.org/", "docker-image:", "oci:")


@dataclass(frozen=True)
class Finding:
    """``kind`` is one of ``ALLOWED``, or empty where nothing allows it; ``what`` is to be read by people."""

    kind: str
    place: str
    what: str


@dataclass(frozen=True)
class Own:
    """What belongs to the plugin: its project, its directories, the networks and labels that the platform adds."""

    project: str
    release_dir: str
    shared_dir: str
    networks: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Returns whether a path is the plugin's own, whatever dots are in it."""
        path = os.path.normpath(path)
        places = (
            *("%s/%s" % (self.release_dir, name) for name in ("app", "secrets")),
            self.shared_dir,
        )
        files = ["%s/%s" % (self.release_dir, name) for name in ("config.yaml", ".env")]
        return path in files or any(below(path, place) for place in places)


def below(path: str, place: str) -> bool:
    """Returns whether ``path`` is ``place`` or lies in it."""
    return path == place or path.startswith(place.rstrip("/") + "/")


def judge(model: Mapping[str, Any], own: Own) -> list[Finding]:
    """Everything in the model that is not allowed without asking, in order."""
    found = [Finding("", key, "the key %s" % key) for key in unlisted(model, TOP)]
    for name, service in sorted(entries(model, "services")):
        found += of_service("service %s" % name, service, own)
    for name, volume in sorted(entries(model, "volumes")):
        found += of_volume("volume %s" % name, volume, own)
    for name, network in sorted(entries(model, "networks")):
        found += of_network("network %s" % name, network, own)
    for kind in ("secrets", "configs"):
        for name, item in sorted(entries(model, kind)):
            found += of_file("%s %s" % (kind[:-1], name), item, own)
    return list(dict.fromkeys(found))


def refused(found: Iterable[Finding], allowed: Iterable[str]) -> list[Finding]:
    """Returns the findings that ``compose.allow`` does not name."""
    return [item for item in found if not item.kind or item.kind not in allowed]


def problem(code: str, item: Finding) -> Problem:
    """A finding in words."""
    remedy = "remove it"
    if item.kind:
        remedy += ", or write allow: [%s] in the section compose of plugin.yml" % item.kind
    said = "the plugin does not allow this right over the host" if item.kind else "no plugin may have this"
    what = "%s (%s)" % (item.what, item.kind) if item.kind else item.what
    return Problem.plain(code, said, "%s: %s" % (item.place, what), remedy, path="compose")


def entries(model: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    value = model.get(key)
    return [(str(name), item or {}) for name, item in value.items()] if isinstance(value, dict) else []


def unlisted(data: Any, listed: Collection[str]) -> list[str]:
    """Keys that are set and are not among ``listed``."""
    if not isinstance(data, dict):
        return []
    unset: tuple[Any, ...] = (None, False, [], {}, "")
    return sorted(
        str(key)
        for key, value in data.items()
        if key not in listed and not str(key).startswith("x-") and value not in unset
    )


def of_service(place: str, service: Any, own: Own) -> list[Finding]:
    found = []

    def add(kind: str, what: str) -> None:
        found.append(Finding(kind, place, what))

    for key in unlisted(service, SERVICE):
        value = service[key]
        if key in JUDGES:
            found += JUDGES[key](place, value, own)
        elif key in KINDS:
            add(KINDS[key], "%s: %s" % (key, short(value)))
        else:
            add("", "the key %s, which the platform does not know" % key)
    return found


def items(value: Any) -> list[Any]:
    """Returns the items of what Compose writes as a list, a map or a single value."""
    if isinstance(value, dict):
        return ["%s=%s" % pair for pair in value.items()]
    if isinstance(value, (list, tuple)):
        return list(value)
    return [] if value in (None, "", False) else [value]


def short(value: Any) -> str:
    text = ", ".join(str(item) for item in items(value))
    return text if len(text) <= 80 else text[:79] + "…"


def of_namespace(key: str) -> Callable[[str, Any, Own], list[Finding]]:
    """A judge of ``pid``, ``ipc``, ``uts``, ``cgroup`` and ``userns_mode``."""

    def judge_it(place: str, value: Any, own: Own) -> list[Finding]:
        text = str(value)
        if text in ("private", "shareable", "none") or text.startswith("service:"):
            return []
        kind = "external" if text.startswith("container:") else "host-namespaces"
        return [Finding(kind, place, "%s: %s" % (key, text))]

    return judge_it


def of_network_mode(place: str, value: Any, _own: Own) -> list[Finding]:
    text = str(value)
    if text in ("none", "bridge", "default") or text.startswith("service:"):
        return []
    return [Finding("host-network" if text == "host" else "external", place, "network_mode: %s" % text)]


def of_security(place: str, value: Any, _own: Own) -> list[Finding]:
    harmless = ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true")
    return [
        Finding("security-options", place, "security_opt: %s" % item) for item in items(value) if item not in harmless
    ]


def of_logging(place: str, value: Any, _own: Own) -> list[Finding]:
    driver = str((value.get("driver") if isinstance(value, dict) else value) or "")
    return [] if driver in LOGGING else [Finding("logging", place, "logging driver %s" % driver)]


def of_labels(place: str, value: Any, own: Own) -> list[Finding]:
    names = value if isinstance(value, dict) else [str(item).partition("=")[0] for item in items(value)]
    return [
        Finding("", place, "label %s, which belongs to the platform or the engine" % name)
        for name in sorted(map(str, names))
        if name.startswith(OWN_LABELS) and name not in own.labels
    ]


def of_deploy(place: str, value: Any, own: Own) -> list[Finding]:
    found = [Finding("", place, "the key deploy.%s" % key) for key in unlisted(value, DEPLOY)]
    value = value if isinstance(value, dict) else {}
    found += of_labels(place, value.get("labels"), own)
    resources = value.get("resources") or {}
    for group in ("reservations", "limits"):
        for key in ("devices", "generic_resources"):
            if (resources.get(group) or {}).get(key):
                found.append(Finding("devices", place, "deploy.resources.%s.%s" % (group, key)))
    return found


def of_hooks(place: str, value: Any, _own: Own) -> list[Finding]:
    """Commands in the service's own container: harmless, unless they want more rights than that has."""
    return [
        Finding("privileged", place, "a privileged hook of the container")
        for item in items(value)
        if isinstance(item, dict) and item.get("privileged")
    ]


def of_volumes_from(place: str, value: Any, _own: Own) -> list[Finding]:
    return [
        Finding("external", place, "volumes_from: %s" % item)
        for item in items(value)
        if str(item).startswith("container:")
    ]


def of_files(key: str) -> Callable[[str, Any, Own], list[Finding]]:
    """A judge of ``env_file``, ``label_file``: what Compose reads as root and hands to the container."""

    def judge_it(place: str, value: Any, own: Own) -> list[Finding]:
        found = []
        for item in items([value] if isinstance(value, dict) else value):
            path = str(item.get("path", "") if isinstance(item, dict) else item)
            found += [] if own.holds(path) else [Finding("host-paths", place, "%s: %s" % (key, path))]
        return found

    return judge_it


def of_references(_place: str, _value: Any, _own: Own) -> list[Finding]:
    """Returns what a service names of its own project: judged where it is defined."""
    return []


def of_networks(place: str, value: Any, own: Own) -> list[Finding]:
    found = []
    for name, data in value.items() if isinstance(value, dict) else ():
        if name in own.networks and unlisted(data, ()):
            found.append(Finding("external", place, "settings of its own in network %s" % name))
    return found


def of_mounts(place: str, value: Any, own: Own) -> list[Finding]:
    found = []
    for item in value if isinstance(value, list) else ():
        kind = item.get("type", "volume") if isinstance(item, dict) else "unknown"
        if kind in ("volume", "tmpfs", "image"):
            continue
        source = str(item.get("source", "") if isinstance(item, dict) else item)
        options = (item.get("bind") or {}) if isinstance(item, dict) else {}
        if kind != "bind":
            found.append(Finding("external", place, "a mount of type %s" % kind))
        elif is_socket(source):
            found.append(Finding("docker-socket", place, "bind of %s" % source))
        elif not own.holds(source):
            found.append(Finding("host-paths", place, "bind of %s" % source))
        if options.get("propagation") not in (None, "", "private", "rprivate"):
            found.append(Finding("host-paths", place, "bind propagation %s" % options["propagation"]))
    return found


def is_socket(path: str) -> bool:
    """Returns whether a path is an engine's socket, whatever dots are in it."""
    return os.path.normpath(path).rpartition("/")[2] in SOCKETS


def is_remote(text: str) -> bool:
    return "://" in text or text.startswith(REMOTE) or text.partition("#")[0].endswith(".git")


def of_build(place: str, value: Any, own: Own) -> list[Finding]:
    if not isinstance(value, dict):
        return [Finding("", place, "build: %s" % short(value))]
    found = []

    def add(kind: str, what: str) -> None:
        found.append(Finding(kind, place, "build.%s" % what))

    context = str(value.get("context") or "")
    for key in unlisted(value, BUILD):
        data = value[key]
        if key == "context" or key == "additional_contexts":
            for text in [context] if key == "context" else items(data):
                text = str(text).partition("=")[2] if key != "context" else text
                if text.startswith(("service:", "docker-image://")):
                    continue
                if is_remote(text):
                    add("remote-build", "%s: %s" % (key, text))
                elif not own.holds(text):
                    add("host-paths", "%s: %s" % (key, text))
        elif key == "dockerfile":
            path = os.path.join(context, str(data))
            if not is_remote(context) and not own.holds(path):
                add("host-paths", "dockerfile: %s" % path)
        elif key == "network":
            found += of_network_mode(place + ", build", data, own)
        elif key in ("privileged", "entitlements"):
            add("privileged", key)
        elif key in ("secrets", "ssh"):
            add("build-secrets", key)
        elif key == "cache_from":
            for text in items(data):
                if "type=" in str(text) and "type=registry" not in str(text):
                    add("host-paths", "cache_from: %s" % text)
        elif key == "tags":
            for tag in items(data):
                add("external", "tags: %s" % tag)
        elif key == "cache_to":
            add("host-paths", key)
        else:
            add("", "%s, which the platform does not know" % key)
    return found


def of_volume(place: str, volume: dict[str, Any], own: Own) -> list[Finding]:
    found = []

    def add(kind: str, what: str) -> None:
        found.append(Finding(kind, place, what))

    if volume.get("external"):
        add("external", "a volume that is not of this plugin")
    else:
        foreign(volume, own, add)
    driver = volume.get("driver") or ""
    options = volume.get("driver_opts") or {}
    if driver not in ("", "local"):
        add("volume-drivers", "driver %s" % driver)
    elif options and not (str(options.get("type")) == "tmpfs" and str(options.get("device", "tmpfs")) == "tmpfs"):
        add("volume-drivers", "driver_opts %s" % short(options))
    for key in unlisted(volume, ("driver", "driver_opts", "external", "labels", "name")):
        add("", "the key %s" % key)
    return found + of_labels(place, volume.get("labels"), own)


def foreign(data: dict[str, Any], own: Own, add: Callable[[str, str], None]) -> None:
    """A name that does not begin with the project's may be that of somebody else's volume or network."""
    name = str(data.get("name") or "")
    if name and not name.startswith(own.project + "_"):
        add("external", "the name %s, which is not of this project" % name)


def of_network(place: str, network: dict[str, Any], own: Own) -> list[Finding]:
    found = []

    def add(kind: str, what: str) -> None:
        found.append(Finding(kind, place, what))

    if network.get("external"):
        if network.get("name") not in own.networks:
            add("external", "a network that is not of this plugin")
    else:
        foreign(network, own, add)
    driver = network.get("driver") or ""
    if driver not in NETWORK_DRIVERS:
        add("host-network", "driver %s" % driver)
    for option in sorted(network.get("driver_opts") or {}):
        if option not in NETWORK_OPTIONS:
            add("host-network", "driver_opts %s" % option)
    known = ("attachable", "driver", "driver_opts", "enable_ipv4", "enable_ipv6", "external", "internal", "ipam")
    for key in unlisted(network, (*known, "labels", "name")):
        add("", "the key %s" % key)
    return found + of_labels(place, network.get("labels"), own)


def of_file(place: str, item: dict[str, Any], own: Own) -> list[Finding]:
    found = []
    if item.get("external"):
        found.append(Finding("external", place, "not of this plugin"))
    if item.get("file") and not own.holds(str(item["file"])):
        found.append(Finding("host-paths", place, "file %s" % item["file"]))
    for key in unlisted(item, ("content", "environment", "external", "file", "labels", "name")):
        found.append(Finding("external", place, "the key %s" % key))
    return found + of_labels(place, item.get("labels"), own)


JUDGES: dict[str, Callable[[str, Any, Own], list[Finding]]] = {
    "build": of_build,
    "cgroup": of_namespace("cgroup"),
    "configs": of_references,
    "deploy": of_deploy,
    "env_file": of_files("env_file"),
    "ipc": of_namespace("ipc"),
    "label_file": of_files("label_file"),
    "labels": of_labels,
    "links": of_references,
    "logging": of_logging,
    "network_mode": of_network_mode,
    "networks": of_networks,
    "pid": of_namespace("pid"),
    "post_start": of_hooks,
    "pre_stop": of_hooks,
    "secrets": of_references,
    "security_opt": of_security,
    "userns_mode": of_namespace("userns_mode"),
    "uts": of_namespace("uts"),
    "volumes": of_mounts,
    "volumes_from": of_volumes_from,
}
KINDS = {
    "cap_add": "capabilities",
    "cgroup_parent": "host-namespaces",
    "credential_spec": "host-paths",
    "device_cgroup_rules": "devices",
    "devices": "devices",
    "external_links": "external",
    "gpus": "devices",
    "privileged": "privileged",
    "runtime": "runtime",
    "sysctls": "sysctls",
    "use_api_socket": "docker-socket",
}
