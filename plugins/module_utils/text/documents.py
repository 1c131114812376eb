# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML and JSON files into plain data, with the place of every key.

YAML is read as the core schema of YAML 1.2: ``true``, ``false``, ``null`` and numbers have a type,
everything else is text. So ``no``, ``yes``, ``on``, ``0777``, ``12:30:00`` and dates stay text; YAML 1.1
readers turn them into False, True, 511, 45000 and dates, which is never what the author of a
configuration meant. ``0777`` is text too, because 1.1 and 1.2 disagree about its value.

What makes a file mean something else than it shows is refused: anchors and aliases, tags, duplicate
keys, a second document, tabs as indentation, keys that are not text. So is what is too large: over
1 MB, 50,000 values or 50 levels. JSON has the same limits and may carry ``//`` and ``/* */`` comments.

A file of the operator's may be encrypted with Ansible Vault, as a whole or value by value (``!vault``); who reads it
then hands over what decrypts.

The findings of one file come together, unless one of them makes the rest unreadable. They say where and what kind of
thing is wrong, and never show what is written there: a password without quotes may be read as an anchor, a tag, an
alias, a key or broken YAML.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError
from .document_limits import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    count_problem,
    depth_problem,
    duplicate_problem,
    number_problem,
    whole_number,
)
from .json_documents import JsonPositions, read_json
from .limits import SECONDS, fail_if_any, time_limit
from .thirdparty import require, yaml
from .wording import KeyPath, dotted, kind

_LOADER: Any = getattr(yaml, "CSafeLoader", None) or getattr(yaml, "SafeLoader", None)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS.update({"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False})
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_QUOTED = "; put text that begins with %s in quotes"
# The parser quotes what it met. Its own signs may be shown, what the author wrote may not.
_UNSHOWN = re.compile(r"(?:(?:the |escape )?character )?(?:'(?![,\]}:?!-]'|<[a-z ]+>')[^']*'|\"[^\"]*\")")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")

VAULT = b"$ANSIBLE_VAULT;"
_VAULT_TAGS = ("!vault", "!vault-encrypted")


@dataclass(frozen=True)
class Document:
    """``data`` is a map; ``positions`` gives (line, column) by key path, both from 1.

    A key's place is the key itself, a list item's place is the item. ``numbers`` has the text of the
    numbers of a YAML file by key path, because ``1.10`` is no longer itself as a number.
    """

    data: dict[str, Any]
    positions: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    file: str = ""
    numbers: Mapping[KeyPath, str] = field(default_factory=dict)

    def place(self, path: Iterable[Any]) -> tuple[int, int]:
        """Line and column of ``path`` or, where it does not exist, of its nearest ancestor that does."""
        path = tuple(path)
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, (1, 1))


def read(
    path: Path,
    display: str | None = None,
    what: str = "a file",
    allow_empty: bool = False,
    code: str = "E1001",
    decrypt: Callable[[bytes], bytes] | None = None,
) -> Document:
    """Returns the document in ``path``, JSON if its name ends in ``.json``, otherwise YAML.

    ``display`` is the name used in findings, ``what`` says what the file is for, and ``code`` is the
    code of the finding where the file cannot be read. ``decrypt`` takes what Ansible Vault has encrypted and raises
    ValueError with a reason where it cannot; None: nothing may be encrypted.
    """
    name = display or str(path)
    with time_limit(SECONDS, "reading the file", name):
        content = _content(Path(path), name, what, code)
        if content.startswith(VAULT):
            content = _decrypted(content, decrypt, name)
        if Path(path).suffix.lower() == ".json":
            return load_json(content, name, allow_empty)
        return load_yaml(content, name, allow_empty, decrypt)


def load_yaml(
    text: bytes | str, file: str, allow_empty: bool = False, decrypt: Callable[[bytes], bytes] | None = None
) -> Document:
    require()
    text = _decoded(text, file)
    return _YamlReader(text, file, decrypt).document(allow_empty)


def _decrypted(content: bytes, decrypt: Callable[[bytes], bytes] | None, *place: Any) -> bytes:
    if decrypt is None:
        remedy = "leave secrets out of the plugin, and give them in a file of config or in the inventory"
        raise WindflowError(Problem("E1087", "text that is not encrypted", "text of Ansible Vault", remedy, *place))
    try:
        return decrypt(content)
    except ValueError as reason:
        expected = "a vault secret that decrypts this"
        remedy = "give it to Ansible with --vault-password-file or --ask-vault-pass (after -- of the command)"
        raise WindflowError(Problem("E1087", expected, str(reason), remedy, *place)) from None


def load_json(text: bytes | str, file: str, allow_empty: bool = False) -> Document:
    text = _decoded(text, file)
    if not text.strip():
        return _empty(file, allow_empty)
    data = read_json(text, file)
    positions = JsonPositions(text)
    if not isinstance(data, dict):
        raise WindflowError(not_a_map(file, data, *positions.get((), (1, 1))))
    return Document(data, positions, file)


def dump(data: object) -> str:
    """Plain data as YAML that a reader of YAML 1.1 and one of 1.2 understand alike."""
    require()
    dumper = getattr(yaml, "CSafeDumper", None) or yaml.SafeDumper
    return yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)


def resolve_plain(text: str) -> object:
    """Returns the value of an unquoted YAML scalar; raises ``ValueError`` for a number that nothing can hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _INTEGER.match(text):
        return whole_number(text)
    if _BASED.match(text):
        return whole_number(text, 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        number = float(text)
        if not isfinite(number):
            raise ValueError("a number beyond 1.8e308")
        return number
    if _NOT_FINITE.match(text):
        raise ValueError("infinity or not-a-number")
    return text


def not_a_map(file: str, data: object, line: int = 1, column: int = 1) -> Problem:
    remedy = "write keys and values, such as name: value"
    return Problem("E1006", "a map at the top level", kind(data), remedy, file, line, column)


def _empty(file: str, allow_empty: bool) -> Document:
    if allow_empty:
        return Document({}, {}, file)
    raise WindflowError(Problem("E1005", "a map", "an empty file", "write keys and values", file, 1, 1))


def _content(path: Path, name: str, what: str, code: str) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise WindflowError(
                    Problem.plain(code, "%s is no regular file" % what, "", "name a regular file", name)
                )
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", "") or str(error)
        remedy = "create the file or correct the path" if isinstance(error, FileNotFoundError) else ""
        raise WindflowError(Problem.plain(code, "%s cannot be read" % what, got, remedy, name)) from error
    if len(content) > MAX_BYTES:
        raise WindflowError(Problem("E1002", "a file of at most 1 MB", "more", "make the file smaller", name))
    return content


def _decoded(text: bytes | str, file: str) -> str:
    if isinstance(text, bytes):
        content = text
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            got = "other bytes"
            line = content.count(b"\n", 0, error.start) + 1
            remedy = "save the file as UTF-8"
            raise WindflowError(Problem("E1003", "text in UTF-8", got, remedy, file, line)) from error
    if len(text) > MAX_BYTES:
        raise WindflowError(Problem("E1002", "a file of at most 1 MB", "more", "make the file smaller", file))
    text = text[1:] if text.startswith("\ufeff") else text
    one_line = text.replace("\n", "").replace("\t", "").replace("\r", "")
    found = None if one_line.isprintable() else _UNPRINTABLE.search(text)  # the first is much faster
    if found:
        got = "a NUL character" if found.group() == "\0" else "the control character U+%04X" % ord(found.group())
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        remedy = "remove the character; inside double quotes it can be written as an escape"
        raise WindflowError(Problem("E1004", "printable text", got, remedy, file, line, column))
    return text


class _Frame:
    """An open map or list while its content is read."""

    __slots__ = ("container", "flow", "key", "path", "shown", "waiting")

    def __init__(self, container: Any, path: KeyPath, flow: bool, shown: KeyPath | None) -> None:
        self.flow = flow
        self.shown = shown  # what a finding names instead of a path below
        self.container = container
        self.path = path
        self.key = ""
        self.waiting = False  # a key was read and its value was not


class _YamlReader:
    """Builds the data from parser events in one pass, without the recursion of PyYAML's constructor."""

    def __init__(self, text: str, file: str, decrypt: Callable[[bytes], bytes] | None) -> None:
        self.text = text
        self.file = file
        self.decrypt = decrypt
        self.positions: dict[KeyPath, tuple[int, int]] = {}
        self.numbers: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self.frames: list[_Frame] = []
        self.plain = False  # the last scalar stood without quotes
        self.root: Any = None
        self.values = 0

    def document(self, allow_empty: bool) -> Document:
        try:
            self._read()
        except yaml.YAMLError as error:
            self.problems.append(self._syntax(error))
        fail_if_any(self.problems)
        if self.root is None:
            return _empty(self.file, allow_empty)
        if not isinstance(self.root, dict):
            raise WindflowError(not_a_map(self.file, self.root, *self.positions[()]))
        return Document(self.root, self.positions, self.file, self.numbers)

    def _read(self) -> None:
        documents = 0
        scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
        opens = {yaml.MappingStartEvent: dict, yaml.SequenceStartEvent: list}
        closes = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        event: Any
        for event in yaml.parse(self.text, Loader=_LOADER):
            kind = type(event)
            if kind is scalar and event.tag in _VAULT_TAGS and self.decrypt and not event.anchor:
                self._add(self._secret(event), event.start_mark)
            elif kind is scalar:
                if event.anchor or event.tag:
                    self._refuse_properties(event)
                self._add(self._value(event), event.start_mark)
            elif kind in opens:
                if event.anchor or event.tag:
                    self._refuse_properties(event)
                container = opens[kind]()
                path = self._add(container, event.start_mark)
                if len(self.frames) >= MAX_DEPTH:
                    self._stop(depth_problem(self.file, *_place(event.start_mark)))
                # What stands between braces may be a value that was meant to be text.
                flow = bool(event.flow_style) and bool(self.frames) and not self.frames[-1].flow
                self.frames.append(_Frame(container, path, bool(event.flow_style), path if flow else None))
            elif kind in closes:
                self.frames.pop()
            elif kind is alias:
                remedy = "write the value out where it is used"
                self._problem("E1011", event, "no anchors and aliases", "an alias", remedy + _QUOTED % "*")
                self._add(None, event.start_mark)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    got = "a second one that starts here"
                    self._stop(self._problem_at("E1009", event, "one document", got, "put it into a file of its own"))
                if event.tags:
                    self._problem("E1012", event, "no tags", "a %TAG directive", "remove the directive")

    def _add(self, value: object, mark: yaml.Mark) -> KeyPath:
        """Put ``value`` where the reader stands and return its path."""
        self.values += 1
        if self.values > MAX_VALUES:
            self._stop(count_problem(self.file))
        if not self.frames:
            self.root = value
            self.positions[()] = _place(mark)
            return ()
        frame = self.frames[-1]
        if isinstance(frame.container, list):
            path = frame.path + (len(frame.container),)
            frame.container.append(value)
            self.positions[path] = _place(mark)
        elif frame.waiting:
            path = frame.path + (frame.key,)
            frame.container[frame.key] = value
            frame.waiting = False
        else:
            path = self._key(frame, value, mark)
        if type(value) in (int, float):
            self.numbers[path] = self.number
        return path

    def _key(self, frame: _Frame, key: object, mark: yaml.Mark) -> KeyPath:
        if not isinstance(key, str):
            remedy = "put the key in quotes"
            if isinstance(key, (dict, list)):
                remedy = "put a value that begins with { or [ in quotes"
            problem = self._problem_at("E1014", mark, "text as the key", kind(key), remedy, frame.path)
            if isinstance(key, (dict, list)):
                self._stop(problem)
            self.problems.append(problem)
            key = str(key)
        path = frame.path + (key,)
        if key == "<<" and self.plain:
            got = "the merge key <<"
            self._problem("E1011", mark, "no anchors and aliases", got, "write the values out", path)
        elif key in frame.container:
            first, again = self.positions[path], _place(mark)
            self.problems.append(duplicate_problem(self.file, dotted(self._shown(path)), first, again))
        self.positions[path] = _place(mark)
        frame.key = key
        frame.waiting = True
        return path

    def _value(self, event: yaml.ScalarEvent) -> object:
        self.plain = event.implicit[0]
        if not self.plain:
            return event.value
        self.number = event.value
        try:
            return resolve_plain(event.value)
        except ValueError as reason:
            path = dotted(self._shown(self._path()))
            self.problems.append(number_problem(self.file, *_place(event.start_mark), path, reason))
            return event.value

    def _secret(self, event: yaml.ScalarEvent) -> str:
        """Returns the text of a value that is encrypted; empty, with its finding kept, where it cannot be decrypted."""
        place = (self.file, *_place(event.start_mark), dotted(self._path()))
        try:
            return _decoded(_decrypted(event.value.strip().encode(), self.decrypt, *place), self.file)
        except WindflowError as error:
            self.problems.extend(error.problems)
            return ""

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor:
            remedy = "write the value out where it is used"
            self._problem("E1011", event, "no anchors and aliases", "an anchor", remedy + _QUOTED % "&")
        if event.tag:
            remedy = "remove the tag" + _QUOTED % "!"
            if event.tag in _VAULT_TAGS:
                remedy = "put the secret in the inventory variable windflow_config or an environment variable"
            self._problem("E1012", event, "no tags", "a tag", remedy)

    def _path(self) -> KeyPath:
        if not self.frames:
            return ()
        frame = self.frames[-1]
        if isinstance(frame.container, list):
            return frame.path + (len(frame.container),)
        return frame.path + (frame.key,) if frame.waiting else frame.path

    def _problem_at(
        self,
        code: str,
        at: yaml.Event | yaml.Mark,
        expected: str,
        got: str,
        remedy: str,
        path: KeyPath | None = None,
    ) -> Problem:
        line, column = _place(getattr(at, "start_mark", at))
        path = self._path() if path is None else path
        return Problem(code, expected, got, remedy, self.file, line, column, dotted(self._shown(path)))

    def _shown(self, path: KeyPath) -> KeyPath:
        """``path`` without keys that may be a value: those in braces that are a block's value."""
        hidden = next((frame.shown for frame in self.frames if frame.shown is not None), None)
        return path if hidden is None or path[: len(hidden)] != hidden else hidden

    def _problem(self, *arguments: Any) -> None:
        self.problems.append(self._problem_at(*arguments))

    def _stop(self, problem: Problem) -> None:
        fail_if_any([*self.problems, problem])

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = _place(mark) if mark else (0, 0)
        lines = self.text.split("\n")
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        if re.match(r" *\t", source):
            remedy = "indent with spaces"
            return Problem("E1007", "spaces as indentation", "a tab", remedy, self.file, line, source.index("\t") + 1)
        reason = _UNSHOWN.sub("a character", getattr(error, "problem", None) or "unreadable text")
        reason = re.sub("^(did|could) not find expected", "no", re.sub("^found ", "", reason))
        remedy = "look at the indentation, quotes and brackets up to this line"
        if "mapping values are not allowed" in reason:
            reason = "a colon where no key can be"
            remedy = 'put a value that contains ": " in quotes, and look at the indentation'
        return Problem("E1008", "valid YAML", reason, remedy, self.file, line, column)


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
