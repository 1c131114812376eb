# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import building
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (".", "/r/app"),
        ("build/app", "/r/app/build/app"),
        ("compose/../build", "/r/app/build"),
        ("/elsewhere", "/elsewhere"),
        ("https://example.com/x.git", "https://example.com/x.git"),
        ("docker-image://base", "docker-image://base"),
    ],
)
def test_a_context_below_the_plugin_is_that_of_the_release(path, result):
    assert building.inside(path, "/r/app") == result


def test_a_service_is_built_under_its_tag_with_the_contexts_of_the_release():
    builds = {
        "app": {"context": "build", "target": "run", "additional_contexts": {"more": "compose", "far": "https://x"}}
    }
    found = building.service({"builds": builds, "images": {"app": "shop-app:1"}}, "app", "/r/app")
    assert found["image"] == "shop-app:1" and found["build"]["context"] == "/r/app/build"
    assert found["build"]["additional_contexts"] == {"more": "/r/app/compose", "far": "https://x"}
    assert builds["app"]["context"] == "build"


def test_a_build_that_fails_for_another_reason_keeps_its_remedy():
    problem = Problem.plain("E4077", "the images were not built", "exit code 3", "read the output")
    assert building.explained(problem) is problem
