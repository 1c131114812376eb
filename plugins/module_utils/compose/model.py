# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files as one model, as far as that can be told without Compose.

The controller need not have Compose. What is decided here is decided again by what the host's Compose makes of the
files; here it is said sooner. So it takes more for granted than Compose does, and never less: what a tag of Compose's
own would take away (``!reset``) stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError
from .compose_documents import read_compose
from .rules import below, is_remote

# Of a plugin's directories, those that reach the host.
SHIPPED = ("compose", "build")
MAX_DEPTH = 20
# Lists that are replaced by those of a later file; others grow.
REPLACED = ("command", "entrypoint", "test")
PAIRS = ("environment", "labels", "annotations", "args", "sysctls", "additional_contexts", "driver_opts")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_TRUE = ("true", "yes", "on", "1", "y")
_FALSE = ("false", "no", "off", "0", "n", "")


class Reader:
    """Reads the files of one plugin, whose directory is taken to be at ``base``: the model's paths begin there."""

    def __init__(self, root: Path, base: str, variables: Mapping[str, str]) -> None:
        self.root = root
        self.base = base
        self.variables = variables
        self.opened: set[str] = set()

    def model(self, names: list[str]) -> dict[str, Any]:
        """Returns the model of the files, the first one first. Raises WindflowError E1049, E1057, E1069, E1070."""
        folder = SHIPPED[0]
        result: dict[str, Any] = {}
        for name in names:
            result = merged(result, self._project("%s/%s" % (folder, name), folder, ()))
        services = result.get("services")
        for service in services.values() if isinstance(services, dict) else ():
            if isinstance(service, dict) and isinstance(service.get("build"), dict):
                service["build"].setdefault("context", self._absolute(".", folder))
        return result

    def _project(self, path: str, folder: str, above: tuple[str, ...]) -> dict[str, Any]:
        """One file with what it includes; relative paths begin at ``folder``."""
        data = self._document(path, folder, above)
        result: dict[str, Any] = {}
        included = data.pop("include", None)
        for item in included if isinstance(included, list) else ():
            entry = item if isinstance(item, dict) else {"path": item}
            names = entry.get("path")
            for name in names if isinstance(names, list) else [names]:
                found = self._inside(name, folder, path)
                own = str(entry.get("project_directory") or "")
                place = os.path.normpath(os.path.join(folder, own)) if own else os.path.dirname(found)
                result = merged(result, self._project(found, place, (*above, path)))
        services: Any = data.get("services")
        for name, service in services.items() if isinstance(services, dict) else ():
            if isinstance(service, dict):
                services[name] = self._service(path, name, service, folder, services, (*above, path))
        for kind in ("secrets", "configs"):
            for item in data[kind].values() if isinstance(data.get(kind), dict) else ():
                if isinstance(item, dict) and item.get("file"):
                    item["file"] = self._absolute(str(item["file"]), folder)
        return merged(result, data)

    def _document(self, path: str, folder: str, above: tuple[str, ...]) -> dict[str, Any]:
        if len(above) > MAX_DEPTH or path in above:
            remedy = "remove one of the references"
            raise WindflowError(
                Problem.plain(
                    "E1070", "the files refer to each other in a circle", " → ".join([*above, path]), remedy, path
                )
            )
        self.opened.add(path)
        data = read_compose(self.root / path, "%s/%s" % (self.root.name, path))
        return {key: interpolated(value, self.variables) for key, value in data.items()}

    def _inside(self, value: object, folder: str, by: str) -> str:
        """A file that another one names, below the plugin."""
        text = str(value or "")
        path = os.path.normpath(os.path.join(folder, text))
        if is_remote(text) or not path.startswith(tuple("%s/" % name for name in SHIPPED)):
            expected = "a file below compose/ or build/"
            raise WindflowError(Problem("E1057", expected, text, "copy it there", "%s/%s" % (self.root.name, by)))
        if not (self.root / path).is_file():
            said = "the file %s does not exist" % path
            raise WindflowError(Problem.plain("E1057", said, "", "correct the path", "%s/%s" % (self.root.name, by)))
        return path

    def _service(
        self, path: str, name: str, service: dict[str, Any], folder: str, beside: dict[str, Any], above: tuple[str, ...]
    ) -> dict[str, Any]:
        """A service with what it extends, in the form that Compose prints."""
        service = dict(service)
        extends = service.pop("extends", None)
        own = self._canonical(service, folder)
        if not extends:
            return own
        wanted = extends if isinstance(extends, dict) else {"service": extends}
        services: Any = beside
        other, place = path, folder
        if wanted.get("file"):
            other = self._inside(wanted["file"], folder, path)
            place = os.path.dirname(other)
            services = self._document(other, place, ()).get("services")
        key = str(wanted.get("service"))
        base = services.get(key) if isinstance(services, dict) else None
        if not isinstance(base, dict):
            said = "the file %s has no service %s to extend" % (other, key)
            raise WindflowError(Problem.plain("E1069", said, "", "correct the name", "%s/%s" % (self.root.name, path)))
        if len(above) > MAX_DEPTH:
            raise WindflowError(
                Problem.plain(
                    "E1070", "services extend each other in a circle", key, "remove one of the references", path
                )
            )
        return merged(self._service(other, key, base, place, services, (*above, "%s:%s" % (path, name))), own)

    def _absolute(self, text: str, folder: str) -> str:
        if not text or is_remote(text):
            return text
        # Of root, whose Compose it will be.
        text = "/root" + text[1:] if text == "~" or text.startswith("~/") else text
        return os.path.normpath(os.path.join(self.base, folder, text))

    def _canonical(self, service: dict[str, Any], folder: str) -> dict[str, Any]:
        result = {key: pairs(value) if key in PAIRS else value for key, value in service.items()}
        if isinstance(result.get("build"), (dict, str)):
            build = result["build"]
            build = (
                {key: pairs(value) if key in PAIRS else value for key, value in build.items()}
                if isinstance(build, dict)
                else {"context": build}
            )
            if build.get("context"):
                build["context"] = self._absolute(str(build["context"]), folder)
            contexts: Any = build.get("additional_contexts")
            for name, text in contexts.items() if isinstance(contexts, dict) else ():
                contexts[name] = text if ":" in str(text) else self._absolute(str(text), folder)
            result["build"] = build
        for key in ("env_file", "label_file"):
            value = result.get(key)
            if isinstance(value, (str, dict)):
                value = [value]
            if isinstance(value, list):
                result[key] = [self._file(item, folder) for item in value]
        if isinstance(result.get("volumes"), list):
            result["volumes"] = [self._mount(item, folder) for item in result["volumes"]]
        if isinstance(result.get("ports"), list):
            result["ports"] = [found for item in result["ports"] for found in ports(item)]
        if isinstance(result.get("networks"), list):
            result["networks"] = {str(name): None for name in result["networks"]}
        if isinstance(result.get("depends_on"), list):
            result["depends_on"] = {str(name): {"condition": "service_started"} for name in result["depends_on"]}
        for key in ("privileged", "use_api_socket", "oom_kill_disable"):
            if str(result.get(key)).lower() in _TRUE + _FALSE:
                result[key] = str(result[key]).lower() in _TRUE
        return result

    def _file(self, item: object, folder: str) -> dict[str, Any]:
        entry = dict(item) if isinstance(item, dict) else {"path": item}
        return {**entry, "path": self._absolute(str(entry.get("path") or ""), folder)}

    def _mount(self, item: object, folder: str) -> dict[str, Any]:
        if isinstance(item, dict):
            found = dict(item)
            found.setdefault("type", "volume")
        else:
            found = mount(str(item))
        if found.get("type") == "bind":
            found["source"] = self._absolute(str(found.get("source") or ""), folder)
        return found


def mount(text: str) -> dict[str, Any]:
    """A mount in its short form."""
    parts = text.split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": text}
    source, target, options = parts[0], parts[1], parts[2].split(",") if len(parts) > 2 else []
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    found: dict[str, Any] = {"type": kind, "source": source, "target": target}
    if "ro" in options:
        found["read_only"] = True
    shared = [option for option in options if option in ("shared", "rshared", "slave", "rslave")]
    if shared:
        found["bind"] = {"propagation": shared[0]}
    return found


def ports(item: object) -> list[dict[str, Any]]:
    """A port in its short form; of a range, the first and the last."""
    if isinstance(item, dict):
        return [dict(item)]
    text, _slash, protocol = str(item).partition("/")
    head, _colon, target = text.rpartition(":")
    address, colon, published = head.rpartition(":")
    if head.startswith("[") and not published.isdigit():
        address, published = head, ""
    if not colon and not published.replace("-", "").isdigit():
        address, published = published, ""
    found = {"target": target, "protocol": protocol or "tcp"}
    if published:
        found["published"] = published
    if address:
        found["host_ip"] = address.strip("[]")
    return [found]


def pairs(value: Any) -> Any:
    """A list of ``name=value`` as a map."""
    if not isinstance(value, list):
        return value
    found = {}
    for item in value:
        name, equals, text = str(item).partition("=")
        found[name] = text if equals else None
    return found


def merged(base: Any, over: Any, key: str = "") -> Any:
    """``over`` on ``base``, as Compose merges files: maps by their keys, mounts by their targets, lists grow."""
    if isinstance(base, dict) and isinstance(over, dict):
        result = dict(base)
        for name, value in over.items():
            result[name] = merged(result[name], value, str(name)) if name in result else value
        return result
    if isinstance(base, list) and isinstance(over, list) and key not in REPLACED:
        if key == "volumes":
            targets = {item.get("target") for item in over if isinstance(item, dict)}
            base = [item for item in base if not isinstance(item, dict) or item.get("target") not in targets]
        return [*base, *[item for item in over if item not in base]]
    return base if over is None else over


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """A value with its variables filled in; keys are left as they are, as Compose does."""
    if isinstance(value, dict):
        return {key: interpolated(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, variables) for item in value]
    return filled(value, variables) if isinstance(value, str) and "$" in value else value


def filled(text: str, variables: Mapping[str, str]) -> str:
    result: list[str] = []
    at = 0
    while True:
        start = text.find("$", at)
        if start < 0:
            return "".join([*result, text[at:]])
        result.append(text[at:start])
        if text.startswith("$$", start):
            result.append("$")
            at = start + 2
            continue
        if text.startswith("${", start):
            end = closing(text, start + 2)
            result.append(substituted(text[start + 2 : end], variables))
            at = end + 1
            continue
        name = _NAME.match(text, start + 1)
        result.append(str(variables.get(name.group(), "")) if name else "$")
        at = name.end() if name else start + 1


def closing(text: str, start: int) -> int:
    """Returns where the brace is that closes the one before ``start``; the text's end where there is none."""
    depth = 1
    for index in range(start, len(text)):
        if text.startswith("${", index):
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if not depth:
                return index
    return len(text)


def substituted(inner: str, variables: Mapping[str, str]) -> str:
    name = _NAME.match(inner)
    if not name:
        return ""
    value = variables.get(name.group())
    operator = _OPERATOR.match(inner, name.end())
    if not operator:
        return str(value or "")
    known = value is not None and (value != "" or operator.group()[0] != ":")
    word = inner[operator.end() :]
    if operator.group()[-1] == "+":
        return filled(word, variables) if known else ""
    if operator.group()[-1] == "-":
        return str(value) if known else filled(word, variables)
    return str(value or "")


def missing_files(model: Mapping[str, Any], base: str, root: Path) -> list[str]:
    """Files below ``base`` that services are to get their environment from, and that the plugin does not have."""
    found = []
    services = model.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        for item in service.get("env_file") or () if isinstance(service, dict) else ():
            path = item["path"]
            if below(path, base) and item.get("required", True) is not False:
                within = os.path.relpath(path, base)
                if not (root / within).is_file():
                    found.append(within)
    return sorted(set(found))
