# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of the plugin documentation, taken out of it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

DOCUMENTATION = Path(__file__).resolve().parents[1] / "fixtures/documentation/PLUGINS.md"


@dataclass(frozen=True)
class Sample:
    """A fenced block: its language, the headings above it, the line before it, and its text."""

    language: str
    headings: tuple[str, ...]
    intro: str
    text: str

    @property
    def file(self) -> str:
        """The file that the line before names in backquotes."""
        found = re.findall(r"`([^`]+)`", self.intro)
        return found[-1] if found else ""


def samples() -> list[Sample]:
    found, headings, intro = [], [], ""
    lines = iter(DOCUMENTATION.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        heading = re.match(r"(#+) (.*)", line)
        if heading:
            headings = [*headings[: len(heading.group(1)) - 1], heading.group(2)]
        elif line.startswith("```"):
            found.append(Sample(line[3:], tuple(headings), intro, _fenced(lines)))
        elif line.strip():
            intro = line
    return found


def _fenced(lines) -> str:
    """The text up to the closing fence. A sample of Markdown has fences of its own, which have a language."""
    text, depth = [], 1
    for line in lines:
        if line.startswith("```"):
            depth += 1 if line != "```" else -1
            if depth == 0:
                break
        text.append(line)
    return "\n".join(text) + "\n"


def under(heading: str, language: str) -> list[Sample]:
    return [sample for sample in samples() if heading in sample.headings and sample.language == language]


def make_walk_through(folder: Path) -> Path:
    """my-plugin, made by what the walk-through says: its commands are run and its blocks are written, in order."""
    for sample in samples():
        if "Example: Creating a Simple Plugin" not in sample.headings:
            continue
        if sample.file:
            (folder / "my-plugin" / sample.file).write_text(sample.text)
        else:
            subprocess.run(["bash", "-euc", sample.text], cwd=folder, check=True, timeout=60)
    return folder / "my-plugin"


def make_example_plugin(folder: Path, hook: str = "exit 0") -> Path:
    """example-plugin: the plugin.yml of the documentation, and the files that it names but does not show."""
    (sample,) = under("Plugin Metadata", "yaml")
    plugin = folder / "example-plugin"
    for name in ("config", "hooks", "scripts"):
        (plugin / name).mkdir(parents=True)
    (plugin / "plugin.yml").write_text(sample.text)
    for path in re.findall(r"hooks/\S+", sample.text):
        (plugin / path).write_text("#!/bin/sh\n%s\n" % hook)
        (plugin / path).chmod(0o755)
    (plugin / "config/schema.json").write_text("{}")
    (plugin / "config/defaults.yaml").write_text("")
    return plugin
