# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with comments: the parsing and, only when a finding needs it, the place of every key."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from ..errors import Problem, WindflowError
from .document_limits import (
    MAX_DEPTH,
    MAX_VALUES,
    count_problem,
    depth_problem,
    duplicate_problem,
    number_problem,
    whole_number,
)
from .limits import fail_if_any
from .wording import KeyPath, dotted

# Each alternative also matches its unterminated form up to the end, so that no text makes the search
# start over again and again.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_COMMENT = r"//[^\n]*|/\*(?:.*?\*/|.*\Z)"
_COMMENTS = re.compile("%s|%s" % (_STRING, _COMMENT), re.DOTALL)
_STRUCTURE = re.compile(r"%s|[\[\]{},]" % _STRING, re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")
_CLOSED = re.compile(r"\{\}|\[\]")
_TOKENS = re.compile(r'%s|[\[\]{}:,]|[^\s\[\]{}:,"]+' % _STRING, re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(text: str, file: str) -> Any:
    """Returns the value in ``text``; findings are raised as ``WindflowError``."""
    # "//" after a colon is nearly always part of a URL; where it is not, the parser's failure tells
    if "/*" in text or "//" in text.replace("://", ""):
        text = without_comments(text)
    _check_size(text, file)
    seen = _Seen()
    try:
        data = _parsed(text, seen)
    except json.JSONDecodeError:
        text = without_comments(text)
        _check_size(text, file)
        try:
            data = _parsed(text, seen)
        except json.JSONDecodeError as error:
            raise WindflowError(_syntax(text, file, error)) from None
    if seen.wrong or ("\\u" in text and _SURROGATE.search(json.dumps(data, ensure_ascii=False))):
        fail_if_any(JsonPositions(text).problems(file))
    return data


def _parsed(text: str, seen: _Seen) -> Any:
    return json.loads(
        text,
        object_pairs_hook=seen.object,
        parse_constant=seen.constant,
        parse_int=seen.integer,
        parse_float=seen.float,
    )


def without_comments(text: str) -> str:
    """``text`` with every comment blanked; places stay as they are."""

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        if found[0] == '"' or (found[1] == "*" and not found.endswith("*/", 2)):
            return found  # a text, or a comment without an end, which is left for the parser to refuse
        return re.sub(r"[^\n]", " ", found)

    return _COMMENTS.sub(blank, text)


class _Seen:
    """The hooks of the JSON parser. They only note that something is wrong; its place is found later."""

    def __init__(self) -> None:
        self.wrong = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.wrong = self.wrong or len(found) != len(pairs)
        return found

    def constant(self, _name: str) -> None:
        self.wrong = True

    def integer(self, text: str) -> int | None:
        try:
            return whole_number(text)
        except ValueError:
            self.wrong = True
            return None

    def float(self, text: str) -> float:
        number = float(text)
        self.wrong = self.wrong or not isfinite(number)
        return number


def _check_size(text: str, file: str) -> None:
    if text.count("{") + text.count("[") + text.count(",") >= MAX_VALUES:
        _count_values(text, file)
    brackets = _NO_BRACKETS.sub("", _STRINGS.sub("", text))
    for _level in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = _CLOSED.sub("", brackets)  # takes away the innermost level
    depth = 0
    for match in _STRUCTURE.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match.group(), 0)
        if depth > MAX_DEPTH:
            raise WindflowError(depth_problem(file, *_place(_line_starts(text), match.start())))


def _count_values(text: str, file: str) -> None:
    values = sum(match.group() in "{[," for match in _STRUCTURE.finditer(text))
    if values > MAX_VALUES:
        raise WindflowError(count_problem(file))


def _syntax(text: str, file: str, error: json.JSONDecodeError) -> Problem:
    # What it met in the text comes after a colon.
    reason = (error.msg[:1].lower() + error.msg[1:]).partition(":")[0]
    line, column = error.lineno, error.colno
    # Python 3.13 stops at a comma before the end, older versions stop after it
    before = text[: error.pos + 1 if text[error.pos : error.pos + 1] == "," else error.pos].rstrip()
    if before.endswith(",") and text[len(before) :].lstrip()[:1] in ("}", "]"):
        line, column = _place(_line_starts(text), len(before) - 1)
        return Problem("E1008", "valid JSON", "a comma before the end", "remove the comma", file, line, column)
    if error.msg.startswith("Extra data"):
        return Problem("E1008", "one JSON value", "more text after it", "remove what follows", file, line, column)
    remedy = "look at the quotes, commas and brackets up to this place"
    return Problem("E1008", "valid JSON", reason, remedy, file, line, column)


def _line_starts(text: str) -> list[int]:
    return [0] + [match.end() for match in re.finditer("\n", text)]


def _place(starts: list[int], offset: int) -> tuple[int, int]:
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


class JsonPositions(Mapping[KeyPath, tuple[int, int]]):
    """(line, column) by key path, found out at the first question: most files never have a finding."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[KeyPath, tuple[int, int]] = {}
        self._repeated: list[tuple[KeyPath, tuple[int, int], tuple[int, int]]] = []
        self._scalars: list[tuple[KeyPath, str, tuple[int, int]]] = []
        self._is_scanned = False

    def _scanned(self) -> dict[KeyPath, tuple[int, int]]:
        if not self._is_scanned:
            self._is_scanned = True
            self._scan()
        return self._places

    def __getitem__(self, path: KeyPath) -> tuple[int, int]:
        return self._scanned()[path]

    def __iter__(self) -> Iterator[KeyPath]:
        return iter(self._scanned())

    def __len__(self) -> int:
        return len(self._scanned())

    def problems(self, file: str) -> list[Problem]:
        """Returns what is wrong in a text that is valid JSON: repeated keys, numbers and halves of characters."""
        self._scanned()
        found = [duplicate_problem(file, dotted(path), first, again) for path, first, again in self._repeated]
        for path, token, (line, column) in self._scalars:
            where = (file, line, column, dotted(path))
            if token in ("NaN", "Infinity", "-Infinity"):
                found.append(Problem("E1015", "a finite number", token, "write a number or text in quotes", *where))
            elif token[0] == '"' and _SURROGATE.search(json.loads(token)):
                remedy = "write the character itself, or both halves of its escape"
                found.append(Problem("E1004", "printable text", "half of a surrogate pair", remedy, *where))
            elif token[0] in "-0123456789":
                try:
                    if not isfinite(whole_number(token) if token.lstrip("-").isdigit() else float(token)):
                        raise ValueError("a number beyond 1.8e308")
                except ValueError as reason:
                    found.append(number_problem(*where, reason))
        return found

    def _scan(self) -> None:
        """Walk the tokens of a text that is known to be valid JSON."""
        text = without_comments(self._text)
        starts = _line_starts(text)
        frames: list[list[Any]] = []  # [path, index or None for a map, key or None]
        for match in _TOKENS.finditer(text):
            token = match.group()
            if token in ("}", "]"):
                frames.pop()
            elif token == ",":
                if frames[-1][1] is None:
                    frames[-1][2] = None
                else:
                    frames[-1][1] += 1
            elif token != ":":
                self._token(token, _place(starts, match.start()), frames)

    def _token(self, token: str, place: tuple[int, int], frames: list[list[Any]]) -> None:
        path: KeyPath = ()
        if frames:
            parent, index, key = frames[-1]
            if index is None and key is None:
                frames[-1][2] = key = json.loads(token)
                path = parent + (key,)
                if path in self._places:
                    self._repeated.append((path, self._places[path], place))
                self._places[path] = place
                self._scalars.append((path, token, place))
                return
            path = parent + (key if index is None else index,)
            if index is not None:
                self._places[path] = place
        else:
            self._places[path] = place
        if token in ("{", "["):
            frames.append([path, None if token == "{" else 0, None])
        else:
            self._scalars.append((path, token, place))
