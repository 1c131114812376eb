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
        self.patterns: dict[str, pathspec.GitIgnoreSpec | None] = {}

    def __call__(self, relpath: str, name: str, directory: bool) -> bool:
        if name == FILE:
            return True
        folder, inner = posixpath.dirname(relpath), name
        while True:
            patterns = self._patterns(folder)
            found = patterns.check_file(inner + "/" * directory).include if patterns else None
            if found is not None:
                return found
            if not folder:
                return bool(self.usual and self.usual(relpath, name, directory))
            folder, inner = posixpath.dirname(folder), posixpath.basename(folder) + "/" + inner

    def _patterns(self, folder: str) -> pathspec.GitIgnoreSpec | None:
        if folder not in self.patterns:
            self.patterns[folder] = _read(Path(self.root, folder, FILE))
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
