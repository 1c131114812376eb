# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One layer of a configuration, how texts become values, and how layers are merged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..errors import Problem, WindflowError
from ..text.document_limits import MAX_DEPTH, MAX_VALUES, count_problem, depth_problem, whole_number
from ..text.documents import Document, resolve_plain
from ..text.json_documents import read_json
from ..text.limits import fail_if_any
from ..text.wording import KeyPath, dotted, kind, show
from .schema import Schema

# What the operator decides about the host: each plugin takes it, whether or not its schema names it. All are texts.
HOST_CHOICES = (("app", "python"), ("host", "os", "family"), ("host", "os", "version"), ("host", "supervisor_source"))

INVENTORY = "windflow_config"
# As long as a real one, so that a schema thinks alike of both.
GENERATED_CHARACTERS = 48
NOT_MADE_YET = "0" * GENERATED_CHARACTERS
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True)
class Layer:
    """``data`` of one source. ``document`` knows lines; other sources only have a name, ``file``. ``given`` is where
    one of the inventory came from."""

    name: str
    data: dict[str, Any]
    file: str
    document: Document | None = None
    given: Given | None = None

    def place(self, path: KeyPath) -> tuple[str, int, int]:
        """File, line and column of ``path`` in this layer, 0 where there are no lines."""
        if self.given:
            return self.given.place(path)
        line, column = self.document.place(path) if self.document is not None else (0, 0)
        return self.file, line, column


@dataclass(frozen=True)
class Given:
    """What one place of the inventory says of a variable. ``source`` is the group or host; ``locate`` finds the file,
    line and column of a key path in it, or None."""

    value: Any
    variable: str = INVENTORY
    source: str = ""
    locate: Callable[[KeyPath], tuple[str, int, int] | None] | None = None

    def place(self, path: KeyPath = ()) -> tuple[str, int, int]:
        """File, line and column of ``path``; the variable's name, where no file is known."""
        file = "%s%s in the inventory" % (self.variable, " of %s" % self.source if self.source else "")
        return (self.locate and self.locate(path)) or (file, 0, 0)

    def at(self, key: str) -> Given:
        """Returns what it says of one key of a map."""
        outer = self.locate
        locate = outer and (lambda path: outer((key, *path)))
        return Given(self.value[key], "%s.%s" % (self.variable, key), self.source, locate)


def inventory_layer(given: Given) -> Layer:
    """A variable of the inventory as Ansible hands it over, made plain: its own kinds of text and map are left
    behind."""
    file, line, column = given.place()
    if not isinstance(given.value, Mapping):
        raise WindflowError(Problem("E1101", "a map", kind(given.value), "write keys and values", file, line, column))
    problems: list[Problem] = []
    plain = _plain(given.value, (), problems, [0], given)
    fail_if_any(problems)
    return Layer("inventory", plain, file, given=given)


def _plain(value: Any, path: KeyPath, problems: list[Problem], count: list[int], given: Given) -> Any:
    count[0] += 1
    if count[0] > MAX_VALUES:
        raise WindflowError(count_problem(given.place()[0]))
    if len(path) > MAX_DEPTH:
        raise WindflowError(depth_problem(*given.place()))
    if isinstance(value, str):
        return str.__str__(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return int(value)
    if isinstance(value, float) and isfinite(value):
        return float(value)
    if isinstance(value, Mapping):
        found = {}
        for key, part in value.items():
            if not isinstance(key, str):
                remedy = "put the key in quotes"
                problems.append(
                    Problem("E1014", "text as the key", kind(key), remedy, *given.place(path), dotted(path))
                )
                continue
            key = str.__str__(key)
            found[key] = _plain(part, path + (key,), problems, count, given)
        return found
    if isinstance(value, (list, tuple)):
        return [_plain(part, path + (index,), problems, count, given) for index, part in enumerate(value)]
    expected = "text, a number, true, false, a map or a list"
    got = "a number beyond 64 bits" if isinstance(value, (int, float)) else "a %s" % type(value).__name__
    problems.append(Problem("E1101", expected, got, "put the value in quotes", *given.place(path), dotted(path)))
    return None


@dataclass(frozen=True)
class Provided:
    """What one dependency gives: ``values`` by key, and which of these keys are secret."""

    name: str  # the dependency's, and that of the section of the configuration
    plugin: str  # who provides it, with its version
    values: Mapping[str, object]
    secrets: frozenset[str] = frozenset()

    @property
    def file(self) -> str:
        return "dependency %s (plugin %s)" % (self.name, self.plugin)


def dependency_layer(provided: Provided, schema: Schema | None) -> Layer:
    """Those of the values that the dependent's schema knows; all, if it has none."""
    values = {
        key: value for key, value in provided.values.items() if schema is None or schema.types_at((provided.name, key))
    }
    return Layer("dependency", {provided.name: values} if values else {}, provided.file)


def generated_layer(schema: Schema, kept: Mapping[str, str]) -> Layer:
    """Returns the secrets that are made where nobody gives them; ``kept`` has those that were made, by key in dots."""
    data: dict[str, Any] = {}
    for path in schema.generated:
        here: Any = data
        for part in path[:-1]:
            here = here.setdefault(part, {})
        here[path[-1]] = kept.get(".".join(map(str, path)), NOT_MADE_YET)
    return Layer("generated", data, "made on the host")


def environment_layers(schema: Schema, environ: Mapping[str, str], problems: list[Problem]) -> list[Layer]:
    """One layer for each declared variable that is set and not empty."""
    layers = []
    for name, path in schema.environment.items():
        text = environ.get(name)
        if text:
            layers.append(_text_layer("environment", "environment variable %s" % name, path, text, schema, problems))
    return [layer for layer in layers if layer is not None]


def set_layer(text: str, index: int, schema: Schema | None, problems: list[Problem]) -> Layer | None:
    """``a.b.c=value``; None with a finding if it cannot be read. The text itself is not shown: it may be secret."""
    name = "--set, number %d" % (index + 1)
    key, equals, value = text.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path) or not key.isprintable() or len(path) > MAX_DEPTH:
        remedy = "write for example app.log_level=debug"
        problems.append(Problem.plain("E1124", "the argument is not key=value, with dots in the key", "", remedy, name))
        return None
    if "[" in key or "]" in key:
        remedy = 'set the whole list in JSON: %s=["a", "b"]' % key.split("[")[0]
        problems.append(Problem("E1124", "a key without an index", show(key), remedy, name, path=key))
        return None
    where = "--set %s" % key
    if value == "null":
        return Layer("set", _nested(path, None), where)
    return _text_layer("set", where, path, value, schema, problems)


def _text_layer(
    name: str, where: str, path: KeyPath, text: str, schema: Schema | None, problems: list[Problem]
) -> Layer | None:
    """One value at ``path``; None with a finding if ``text`` is broken JSON where only JSON fits."""
    types = schema.types_at(path) if schema else frozenset()
    if not types and path in HOST_CHOICES:
        types = frozenset({"string"})
    try:
        value = coerce(text, types, name == "set", where)
    except WindflowError as error:
        if "string" not in types:
            problems.extend(error.problems)
            return None
        value = text
    return Layer(name, _nested(path, value), where)


def coerce(text: str, types: frozenset[str], guess: bool = False, where: str = "the environment") -> Any:
    """Returns the value that ``text`` stands for, given the schema's ``types``; ``text`` itself where it fits none.

    What fits none is left to the validation, which knows the place. Without types ``text`` stays text,
    or with ``guess`` is read like an unquoted YAML scalar or JSON. Raises ``WindflowError`` for bad JSON.
    """
    stripped = text.strip()
    if not stripped or (types and not types - {"string", "null"}):
        return text
    if "boolean" in types and stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    try:
        if {"integer", "number"} & types and _WHOLE.match(stripped):
            return whole_number(stripped)
        if "number" in types and _NUMBER.match(stripped) and isfinite(float(stripped)):
            return float(stripped)
        if stripped[0] in "{[" and ({"object", "array"} & types or (guess and not types)):
            return read_json(stripped, where)
        if guess and not types:
            value = resolve_plain(stripped)
            return text if value is None or isinstance(value, str) else value
    except ValueError:
        pass
    return text


def merge(layers: list[Layer], problems: list[Problem]) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """Returns the merged data, and by key path the index of the layer that each map, list and scalar came from."""
    data: dict[str, Any] = {}
    owners: dict[KeyPath, int] = {}
    for index, layer in enumerate(layers):
        _merge_map(data, layer.data, (), index, owners, layers, problems)
    return data, owners


def _merge_map(
    base: dict[str, Any],
    over: dict[str, Any],
    path: KeyPath,
    index: int,
    owners: dict[KeyPath, int],
    layers: list[Layer],
    problems: list[Problem],
) -> None:
    for key, value in over.items():
        here = path + (key,)
        if value is None:
            if key in base:
                del base[key]
                _forget(owners, here)
            continue
        if key in base and isinstance(base[key], dict) != isinstance(value, dict):
            problems.append(_clash(layers, owners, here, index, base[key], value))
            continue
        owners[here] = index
        if not isinstance(value, dict):
            base[key] = value
            continue
        _merge_map(base.setdefault(key, {}), value, here, index, owners, layers, problems)


def _forget(owners: dict[KeyPath, int], path: KeyPath) -> None:
    for known in [known for known in owners if known[: len(path)] == path]:
        del owners[known]


def _clash(
    layers: list[Layer], owners: dict[KeyPath, int], path: KeyPath, index: int, below: Any, value: Any
) -> Problem:
    file, line, column = layers[index].place(path)
    below_file, below_line, _column = layers[owners[path]].place(path)
    before = "%s:%d" % (below_file, below_line) if below_line else below_file
    expected = "%s, as in %s" % ("a map" if isinstance(below, dict) else _kind(below), before)
    got = "a map" if isinstance(value, dict) else _kind(value)
    remedy = "write the same kind of value in both places"
    return Problem("E1120", expected, got, remedy, file, line, column, dotted(path))


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a single value"


def _nested(path: KeyPath, value: Any) -> dict[str, Any]:
    for part in reversed(path):
        value = {part: value}
    return value
