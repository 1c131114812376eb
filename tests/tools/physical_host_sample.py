# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the documentation's sample of the plugin physical-host as JSON, all of its sections together.

    python tests/tools/physical_host_sample.py [KEY=VALUE…]

A key is a path with dots, in which a number is an item of a list; a value is JSON, or else a text. An empty value
removes the key.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import documentation  # noqa: E402

SECTION = re.compile(r'"\w+": \{')


def sample() -> dict:
    """The sections, each of which is one key of an object. Comments after a value go."""
    found: dict = {}
    for block in documentation.under("Physical Host Template", "json"):
        if SECTION.match(block.text):
            found.update(json.loads("{%s}" % re.sub(r"\s//.*", "", block.text)))
    return found


def put(data: dict | list, path: str, text: str) -> None:
    """Set, or remove, what ``path`` names."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        data = data[part]
    if not text:
        del data[last]
        return
    try:
        data[last] = json.loads(text)
    except ValueError:
        data[last] = text


def main(arguments: list[str]) -> int:
    """Print the sample and return the exit code."""
    data = sample()
    for argument in arguments:
        path, _is, text = argument.partition("=")
        put(data, path, text)
    print(json.dumps(data, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
