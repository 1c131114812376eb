# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets Python keep the bytecode of the collection's ``module_utils``, as it does for any other package.

Ansible's own loader of collections compiles every file anew in every process. For the core of this collection that is
a quarter of a second of each run. Python's loader writes ``__pycache__`` beside the files, or nothing where it may not.
"""

from __future__ import annotations

import sys
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader

PREFIX = __name__.rpartition(".")[0] + ".module_utils."


class KeptBytecode:
    """Finds the files of ``module_utils``. Its packages are left to Ansible's loader: they have no ``__init__.py``."""

    def __init__(self) -> None:
        self.finders: dict[str, FileFinder] = {}

    def find_spec(self, name: str, path: list[str] | None = None, target: object = None) -> ModuleSpec | None:
        for directory in path or () if name.startswith(PREFIX) else ():
            if directory not in self.finders:
                self.finders[directory] = FileFinder(directory, (SourceFileLoader, [".py"]))
            spec = self.finders[directory].find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
        return None


# It is asked before Ansible's finder of collections, and after whatever was put before that one.
ANSIBLE = [index for index, found in enumerate(sys.meta_path) if type(found).__name__ == "_AnsibleCollectionFinder"]
sys.meta_path.insert(ANSIBLE[0] if ANSIBLE else len(sys.meta_path), KeptBytecode())
