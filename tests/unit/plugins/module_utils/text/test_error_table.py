# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of error codes: every code of the source, no other, and the document that is made from it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.text import error_table

ROOT = Path(__file__).parents[5]
TABLE = ROOT / "plugins" / "module_utils" / "text" / "error_table.py"
CODE = re.compile(r"\bE[1-5][0-9]{3}\b")


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a program that may become a message: no docstrings, nothing that a code is compared with."""
    ignored = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            ignored |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            ignored.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ignored:
            yield node.value


def of_python(path: Path) -> set[str]:
    """The codes in a program; DOCUMENTATION and RETURN, which begin with ---, only describe."""
    found = texts(ast.parse(path.read_text(encoding="utf-8")))
    return {code for text in found if not text.startswith("---") for code in CODE.findall(text)}


def of_playbook(path: Path) -> set[str]:
    """The codes that begin a message in a playbook."""
    return set(re.findall(r"\b(E[1-5][0-9]{3})[: ]", path.read_text(encoding="utf-8")))


def used() -> set[str]:
    found: set[str] = set()
    for folder in ("plugins", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= of_python(path) if path != TABLE else set()
    for folder in ("playbooks", "roles"):
        for path in (ROOT / folder).rglob("*.yml"):
            found |= of_playbook(path)
    return found


def test_the_table_has_every_code_of_the_source_and_no_other():
    assert used() == set(error_table.ROWS)


def test_a_code_stands_in_one_group():
    assert [code for code, count in Counter(c for g in error_table.GROUPS for c in g.rows).items() if count > 1] == []


def test_the_document_is_what_the_table_makes():
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == error_table.as_markdown()


@pytest.mark.parametrize("path", [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"], ids=lambda path: path.name)
def test_a_document_names_only_codes_that_exist(path):
    assert set(CODE.findall(path.read_text(encoding="utf-8"))) <= set(error_table.ROWS)


@pytest.mark.parametrize(("code", "row"), error_table.ROWS.items(), ids=list(error_table.ROWS))
def test_a_row_is_whole_sentences_of_at_most_25_words(code, row):
    assert len(row) == 3 and all(row)
    for text in row:
        assert text.rstrip("`").endswith((".", "…"))
        assert all(len(sentence.split()) <= 25 for sentence in re.split(r"(?<=[.:]) ", text))


def test_a_title_has_an_anchor_that_leads_to_it():
    text = error_table.as_markdown()
    assert "](#preflight-the-host-checked-before-the-first-change)" in text
    assert '<a id="e1138"></a>E1138' in text


def test_a_row_for_the_terminal_says_all_three_things():
    row = error_table.ROWS["E1138"]
    assert error_table.as_text("E1138").splitlines() == [
        "E1138: %s" % row.meaning,
        "Unchanged: %s" % row.left,
        "Fix: %s" % row.action,
    ]
