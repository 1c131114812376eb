# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the collections of requirements.yml, and those of the tests, into this Python's environment, without Galaxy.

    python scripts/install_collections.py

The PyPI package `ansible` carries about a hundred collections in 21,000 files. Only those asked for are unpacked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def wanted() -> list[str]:
    """The directories of the collections, as they lie in the package."""
    files = [ROOT / "requirements.yml", ROOT / "requirements" / "collections.yml"]
    items = [item for file in files for item in yaml.safe_load(file.read_text(encoding="utf-8"))["collections"]]
    return ["ansible_collections/" + item["name"].replace(".", "/") + "/" for item in items]


def unpack(archive: Path, folders: list[str], target: Path) -> None:
    """Put these directories of the package below ``target``, in place of what is there."""
    with zipfile.ZipFile(archive) as package:
        for folder in folders:
            members = [name for name in package.namelist() if name.startswith(folder)]
            if not members:
                sys.exit(f"{archive.name} has no {folder}. Fix: name another version in requirements/collections.txt.")
            shutil.rmtree(target / folder, ignore_errors=True)
            package.extractall(target, members)


def main() -> int:
    """Download the package, unpack what is wanted, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="windflow-collections-") as directory:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
        command += ["--only-binary", ":all:", "-d", directory, "-r", str(ROOT / "requirements" / "collections.txt")]
        if subprocess.run(command, check=False).returncode:
            return 1
        archive = next(Path(directory).glob("*.whl"))
        unpack(archive, wanted(), Path(sysconfig.get_path("purelib")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
