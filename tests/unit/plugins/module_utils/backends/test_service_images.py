# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import service_images
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Source
from ansible_collections.windflow.platform.plugins.module_utils.containers import building
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.compose_section import RELEASE, RELEASE_DIR

APP = RELEASE_DIR + "/app"
FILES = {"build/Dockerfile": "1", "build/app/server.pl": "1", "build/other/x": "1", "compose/compose.yaml": "1"}


def tags(build, files=None):
    build = {"context": APP + "/build/app", "dockerfile": "../Dockerfile", **build}
    source = Source("", tuple((name, 0o644, content) for name, content in sorted((files or FILES).items())))
    return service_images.tags("p", service_images.sections({"services": {"app": {"build": build}}}), source)["app"]


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    ("build", "files"),
    [
        ({}, {"build/Dockerfile": "2"}),
        ({}, {"build/app/server.pl": "2"}),
        ({}, {"build/app/more": "1"}),
        ({}, {"build/Dockerfile.dockerignore": "1"}),
        ({"target": "dev"}, {}),
        ({"args": {"A": "1"}}, {}),
        ({"dockerfile": "../other/x"}, {}),
        ({"dockerfile_inline": "FROM x"}, {}),
        ({"additional_contexts": {"more": APP + "/build/other"}}, {}),
    ],
)
def test_everything_that_an_image_is_made_of_makes_another_tag(build, files):
    assert tags(build, {**FILES, **files}) != tags({})


@pytest.mark.fault(65)
def test_the_files_of_another_image_make_no_other_tag():
    assert tags({}, {**FILES, "build/other/x": "2", "compose/compose.yaml": "2"}) == tags({})
    more = {"additional_contexts": {"more": APP + "/build/other"}}
    assert tags(more, {**FILES, "build/other/x": "2"}) != tags(more)
    assert tags({"context": APP}, {**FILES, "compose/compose.yaml": "2"}) != tags({"context": APP})


def test_an_image_that_depends_on_the_release_is_refused():
    build = {"context": APP + "/build", "args": {"RELEASE": RELEASE}}
    with pytest.raises(WindflowError, match="E1074"):
        service_images.sections({"services": {"app": {"build": build}}})


@pytest.mark.parametrize(
    ("build", "found"),
    [
        ({"context": "build"}, []),
        ({"context": "build/app", "dockerfile": "../Dockerfile"}, []),
        ({"context": "build/app", "dockerfile_inline": "FROM x"}, []),
        ({"context": "https://example.com/x.git"}, []),
        ({"context": "."}, ["E1059"]),
        ({"context": "src"}, ["E1059"]),
        ({"context": "build/app"}, ["E1059"]),
    ],
)
def test_a_build_needs_files_that_reach_the_host(build, found):
    source = Source("", tuple((name, 0o644, content) for name, content in sorted(FILES.items())))
    assert [problem.code for problem in service_images.missing({"app": build}, source)] == found


def test_what_is_built_is_what_the_tag_was_made_of():
    params = {"images": {"app": "t:1"}, "builds": {"app": {"context": "build/app", "dockerfile": "../Dockerfile"}}}
    assert building.service(params, "app", "/r/app") == {
        "image": "t:1",
        "build": {"context": "/r/app/build/app", "dockerfile": "../Dockerfile"},
    }
    params["builds"]["app"] = {"context": ".", "additional_contexts": {"a": "build", "b": "docker-image://debian"}}
    section = building.service(params, "app", "/r/app")["build"]
    assert section == {
        "context": "/r/app",
        "additional_contexts": {"a": "/r/app/build", "b": "docker-image://debian"},
    }


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("failed to resolve source metadata for docker.io/library/debian:x: no such host", True),
        ("pull access denied for nosuch, repository does not exist", True),
        ("process /bin/sh -c make did not complete successfully: exit code: 2", False),
    ],
)
def test_a_base_image_that_nobody_has_is_named_with_the_way_out(said, named):
    problem = building.explained(Problem("E4077", "to build", said, "mend what it reports"))
    assert ("images.base" in problem.remedy and "make-base-image.sh" in problem.remedy) is named
