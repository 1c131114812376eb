# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a source directory is the application: everything but what ``tree.IGNORED`` and ``.windflowignore`` name.

Such a file has git's syntax and counts for its directory and those below; the last pattern that fits wins, the deepest
file first, and what it says wins over ``tree.IGNORED``. The digest and what is shipped come from one listing.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from ..errors import Problem, WindflowError
from ..text.document_limits import MAX_BYTES
from ..text.thirdparty import pathspec, require
from . import tree

FILE = ".windflowignore"


def digest(root: str) -> tuple[str, list[tuple[str, int, str]]]:
    """``tree.source_digest`` of what is not ignored. Raises WindflowError E1088 for patterns that git does not know."""
    return tree.source_digest(root, _Ignored(os.path.realpath(root)))


class _Ignored:
    """Whether a path below ``root`` is ignored, asked from the top down."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.usual = tree.matcher(tree.IGNORED)
        self.patterns: dict[str, list[tuple[int, pathspec.GitIgnoreSpec]]] = {}

    def __call__(self, relpath: str, name: str, directory: bool) -> bool:
        if name == FILE:
            return True
        for start, patterns in self._patterns(posixpath.dirname(relpath)):
            found = patterns.check_file(relpath[start:] + "/" * directory).include
            if found is not None:
                return found
        return bool(self.usual and self.usual(relpath, name, directory))

    def _patterns(self, folder: str) -> list[tuple[int, pathspec.GitIgnoreSpec]]:
        """Returns what counts in a folder, its own patterns first, each with where the paths that it knows begin."""
        if folder not in self.patterns:
            own = _read(Path(self.root, folder, FILE))
            above = self._patterns(posixpath.dirname(folder)) if folder else []
            self.patterns[folder] = [(len(folder) + 1 if folder else 0, own), *above] if own else above
        return self.patterns[folder]


def _read(path: Path) -> pathspec.GitIgnoreSpec | None:
    """Returns the patterns of a file; None without one."""
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() and path.stat().st_size <= MAX_BYTES else None
    except (OSError, ValueError) as error:
        raise WindflowError(_problem(path, 0, str(error))) from None
    if text is None:
        if os.path.lexists(path):
            raise WindflowError(_problem(path, 0, "something else, or more than 1 MB"))
        return None
    require()
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            pathspec.GitIgnoreSpec.from_lines([line])
        except ValueError:
            raise WindflowError(_problem(path, number, "another text")) from None
    return pathspec.GitIgnoreSpec.from_lines(lines)


def _problem(path: Path, line: int, got: str) -> Problem:
    remedy = "write one pattern a line, as in .gitignore"
    return Problem("E1088", "patterns of files in git's syntax", got, remedy, str(path), line)
