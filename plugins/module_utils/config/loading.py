# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a plugin: layers, where each value came from, validation and redaction.

Precedence, lowest first:

1. ``generated``: secrets that the schema marks with ``x-generate``, made on the host
2. ``defaults``: the plugin's ``defaults.yaml``
3. ``overlay``: ``config/environments/<environment>.yaml`` of the plugin
4. ``dependency``: what the plugins that it needs give, each in the section of the dependency's name
5. ``inventory``: the variable ``windflow_config``, or what ``windflow_plugin_config`` has for the plugin, from the
   group ``all`` to the host
6. ``file``: the given files, in order
7. ``environment``: the environment variables that the schema declares with ``x-env``
8. ``set``: the given ``a.b.c=value``, in order

Maps merge deeply, lists and scalars replace, ``null`` deletes. A map over a scalar, or the other way
round, is an error. The merged result is validated, every finding at once, each at the place of the layer
that the value came from. The key ``adopt`` is taken out before: see ``adoption``.

The text of an environment variable or a ``--set`` becomes what the schema's type says: ``DEBUG=false`` is
false, ``0123`` stays text where the schema says text, maps and lists are written as JSON. A variable that
is empty counts as not set, as in Compose; one that the schema does not declare has no effect. ``--set
a.b=null`` deletes. Values are data and never templates: ``{{ x }}`` stays as it is.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError
from ..manifest.reader import Manifest
from ..redaction import REDACTED
from ..text.documents import read
from ..text.limits import SECONDS, fail_if_any, time_limit
from ..text.wording import KeyPath, dotted, listed, nearest, show, use_or_list
from . import adoption
from .checks import KNOWN_SECRETS, check_config
from .layers import (
    HOST_CHOICES,
    Given,
    Layer,
    Provided,
    dependency_layer,
    environment_layers,
    generated_layer,
    inventory_layer,
    merge,
    set_layer,
)
from .schema import Schema, load_schema

USUAL_ENVIRONMENTS = ("development", "production")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True)
class Origin:
    """The layer that a value came from, by its name above, and the place in its file; line 0: no lines there.
    ``source`` is the group or host of an inventory."""

    layer: str
    file: str
    line: int = 0
    column: int = 0
    source: str = ""

    def __str__(self) -> str:
        place = "%s:%d" % (self.file, self.line) if self.line else self.file
        return "%s (%s)" % (self.layer, ", ".join(part for part in (self.source, place) if part))


@dataclass(frozen=True)
class Explanation:
    """Who gave the value at ``path``: every layer that did, lowest first, each with its redacted value."""

    path: str
    values: tuple[tuple[Origin, object], ...]

    def __str__(self) -> str:
        if not self.values:
            return "%s: not set" % self.path
        lines = ["%s = %s from %s" % (self.path, json.dumps(self.values[-1][1]), self.values[-1][0])]
        for origin, value in reversed(self.values[:-1]):
            lines.append("  instead of %s from %s" % (json.dumps(value), origin))
        return "\n".join(lines)


@dataclass(frozen=True)
class Config:
    """The merged configuration. ``data`` is plain maps, lists and scalars; ``secrets`` has the key paths in
    it that hold secrets, where a path to a map or a list stands for everything below it, ``generated`` those of them
    that are made on the host. ``given`` has the key paths of what dependencies call a secret, whichever layer won.
    ``adopt`` has the kinds of what may be used of a host though windflow has not made it.
    """

    data: dict[str, Any]
    secrets: frozenset[KeyPath] = frozenset()
    generated: frozenset[KeyPath] = frozenset()
    schema: Schema | None = None
    layers: tuple[Layer, ...] = ()
    owners: dict[KeyPath, int] = field(default_factory=dict)
    given: frozenset[KeyPath] = frozenset()
    adopt: frozenset[str] = frozenset()

    def origin(self, path: KeyPath) -> Origin:
        """Where the value at ``path`` came from, or its nearest ancestor that exists."""
        path = tuple(path)
        owner = path
        while owner and owner not in self.owners:
            owner = owner[:-1]
        if owner in self.owners and (owner == path or isinstance(_value_at(self.data, owner), list)):
            return self._origin(self.owners[owner], path)
        # a key that is not there belongs to the last file that has the map around it
        for index in reversed(range(len(self.layers))):
            layer = self.layers[index]
            if layer.document is not None and isinstance(_value_at(layer.data, owner), dict):
                return self._origin(index, owner)
        if owner in self.owners:
            return self._origin(self.owners[owner], owner)
        return self._origin(len(self.layers) - 1, ()) if self.layers else Origin("none", "the configuration")

    def _origin(self, index: int, path: KeyPath) -> Origin:
        layer = self.layers[index]
        return Origin(layer.name, *layer.place(path), layer.given.source if layer.given else "")

    def place(self, path: KeyPath) -> tuple[str, int, int]:
        """File, line and column of ``path``, as ``Problem`` wants them."""
        origin = self.origin(path)
        return origin.file, origin.line, origin.column

    def get(self, path: str, default: Any = None) -> Any:
        """Returns the value at ``a.b.c``, or ``default``."""
        value = self.data
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value

    def layer_of(self, path: str) -> str:
        """Returns the layer that gave the value at ``a.b.c``, by its name above; "" for one that is not set."""
        index = self.owners.get(tuple(path.split(".")))
        return "" if index is None else self.layers[index].name

    def is_secret(self, path: KeyPath) -> bool:
        return any(tuple(path[:length]) in self.secrets for length in range(len(path) + 1))

    def redacted(self) -> dict[str, Any]:
        """A copy of ``data`` with asterisks for every secret, whatever its value."""
        shown = copy.deepcopy(self.data)
        for path in self.secrets:
            _put(shown, path, REDACTED)
        return shown

    def secret_values(self) -> set[str]:
        """Every text that is a secret. ``redaction`` knows the forms in which it could show up in output."""
        return set().union(*(self.texts_at(path) for path in self.secrets)) - {"", "true", "false", "null"}

    def texts_at(self, path: KeyPath) -> set[str]:
        """Every single value at or below ``path``, as text."""
        return texts(_value_at(self.data, path))

    def declared_environment(self) -> dict[str, str]:
        """Returns the declared variables with the values in ``data``: booleans as true and false, maps and lists as
        JSON."""
        found = {}
        for name, path in (self.schema.environment if self.schema else {}).items():
            value = _value_at(self.data, path)
            if value is not None:
                found[name] = value if isinstance(value, str) else json.dumps(value)
        return found

    def explain(self, path: str) -> Explanation:
        """Returns which layers gave ``a.b.c`` a value, and which one won. Raises WindflowError E1089 for no key at
        all."""
        parts = tuple(path.split("."))
        values = []
        for index, layer in enumerate(self.layers):
            value = _value_at(layer.data, parts, _ABSENT)
            if value is not _ABSENT:
                shown = REDACTED if self.is_secret(parts) else self._hidden(parts, value)
                values.append((self._origin(index, parts), shown))
        unknown = self.unknown_key(path)
        if unknown:
            raise WindflowError(unknown)
        return Explanation(path, tuple(values))

    def unknown_key(self, path: str) -> Problem | None:
        """E1089 for ``a.b.c`` if nothing gives it a value and the schema does not name it."""
        parts = tuple(path.split("."))
        for length in range(1, len(parts) + 1):
            here, around = parts[:length], parts[: length - 1]
            values = [_value_at(layer.data, around) for layer in self.layers]
            given = {key for value in values if isinstance(value, dict) for key in value}
            if here[-1] not in given and not (self.schema and self.schema.speaks_of(here)):
                names = sorted(given.union(self.schema.names_at(around) if self.schema else ()))
                remedy = use_or_list(here[-1], names) if names else "leave it out: there are no keys here"
                where = "a key that %s has" % (dotted(around) or "the configuration")
                return Problem("E1089", where, show(here[-1]), remedy, path=path)
        return None

    def _hidden(self, path: KeyPath, value: Any) -> Any:
        """``value`` of one layer at ``path``, with every secret in it hidden."""
        tree = value
        for part in reversed(path):
            tree = {part: tree}
        secrets = _secrets(self.schema, tree, self.given)
        if any(path[: len(secret)] == secret for secret in secrets):
            return REDACTED
        tree = copy.deepcopy(tree)
        for secret in secrets:
            _put(tree, secret, REDACTED)
        return _value_at(tree, path)


_ABSENT = object()
_SURROGATE = re.compile("[\ud800-\udfff]")


def load_config(
    manifest: Manifest,
    environment: str | None = None,
    inventory: Mapping[str, Any] | list[Given] | tuple[Given, ...] | None = None,
    files: list[Path] | tuple[Path, ...] = (),
    environ: Mapping[str, str] | None = None,
    sets: list[str] | tuple[str, ...] = (),
    *,
    provided: list[Provided] | tuple[Provided, ...] = (),
    kept: Mapping[str, str] | None = None,
    dependency: bool = False,
    decrypt: Callable[[bytes], bytes] | None = None,
) -> Config:
    """Read, merge and validate every layer; raises ``WindflowError`` with all findings.

    ``inventory`` has what the inventory's places say, lowest first, or is one plain map; ``kept`` has the secrets that
    were made on the host, by key in dots. The environment of a ``dependency`` is that of the plugin which needs it: it
    needs no overlay. ``decrypt`` is for ``files`` that Ansible Vault has encrypted.
    Where a rule of the schema is broken, the rules of ``checks`` are looked at too, so that everything
    that is wrong is told at once. On success they are the caller's business: they also give warnings.
    """
    with time_limit(SECONDS, "reading the configuration", manifest.file):
        problems: list[Problem] = []
        overlay = _overlay(manifest, environment, problems, dependency)
        said = (Given(inventory),) if isinstance(inventory, Mapping) else inventory or ()
        layers = _file_layers(manifest, overlay, said, files, decrypt, problems)
        schema = _try(problems, load_schema, manifest.config_schema, _display(manifest, manifest.config_schema))
        fail_if_any(problems)
        own = sum(layer.name in ("defaults", "overlay") for layer in layers)
        layers[own:own] = [dependency_layer(item, schema) for item in provided]
        if schema:
            layers.insert(0, generated_layer(schema, kept or {}))
            layers += environment_layers(schema, environ or {}, problems)
        given_sets = [set_layer(text, index, schema, problems) for index, text in enumerate(sets)]
        layers, adopt = adoption.take([*layers, *(layer for layer in given_sets if layer is not None)], problems)
        layers = [layer for layer in layers if layer.data]
        data, owners = merge(layers, problems)
        given = frozenset((item.name, key) for item in provided for key in item.secrets)
        secrets = _secrets(schema, data, given)
        made = frozenset(
            path
            for path in (schema.generated if schema else ())
            if path in owners and layers[owners[path]].name == "generated"
        )
        config = Config(data, secrets, made, schema, tuple(layers), owners, given, adopt)
        problems += _unwritable(config)
        found = schema.validate(_of_plugin(schema, data), config.place, secrets) if schema else []
        if found or problems:
            _add_checks(config, environment, found, "host" in manifest.targets)
        fail_if_any(problems + found)
        return config


def _of_plugin(schema: Schema, data: dict[str, Any]) -> dict[str, Any]:
    """The data without what the operator may decide for any plugin and the schema does not name."""
    for path in HOST_CHOICES:
        if not schema.names(path):
            data = _without(schema, data, path)
    return data


def _without(schema: Schema, data: dict[str, Any], path: KeyPath, above: KeyPath = ()) -> dict[str, Any]:
    key, *rest = path
    if key not in data or (rest and not isinstance(data[key], dict)):
        return data
    left = {name: value for name, value in data.items() if name != key}
    inner = _without(schema, data[key], tuple(rest), (*above, key)) if rest else {}
    # A map that held nothing else is gone, too, unless the plugin may want it.
    return {**left, key: inner} if inner or schema.names((*above, key)) else left


def _file_layers(
    manifest: Manifest,
    overlay: Path | None,
    inventory: list[Given] | tuple[Given, ...],
    files: list[Path] | tuple[Path, ...],
    decrypt: Callable[[bytes], bytes] | None,
    problems: list[Problem],
) -> list[Layer]:
    layers = []
    wanted = [("defaults", manifest.config_defaults), ("overlay", overlay)]
    for name, path in wanted:
        if path is not None:
            layers.append(_try(problems, _read_layer, name, path, _display(manifest, path)))
    layers += [_try(problems, inventory_layer, given) for given in inventory if given.value]
    layers += [_try(problems, _read_layer, "file", Path(path), str(path), decrypt) for path in files]
    return [layer for layer in layers if layer is not None]


def _read_layer(name: str, path: Path, display: str, decrypt: Callable[[bytes], bytes] | None = None) -> Layer:
    what = "the configuration file" if name == "file" else "the plugin's configuration"
    document = read(path, display, what, allow_empty=True, code="E1121", decrypt=decrypt)
    return Layer(name, document.data, document.file, document)


def _try(problems: list[Problem], function: Callable[..., Any], subject: Any, *arguments: Any) -> Any:
    """Returns the result of ``function``, or None with its findings kept, so that the other files are still read."""
    if subject is None:
        return None
    try:
        return function(subject, *arguments)
    except WindflowError as error:
        problems.extend(error.problems)
        return None


def _display(manifest: Manifest, path: Path | None) -> str:
    return manifest.display(path) if path is not None else ""


def _overlay(
    manifest: Manifest, environment: str | None, problems: list[Problem], dependency: bool = False
) -> Path | None:
    """Returns the overlay of ``environment``. The usual names need none; where a plugin has overlays, others must
    exist."""
    if not environment or environment in manifest.environments:
        return manifest.environments.get(environment or "")
    if not _ENVIRONMENT.match(environment):
        remedy = "write for example production"
        expected = "the name of an environment: letters, digits, dots and hyphens, at most 64"
        problems.append(Problem("E1122", expected, show(environment), remedy, manifest.file, path="environment"))
        return None
    if environment in USUAL_ENVIRONMENTS or not manifest.environments or dependency:
        return None
    known = sorted({*manifest.environments, *USUAL_ENVIRONMENTS})
    best = nearest(environment, known)
    remedy = 'write "%s"' % best if best else "add config/environments/%s.yaml" % environment
    expected = "one of the environments %s" % listed(known)
    problems.append(Problem("E1122", expected, show(environment), remedy, manifest.file, path="environment"))
    return None


def _unwritable(config: Config) -> list[Problem]:
    """Texts that cannot be written as UTF-8: bytes of the environment or of an argument that are none."""
    problems = []
    for path, index in config.owners.items():
        value = _value_at(config.data, path)
        for text in [value] if isinstance(value, str) else _scalars(value) if isinstance(value, list) else ():
            if isinstance(text, str) and _SURROGATE.search(text):
                remedy = "write the value in UTF-8"
                file, line, column = config.layers[index].place(path)
                problems.append(
                    Problem("E1123", "text in UTF-8", "other bytes", remedy, file, line, column, dotted(path))
                )
    return problems


def _add_checks(config: Config, environment: str | None, found: list[Problem], on_host: bool) -> None:
    known = {problem.path for problem in found}
    found += [problem for problem in check_config(config, environment, on_host)[0] if problem.path not in known]


def _value_at(data: Any, path: KeyPath, default: Any = None) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return default
    return data


def _put(data: Any, path: KeyPath, value: Any) -> None:
    for part in path[:-1]:
        data = data[part]
    if path:
        data[path[-1]] = value


def texts(value: object) -> set[str]:
    """Every single value in a map or a list, as text."""
    return {item if isinstance(item, str) else json.dumps(item) for item in _scalars(value)}


def _scalars(value: object) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [scalar for part in value for scalar in _scalars(part)]
    return [] if value is None else [value]


def _secrets(schema: Schema | None, data: dict[str, Any], given: frozenset[KeyPath]) -> frozenset[KeyPath]:
    """Returns the key paths in ``data`` that hold secrets, none of them below another one: what dependencies or the
    schema say, and what the platform itself knows for one."""
    found = {path for path in (*given, *KNOWN_SECRETS) if _value_at(data, path, _ABSENT) is not _ABSENT}
    if schema:
        found |= schema.secret_paths(data)
    return frozenset(path for path in found if not any(path[:length] in found for length in range(len(path))))
