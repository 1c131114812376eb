# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin that is deployed: a copy of the template plugin with many small files more."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "windflow_plugins" / "template"
LEVELS = ("info", "warning", "error")
# The platform would make them on the host; with one of each given, everybody configures the same.
PASSWORD = "of-the-benchmark-7041"
SECRET_KEY = "of-the-benchmark-7041-0123456789abcdef"


class Plugin:
    """A plugin directory, its configuration file, and changes of both."""

    def __init__(self, path: Path, files: int, base_image: str = "") -> None:
        """``files``: how many files of 200 to 3,000 bytes are added to the application."""
        self.path = path
        self.base_image = base_image
        self.config = path.with_suffix(".yaml")
        shutil.copytree(SOURCE, path, ignore=shutil.ignore_patterns("__pycache__"))
        chance = random.Random(files)
        for number in range(files):
            target = self.app / "content" / f"{number // 100:02d}" / f"{number:04d}.txt"
            target.parent.mkdir(parents=True, exist_ok=True)
            words = (f"{chance.getrandbits(32):08x}" for _unused in range(chance.randrange(22, 333)))
            target.write_text(" ".join(words) + "\n", encoding="utf-8")
        self.changes = 0
        self._write_config()

    @property
    def app(self) -> Path:
        return self.path / "build" / "app"

    @property
    def requirements(self) -> Path:
        return self.path / "build" / "requirements.txt"

    @property
    def level(self) -> str:
        return LEVELS[self.changes % len(LEVELS)]

    @property
    def marker(self) -> Path:
        """The file that `change` changes, relative to the application."""
        return Path("content", "00", "0007.txt")

    def given(self) -> dict:
        """What the configuration sets beside the plugin's defaults."""
        return {"app": {"log_level": self.level, "secret_key": SECRET_KEY}, "database": {"password": PASSWORD}}

    def _write_config(self) -> None:
        values = self.given()
        if self.base_image:
            values["images"] = {"base": self.base_image}
        self.config.write_text(yaml.safe_dump(values), encoding="utf-8")

    def change(self) -> None:
        """Change one file of the application and one value of the configuration."""
        self.changes += 1
        (self.app / self.marker).write_text(f"change {self.changes}\n", encoding="utf-8")
        self._write_config()

    def merged(self) -> dict:
        """The configuration as the application reads it."""
        values = yaml.safe_load((self.path / "config" / "defaults.yaml").read_text(encoding="utf-8"))
        for section, keys in self.given().items():
            values[section].update(keys)
        return values
