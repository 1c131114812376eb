# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a plugin by path or by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..collection import ROOT
from ..errors import Problem, WindflowError
from ..naming import is_name
from ..text.documents import read
from ..text.wording import listed, nearest, show
from .reader import FILE, Manifest, load_manifest

FOLDER = "windflow_plugins"
SEARCH_PATH = "WINDFLOW_PLUGINS_PATH"
OWN_PLUGINS = ROOT / FOLDER


def search_folders(cwd: Path, env: Mapping[str, str]) -> list[Path]:
    """Where names are looked up, in order: ./windflow_plugins, WINDFLOW_PLUGINS_PATH, the collection's own."""
    given = [part for part in env.get(SEARCH_PATH, "").split(os.pathsep) if part]
    folders = [Path(cwd) / FOLDER, *(Path(cwd) / os.path.expanduser(part) for part in given), OWN_PLUGINS]
    return list(dict.fromkeys(folders))


def find_plugin(name_or_path: str, cwd: Path, env: Mapping[str, str]) -> Path:
    """Returns the absolute directory of a plugin.

    A text with a ``/``, or the name of a directory here that has a plugin.yml, is a path; anything else is
    a name. Raises ``WindflowError`` E1020 with the places that were looked at and the nearest names.
    """
    text = str(name_or_path)
    if not text.strip() or "\0" in text:
        got = show(text) if text.strip() else "nothing"
        remedy = "name it, for example with -e plugin=template"
        raise WindflowError(Problem("E1020", "a plugin's name or directory", got, remedy))
    here = Path(cwd) / os.path.expanduser(text)
    if "/" in text or text in (".", "..") or _is_plugin(here):
        found = Path(os.path.abspath(here))
        if found.name == FILE and found.is_file():
            found = found.parent
        if not _is_plugin(found):
            got = "a directory without one" if os.path.isdir(found) else "no such directory"
            remedy = "correct the path, or give the name of a plugin"
            raise WindflowError(Problem("E1020", "a directory with a plugin.yml", got, remedy, text))
        return found
    folders = search_folders(cwd, env)
    for folder in folders:
        if _is_plugin(folder / text):
            return Path(os.path.abspath(folder / text))
    raise WindflowError(_not_found(text, folders, available_plugins(cwd, env)))


def name_of(name_or_path: str, cwd: Path, env: Mapping[str, str]) -> str:
    """Returns the name of the plugin that ``find_plugin`` finds, for what is done with a plugin that is on a host
    already.

    Nothing else of the plugin has to be in order. What leads to no name stays as it is: it may be the name of a plugin
    whose directory is gone, and what is no name is refused where it is used.
    """
    try:
        name = read(find_plugin(name_or_path, cwd, env) / FILE).data.get("name")
    except WindflowError:
        return name_or_path
    return name if is_name(name) else name_or_path


def _not_found(name: str, folders: list[Path], known: Mapping[str, Path]) -> Problem:
    best = nearest(name, known)
    remedy = "give the plugin's directory"
    if best:
        # A guess, and what is named may be removed next: the other way stands beside it.
        remedy = 'write "%s" if that is the one, or %s' % (best, remedy)
    elif known:
        remedy += ", or the name of one that is known: %s" % listed(sorted(known))
    expected = "the name of a plugin in %s" % listed(str(folder) for folder in folders)
    return Problem("E1020", expected, show(name), remedy)


class AvailablePlugins(Mapping[str, Path]):
    """The directories of all plugins by name, the first place winning; nothing is read before it is asked for.

    Called with the name of a plugin or of a capability, it returns the manifests that provide it. A plugin
    that is not in order is passed over there, unless it is the one whose name was asked for.
    """

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._paths: dict[str, Path] | None = None
        self._manifests: dict[str, Manifest | WindflowError] = {}

    def _by_name(self) -> dict[str, Path]:
        if self._paths is None:
            self._paths = {}
            for folder in self._folders:
                for path in sorted(folder.iterdir()) if os.path.isdir(folder) else ():
                    if _is_plugin(path):
                        self._paths.setdefault(path.name, Path(os.path.abspath(path)))
        return self._paths

    def __getitem__(self, name: str) -> Path:
        return self._by_name()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def __call__(self, capability: str) -> list[Manifest]:
        manifests = [self._manifest(name, name == capability) for name in self]
        return [found for found in manifests if found is not None and capability in found.provides]

    def _manifest(self, name: str, wanted: bool) -> Manifest | None:
        if name not in self._manifests:
            try:
                self._manifests[name] = load_manifest(self[name])
            except WindflowError as error:
                self._manifests[name] = error
        found = self._manifests[name]
        if isinstance(found, WindflowError):
            if wanted:
                raise found
            return None
        return found


def available_plugins(cwd: Path, env: Mapping[str, str]) -> AvailablePlugins:
    """Every plugin that can be named."""
    return AvailablePlugins(search_folders(cwd, env))


def _is_plugin(path: Path) -> bool:
    return os.path.isfile(path / FILE)
