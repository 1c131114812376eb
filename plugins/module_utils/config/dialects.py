# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema dialects: how a value is validated, and whether a schema is one.

Three things differ from plain jsonschema. Nothing is ever fetched: the registry is empty. ``1.0`` is no
whole number. ``$`` in a pattern means the end of the text, as in ECMA 262, and not also the place before
a last newline, so that ``^[a-z]+$`` refuses ``"abc\\n"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..text.thirdparty import jsonschema, referencing
from . import formats

# Identifiers without "http://" or "https://" and without a last "#"; the first is used where a schema has none.
DIALECTS = {
    "json-schema.org/draft-07/schema": "Draft7Validator",
    "json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    "json-schema.org/draft/2020-12/schema": "Draft202012Validator",
}
DEFAULT = "json-schema.org/draft-07/schema"
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def known(identifier: str) -> str | None:
    """Returns the key of ``DIALECTS`` that ``$schema: identifier`` stands for."""
    plain = re.sub(r"^https?://", "", identifier).rstrip("#")
    return plain if plain in DIALECTS else None


def validator(schema: dict[str, Any], dialect: str) -> Any:
    """A jsonschema validator that fetches nothing."""
    return _validator_class(dialect)(schema, registry=referencing.Registry(), format_checker=_format_checker())


def schema_errors(schema: dict[str, Any], dialect: str) -> list[Any]:
    """Returns what the metaschema finds wrong, as jsonschema's errors."""
    if _plain_schema(schema):
        return []
    return list(_metaschema_validator(dialect).iter_errors(schema))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """``pattern`` with the meaning that ``$`` has in ECMA 262; raises ``re.error``."""
    text = []
    in_class = False
    parts = iter(pattern)
    for char in parts:
        if char == "\\":
            char += next(parts, "")
        elif char == "[":
            in_class = True
        elif char == "]":
            in_class = False
        elif char == "$" and not in_class:
            char = r"\Z"
        text.append(char)
    return re.compile("".join(text))


@lru_cache(maxsize=None)
def _validator_class(dialect: str) -> type:
    base = getattr(jsonschema, DIALECTS[dialect])
    integer = base.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    found = jsonschema.validators.extend(base, {"pattern": _pattern}, type_checker=integer)
    descend = found.descend

    def placed(self: Any, instance: Any, schema: Any, path: Any = None, schema_path: Any = None, **more: Any) -> Any:
        """As ``descend``; jsonschema itself does not say where a value is that the schema ``false`` forbids."""
        if schema is not False:
            return descend(self, instance, schema, path, schema_path, **more)
        steps = [() if step is None else (step,) for step in (path, schema_path)]
        known = {"validator": None, "validator_value": None, "instance": instance, "schema": schema}
        return iter([jsonschema.ValidationError("nothing is allowed", path=steps[0], schema_path=steps[1], **known)])

    found.descend = placed
    return found


@lru_cache(maxsize=None)
def _metaschema_validator(dialect: str) -> Any:
    base = getattr(jsonschema, DIALECTS[dialect])
    # the metaschemas are the one thing that may be looked up; they are part of the package
    return base(base.META_SCHEMA, format_checker=_format_checker())


@lru_cache(maxsize=None)
def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name in formats.CHECKS:
        checker.checks(name)(lambda value, name=name: formats.check(value, name))
    return checker


def _pattern(checker: Any, pattern: str, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    if checker.is_type(value, "string") and not compiled(pattern).search(value):
        yield jsonschema.ValidationError("%r does not match %r" % (value, pattern))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_type(value: object) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and _is_names(names) and all(name in _TYPES for name in names)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _is_map_of_schemas(value: object) -> bool:
    return isinstance(value, dict) and all(_plain_schema(part) for part in value.values())


def _is_list_of_schemas(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_plain_schema(part) for part in value)


def _plain_schema(schema: object) -> bool:
    """Returns whether ``schema`` has only keywords that are judged here, and each is in order.

    The metaschema takes 3 ms (draft-07) to 12 ms (2020-12) for a schema of the documentation's size;
    this takes a hundredth. Where it says False the metaschema decides.
    """
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    for key, value in schema.items():
        rule = _RULES.get(key)
        if rule is None:
            if not key.startswith("x-"):
                return False
        elif not rule(value):
            return False
    return True


def _anything(_value: object) -> bool:
    return True


_RULES = {
    "$comment": _is_text,
    "$ref": _is_text,
    "$schema": _is_text,
    "additionalProperties": _plain_schema,
    "allOf": _is_list_of_schemas,
    "anyOf": _is_list_of_schemas,
    "const": _anything,
    "default": _anything,
    "definitions": _is_map_of_schemas,
    "$defs": _is_map_of_schemas,
    "description": _is_text,
    "else": _plain_schema,
    "enum": lambda value: isinstance(value, list),
    "examples": lambda value: isinstance(value, list),
    "exclusiveMaximum": _is_number,
    "exclusiveMinimum": _is_number,
    "format": _is_text,
    "if": _plain_schema,
    "items": _plain_schema,
    "maxItems": _is_count,
    "maxLength": _is_count,
    "maxProperties": _is_count,
    "maximum": _is_number,
    "minItems": _is_count,
    "minLength": _is_count,
    "minProperties": _is_count,
    "minimum": _is_number,
    "not": _plain_schema,
    "oneOf": _is_list_of_schemas,
    "pattern": _is_text,
    "patternProperties": _is_map_of_schemas,
    "properties": _is_map_of_schemas,
    "readOnly": _is_flag,
    "required": _is_names,
    "then": _plain_schema,
    "title": _is_text,
    "type": _is_type,
    "uniqueItems": _is_flag,
    "writeOnly": _is_flag,
}
