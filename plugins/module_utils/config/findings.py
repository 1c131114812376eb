# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""jsonschema's errors as findings: one rule for each keyword, and never the value of a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import Problem
from ..text.limits import MAX_PROBLEMS
from ..text.wording import KeyPath, dotted, listed, nearest, show, use_or_list
from . import formats

HIDDEN = "a value that is not shown"

_ENOUGH = 10 * MAX_PROBLEMS
_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a map",
    "string": "text",
}
# Findings about the same value that say nothing more once its type is wrong.
_SECONDARY = ("E1104", "E1109", "E1107", "E1105", "E1106", "E1108")


class Findings:
    """Turns jsonschema's errors into problems. ``place`` gives (file, line, column) of a key path.

    The value is shown only of a key that is no secret and that the schema knows by its name, as ``known`` says: what an
    unknown key holds may be anything. Of a secret nothing below its own key is named.
    """

    def __init__(
        self,
        place: Callable[[KeyPath], tuple[str, int, int]],
        secrets: frozenset[KeyPath],
        known: Callable[[KeyPath], bool] | None = None,
    ) -> None:
        self.place = place
        self.secrets = secrets
        self.known = known

    def of(self, errors: Iterable[Any]) -> list[Problem]:
        problems: dict[tuple[str, str, str], Problem] = {}
        for error in errors:
            for problem in self._of(error, tuple(error.absolute_path)):
                problems.setdefault((problem.path, problem.code, problem.expected), problem)
            if len(problems) > _ENOUGH:
                break
        wrong_type = {problem.path for problem in problems.values() if problem.code == "E1101"}
        return [
            problem for problem in problems.values() if not (problem.path in wrong_type and problem.code in _SECONDARY)
        ]

    def _problem(self, code: str, path: KeyPath, expected: str, got: str, remedy: str = "") -> Problem:
        shown = next((path[:length] for length in range(len(path)) if path[:length] in self.secrets), path)
        file, line, column = self.place(shown)
        return Problem(code, expected, got, remedy, file, line, column, dotted(shown))

    def _secret(self, path: KeyPath) -> bool:
        return any(path[:length] in self.secrets for length in range(len(path) + 1))

    def _hidden(self, path: KeyPath) -> bool:
        return self._secret(path) or not (self.known is None or self.known(path))

    def _got(self, path: KeyPath, value: Any) -> str:
        return HIDDEN if self._hidden(path) else show(value)

    def _of(self, error: Any, path: KeyPath) -> list[Problem]:
        keyword = error.validator or "false"
        found = _RULES[keyword](self, error, path) if keyword in _RULES else []
        if found:
            return found
        if keyword in _LIMITS:
            return [self._limit(error, path)]
        expected = "a value that satisfies %s" % keyword
        remedy = _hint(error.schema, "see the schema")
        return [self._problem("E1113", path, expected, self._got(path, error.instance), remedy)]

    def _type(self, error: Any, path: KeyPath) -> list[Problem]:
        expected = describe(error.schema)
        remedy = "write %s" % expected if self._hidden(path) else _type_remedy(error.schema, error.instance)
        return [self._problem("E1101", path, expected, self._got(path, error.instance), remedy)]

    def _required(self, error: Any, path: KeyPath) -> list[Problem]:
        problems = []
        for name in error.validator_value:
            if name in error.instance:
                continue
            wanted = (error.schema.get("properties") or {}).get(name)
            wanted = wanted if isinstance(wanted, dict) else {}
            remedy = "add the key %s" % show(name)
            if isinstance(wanted.get("x-env"), str):
                remedy += " or set the environment variable %s" % wanted["x-env"]
            problems.append(self._problem("E1102", path + (name,), describe(wanted), "nothing", remedy))
        return problems

    def _additional_properties(self, error: Any, path: KeyPath) -> list[Problem]:
        known = error.schema.get("properties") or {}
        patterns = error.schema.get("patternProperties") or {}
        extra = [
            key
            for key in error.instance
            if key not in known and not any(re.search(pattern, key) for pattern in patterns)
        ]
        return self._unknown(extra, list(known), path)

    def _unevaluated_properties(self, error: Any, path: KeyPath) -> list[Problem]:
        # which keys are left over depends on all branches; jsonschema says it only in its message
        extra = [key for key in error.instance if repr(key) in error.message]
        return self._unknown(extra, list(error.schema.get("properties") or {}), path)

    def _unknown(self, extra: list[str], known: list[str], path: KeyPath) -> list[Problem]:
        problems = []
        for key in extra:
            remedy = use_or_list(key, known) if known else "remove the key"
            got = HIDDEN if self._secret(path) else show(key)
            problems.append(self._problem("E1103", path + (key,), "a known key", got, remedy))
        return problems

    def _enum(self, error: Any, path: KeyPath) -> list[Problem]:
        choices = error.validator_value
        remedy = "write one of them"
        if not self._hidden(path):
            best = nearest(error.instance, choices)
            remedy = 'write "%s"' % best if best else remedy
        expected = "one of %s" % listed(_plain(choice) for choice in choices)
        return [self._problem("E1104", path, expected, self._got(path, error.instance), remedy)]

    def _const(self, error: Any, path: KeyPath) -> list[Problem]:
        expected = show(error.validator_value)
        return [self._problem("E1109", path, expected, self._got(path, error.instance), "write %s" % expected)]

    def _pattern(self, error: Any, path: KeyPath) -> list[Problem]:
        expected = "text that matches %s" % error.validator_value
        remedy = _hint(error.schema, "write text that matches")
        return [self._problem("E1107", path, expected, self._got(path, error.instance), remedy)]

    def _format(self, error: Any, path: KeyPath) -> list[Problem]:
        name = error.validator_value
        remedy = _hint(error.schema)
        if name == "cidr" and not self._hidden(path):
            network = formats.network_of(error.instance)
            remedy = 'the host bits are set; write "%s"' % network if network else remedy
        expected = formats.WORDS.get(name, "text of the format %s" % name)
        return [self._problem("E1108", path, expected, self._got(path, error.instance), remedy)]

    def _limit(self, error: Any, path: KeyPath) -> Problem:
        keyword, bound, value = error.validator, error.validator_value, error.instance
        words, code = _LIMITS[keyword]
        if code == "E1105":
            return self._problem(code, path, describe(error.schema), self._got(path, value), _hint(error.schema))
        got = "%d" % len(value)
        if self._secret(path):
            got = "fewer" if keyword.startswith("min") else "more"
        return self._problem(code, path, words % bound, got, _hint(error.schema, "make it fit"))

    def _unique_items(self, error: Any, path: KeyPath) -> list[Problem]:
        seen: list[Any] = []
        for index, item in enumerate(error.instance[:1000]):
            if item in seen:
                got = "the same as item %d" % (seen.index(item) + 1)
                return [self._problem("E1112", path + (index,), "each item once", got, "remove one of the two")]
            seen.append(item)
        return [self._problem("E1112", path, "each item once", "an item twice", "remove one of the two")]

    def _dependencies(self, error: Any, path: KeyPath) -> list[Problem]:
        problems = []
        for key, wanted in error.validator_value.items():
            if key in error.instance and isinstance(wanted, list):
                for name in wanted:
                    if name not in error.instance:
                        expected = "%s together with %s" % (name, key)
                        got = "only %s" % key
                        problems.append(self._problem("E1102", path + (key,), expected, got, "add %s" % name))
        return problems

    def _property_names(self, error: Any, path: KeyPath) -> list[Problem]:
        got = self._got(path, error.instance)
        return [self._problem("E1103", path, "another name for the key", got, "rename the key")]

    def _never(self, error: Any, path: KeyPath) -> list[Problem]:
        return [self._problem("E1103", path, "that this key is left out", "a value", "remove it")]

    def _not(self, error: Any, path: KeyPath) -> list[Problem]:
        names = _only_required(error.validator_value)
        if names:
            expected = "not more than one of %s" % listed(names)
            return [self._problem("E1110", path, expected, "all of them", "remove one of them")]
        got = self._got(path, error.instance)
        remedy = _hint(error.schema, "write another value")
        return [self._problem("E1110", path, "a value that is not excluded", got, remedy)]

    def _branches(self, error: Any, path: KeyPath) -> list[Problem]:
        choices = error.validator_value
        names = [_only_required(choice) for choice in choices]
        if all(names) and isinstance(error.instance, dict):
            given = [part for part in names if all(name in error.instance for name in part)]
            expected = "%s of %s" % (
                "exactly one" if error.validator == "oneOf" else "at least one",
                listed(" and ".join(part) for part in names),
            )
            got = " and ".join(" and ".join(part) for part in given) or "none"
            remedy = "keep one of them" if given else "add one of them"
            return [self._problem("E1111", path, expected, got, remedy)]
        branches: dict[Any, list[Any]] = {}
        for inner in error.context or ():
            # a branch that is just "false" has no path in a part with a dialect of its own
            branch = inner.relative_schema_path[0] if inner.relative_schema_path else id(inner)
            branches.setdefault(branch, []).append(inner)
        if not branches:  # oneOf, and more than one of them fits
            got = "a value that fits several of them"
            remedy = _hint(error.schema, "see the schema")
            return [self._problem("E1111", path, "exactly one of the forms in the schema", got, remedy)]
        # Nothing fits the branch "false": it is never what was meant.
        possible = [branch for branch in branches.values() if branch[0].schema is not False] or list(branches.values())
        meant = min(possible, key=_distance)
        if all(_distance(branch)[0] for branch in possible):
            expected = " or ".join(dict.fromkeys(describe(choice) for choice in choices if choice is not False))
            remedy = "write %s" % expected
            return [self._problem("E1101", path, expected, self._got(path, error.instance), remedy)]
        return [problem for inner in meant for problem in self._of(inner, tuple(inner.absolute_path))]


# What a schema that is just "false" says has no keyword of its own.
_RULES = {
    "additionalProperties": Findings._additional_properties,
    "anyOf": Findings._branches,
    "const": Findings._const,
    "dependencies": Findings._dependencies,
    "dependentRequired": Findings._dependencies,
    "enum": Findings._enum,
    "false": Findings._never,
    "format": Findings._format,
    "not": Findings._not,
    "oneOf": Findings._branches,
    "pattern": Findings._pattern,
    "propertyNames": Findings._property_names,
    "required": Findings._required,
    "type": Findings._type,
    "unevaluatedProperties": Findings._unevaluated_properties,
    "uniqueItems": Findings._unique_items,
}
_LIMITS = {
    "minimum": ("", "E1105"),
    "maximum": ("", "E1105"),
    "exclusiveMinimum": ("", "E1105"),
    "exclusiveMaximum": ("", "E1105"),
    "multipleOf": ("", "E1105"),
    "minLength": ("at least %d characters", "E1106"),
    "maxLength": ("at most %d characters", "E1106"),
    "minItems": ("at least %d items", "E1106"),
    "maxItems": ("at most %d items", "E1106"),
    "minProperties": ("at least %d keys", "E1106"),
    "maxProperties": ("at most %d keys", "E1106"),
}


def describe(schema: Any) -> str:
    """Returns what a schema asks for, in a few words: ``a whole number from 1 to 65535``."""
    if not isinstance(schema, dict):
        return "a value"
    if isinstance(schema.get("enum"), list):
        return "one of %s" % listed(_plain(choice) for choice in schema["enum"])
    if "const" in schema:
        return show(schema["const"])
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or []
    words = " or ".join(_WORDS.get(kind, str(kind)) for kind in kinds) or "a value"
    if "integer" in kinds or "number" in kinds or not kinds:
        words += _range(schema)
    if schema.get("format") in formats.WORDS and kinds in (["string"], []):
        words = formats.WORDS[schema["format"]]
    return words


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        words = " from %s to %s" % (show(low), show(high))
    else:
        parts = [
            " of at least %s" % show(low) if low is not None else "",
            " of at most %s" % show(high) if high is not None else "",
            " above %s" % show(above) if above is not None else "",
            " below %s" % show(below) if below is not None else "",
        ]
        words = "".join(parts)
    return words + (" in steps of %s" % show(schema["multipleOf"]) if "multipleOf" in schema else "")


def _type_remedy(schema: dict[str, Any], value: Any) -> str:
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or []
    if "boolean" in kinds:
        return "write true or false"
    if isinstance(value, str) and {"integer", "number"} & set(kinds):
        try:
            float(value)
            return "write %s without quotes" % value.strip() if len(value) < 30 else "write a number"
        except ValueError:
            return "write a number"
    if "string" in kinds and isinstance(value, (int, float)):
        return "put it in quotes"
    if value is None:
        return "give a value or remove the line"
    if "array" in kinds:
        return "write a list, such as [a, b]"
    if "object" in kinds:
        return "write keys and values"
    return "write %s" % describe(schema)


def _hint(schema: Any, otherwise: str = "") -> str:
    """Returns the schema's own words about the value, its first sentence; without them what the schema asks for."""
    text = schema.get("description") if isinstance(schema, dict) else None
    if not isinstance(text, str) or not text.strip():
        return otherwise or "write %s" % describe(schema)
    return "see what the schema says: %s" % text.split(". ")[0].strip().rstrip(".")[:200]


def _only_required(schema: Any) -> list[str]:
    """The names in a schema that says nothing but ``required``."""
    if not isinstance(schema, dict) or set(schema) - {"required", "title", "description", "properties"}:
        return []
    names = schema.get("required")
    return names if isinstance(names, list) else []


def _distance(errors: list[Any]) -> tuple[bool, bool, int]:
    """Returns how far a branch of anyOf is from what was meant: another kind of value is furthest."""
    other_kind = any(not error.relative_path and error.validator in ("type", "const") for error in errors)
    other_const = any(error.validator == "const" for error in errors)
    return other_kind, other_const, len(errors)


def _plain(choice: object) -> str:
    return choice if isinstance(choice, str) and choice.isprintable() and choice else json.dumps(choice)
