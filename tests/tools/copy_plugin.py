# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed copy of a plugin: copy_plugin.py SOURCE COPY [--overlay DIRECTORY] [--name N] [--version V]
[--replace FILE OLD NEW]…

Every replacement has to be found, so that a test never runs on a copy that is not what it says.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path


def substitute(path: Path, pattern: str, replacement: str) -> None:
    """Replace the first match of ``pattern`` in a file; a pattern that is not found ends the program."""
    text, count = re.subn(pattern, lambda match: replacement, path.read_text(encoding="utf-8"), count=1, flags=re.M)
    if not count:
        sys.exit(f"copy_plugin: {path} has no {pattern!r}")
    path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="copy_plugin.py")
    parser.add_argument("source", type=Path)
    parser.add_argument("copy", type=Path)
    parser.add_argument("--overlay", type=Path, help="directory whose files take the place of the plugin's")
    parser.add_argument("--name")
    parser.add_argument("--version")
    parser.add_argument("--replace", nargs=3, action="append", default=[], metavar=("FILE", "OLD", "NEW"))
    options = parser.parse_args(arguments)
    if options.copy.exists():
        shutil.rmtree(options.copy)
    shutil.copytree(options.source, options.copy)
    if options.overlay:
        shutil.copytree(options.overlay, options.copy, dirs_exist_ok=True)
    manifest = options.copy / "plugin.yml"
    if options.name:
        substitute(manifest, r"^name: .*$", f"name: {options.name}")
    if options.version:
        substitute(manifest, r"^version: .*$", f"version: {options.version}")
    for file, old, new in options.replace:
        substitute(options.copy / file, re.escape(old), new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
