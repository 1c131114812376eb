# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plugin.yml into frozen dataclasses, with every finding of the file at once.

Parsing the fields of ``host:`` is in ``host_section``, those of ``compose:`` in ``compose_section``, looking at files
and hooks in ``plugin_files``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError
from ..naming import LONGEST, NAME_RULE, is_name
from ..text.documents import Document, read
from ..text.limits import SECONDS, fail_if_any, time_limit
from ..text.thirdparty import require
from ..text.version import parse_constraint, parse_version
from ..text.wording import KeyPath, dotted, listed, show, use_or_list
from .compose_section import ComposeSpec, parse_compose
from .host_section import HostSpec, parse_host
from .plugin_files import HookSpec, check_tree, inside, parse_hooks, problems_of_tree

FILE = "plugin.yml"
PLATFORM = "core"
TARGETS = ("compose", "host")
FIELDS = (
    "name",
    "version",
    "description",
    "author",
    "license",
    "dependencies",
    "config",
    "hooks",
    "targets",
    "host",
    "compose",
    "provides",
    "results",
)
RESULT = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
KEY_PATH = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")

__all__ = [
    "Dependency",
    "HookSpec",
    "HostSpec",
    "Manifest",
    "check_name",
    "check_tree",
    "load_manifest",
]


@dataclass(frozen=True)
class Dependency:
    """``name`` is a plugin, something that a plugin provides, or ``core``; ``line`` is its line in plugin.yml."""

    name: str
    constraint: str
    line: int = 0


@dataclass(frozen=True)
class Manifest:
    """A plugin directory that was found in order. Every path is absolute and inside ``path``.

    ``hooks`` has a tuple of ``HookSpec`` by event, ``provides`` a version by capability (the plugin's
    own name included), ``results`` the key of the configuration by what dependents get of it, ``environments`` the
    overlay files by environment. ``file`` is plugin.yml's name in findings.
    """

    name: str
    version: str
    path: Path
    description: str = ""
    author: str = ""
    license: str = ""
    dependencies: tuple[Dependency, ...] = ()
    config_schema: Path | None = None
    config_defaults: Path | None = None
    environments: dict[str, Path] = field(default_factory=dict)
    hooks: dict[str, tuple[HookSpec, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    host: HostSpec | None = None
    compose: ComposeSpec | None = None
    provides: dict[str, str] = field(default_factory=dict)
    results: dict[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = FILE

    @property
    def host_section(self) -> HostSpec:
        """The section ``host``, which a plugin with that target has."""
        if self.host is None:
            raise ValueError("%s has no section host" % self.name)
        return self.host

    @property
    def compose_section(self) -> ComposeSpec:
        """The section ``compose``, which a plugin with that target has, be it by its directory alone."""
        if self.compose is None:
            raise ValueError("%s has no section compose" % self.name)
        return self.compose

    def display(self, path: Path) -> str:
        """Returns how a file of the plugin is named in findings: ``my-plugin/config/schema.json``."""
        return "%s/%s" % (self.path.name, path.relative_to(self.path))


def load_manifest(plugin_dir: Path, display: str | None = None) -> Manifest:
    """Returns the manifest of the plugin in ``plugin_dir``; its files, hooks and links are looked at too.

    ``display`` is the name of plugin.yml in findings, ``<directory>/plugin.yml`` if not given.
    """
    require()
    root = Path(plugin_dir).resolve()
    name = display or "%s/%s" % (root.name, FILE)
    with time_limit(SECONDS, "reading the plugin", name):
        if not root.is_dir():
            remedy = "give the plugin's directory"
            raise WindflowError(Problem("E1021", "a plugin directory", "no such directory", remedy, str(plugin_dir)))
        document = read(root / FILE, name, "the plugin's plugin.yml", code="E1021")
        reader = Reader(document, root)
        manifest = _manifest(reader)
        fail_if_any(reader.problems + problems_of_tree(root))
        return manifest


class Reader:
    """plugin.yml's content together with the findings in it. Each getter checks one kind of value."""

    def __init__(self, document: Document, root: Path) -> None:
        self.document = document
        self.root = root
        self.problems: list[Problem] = []

    def add(self, code: str, path: KeyPath, expected: str, got: str, remedy: str = "") -> None:
        line, column = self.document.place(path)
        self.problems.append(Problem(code, expected, got, remedy, self.document.file, line, column, dotted(path)))

    def add_placed(self, path: KeyPath, error: WindflowError) -> None:
        """The findings of a parser that knows no place, put at ``path``."""
        line, column = self.document.place(path)
        file, where = self.document.file, dotted(path)
        self.problems.extend(
            replace(problem, file=file, line=line, column=column, path=where) for problem in error.problems
        )

    def keys(self, path: KeyPath, given: dict[str, Any], known: tuple[str, ...]) -> None:
        """Report every key of the map at ``path`` that is not known."""
        for key in given:
            if key not in known:
                remedy = use_or_list(key, known)
                self.add("E1034", path + (key,), "a known key", show(key), remedy)

    def text(self, path: KeyPath, value: Any, default: str = "") -> str:
        if value is None:
            return default
        if isinstance(value, str):
            if value.replace("\n", "").isprintable():
                return value
            self.add("E1031", path, "printable text", show(value), "remove the control characters")
        else:
            written = self.document.numbers.get(path) or show(value)
            remedy = "write text" if isinstance(value, (dict, list)) else 'put it in quotes: "%s"' % written
            self.add("E1031", path, "text", written, remedy)
        return default

    def map(self, path: KeyPath, value: Any, example: str) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.add("E1031", path, "a map", show(value), "write %s" % example)
        return {}

    def whole(self, path: KeyPath, value: Any, default: int, lowest: int, highest: int, unit: str) -> int:
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        expected = "a whole number of %s from %d to %d" % (unit, lowest, highest)
        self.add("E1031", path, expected, show(value), "write for example %d" % default)
        return default

    def flag(self, path: KeyPath, value: Any, default: bool = False) -> bool:
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.add("E1031", path, "true or false", show(value), "write true or false")
        return default

    def choice(self, path: KeyPath, value: Any, choices: tuple[str, ...], default: str) -> str:
        if value is None or value in choices:
            return default if value is None else value
        self.add("E1039", path, "one of %s" % listed(choices), show(value), use_or_list(value, choices))
        return default

    def file(self, path: KeyPath, value: Any, code: str, what: str, kind: str = "file") -> Path | None:
        """Returns the existing file or directory that ``value`` names inside the plugin."""
        if value is None:
            return None
        if not isinstance(value, str) or not value or not value.isprintable():
            self.add(code, path, "the path of %s" % what, show(value), "write a path relative to plugin.yml")
            return None
        found = inside(self.root, value)
        if found is None:
            self.add("E1042", path, "a path inside the plugin", show(value), "use a path below the plugin's directory")
            return None
        if not (os.path.isdir(found) if kind == "directory" else os.path.isfile(found)):
            got = "%s, which is not there" % show(value)
            if os.path.lexists(found):
                code, got = "E1041", "%s, which is not a %s" % (show(value), kind)
            self.add(code, path, "%s, a %s" % (what, kind), got, "create the %s or correct the path" % kind)
            return None
        return found


def _manifest(reader: Reader) -> Manifest:
    data = reader.document.data
    reader.keys((), data, FIELDS)
    name = check_name(reader, ("name",), data.get("name"))
    version = _version(reader, ("version",), data.get("version"))
    schema, defaults = _config_files(reader, data.get("config"))
    host = parse_host(reader, data["host"]) if data.get("host") is not None else None
    compose = parse_compose(reader, data.get("compose"))
    provides = _provides(reader, data.get("provides"))
    provides.setdefault(name, version)
    return Manifest(
        name=name,
        version=version,
        path=reader.root,
        description=reader.text(("description",), data.get("description")),
        author=reader.text(("author",), data.get("author")),
        license=reader.text(("license",), data.get("license")),
        dependencies=_dependencies(reader, data.get("dependencies"), provides),
        config_schema=schema,
        config_defaults=defaults,
        environments=_environments(reader),
        hooks=parse_hooks(reader, data.get("hooks")),
        targets=_targets(reader, data),
        host=host,
        compose=compose,
        provides=provides,
        results=_results(reader, data.get("results")),
        file=reader.document.file,
    )


def check_name(reader: Reader, path: KeyPath, name: Any) -> str:
    if name is None:
        reader.add("E1030", path, "a name", "none", "add a line such as name: my-plugin")
    elif not isinstance(name, str):
        reader.add("E1032", path, "a name of %s" % NAME_RULE, show(name), "write it as text, in quotes if need be")
    elif not is_name(name):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:LONGEST].strip("-")
        remedy = 'write for example "%s"' % plain if is_name(plain) else "write for example my-plugin"
        got = show(name) if len(name) <= LONGEST else "%d characters" % len(name)
        reader.add("E1032", path, "a name of %s" % NAME_RULE, got, remedy)
    elif name == PLATFORM:
        reader.add("E1032", path, "a name of its own", "core, which is the platform", "choose another name")
    else:
        return name
    return ""


def _version(reader: Reader, path: KeyPath, version: Any) -> str:
    if version is None:
        reader.add("E1030", path, "a version", "none", "add a line such as version: 1.0.0")
        return ""
    if isinstance(version, (int, float)) and not isinstance(version, bool):
        written = reader.document.numbers.get(path, str(version))
        full = ".".join((written.split(".") + ["0", "0"])[:3])
        remedy = 'quote it and write all three numbers: "%s"' % full
        reader.add("E1033", path, "a semantic version such as 1.0.0", "the number %s" % written, remedy)
        return ""
    try:
        parse_version(version)
    except WindflowError as error:
        reader.add_placed(path, error)
        return ""
    return version


def _config_files(reader: Reader, config: Any) -> tuple[Path | None, Path | None]:
    """Returns the schema and the defaults; at their usual places they need not be named."""
    given = reader.map(("config",), config, "schema: config/schema.json")
    reader.keys(("config",), given, ("schema", "defaults"))
    found = []
    for key, usual, what in (
        ("schema", "config/schema.json", "the configuration's schema"),
        ("defaults", "config/defaults.yaml", "the configuration's defaults"),
    ):
        value = given.get(key)
        if value is None and (reader.root / usual).is_file():
            value = usual
        found.append(reader.file(("config", key), value, "E1047", what))
    return found[0], found[1]


def _environments(reader: Reader) -> dict[str, Path]:
    folder = inside(reader.root, "config/environments")
    if folder is None or not folder.is_dir():
        return {}
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    return {path.stem: path for path in files}


def _dependencies(reader: Reader, given: Any, provides: dict[str, str]) -> tuple[Dependency, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        remedy = 'write one list item for each, such as - core: ">=1.0.0"'
        reader.add("E1035", ("dependencies",), "a list of one-key maps", show(given), remedy)
        return ()
    found: dict[str, Dependency] = {}
    for index, entry in enumerate(given):
        dependency = _dependency(reader, ("dependencies", index), entry)
        if dependency is None:
            continue
        path = ("dependencies", index, dependency.name)
        if dependency.name in found:
            got = "%s also on line %d" % (dependency.name, found[dependency.name].line)
            reader.add("E1035", path, "each dependency once", got, "join the constraints with a comma")
        elif dependency.name in provides:
            reader.add("E1201", path, "dependencies on other plugins", "the plugin itself", "remove the entry")
        found.setdefault(dependency.name, dependency)
    return tuple(found.values())


def _dependency(reader: Reader, path: KeyPath, entry: Any) -> Dependency | None:
    if not isinstance(entry, dict) or len(entry) != 1:
        got = "a map with %d keys" % len(entry) if isinstance(entry, dict) else show(entry)
        name = entry if is_name(entry) else "core"
        remedy = 'write - %s: ">=1.0.0"' % name
        if isinstance(entry, dict) and entry:
            remedy = "write one list item for each: " + ", ".join("- %s" % key for key in list(entry)[:5])
        reader.add("E1035", path, "a map with one key", got, remedy)
        return None
    name, constraint = next(iter(entry.items()))
    path += (name,)
    if name != PLATFORM and check_name(reader, path, name) == "":
        return None
    try:
        parse_constraint(constraint)
    except WindflowError as error:
        reader.add_placed(path, error)
        return None
    return Dependency(name, constraint, reader.document.place(path)[0])


def _targets(reader: Reader, data: dict[str, Any]) -> tuple[str, ...]:
    has = {"compose": (reader.root / "compose").is_dir(), "host": data.get("host") is not None}
    given = data.get("targets")
    if given is None:
        return tuple(target for target in TARGETS if has[target])
    if not isinstance(given, list):
        remedy = "write [%s]" % (given if given in TARGETS else "compose, host")
        reader.add("E1031", ("targets",), "a list of compose and host", show(given), remedy)
        return ()
    found = []
    needs = {"compose": "a compose/ directory", "host": "a host: section in plugin.yml"}
    for index, target in enumerate(given):
        path = ("targets", index)
        if target not in TARGETS:
            reader.add("E1039", path, "one of compose, host", show(target), use_or_list(target, TARGETS))
        elif target in found:
            reader.add("E1039", path, "each target once", show(target), "remove the second one")
        elif not has[target]:
            remedy = "add it, or remove %s from the list" % target
            reader.add("E1048", path, "%s for the target %s" % (needs[target], target), "none", remedy)
        else:
            found.append(target)
    return tuple(found)


def _provides(reader: Reader, given: Any) -> dict[str, str]:
    found = {}
    for name, version in reader.map(("provides",), given, 'database: "2.0.0"').items():
        path = ("provides", name)
        if name == PLATFORM or not is_name(name):
            expected = "a name of %s, and not core" % NAME_RULE
            reader.add("E1032", path, expected, show(name), "write for example database")
            continue
        known = _version(reader, path, version)
        if known:
            found[name] = known
    return found


def _results(reader: Reader, given: Any) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, key in reader.map(("results",), given, "port: database.port").items():
        path = ("results", name)
        if not RESULT.match(name):
            reader.add(
                "E1037", path, "a name of lower-case letters, digits and _", show(name), "write for example port"
            )
        elif not isinstance(key, str) or not KEY_PATH.match(key):
            remedy = "write for example database.port"
            reader.add("E1037", path, "a key of the configuration, in dots", show(key), remedy)
        else:
            found[name] = tuple(key.split("."))
    return found
