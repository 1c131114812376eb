# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of what programs print: a hook's output, an application's log, an answer, an engine's error.

Programs seldom print a value as it is: they write JSON, a Python repr, a URL, a line of shell, YAML, HTML, one in the
other, and cut it where a line gets too long. So text and secret are both brought to a core, in which every escape is
undone and quotes, backslashes and white space are left out, and the core of the text is searched: for the whole, for
pieces of it, and, at either end of a text that somebody cut, for the rest of it. What has no core worth the name
(a short secret, one that is mostly quotes or in another script) is searched in the forms that are known, and every
secret in hexadecimal and Base64.
"""

from __future__ import annotations

import base64
import functools
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

REDACTED = "********"

# A piece of a secret that is as long as this is hidden wherever it stands.
PIECE = 8
# So long must a core be to be searched, and what is left of one at an end of a text.
_SHORTEST = 4
_LONGEST = 1 << 16
_ROUNDS = 4
_ESCAPES = re.compile(
    r"\\+(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|[nrtfvab0])"
    r"|%([0-9a-fA-F]{2})"
    r"|&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos|nbsp|NewLine|Tab));"
    r"|[\\'\"`+\s]+|[^\x21-\x7e]+"
)
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}


def redact(text: str, secrets: Iterable[str]) -> str:
    """``text`` with asterisks for every secret, in whatever form, and for every piece of one that is long enough."""
    return _masker(frozenset(secrets)).hide(text)


def redact_lines(lines: Sequence[str], secrets: Iterable[str]) -> list[str]:
    """Returns the same for lines that belong together: a secret may have several."""
    return redact("\n".join(lines), secrets).split("\n") if lines else []


def revealing(value: object, secrets: Collection[str], path: str = "") -> list[str]:
    """Where in a structure of maps and lists a text contains a whole secret, or a key is one: keys with dots."""
    masker = _masker(frozenset(secrets))
    if isinstance(value, str):
        return [path] if masker.whole(value) else []
    found: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            name = REDACTED if key in secrets else key
            here = "%s.%s" % (path, name) if path else name
            found += [here] if key in secrets else revealing(item, secrets, here)
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += revealing(item, secrets, "%s[%d]" % (path, number))
    return found


def core(text: str) -> str:
    """Returns what is left of a text when every escape is undone, and quotes, backslashes and white space are left
    out."""
    return _core(text)[0]


def _core(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Returns the core, and for each of its characters where it begins and ends in the text."""
    spans: list[tuple[int, int]] | None = None
    for _round in range(_ROUNDS):
        characters: list[str] = []
        places: list[tuple[int, int]] = []
        position = 0
        for match in _ESCAPES.finditer(text):
            start, end = match.span()
            characters.append(text[position:start])
            places.extend((at, at + 1) for at in range(position, start))
            meant = _meant(match)
            characters.append(meant)
            places.extend([(start, end)] * len(meant))
            position = end
        if position == 0:
            break
        characters.append(text[position:])
        places.extend((at, at + 1) for at in range(position, len(text)))
        text = "".join(characters)
        spans = places if spans is None else [(spans[first][0], spans[last - 1][1]) for first, last in places]
    if spans is None:
        spans = [(at, at + 1) for at in range(len(text))]
    return text, spans


def _meant(match: re.Match[str]) -> str:
    """Returns what an escape stands for, if that is a character of a core; another one may begin with it."""
    unicode4, unicode8, byte, octal, percent, decimal, hexadecimal, entity = match.groups()
    digits = unicode4 or unicode8 or byte or percent or hexadecimal
    if digits or decimal or octal:
        number = int(digits, 16) if digits else int(decimal) if decimal else int(octal, 8)
        found = chr(number) if 0x21 <= number <= 0x7E else ""
    else:
        found = _ENTITIES.get(entity or "", "")
    return found


@functools.lru_cache(maxsize=32)
def _masker(secrets: frozenset[str]) -> _Masker:
    return _Masker(secrets)


class _Masker:
    def __init__(self, secrets: frozenset[str]) -> None:
        exact: set[str] = set()
        cores: set[str] = set()
        encoded: set[str] = set()
        for secret in secrets:
            for piece in {secret, secret.strip(), *secret.splitlines()}:
                exact.update(_forms(piece) if len(piece.strip()) >= _SHORTEST or piece == secret else ())
                cores.add(core(piece[:_LONGEST]))
            cores.add(core(secret[:_LONGEST]))
            # Base64 that was escaped in its turn, as in a URL.
            encoded.update(core(form) for form in _base64(secret))
        self.exact = sorted((form for form in exact if form), key=len, reverse=True)
        self.cores = sorted(found for found in cores if len(found) >= _SHORTEST)
        self.wholes = [*self.cores, *sorted(form for form in encoded if len(form) >= _SHORTEST)]
        self.pieces = {
            found[at : at + PIECE]
            for found in self.cores
            for at in range(len(found) - PIECE + 1)
            if _telling(found[at : at + PIECE])
        }

    def hide(self, text: str) -> str:
        if not self.exact:
            return text
        spans = self.forms(text)
        found, places = _core(text)
        spans += self.cut(found, places)
        for at in range(len(found) - PIECE + 1) if self.pieces else ():
            if found[at : at + PIECE] in self.pieces:
                spans.append((places[at][0], places[at + PIECE - 1][1]))
        spans += self.complete(found, places)
        parts, position = [], 0
        for start, end in _merged(spans):
            parts += [text[position:start], REDACTED]
            position = end
        return "".join([*parts, text[position:]])

    def whole(self, text: str) -> bool:
        """Returns whether a text contains a secret as a whole."""
        return bool(self.forms(text) or self.complete(*_core(text)))

    def forms(self, text: str) -> list[tuple[int, int]]:
        return [span for form in self.exact for span in _occurrences(text, form)]

    def complete(self, found: str, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
        spans = []
        for wanted in self.wholes:
            for start, end in _occurrences(found, wanted):
                spans.append((places[start][0], places[end - 1][1]))
        return spans

    def cut(self, found: str, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Returns what stands at the end of the text and is the begin of a secret, and the other way round."""
        spans: list[tuple[int, int]] = []
        for wanted in self.cores:
            lengths = range(min(len(wanted) - 1, len(found), PIECE), _SHORTEST - 1, -1)
            begins = [size for size in lengths if found.endswith(wanted[:size]) and _telling(wanted[:size])]
            ends = [size for size in lengths if found.startswith(wanted[-size:]) and _telling(wanted[-size:])]
            spans += [(places[-begins[0]][0], places[-1][1])] if begins else []
            spans += [(places[0][0], places[ends[0] - 1][1])] if ends else []
        return spans


def _telling(piece: str) -> bool:
    """Returns whether a piece says something of its secret: a ruler of dashes does not of a key that begins with
    one."""
    return len(set(piece)) > 2


def _occurrences(text: str, wanted: str) -> list[tuple[int, int]]:
    spans, at = [], text.find(wanted)
    while at >= 0:
        spans.append((at, at + len(wanted)))
        at = text.find(wanted, at + 1)
    return spans


def _merged(spans: list[tuple[int, int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def _forms(secret: str) -> set[str]:
    """Returns the forms that a secret is known to take; the other ones have the same core."""
    found = {secret}
    if len(secret) < _SHORTEST:
        return found
    data = secret.encode("utf-8", "surrogatepass")
    as_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    quoted = {secret.replace("\\", "\\\\").replace(quote, "\\" + quote) for quote in "'\""}
    found |= as_json | quoted | {repr(secret)[1:-1], ascii(secret)[1:-1], repr(data)[2:-1]}
    found |= {json.dumps(form)[1:-1] for form in as_json} | {repr(form)[1:-1] for form in as_json | quoted}
    found.add(re.sub(r"([\\'\"])", r"\\\1", secret))
    for plain in (b"-._~", b"-._~/", b"-._~!'()*"):
        percent = "".join(
            chr(byte) if chr(byte).isalnum() and byte < 128 or byte in plain else "%%%02X" % byte for byte in data
        )
        found |= {percent, re.sub("%..", lambda match: match.group().lower(), percent), percent.replace("%20", "+")}
    found.add("".join("\\x%02X" % byte if byte in b'"\\' or not 0x20 <= byte <= 0x7E else chr(byte) for byte in data))
    html = "".join(_HTML.get(letter, letter) for letter in secret)
    found |= {html, html.replace("&#x27;", "&#39;").replace("&quot;", "&#34;"), secret.replace("'", "'\\''")}
    found |= {secret.replace("'", "''"), secret.replace("'", "'\"'\"'"), data.hex(), data.hex().upper()}
    return found | _base64(secret)


def _base64(secret: str) -> set[str]:
    """Returns what Base64 makes of a secret, whatever stands before and behind it; that decides the characters at both
    ends."""
    data = secret.encode("utf-8", "surrogatepass")
    found: set[str] = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data).decode("ascii")
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 3, 2)[(offset + len(data)) % 3]].rstrip("=")
        if len(inner) >= _SHORTEST:
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found
