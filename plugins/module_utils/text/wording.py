# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values, key paths and suggestions are written in a finding."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Union

# The way to a value in data: keys of maps and indexes of lists.
KeyPath = tuple[Union[str, int], ...]

_LONGEST = 60
_PLAIN_KEY = re.compile(r"[^.\[\]\s\"]+\Z")

# Words that people write for a family, a type or a key, and that no spelling distance leads to.
SYNONYMS = {
    "ubuntu": "debian",
    "mint": "debian",
    "linuxmint": "debian",
    "raspbian": "debian",
    "centos": "redhat",
    "rhel": "redhat",
    "fedora": "redhat",
    "rocky": "redhat",
    "almalinux": "redhat",
    "alma": "redhat",
    "oracle": "redhat",
    "amazon": "redhat",
    "opensuse": "suse",
    "leap": "suse",
    "tumbleweed": "suse",
    "sles": "suse",
    "manjaro": "arch",
    "archlinux": "arch",
    "warn": "warning",
    "fatal": "critical",
    "bare-metal": "physical",
    "baremetal": "physical",
    "virtual": "vm",
}


def show(value: object) -> str:
    """A scalar as it would be written in JSON, cut after 60 characters; a map or a list by its kind."""
    if isinstance(value, dict):
        return "a map" if value else "an empty map"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
        # what a terminal would act on instead of showing it is escaped
        return json.dumps(cut, ensure_ascii=not cut.isprintable())
    if value is None:
        return "nothing"
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return "a %s" % type(value).__name__


def kind(value: object) -> str:
    """Returns what sort of value it is, and nothing of the value itself."""
    if value is None or isinstance(value, (dict, list, tuple)):
        return show(value)
    if isinstance(value, str):
        return "text" if value else "an empty text"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, (int, float)) else "a %s" % type(value).__name__


def dotted(path: KeyPath) -> str:
    """``("storage", "volumes", 1, "path")`` as ``storage.volumes[1].path``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += "[%d]" % part
        elif _PLAIN_KEY.match(part) and part.isprintable() and len(part) <= _LONGEST:
            text += "." + part if text else part
        else:
            text += "[%s]" % show(part)
    return text


def nearest(word: Any, choices: Iterable[Any]) -> str:
    """Returns the choice that was most likely meant, or an empty string."""
    texts = [choice for choice in choices if isinstance(choice, str)]
    if not isinstance(word, str) or not 0 < len(word) <= 64:
        return ""
    known = {_bare(choice): choice for choice in texts}
    plain = _bare(word)
    if plain in known:
        return known[plain]
    if SYNONYMS.get(word.lower()) in texts:
        return SYNONYMS[word.lower()]
    begins = [known[bare] for bare in known if bare.startswith(plain)] if len(plain) > 2 else []
    if len(begins) == 1:
        return begins[0]
    found = difflib.get_close_matches(plain, list(known)[:500], n=1, cutoff=0.6)
    return known[found[0]] if found else ""


def _bare(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")


def listed(words: Iterable[Any], limit: int = 12) -> str:
    """``a, b, c``, cut after ``limit`` words."""
    names = [str(word) for word in words]
    return ", ".join(names[:limit]) + (", ... (%d more)" % (len(names) - limit) if len(names) > limit else "")


def use_or_list(word: Any, choices: Collection[Any], verb: str = "write") -> str:
    """A remedy: the nearest choice if there is one, otherwise all of them."""
    best = nearest(word, choices)
    return '%s "%s"' % (verb, best) if best else "%s one of: %s" % (verb, listed(choices))
