# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.run import file_entries

FAILS = ["sh", "-c", "echo no such directive; exit 1"]


def state(top):
    return {
        str(path.relative_to(top)): (path.is_symlink() and str(path.readlink()), path.is_file() and path.read_text())
        for path in sorted(top.rglob("*"))
    }


def test_what_the_test_refuses_is_put_back_as_it_was(tmp_path):
    (tmp_path / "text").write_text("old")
    (tmp_path / "gone").write_text("here")
    (tmp_path / "link").symlink_to("text")
    (tmp_path / "text").chmod(0o640)
    before = state(tmp_path)
    entries = [
        {"path": str(tmp_path / "new"), "state": "directory"},
        {"path": str(tmp_path / "new" / "file"), "content": "x"},
        {"path": str(tmp_path / "text"), "content": "new", "mode": "0600"},
        {"path": str(tmp_path / "link"), "state": "link", "target": "new"},
        {"path": str(tmp_path / "gone"), "state": "absent"},
    ]
    with pytest.raises(WindflowError) as caught:
        file_entries.bring(entries, "", False, test=FAILS)
    assert caught.value.code == "E4017" and "no such directive" in str(caught.value)
    assert state(tmp_path) == before
    assert (tmp_path / "text").stat().st_mode & 0o777 == 0o640


def test_what_the_test_accepts_stays(tmp_path):
    entries = [{"path": str(tmp_path / "new"), "content": "x"}]
    assert file_entries.bring(entries, "", False, test=["grep", "-q", "x", str(tmp_path / "new")])["changed"]
    assert (tmp_path / "new").read_text() == "x"


def test_nothing_is_tested_where_nothing_changes_or_would_only_change(tmp_path):
    entries = [{"path": str(tmp_path / "new"), "content": "x"}]
    assert file_entries.bring(entries, "", True, test=FAILS)["changed"]
    file_entries.bring(entries, "", False)
    assert not file_entries.bring(entries, "", False, test=FAILS)["changed"]


def test_a_directory_is_not_removed_where_it_could_not_be_put_back(tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    with pytest.raises(WindflowError, match="E4010"):
        file_entries.bring([{"path": str(tmp_path / "d"), "state": "absent"}], "", False, test=["true"])
    assert (tmp_path / "d" / "e").is_dir()


def test_what_exists_is_kept_as_it_is(tmp_path):
    (tmp_path / "text").write_text("theirs")
    (tmp_path / "d").mkdir(mode=0o700)
    entries = [
        {"path": str(tmp_path / "text"), "content": "ours", "keep_existing": True},
        {"path": str(tmp_path / "d"), "state": "directory", "mode": "0755", "keep_existing": True},
        {"path": str(tmp_path / "other"), "content": "ours", "keep_existing": True},
    ]
    found = file_entries.bring(entries, "", False)
    assert [change["path"] for change in found["changes"]] == [str(tmp_path / "other")]
    assert (tmp_path / "text").read_text() == "theirs" and (tmp_path / "d").stat().st_mode & 0o777 == 0o700
    assert not file_entries.bring(entries, "", False)["changed"]


def test_what_stays_at_a_purge_is_a_warning_and_nothing_else(monkeypatch):
    monkeypatch.setattr(file_entries.places, "remove", lambda _plugin, _gone, _check: (["/srv/a"], ["/srv/b stays."]))
    found = file_entries.run({"purge": True, "plugin": "shop", "check": False})
    assert found["warnings"] == ["/srv/b stays."]
    assert sorted(found) == ["backups", "changed", "changes", "diff", "warnings"]
