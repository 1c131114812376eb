# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import shutil
import stat
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import turns
from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.run import releases


@pytest.fixture
def install_dir(tmp_path):
    """Releases a, b, c on the environments x, x, y; z is used by none; c is current."""
    for name, venv in (("a", "x"), ("b", "x"), ("c", "y")):
        release = tmp_path / "releases" / name
        (release / "app").mkdir(parents=True)
        (release / "venv").symlink_to("../../venvs/%s" % venv)
    for name in "xyz":
        (tmp_path / "venvs" / name).mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/c")
    return tmp_path


def names(paths, install_dir):
    return [path[len(str(install_dir)) + 1 :] for path in paths]


def test_what_is_not_kept_goes_and_environments_go_with_their_last_release(install_dir):
    found = releases.superfluous(str(install_dir), [])
    assert names(found, install_dir) == ["releases/a", "releases/b", "venvs/x", "venvs/z"]


def test_an_environment_stays_while_one_release_uses_it(install_dir):
    found = releases.superfluous(str(install_dir), ["b"])
    assert names(found, install_dir) == ["releases/a", "venvs/z"]


def test_the_release_that_current_points_at_always_stays(install_dir):
    assert str(install_dir / "releases" / "c") not in releases.superfluous(str(install_dir), ["a"])


def test_brackets_in_a_directory_are_no_pattern(tmp_path):
    root = tmp_path / "app[1]"
    (root / "releases" / "old").mkdir(parents=True)
    assert releases.superfluous(str(root), []) == [str(root / "releases" / "old")]


def test_a_directory_without_releases_has_nothing_to_prune(tmp_path):
    assert releases.superfluous(str(tmp_path), []) == []
    assert releases.current_release(str(tmp_path)) == ""


@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_local_facts_tell_what_is_deployed_and_can_be_read_by_everyone(tmp_path, umask):
    state = tmp_path / "state"
    begun = store.begin(
        store.empty("app"), "run", "ann", "deploy", 0.0, {"release": "r", "version": "1.0.0", "target": "host"}
    )
    store.save(store.finish(begun, "run", 0.0, {}, {}, 5), str(state))
    path = tmp_path / "facts.d" / "windflow.fact"
    before = os.umask(umask)
    try:
        releases.write_local_facts(str(path), str(state))
    finally:
        os.umask(before)
    expected = {"app": {"version": "1.0.0", "release": "r", "state": "deployed", "target": "host"}}
    assert json.loads(path.read_text(encoding="utf-8")) == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 and stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_a_deleted_release_takes_the_manifests_of_its_files_along(tmp_path, monkeypatch):
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.setattr(releases, "tree_file", lambda plugin, root: str(state / root.replace("/", "-")))
    gone = tmp_path / "releases" / "r1"
    for part in releases.TREES:
        (gone / part).mkdir(parents=True)
        (state / str(gone / part).replace("/", "-")).write_text("{}", encoding="utf-8")
    releases.delete("app", [str(gone)])
    assert not gone.exists() and list(state.iterdir()) == []


def until_begun(path):
    deadline = time.monotonic() + 30
    while not os.listdir(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_environment_that_is_still_made_is_deleted_and_does_not_come_back(tmp_path):
    path = tmp_path / "venvs" / "e1"
    path.mkdir(parents=True)

    def work():
        for number in range(3000):
            if not path.exists():
                break
            (path / ("file%d" % number)).touch()
            time.sleep(0.01)
        raise WindflowError(Problem("E4062", "its files"))

    with turns.turn(str(path), 30) as mine:
        mine.detach(work)
    until_begun(path)
    (tmp_path / "venvs" / "e0.gone").mkdir()
    releases.delete("app", releases.superfluous(str(tmp_path), []))
    with turns.turn(str(path), 30) as mine:
        assert mine.failure is None
    assert os.listdir(tmp_path / "venvs") == []


def test_what_makes_an_environment_ends_before_that_is_deleted(tmp_path):
    path, built = tmp_path / "venvs" / "e1", tmp_path / "venvs" / "e1.built"
    path.mkdir(parents=True)
    built.mkdir()

    def work():
        try:
            (path / "begun").touch()
            time.sleep(60)
        finally:
            shutil.rmtree(path, ignore_errors=True)
            shutil.rmtree(built, ignore_errors=True)

    with turns.turn(str(path), 30) as mine:
        mine.detach(work)
    until_begun(path)
    unwanted = releases.superfluous(str(tmp_path), [])
    assert unwanted == [str(path), str(built)]
    releases.delete("app", unwanted)
    with turns.turn(str(path), 0):
        pass
    assert os.listdir(tmp_path / "venvs") == []


def test_why_an_environment_failed_is_deleted_with_it(tmp_path):
    path = tmp_path / "venvs" / "e1"
    path.parent.mkdir()
    (path.parent / ".e1.turn").write_text("[]")
    assert releases.superfluous(str(tmp_path), []) == [str(path)]
    releases.delete("app", [str(path)])
    assert os.listdir(path.parent) == []
