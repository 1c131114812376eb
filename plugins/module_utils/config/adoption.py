# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key ``adopt`` of a configuration: what of a host the platform may use though it has not made it.

It is the operator's word and is for the platform alone: a plugin cannot adopt anything for itself, and its
application never sees the key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import Problem
from ..record.ownership import ADOPT as KEY
from ..record.ownership import KINDS
from ..text.wording import listed, show
from .layers import Layer

OPERATORS = ("inventory", "file", "set")


def take(layers: list[Layer], problems: list[Problem]) -> tuple[list[Layer], frozenset[str]]:
    """Returns the layers without the key, and what the highest of them says; adds E1143 for what cannot be meant."""
    left = []
    adopted: frozenset[str] = frozenset()
    for layer in layers:
        if KEY not in layer.data:
            left.append(layer)
            continue
        given = layer.data[KEY]
        found = _problem(layer, given)
        if found:
            problems.append(found)
        else:
            adopted = frozenset(given or ())
        left.append(replace(layer, data={key: value for key, value in layer.data.items() if key != KEY}))
    return left, adopted


def adopts(config: Any, kind: str) -> bool:
    """Returns whether what is there of that kind is meant to be used."""
    return kind in config.adopt


def _problem(layer: Layer, given: Any) -> Problem | None:
    place = layer.place((KEY,))
    if layer.name not in OPERATORS:
        said = "%s may only stand in the inventory, a configuration file or --set" % KEY
        return Problem.plain("E1143", said, "", "remove it, or give the application's key another name", *place, KEY)
    if given is None:
        return None
    expected = "a list of %s" % listed(KINDS)
    how = "write for example %s: [account]" % KEY
    if not isinstance(given, list):
        return Problem("E1143", expected, show(given), how, *place, KEY)
    unknown = [item for item in given if not isinstance(item, str) or item not in KINDS]
    return Problem("E1143", expected, show(unknown[0]), how, *place, KEY) if unknown else None
