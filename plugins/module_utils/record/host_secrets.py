# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are made on a host because nobody gave them, kept beside the record of their plugin.

They do not leave it. The controller is told a mark for each, which looks like a secret and says nothing of it, and puts
that into what it ships; here the secret takes its place. Both are digits and letters only, so that no file needs other
quotes for one than for the other. A mark is the same as long as the secret is, so that digests tell of a change.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets

from ..errors import Problem, WindflowError
from ..files import atomic
from . import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import AnyStr

CHARACTERS = 48
_ROUNDS = 10000
# What no format reads as a number.
_PLAIN = re.compile(r"(?![0-9]+(?:[eE][0-9]+)?\Z)[0-9A-Za-z]{16,}\Z")


def path_of(plugin: str, state_dir: str = store.STATE_DIR) -> str:
    return os.path.join(store.directory(plugin, state_dir), "secrets.json")


def load(plugin: str, state_dir: str = store.STATE_DIR) -> dict[str, str]:
    """{key in dots: secret} of what was made. Raises WindflowError E5013 for a file that cannot be read: to make other
    ones would lock the application out of its own data."""
    path = path_of(plugin, state_dir)
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(v, str) and _PLAIN.match(v) for v in found.values()):
        remedy = "restore it from a backup, or give the secrets in the inventory"
        raise WindflowError(Problem.plain("E5013", "the file of generated secrets is damaged", "", remedy, path))
    return found


def make(plugin: str, keys: Iterable[str], state_dir: str = store.STATE_DIR) -> bool:
    """Makes those of ``keys`` that are not there yet. Whether there were any. Raises WindflowError E4046 where the host
    does not take them."""
    found = load(plugin, state_dir)
    missing = [key for key in keys if key not in found]
    if missing:
        found.update({key: _with_letter(secrets.token_hex(CHARACTERS // 2)) for key in missing})
        try:
            atomic.make_directory(store.directory(plugin, state_dir), 0o700)
            atomic.write(path_of(plugin, state_dir), json.dumps(found, indent=1, sort_keys=True).encode(), 0o600)
        except OSError as error:
            raise WindflowError(atomic.problem(error)) from error
    return bool(missing)


def remove(plugin: str, state_dir: str = store.STATE_DIR) -> None:
    atomic.remove(path_of(plugin, state_dir))


def marks(plugin: str, state_dir: str = store.STATE_DIR) -> dict[str, str]:
    """{key in dots: mark} of what was made."""
    return {key: _mark(plugin, key, secret) for key, secret in load(plugin, state_dir).items()}


def fill(data: AnyStr, made: Mapping[str, Sequence[str]], state_dir: str = store.STATE_DIR) -> AnyStr:
    """``data``, text or bytes, with secrets where marks of them stand. ``made``: {mark: [plugin, key in dots]}; no
    other mark is looked for, so that nobody gets a secret by its mark who is not meant to. Raises WindflowError E5019
    for a secret that is not there any more."""
    known: dict[str, dict[str, str]] = {}
    for mark, (plugin, key) in made.items():
        if plugin not in known:
            known[plugin] = load(plugin, state_dir)
        secret = known[plugin].get(key)
        if secret is None or _mark(plugin, key, secret) != mark:
            said = "the secret %s of %s changed during the run" % (key, plugin)
            raise WindflowError(Problem.plain("E5019", said, "", "run again"))
        if isinstance(data, str):
            data = data.replace(mark, secret)
        else:
            data = data.replace(mark.encode(), secret.encode())
    return data


def _mark(plugin: str, key: str, secret: str) -> str:
    salt = ("windflow:mark:%s:%s" % (plugin, key)).encode()
    return _with_letter(hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, _ROUNDS).hex()[:CHARACTERS])


def _with_letter(digits: str) -> str:
    """Hexadecimal digits, of which the first is a letter: it is no number then, whatever follows."""
    return "abcdef"[int(digits[0], 16) % 6] + digits[1:]
