# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a plugin's services, and what each of them is made of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..compose.rules import below, is_remote
from ..errors import Problem, WindflowError
from ..manifest.compose_section import RELEASE, RELEASE_DIR
from .backend import Source
from .steps import digest

APP = "%s/app" % RELEASE_DIR


def sections(model: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """{service: its section ``build``} with paths below the plugin. Raises ``WindflowError`` E1074 for one that needs
    to know the release: an image is for many."""
    found = {}
    for service, definition in sorted((model.get("services") or {}).items()):
        build = definition.get("build")
        if not isinstance(build, dict):
            continue
        build = {key: value for key, value in build.items() if value not in (None, {}, [])}
        build["context"] = _within(build.get("context", ""))
        contexts = build.get("additional_contexts")
        if isinstance(contexts, dict):
            build["additional_contexts"] = {name: _within(text) for name, text in contexts.items()}
        if RELEASE in json.dumps(build):
            remedy = "give it to the container as a variable of its environment"
            said = "the build of service %s uses the name of the release, so the image would differ each time" % service
            raise WindflowError(Problem.plain("E1074", said, "", remedy))
        found[service] = build
    return found


def _within(path: object) -> str:
    text = str(path)
    return os.path.relpath(text, APP) if below(text, APP) else text


def tags(project: str, builds: Mapping[str, dict[str, Any]], source: Source) -> dict[str, str]:
    """{service: tag}. A tag is made of everything that goes into the image: the section of the Compose files with
    arguments and target, the files of its contexts, and the Dockerfile, wherever it is."""
    found = {}
    for service, build in builds.items():
        names = set()
        for context in (build["context"], *dict(build.get("additional_contexts") or {}).values()):
            names |= {item[0] for item in source.listing if context == "." or item[0].startswith(context + "/")}
        dockerfile = os.path.normpath(os.path.join(build["context"], str(build.get("dockerfile") or "Dockerfile")))
        names |= {dockerfile, "%s.dockerignore" % dockerfile}
        files = [list(item) for item in source.listing if item[0] in names]
        found[service] = "%s-%s:%s" % (project, service, digest([files, build])[:12])
    return found


def missing(builds: Mapping[str, dict[str, Any]], source: Source) -> list[Problem]:
    """Builds whose context or Dockerfile does not reach the host (E1059)."""
    known = {item[0] for item in source.listing}
    found = []
    for service, build in builds.items():
        context = build["context"]
        if is_remote(context):
            continue
        dockerfile = os.path.normpath(os.path.join(context, str(build.get("dockerfile") or "Dockerfile")))
        if not any(context == "." or name.startswith(context + "/") for name in known):
            got = "%s, for service %s" % (context, service)
            found.append(Problem("E1059", "a build context with files, below compose/ or build/", got, "move it there"))
        elif dockerfile not in known and not build.get("dockerfile_inline"):
            got = "%s, for service %s" % (dockerfile, service)
            found.append(Problem("E1059", "a Dockerfile below compose/ or build/", got, "add it, or correct the path"))
    return found
