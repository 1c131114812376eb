# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose file into plain data.

Compose files are Compose's own: anchors, merges and tags such as ``!reset`` belong to them, and Compose itself
checks what they mean. They are read here only to see their services, with a bound on what aliases expand to.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from ..errors import Problem, WindflowError
from ..text.document_limits import MAX_BYTES, MAX_VALUES
from ..text.limits import SECONDS, time_limit
from ..text.thirdparty import require, yaml

CODE = "E1049"


def read_compose(path: Path, name: str) -> dict[str, Any]:
    """Returns the file's top-level map, which nobody changes: it is read once for each of its contents. Raises
    ``WindflowError`` E1049, with a line where there is one."""
    require()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WindflowError(Problem(CODE, "a Compose file", str(error.strerror), "create it", name)) from None
    if len(content) > MAX_BYTES:
        remedy = "split it"
        raise WindflowError(Problem(CODE, "at most %d bytes" % MAX_BYTES, str(len(content)), remedy, name))
    with time_limit(SECONDS, "reading the file", name):
        return _read(content, name)


@functools.lru_cache(maxsize=64)
def _read(content: bytes, name: str) -> dict[str, Any]:
    try:
        node = yaml.compose(content, Loader=_loader())
        if _size(node, {}, set()) > MAX_VALUES:
            got = "aliases that stand for more"
            raise WindflowError(Problem(CODE, "at most %d values" % MAX_VALUES, got, "write fewer aliases", name))
        data = yaml.load(content, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        got = getattr(error, "problem", None) or "something else"
        raise WindflowError(Problem(CODE, "YAML", got, "correct the line", name, *place)) from None
    except (ValueError, RecursionError) as error:
        raise WindflowError(Problem(CODE, "YAML", str(error)[:200], "correct the file", name)) from None
    return data if isinstance(data, dict) else {}


def _size(node: Any, known: dict[int, int], above: set[int]) -> int:
    """Returns how many values a node stands for, with everything that its aliases repeat."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) in above:
        raise ValueError("an anchor that contains itself")
    if id(node) not in known:
        above.add(id(node))
        pairs = node.value if isinstance(node, yaml.SequenceNode) else [item for pair in node.value for item in pair]
        known[id(node)] = 1 + sum(_size(item, known, above) for item in pairs)
        above.discard(id(node))
    return known[id(node)]


def _loader() -> type:
    """PyYAML's safe loader, to which a tag of Compose's own is no more than its value."""

    class Loader(getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader):  # type: ignore[misc]
        pass

    def plain(loader: Any, _suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node)
        return loader.construct_mapping(node)

    Loader.add_multi_constructor("!", plain)
    return Loader
