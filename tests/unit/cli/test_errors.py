# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``platform error CODE``: a row of the collection's table, found where the collection lies."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner
from windflow_platform import errors, settings
from windflow_platform.main import app


def test_a_code_is_explained_in_three_lines():
    result = CliRunner().invoke(app, ["error", "e1138"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["E1138", "Unchanged", "Fix"]
    assert "placeholder" in lines[0] and "Nothing was changed." in lines[1] and "vaulted" in lines[2]


@pytest.mark.parametrize("code", ["E9999", "1138", "--", "E1138x"])
def test_what_is_no_code_is_refused(code):
    result = CliRunner().invoke(app, ["error", "--", code])
    assert result.exit_code == 3
    assert result.stdout == "" and "no error code %s" % code in result.stderr


def test_the_table_is_found_where_an_installed_collection_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(settings, "SYSTEM_COLLECTIONS", str(tmp_path / "none"))
    given = {"HOME": str(tmp_path / "home"), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "there")}
    assert errors.find_table(given, Path.cwd()) is None
    table = tmp_path / "there" / errors.TABLE
    table.parent.mkdir(parents=True)
    table.write_text("")
    assert errors.find_table(given, Path.cwd()) == table


def test_without_the_collection_the_command_says_so(monkeypatch):
    monkeypatch.setattr(errors, "find_table", lambda given, cwd: None)
    result = CliRunner().invoke(app, ["error", "E1138"])
    assert result.exit_code == 3 and "windflow.platform was not found" in result.stderr
