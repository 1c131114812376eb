# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.manifest import discovery
from ansible_collections.windflow.platform.plugins.module_utils.manifest.discovery import (
    available_plugins,
    find_plugin,
    name_of,
)


@pytest.fixture
def places(tmp_path, make_plugin, monkeypatch):
    """A working directory and two more folders with plugins; the collection's own is a fourth."""
    make_plugin.root = tmp_path / "cwd/windflow_plugins"
    make_plugin("name: here\nversion: 1.0.0\n", name="here")
    make_plugin("name: both\nversion: 1.0.0\n", name="both")
    make_plugin.root = tmp_path / "first"
    make_plugin("name: both\nversion: 2.0.0\n", name="both")
    make_plugin("name: first\nversion: 1.0.0\nprovides: {database: 3.0.0}\n", name="first")
    make_plugin("name: Broken\n", name="broken")
    make_plugin.root = tmp_path / "own"
    make_plugin("name: template\nversion: 1.0.0\n", name="template")
    (tmp_path / "first/no-plugin").mkdir()
    monkeypatch.setattr(discovery, "OWN_PLUGINS", tmp_path / "own")
    return tmp_path


@pytest.fixture
def env(places):
    return {"WINDFLOW_PLUGINS_PATH": os.pathsep.join([str(places / "first"), "", str(places / "none")])}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("here", "cwd/windflow_plugins/here"),
        ("both", "cwd/windflow_plugins/both"),
        ("first", "first/first"),
        ("template", "own/template"),
        ("windflow_plugins/here", "cwd/windflow_plugins/here"),
        ("./windflow_plugins/here/", "cwd/windflow_plugins/here"),
        ("../first/both", "first/both"),
        ("windflow_plugins/here/plugin.yml", "cwd/windflow_plugins/here"),
    ],
)
def test_a_name_is_looked_up_in_order_and_a_path_is_taken(name, found, places, env):
    assert find_plugin(name, places / "cwd", env) == places / found


def test_a_directory_here_wins_over_a_name(places, env):
    assert find_plugin("both", places / "first", env) == places / "first/both"
    assert find_plugin(".", places / "first/both", env) == places / "first/both"
    assert find_plugin(str(places / "own/template"), places, {}) == places / "own/template"


def test_the_collections_own_plugins_are_found_from_anywhere(tmp_path):
    assert find_plugin("template", tmp_path, {}).name == "template"


def test_an_unknown_name_lists_where_it_was_looked_for_and_near_names(places, env, findings):
    (problem,) = findings(find_plugin, "templat", places / "cwd", env)
    assert problem.code == "E1020"
    for folder in ("cwd/windflow_plugins", "first", "own"):
        assert str(places / folder) in str(problem)
    assert 'write "template" if that is the one, or give the plugin\'s directory' in problem.remedy


def test_an_unknown_name_that_is_near_to_none_lists_all(places, env, findings):
    (problem,) = findings(find_plugin, "zzzzzz", places / "cwd", env)
    assert "both, broken, first, here, template" in problem.remedy


@pytest.mark.parametrize("path", ["none/at-all", "/nonexistent", "windflow_plugins/", "../first/no-plugin"])
def test_a_path_without_a_plugin_is_refused(path, places, env, findings):
    (problem,) = findings(find_plugin, path, places / "cwd", env)
    assert (problem.code, problem.file) == ("E1020", path)
    assert "plugin.yml" in str(problem)


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 5000, "x/" * 3000])
def test_odd_names_are_coded_errors(name, places, env, findings):
    assert findings(find_plugin, name, places / "cwd", env)[0].code == "E1020"


def test_available_plugins_are_named_once_and_broken_ones_are_no_obstacle(places, env):
    known = available_plugins(places / "cwd", env)
    assert list(known) == ["both", "here", "broken", "first", "template"]
    assert known["both"] == places / "cwd/windflow_plugins/both"
    assert [plugin.name for plugin in known("database")] == ["first"]
    assert [plugin.version for plugin in known("both")] == ["1.0.0"]
    assert known("nothing") == []


def test_a_broken_plugin_is_reported_when_it_is_the_one_that_is_asked_for(places, env, findings):
    codes = {problem.code for problem in findings(available_plugins(places / "cwd", env), "broken")}
    assert codes == {"E1030", "E1032"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("here", "here"),
        ("windflow_plugins/here/", "here"),
        ("windflow_plugins/here/plugin.yml", "here"),
        # A host knows a plugin by its own name and not by its directory's.
        ("../first/other", "shop"),
        ("other", "shop"),
        # Nothing but the name has to be in order.
        ("../first/invalid/", "invalid"),
        # Its directory may be gone.
        ("gone", "gone"),
        ("./gone/", "./gone/"),
        ("../first/broken", "../first/broken"),
        ("", ""),
    ],
)
def test_a_plugin_that_is_on_a_host_has_the_name_of_its_plugin_yml(given, name, places, env, make_plugin):
    make_plugin.root = places / "first"
    make_plugin("name: shop\nversion: 1.0.0\n", name="other")
    make_plugin("name: invalid\nversion: one\nhooks: {pre-deploy: ../x}\nextra: 1\n", name="invalid")
    assert name_of(given, places / "cwd", env) == name
