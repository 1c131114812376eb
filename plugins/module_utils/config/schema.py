# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin's JSON Schema: loading it safely, what its annotations say, and validating with places.

``"x-env": "DB_HOST"`` maps an environment variable to a key, the standard ``"writeOnly": true`` marks a secret, and
``"x-generate": true`` a secret that is made on the host, once, where no layer gives it. A ``$ref`` may only point into
the schema itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import Problem
from ..text.documents import Document, read
from ..text.limits import SECONDS, fail_if_any, time_limit
from ..text.thirdparty import require
from ..text.wording import KeyPath, dotted, kind, show
from . import dialects

_LONGEST_PATTERN = 1000
_SAME_PLACE = ("allOf", "anyOf", "oneOf", "then", "else", "if", "not", "dependentSchemas", "dependencies")
# A schema is one resource without parts that have an $id, so each of them leads to one place.
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_NAMED = ("properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies")
_DATA = ("const", "enum", "default", "examples", "x-example")
_ANY_PART = (
    "additionalProperties",
    "patternProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "contains",
    "unevaluatedProperties",
    "unevaluatedItems",
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# What a hook's or a program's environment must keep to itself.
_RESERVED = re.compile(
    r"(?:PATH|HOME|SHELL|USER|LOGNAME|IFS|ENV|BASH_ENV|BASH_FUNC_.*|CDPATH|TMPDIR|LD_.*|PYTHON.*|PERL.*|WINDFLOW_.*)\Z"
)


@dataclass(frozen=True)
class Schema:
    """``environment`` maps a variable to the key path it sets; ``secrets`` has the key paths of secrets,
    with ``*`` for any item or any further key; ``generated`` those of the secrets that are made where they are not
    given. ``file`` is the schema's name in findings.
    """

    raw: dict[str, Any]
    file: str
    dialect: str = dialects.DEFAULT
    environment: dict[str, KeyPath] = field(default_factory=dict)
    secrets: tuple[KeyPath, ...] = ()
    generated: tuple[KeyPath, ...] = ()
    plain_secrets: bool = False  # "secrets" says it all: without "*", and no $ref that could repeat itself

    def types_at(self, path: KeyPath) -> frozenset[str]:
        """Returns the JSON types that the schema names for ``path``; empty if it names none."""
        found: set[str] = set()
        for node in self._here(self._nodes_at(path)):
            kinds = node.get("type")
            found.update([kinds] if isinstance(kinds, str) else kinds or ())
            if kinds is None:
                found.update(_json_type(value) for value in [*node.get("enum", ()), *_constant(node)])
        return frozenset(found)

    def speaks_of(self, path: KeyPath) -> bool:
        """Returns whether the schema says anything of ``path``."""
        return any(self._here(self._nodes_at(path)))

    def names_at(self, path: KeyPath) -> list[str]:
        """Returns the keys that the schema names in the map at ``path``."""
        return sorted({name for node in self._here(self._nodes_at(path)) for name in node.get("properties") or ()})

    def _nodes_at(self, path: KeyPath) -> list[Any]:
        nodes: list[Any] = [self.raw]
        for part in path:
            nodes = [child for node in self._here(nodes) for child in _children(node, part)]
        return nodes

    def secret_paths(self, data: dict[str, Any]) -> frozenset[KeyPath]:
        """Returns the key paths in ``data`` that hold secrets; a secret map or list counts as a whole."""
        found = set()
        if self.plain_secrets:
            for path in sorted(self.secrets, key=len):
                if _has(data, path) and not any(path[:length] in found for length in range(len(path))):
                    found.add(path)
            return frozenset(found)
        pending: list[tuple[list[Any], Any, KeyPath]] = [([self.raw], data, ())] if self.secrets else []
        while pending:
            nodes, value, path = pending.pop()
            nodes = list(self._here(nodes))
            if any(node.get("writeOnly") is True or _is_secret_text(node) for node in nodes):
                found.add(path)
            elif isinstance(value, (dict, list)):
                for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                    below = [part for node in nodes for part in _children(node, key)]
                    if below:
                        pending.append((below, child, path + (key,)))
        return frozenset(found)

    def validate(
        self,
        data: dict[str, Any],
        place: Callable[[KeyPath], tuple[str, int, int]],
        secrets: frozenset[KeyPath] | None = None,
    ) -> list[Problem]:
        """Every finding in ``data``. ``place`` gives (file, line, column) of a key path or of its nearest ancestor."""
        secrets = self.secret_paths(data) if secrets is None else secrets
        with time_limit(SECONDS, "validating the configuration", self.file):
            errors = dialects.validator(self.raw, self.dialect).iter_errors(data)
            first = next(errors, None)
            return [] if first is None else findings(place, secrets, itertools.chain([first], errors), self.names)

    def names(self, path: KeyPath) -> bool:
        """Returns whether the schema has each key of ``path`` by its name."""
        nodes: list[Any] = [self.raw]
        for part in path:
            nodes = list(self._here(nodes))
            if isinstance(part, str) and not any(part in (node.get("properties") or {}) for node in nodes):
                return False
            nodes = [child for node in nodes for child in _children(node, part)]
        return True

    def _here(self, nodes: list[Any]) -> Iterator[dict[str, Any]]:
        """Every schema that speaks about the same value as ``nodes``: references and branches followed."""
        seen = set()
        pending = list(reversed(nodes))
        while pending:
            node = pending.pop()
            if not isinstance(node, dict) or id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            pending.extend(_branches(node))
            pending.extend(_targets(self.raw, node).values())


def load_schema(path: Path, display: str | None = None) -> Schema:
    """Returns the schema in ``path``; raises ``WindflowError`` with everything that is wrong with it."""
    require()
    name = display or str(path)
    with time_limit(SECONDS, "reading the schema", name):
        document = read(path, name, "the configuration's schema", code="E1060")
        return _Loader(document).schema()


def findings(
    place: Callable[[KeyPath], tuple[str, int, int]],
    secrets: frozenset[KeyPath],
    errors: Iterable[Any],
    known: Callable[[KeyPath], bool] | None = None,
) -> list[Problem]:
    """Returns the validator's errors in our words. What puts them into words is loaded only when there are any."""
    from .findings import Findings

    return Findings(place, secrets, known).of(errors)


class _Loader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.raw = document.data
        self.problems: list[Problem] = []
        self.environment: dict[str, KeyPath] = {}
        # Ordered sets.
        self.secrets: dict[KeyPath, bool] = {}
        self.generated: dict[KeyPath, bool] = {}

    def add(self, code: str, path: KeyPath, expected: str, got: str, remedy: str) -> None:
        line, column = self.document.place(path)
        self.problems.append(Problem(code, expected, got, remedy, self.document.file, line, column, dotted(path)))

    def schema(self) -> Schema:
        dialect = self._dialect()
        fail_if_any(self.problems)
        self._flags(self.raw, ())
        errors = dialects.schema_errors(self.raw, dialect)
        if errors:
            found = findings(lambda path: (self.document.file, *self.document.place(path)), frozenset(), errors)
            told = {problem.path for problem in self.problems}
            self.problems.extend(replace(problem, code="E1061") for problem in found if problem.path not in told)
        fail_if_any(self.problems)
        references: list[tuple[KeyPath, str]] = []
        self._look(self.raw, (), references)
        self._references(references)
        fail_if_any(self.problems)
        self._annotations()
        fail_if_any(self.problems)
        plain = not references and not any("*" in path for path in self.secrets)
        secrets, generated = tuple(self.secrets), tuple(self.generated)
        return Schema(self.raw, self.document.file, dialect, self.environment, secrets, generated, plain)

    def _dialect(self) -> str:
        given = self.raw.get("$schema", dialects.DEFAULT)
        dialect = dialects.known(given) if isinstance(given, str) else None
        if dialect is None:
            remedy = 'write "http://json-schema.org/draft-07/schema#"'
            self.add("E1062", ("$schema",), "draft-07, 2019-09 or 2020-12", show(given), remedy)
        return dialect or dialects.DEFAULT

    def _look(self, node: Any, path: KeyPath, references: list[tuple[KeyPath, str]], names: bool = False) -> None:
        """Collect references and anchors, and judge patterns and identifiers, in every part of the schema.

        ``names`` says that the keys of ``node`` are names that the author chose, and no keywords.
        """
        if isinstance(node, list):
            for index, part in enumerate(node):
                self._look(part, path + (index,), references)
        elif isinstance(node, dict):
            for key, value in node.items():
                here = path + (key,)
                if names:
                    self._look(value, here, references)
                    continue
                if isinstance(value, str):
                    self._keyword(key, value, here, references)
                elif key not in _DATA:
                    if key == "patternProperties":
                        for pattern in value:
                            self._pattern(pattern, here + (pattern,))
                    self._look(value, here, references, key in _NAMED)

    def _keyword(self, key: str, value: str, here: KeyPath, references: list[tuple[KeyPath, str]]) -> None:
        if key in _REFERENCES:
            references.append((here, value))
        elif key == "$id" and len(here) > 1 and not value.startswith("#"):
            remedy = "remove it and refer to this part by its path, #/..."
            self.add("E1063", here, "$id only at the top of the schema", show(value), remedy)
        elif key == "pattern":
            self._pattern(value, here)

    def _pattern(self, pattern: str, path: KeyPath) -> None:
        if len(pattern) > _LONGEST_PATTERN:
            got = "%d characters" % len(pattern)
            self.add("E1065", path, "a pattern of at most %d characters" % _LONGEST_PATTERN, got, "shorten it")
            return
        try:
            dialects.compiled(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            got = "%s (%s)" % (show(pattern), error)
            self.add("E1065", path, "a regular expression", got, "look at the brackets and escapes")

    def _references(self, references: list[tuple[KeyPath, str]]) -> None:
        for path, reference in references:
            if not reference.startswith("#"):
                remedy = 'copy that schema into "definitions" and write "#/definitions/..."'
                self.add("E1063", path, "a $ref into this schema, beginning with #", show(reference), remedy)
                continue
            found = _anchored(self.raw, reference)
            if len(found) > 1 and not _is_pointer(reference):
                remedy = "give each part an anchor of its own"
                self.add("E1064", path, "an anchor of one part", "%d parts with it" % len(found), remedy)
            elif _target(self.raw, reference) is None:
                self.add("E1064", path, "a $ref to a part that exists", show(reference), "correct the path after #")

    def _flags(self, node: Any, path: KeyPath, names: bool = False) -> None:
        """What is meant as ``writeOnly`` and is not: nobody would notice that a secret is shown. ``names`` as above."""
        pending = [(node, path, names)]
        while pending:
            node, path, names = pending.pop()
            if isinstance(node, list):
                pending.extend((part, path + (index,), False) for index, part in enumerate(node))
            if not isinstance(node, dict):
                continue
            for key, value in node.items():
                here = path + (key,)
                if not names and re.sub("[-_ ]", "", key).lower() == "writeonly":
                    if key != "writeOnly":
                        self.add("E1068", here, "the keyword writeOnly", show(key), 'write "writeOnly": true')
                    elif not isinstance(value, bool):
                        self._no_flag(here, value)
                if names or not (key in _DATA or key.startswith("x-")):
                    pending.append((value, here, not names and key in _NAMED))

    def _no_flag(self, path: KeyPath, value: object) -> None:
        self.add("E1068", path, "true or false", kind(value), "write true, without quotes")

    def _annotations(self) -> None:
        visited = set()
        pending: list[tuple[Any, KeyPath, frozenset[str]]] = [(self.raw, (), frozenset())]
        while pending:
            node, path, followed = pending.pop()
            if not isinstance(node, dict) or (id(node), path) in visited:
                continue
            visited.add((id(node), path))
            if node.get("writeOnly") is True or _is_secret_text(node):
                self.secrets[path] = True
            elif not isinstance(node.get("writeOnly", False), bool):
                # A $ref may lead into data, where nothing was looked at before.
                self._no_flag(_schema_path(path)[:-1] + ("writeOnly",), node["writeOnly"])
            if "x-env" in node:
                self._variable(node["x-env"], path)
            if "x-generate" in node:
                self._generate(node, path)
            found = [(branch, path, followed) for branch in _branches(node)]
            for reference, target in _targets(self.raw, node).items():
                if reference not in followed:
                    found.append((target, path, followed | {reference}))
            found += [(child, path + (part,), followed) for part, child in _parts(node) if child]
            pending.extend(reversed(found))

    def _variable(self, name: Any, path: KeyPath) -> None:
        where = _schema_path(path)
        if not isinstance(name, str) or not _VARIABLE.match(name) or len(name) > 128:
            remedy = "use letters, digits and underscores"
            self.add("E1066", where, "the name of an environment variable", show(name), remedy)
        elif _RESERVED.match(name):
            self.add("E1066", where, "a variable of the plugin's own", show(name), "choose another name")
        elif "*" in path:
            self.add("E1066", where, "x-env on keys outside lists", show(name), "map the whole list instead")
        elif self.environment.setdefault(name, path) != path:
            got = "%s also at %s" % (name, dotted(self.environment[name]))
            self.add("E1066", where, "each variable once", got, "choose another name for one of them")

    def _generate(self, node: dict[str, Any], path: KeyPath) -> None:
        where = _schema_path(path)[:-1] + ("x-generate",)
        if not isinstance(node["x-generate"], bool):
            self.add("E1067", where, "true or false", show(node["x-generate"]), "write true")
        elif node["x-generate"]:
            if "*" in path or node.get("type") != "string" or node.get("writeOnly") is not True:
                remedy = 'write "type": "string" and "writeOnly": true beside it'
                self.add("E1067", where, "x-generate at a secret text outside lists", "another kind of key", remedy)
            self.generated[path] = True


def _has(data: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def _schema_path(path: KeyPath) -> KeyPath:
    found: KeyPath = ()
    for part in path:
        found += ("properties", part)
    return found + ("x-env",)


def _branches(node: dict[str, Any]) -> Iterator[Any]:
    """The schemas inside ``node`` that speak about the same value."""
    for key in _SAME_PLACE:
        value = node.get(key)
        if value is None:
            continue
        if isinstance(value, list):
            yield from value
        elif key in ("dependentSchemas", "dependencies"):
            yield from value.values()
        else:
            yield value


def _parts(node: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The schemas inside ``node`` that speak about a key or an item of the value."""
    if "properties" in node:
        yield from node["properties"].items()
    for key in _ANY_PART:
        if key in node:
            child = node[key]
            several = child.values() if key == "patternProperties" else child if isinstance(child, list) else [child]
            yield from (("*", one) for one in several)


def _children(node: dict[str, Any], part: str | int) -> Iterator[Any]:
    """The schemas inside ``node`` that speak about its key or item ``part``."""
    if isinstance(part, int):
        yield from (child for key, child in _parts(node) if key == "*")
        return
    properties = node.get("properties") or {}
    matched = part in properties
    if matched:
        yield properties[part]
    for pattern, child in (node.get("patternProperties") or {}).items():
        if re.search(pattern, part):
            matched = True
            yield child
    if not matched:
        yield node.get("additionalProperties")
        yield node.get("unevaluatedProperties")


def _targets(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Returns the schemas that ``node`` refers to, by what it says."""
    found = {key: node[key] for key in _REFERENCES if isinstance(node.get(key), str)}
    targets = {reference: _target(root, reference) for reference in found.values()}
    return {reference: target for reference, target in targets.items() if target is not None}


def _is_pointer(reference: str) -> bool:
    return reference == "#" or reference.startswith("#/")


def _target(root: dict[str, Any], reference: str) -> Any:
    """Returns what the JSON pointer ``#/a/b`` or the anchor ``#a`` leads to, or None."""
    if not _is_pointer(reference):
        found = _anchored(root, reference)
        return found[0] if found else None
    node: Any = root
    for part in unquote(reference[2:]).split("/") if reference != "#" else ():
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(part)
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node if isinstance(node, (dict, bool)) else None


def _anchored(root: dict[str, Any], reference: str) -> list[dict[str, Any]]:
    """Returns the parts of the schema with the anchor of ``#name``; data is no part of it."""
    name, found = reference[1:], []
    pending: list[tuple[Any, bool]] = [(root, False)]
    while pending and reference.startswith("#"):
        node, names = pending.pop()
        if isinstance(node, dict):
            if not names and (
                name in (node.get("$anchor"), node.get("$dynamicAnchor")) or node.get("$id") == reference
            ):
                found.append(node)
            for key, value in node.items():
                if names or key not in _DATA:
                    pending.append((value, not names and key in _NAMED))
        elif isinstance(node, list):
            pending.extend((part, False) for part in node)
    return found


def _is_secret_text(node: dict[str, Any]) -> bool:
    """Returns whether the value is a text that, read as a document of its own, has a secret somewhere."""
    pending = [node["contentSchema"]] if "contentSchema" in node else []
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if part.get("writeOnly") is True or any(key in part for key in _REFERENCES):
                return True
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return False


def _constant(node: dict[str, Any]) -> list[Any]:
    return [node["const"]] if "const" in node else []


def _json_type(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return kinds.get(type(value), "null")
