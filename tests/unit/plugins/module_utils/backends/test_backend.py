# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import (
    BackendBase,
    database_is_given,
    database_is_local,
    host_header,
)
from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Provided
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

SCHEMA = {
    "properties": {
        "app": {"type": "object"},
        "database": {"type": "object", "properties": {"host": {"type": "string"}}},
    }
}


@pytest.fixture
def backend(make_plugin):
    def call(config=None, manifest="name: sample\nversion: 1.0.0\n", provided=()):
        files = {"config/schema.json": SCHEMA, "hooks/post-deploy": "#!/bin/sh\n"}
        loaded = load_manifest(make_plugin(manifest, files))
        return BackendBase(loaded, load_config(loaded, None, config, [], {}, [], provided=provided))

    return call


def test_places_are_named_after_the_plugin(backend):
    found = backend().layout
    assert (found["install_dir"], found["data_dir"]) == ("/opt/sample", "/var/lib/sample")
    assert (found["user"], found["group"]) == ("sample", "sample")


def test_places_follow_those_that_are_configured(backend):
    found = backend({"app": {"install_dir": "/srv/one", "user": "web"}}).layout
    assert (found["run_dir"], found["shared_dir"]) == ("/srv/one/run", "/srv/one/shared")
    assert (found["user"], found["group"]) == ("web", "web")
    # Not where the application could plant a link.
    assert found["program_log_dir"] == "/var/log/windflow/sample"


def test_places_are_computed_once(backend):
    found = backend()
    assert found.layout is found.layout


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("127.0.0.1", True), ("db.example.com", False), (None, False)]
)
def test_a_database_is_local_by_its_address(backend, host, local):
    config = backend({"database": {"host": host}} if host else {}).config
    assert database_is_local(config) is local and not database_is_given(config)


def test_a_database_that_a_dependency_gives_is_not_the_plugins_own(backend):
    needs = "name: sample\nversion: 1.0.0\ndependencies: [database: '>=1.0.0']\n"
    given = Provided("database", "database 2.0.0", {"host": "localhost"}, frozenset())
    config = backend(None, needs, [given]).config
    assert database_is_given(config) and not database_is_local(config)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([], "localhost"),
        (["a.example", "*"], "localhost"),
        (["a.example", "b.example"], "a.example"),
        (["*.a.example"], "www.a.example"),
        ([".a.example"], "www.a.example"),
    ],
)
def test_the_probe_asks_under_a_name_that_nginx_answers_to(allowed, expected):
    assert host_header(allowed) == expected
