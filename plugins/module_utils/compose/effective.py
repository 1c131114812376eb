# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model that is started: what ``docker compose config`` printed, with the places of this host.

Pure: nothing is asked or written. Files of the plugin that a container writes to get a place that outlives releases,
``shared/binds/<path>``; those that it only reads get one by their digest, ``shared/files/<digest>``, so that a service
is not made anew for files that did not change. ``binds`` puts them there.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import os
import re

from .rules import below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LABEL = "windflow.files"
# A character beyond U+FFFF, as JSON in ASCII has it: two escapes, which YAML does not join.
_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")


class Places:
    """Where files of a release are mounted from.

    ``digest_of`` tells what is below ``app/`` of the release at a path: its digest, or an empty text for nothing.
    ``written`` are the paths that containers write to, outermost first; ``read`` maps others to their digest.
    """

    def __init__(self, release_dir: str, shared_dir: str, digest_of: Callable[[str], str]) -> None:
        self.app = os.path.join(release_dir, "app")
        self.shared_dir = shared_dir
        self.digest_of = digest_of
        self.written: list[str] = []
        self.read: dict[str, str] = {}

    def path_of(self, source: str | None) -> str:
        """Returns the path below ``app/``, or an empty text for what is no part of the release's files."""
        source = os.path.normpath(str(source or ""))
        return os.path.relpath(source, self.app) if below(source, self.app) else ""

    def take(self, path: str) -> None:
        """Notes a path that a container writes to."""
        if path not in self.written:
            self.written = sorted([*self.written, path])

    def place_of(self, path: str) -> str:
        """Returns where a path is mounted from."""
        digest = "" if any(below(path, place) for place in self.written) else self.digest_of(path)
        if not digest:
            # What a release does not have is made by somebody else, and must outlive it, too.
            if not any(below(path, place) for place in self.written):
                self.take(path)
            return os.path.join(self.shared_dir, "binds", path)
        self.read[path] = digest
        return os.path.join(self.shared_dir, "files", digest)


def as_file(model: Mapping[str, Any]) -> bytes:
    """A model as a Compose file: JSON that YAML reads alike, whatever characters are in it."""
    text = json.dumps(model, indent=1, sort_keys=True).replace("\x7f", "\\u007f")
    return (_PAIR.sub(lambda pair: json.loads('"%s"' % pair.group()), text) + "\n").encode()


def effective(
    model: dict[str, Any], places: Places, bind: str = "", published: int = 0, front: str = ""
) -> dict[str, Any]:
    """Returns the model with every place, and with the address that the port of ``front`` is published at."""
    model = copy.deepcopy(model)
    services = model.get("services") or {}
    for service in services.values():
        service.pop("develop", None)
        for item in binds(service):
            if not item.get("read_only") and places.path_of(item["source"]):
                places.take(places.path_of(item["source"]))
    for service in services.values():
        digests: set[str] = set()
        for item in binds(service):
            path = places.path_of(item["source"])
            if path:
                item["source"] = places.place_of(path)
                digests |= {places.digest_of(path)} if path not in places.read else set()
        shipped = sorted(digests - {""})
        if shipped:
            # What is mounted stays at its place when a release brings other files: the label makes the difference.
            add_label(service, LABEL, " ".join(digest[:16] for digest in shipped))
    for kind in ("configs", "secrets"):
        for item in (model.get(kind) or {}).values():
            path = places.path_of((item or {}).get("file"))
            if path:
                item["file"] = places.place_of(path)
    if bind and front in services:
        for item in services[front].get("ports") or ():
            if str(item.get("published", "")) == str(published):
                item["host_ip"] = str(ipaddress.ip_address(bind))
    return model


def published_at(service: dict[str, Any], published: int) -> str:
    """Returns the address that a service's port is published at; an empty text for every one."""
    for item in service.get("ports") or ():
        if str(item.get("published", "")) == str(published):
            return item.get("host_ip") or ""
    return ""


def plain(bind: str | None) -> str:
    """An address without the brackets that one of IPv6 has in URLs."""
    return str(bind or "").strip("[]")


def reached(bind: str) -> str:
    """Returns the address by which a host reaches what it listens to at ``bind``."""
    try:
        address = ipaddress.ip_address(bind or "0.0.0.0")
    except ValueError:
        # With a zone, which not every Python knows.
        return bind
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return str(address)


def binds(service: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in service.get("volumes") or () if item.get("type") == "bind"]


def add_label(service: dict[str, Any], name: str, value: str) -> None:
    labels = service.get("labels") or {}
    if isinstance(labels, list):
        labels = dict(item.partition("=")[::2] for item in labels)
    service["labels"] = {**labels, name: value}


def one_shot(model: dict[str, Any]) -> list[str]:
    """Names of the services that others wait for to end well: they are done when they have ended."""
    found = set()
    for service in (model.get("services") or {}).values():
        needs = service.get("depends_on")
        for name, condition in needs.items() if isinstance(needs, dict) else ():
            if (condition or {}).get("condition") == "service_completed_successfully":
                found.add(name)
    return sorted(found)
