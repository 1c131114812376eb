# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of value each key holds that the host backend reads; a plugin's schema need not say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.wording import KeyPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Kind(NamedTuple):
    """``fits`` says whether a value is of the kind; ``item`` is the kind of each item of a list."""

    expected: str
    remedy: str
    fits: Callable[[Any], bool]
    item: Kind | None = None


class Wrong(NamedTuple):
    """A value of another kind; ``value`` is None where there is none."""

    path: KeyPath
    kind: Kind
    value: Any


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return _number(value) and isinstance(value, int)


def _list(value: Any) -> bool:
    return isinstance(value, list)


TEXT = Kind("text", "write it in quotes", lambda value: isinstance(value, str))
NUMBER = Kind("a number", "write for example 4, without quotes", _number)
WHOLE = Kind("a whole number", "write for example 100, without quotes", _whole)
COUNT = Kind("a whole number above 0", "write for example 4, without quotes", lambda value: _whole(value) and value > 0)
MAP = Kind("a map", "write key: value below it", lambda value: isinstance(value, dict))
TEXTS = Kind("a list of texts", "write [text, text]", _list, TEXT)
MAPS = Kind("a list of maps", "begin each with -, and write key: value below it", _list, MAP)

KINDS: dict[KeyPath, Kind] = {
    ("app", "allowed_hosts"): TEXTS,
    **{("app", key): TEXT for key in ("install_dir", "data_dir", "log_dir", "user", "group")},
    **{("database", key): TEXT for key in ("host", "name", "user")},
    ("database", "max_connections"): WHOLE,
    ("host", "connection"): MAP,
    ("host", "os", "version"): TEXT,
    **{("host", "resources", key): NUMBER for key in ("cpu_threads", "ram_mb")},
    ("network", "networks"): MAPS,
    ("server", "timeout"): COUNT,
    ("server", "workers"): COUNT,
    ("storage", "volumes"): MAPS,
}
# Of each volume. Without name and path there is none.
VOLUME = {"name": TEXT, "path": TEXT}
VOLUME_IF_THERE = {"size_gb": NUMBER, "options": MAP}


def wrong(data: dict[str, Any]) -> Iterator[Wrong]:
    """Yields the values of a configuration that are of another kind than the key holds."""
    for path, kind in KINDS.items():
        value: Any = data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and not kind.fits(value):
            yield Wrong(path, kind, value)
        elif value is not None and kind.item:
            for index, item in enumerate(value):
                if not kind.item.fits(item):
                    yield Wrong(path + (index,), kind.item, item)
                elif path == ("storage", "volumes"):
                    yield from _wrong_of_volume(path + (index,), item)


def _wrong_of_volume(path: KeyPath, volume: dict[str, Any]) -> Iterator[Wrong]:
    for key, kind in {**VOLUME, **VOLUME_IF_THERE}.items():
        value = volume.get(key)
        if (value is not None or key in VOLUME) and not kind.fits(value):
            yield Wrong(path + (key,), kind, value)
