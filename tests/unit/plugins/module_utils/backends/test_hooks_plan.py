# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends.hooks_plan import HooksBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

MANIFEST = "name: sample\nversion: 1.0.0\nhooks: {pre-deploy: {path: pre.sh, timeout: 5}}\n"


@pytest.fixture
def backend(make_plugin):
    def call(name="here", manifest=MANIFEST, script="#!/bin/sh\n"):
        plugin = make_plugin(manifest, {"pre.sh": script}, name)
        (plugin / "pre.sh").chmod(0o755)
        loaded = load_manifest(plugin)
        return HooksBackend(loaded, load_config(loaded))

    return call


def digest_of(backend):
    source = backend.source_of(pytest.fail)
    return source.digest, backend.steps(source, {}, None)["hooks"].digest


def test_hooks_are_the_same_wherever_the_plugin_lies(backend):
    assert digest_of(backend("here")) == digest_of(backend("there"))


@pytest.mark.parametrize(
    "changes",
    [{"script": "#!/bin/sh\nexit 0\n"}, {"manifest": MANIFEST.replace("timeout: 5", "timeout: 6")}],
    ids=["content", "time-out"],
)
def test_another_hook_makes_another_plan(backend, changes):
    before, after = digest_of(backend()), digest_of(backend(**changes))
    assert before[0] != after[0] and before[1] != after[1]


def test_another_version_makes_another_step_of_the_same_hooks(backend):
    before, after = digest_of(backend()), digest_of(backend(manifest=MANIFEST.replace("1.0.0", "1.0.1")))
    assert before[0] == after[0] and before[1] != after[1]


def test_nothing_is_asked_and_every_drift_counts(backend):
    found = backend()
    drift = [{"step": "hooks"}]
    assert found.questions(None, {}) == {} and found.relevant_drift({"drift": drift}, None) == drift
    assert found.hook_user() == "nobody"
