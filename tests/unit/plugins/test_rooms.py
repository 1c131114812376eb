# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the core: rooms in one order, each small, each described in docs/architecture.md; a test file for each
file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORE = ROOT / "plugins" / "module_utils"
FILES = sorted(path.relative_to(CORE) for path in CORE.rglob("*.py"))
TESTS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
ROW = re.compile(r"^\| (?:`(\w+)`)? ?\| (`\w+`(?:, `\w+`)*) \| (C|T|CT) \|", re.MULTILINE)


def described(where: str = "CT") -> list[tuple[str, str]]:
    """(room, file) for each file in the table of docs/architecture.md, in its order; "" for files in no room.
    ``where`` is T for those that run on a target."""
    found, room = [], ""
    for named, files, runs_on in ROW.findall((ROOT / "docs/architecture.md").read_text(encoding="utf-8")):
        room = named or room
        found += [(room, file) for file in re.findall(r"\w+", files) if set(where) & set(runs_on)]
    return found


ORDER = list(dict.fromkeys(room for room, _file in described()))


def room_of(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else ""


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, those for the type checker included."""
    found = set()
    for node in ast.walk(ast.parse((CORE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            around = path.parts[: -node.level]
            target = [*around, *(node.module or "").split(".")]
            inside = CORE.joinpath(*target)
            found.add(target[0] if len(target) > 1 or inside.is_dir() else "")
    return found


def test_the_table_names_every_file_and_no_other():
    assert sorted(described()) == sorted((room_of(path), path.stem) for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_has_tests_of_its_name_in_the_same_room(path):
    tests = TESTS / path.with_name("test_%s" % path.name)
    assert tests.is_file(), "write %s" % tests.relative_to(ROOT)
    assert re.search(r"^def test_", tests.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_room_imports_only_rooms_before_it(path):
    allowed = ORDER[: ORDER.index(room_of(path)) + 1]
    assert imported(path) <= set(allowed)


@pytest.mark.parametrize("room", ORDER)
def test_a_room_is_small(room):
    assert len([path for path in FILES if room_of(path) == room]) <= 12


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_uses_only_public_names_of_others(path):
    private = [
        "%s.%s" % (node.module or ".", alias.name)
        for node in ast.walk(ast.parse((CORE / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert private == []


@pytest.mark.parametrize("path", ["/".join(filter(None, pair)) + ".py" for pair in described("T")])
def test_a_file_that_runs_on_targets_imports_typing_for_the_type_checker_only(path):
    statements = ast.parse((CORE / path).read_text(encoding="utf-8")).body
    assert "typing" not in [node.module for node in statements if isinstance(node, ast.ImportFrom)]
