# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the controller's core share: plugins made in a temporary directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError

HOOK = "#!/bin/sh\nexit 0\n"
MANIFEST = "name: sample\nversion: 1.0.0\n"


class PluginMaker:
    """Writes plugin directories: ``make(manifest, **files)``, a file's content being text, bytes or JSON data."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, manifest: str | bytes = MANIFEST, files: dict | None = None, name: str = "sample") -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        self.write(folder / "plugin.yml", manifest)
        for path, content in (files or {}).items():
            self.write(folder / path, content)
        return folder

    @staticmethod
    def write(path: Path, content: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, (dict, list)):
            content = json.dumps(content, indent=2)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        if path.parent.name == "hooks":
            path.chmod(0o755)
        return path


@pytest.fixture
def make_plugin(tmp_path: Path) -> PluginMaker:
    return PluginMaker(tmp_path)


@pytest.fixture
def findings():
    """``findings(function, ...)``: the problems that the call raises; it fails if there are none."""

    def call(function, *arguments, **named) -> list[Problem]:
        with pytest.raises(WindflowError) as caught:
            function(*arguments, **named)
        assert caught.value.problems
        assert str(caught.value).endswith("Nothing was changed.")
        return list(caught.value.problems)

    return call


@pytest.fixture
def only(findings):
    """As ``findings``, for exactly one problem; ``place`` says where it must be, ``words`` what it must name."""

    def call(code: str, place: str, words: tuple, function, *arguments, **named) -> Problem:
        problems = findings(function, *arguments, **named)
        assert [problem.code for problem in problems] == [code], "\n".join(map(str, problems))
        problem = problems[0]
        where = ":".join(str(part) for part in (problem.file, problem.line) if part)
        assert (where + " " + problem.path).strip() == place
        assert problem.expected and problem.got and problem.remedy, problem
        for word in words:
            assert word in str(problem), "%s is not in: %s" % (word, problem)
        return problem

    return call
