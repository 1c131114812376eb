# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of a release: built, pulled, pushed, saved or loaded. What ``compose_images`` does."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace

from ..compose.effective import as_file
from ..errors import Problem, WindflowError
from ..files import archive
from . import engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "archived", "pushed"], "default": "present"},
    "images": {"type": "dict", "required": True},
    "project": {"type": "str"},
    "release": {"type": "str"},
    "install_dir": {"type": "path"},
    "source": {"type": "path"},
    "folders": {"type": "list", "elements": "str", "default": []},
    "builds": {"type": "dict", "default": {}},
    "archive": {"type": "path"},
    "registry": {"type": "str"},
}
# How the options depend on each other.
RULES: dict[str, Any] = {
    "required_if": [("state", "archived", ["archive"]), ("state", "pushed", ["registry"])],
    "required_one_of": [("archive", "install_dir", "source", "registry")],
    "mutually_exclusive": [("install_dir", "source")],
    "required_together": [("release", "install_dir")],
    "required_by": {"install_dir": ["project"], "source": ["project"]},
}
BUILD_SECONDS = 3600
LOAD_SECONDS = 1800
# What the engines' builders say of an image that they have not and do not get.
UNREACHABLE = re.compile(
    r"failed to resolve source metadata|pull access denied|failed to do request|no such host|dial tcp|i/o timeout"
    r"|connection refused|failed to authorize|manifest unknown|pulling from host|TLS handshake|registry-1\.docker\.io"
)


def identities(tags: Sequence[str]) -> dict[str, str]:
    """{tag: id} of the images that the engine has; the id is empty where it has none."""
    shape = "{{.Id}} {{json .RepoTags}}"
    said = engine.run(["image", "inspect", "--format", shape, *tags], "list images", "E4076", check=False)
    found = engine.read_images(said)
    return {tag: found.get(tag, "") for tag in tags}


def build(params: dict[str, Any], services: list[str]) -> None:
    """Builds the images of ``services``: out of the release's own files, or out of ``source``, an archive of the
    plugin's, on a host that has no release. What is built is what the tags were made of, and nothing else."""
    if not params["source"]:
        build_in(os.path.join(params["install_dir"], "releases", params["release"]), params, services)
        return
    with tempfile.TemporaryDirectory(suffix=".windflow") as place, open(params["source"], "rb") as stream:
        root = os.path.join(place, "source")
        archive.unpack(stream, root)
        build_in(root, params, services)


def build_in(root: str, params: dict[str, Any], services: list[str]) -> None:
    """Builds the images of ``services`` out of the files below ``root``/app."""
    with tempfile.NamedTemporaryFile(suffix=".json") as stream:
        model = {"services": {name: service(params, name, os.path.join(root, "app")) for name in services}}
        stream.write(as_file(model))
        stream.flush()
        argv = ["compose", "--project-name", params["project"], "--env-file", os.devnull, "--file", stream.name]
        what = "build the images of %s" % ", ".join(services)
        try:
            engine.run([*argv, "build", "--quiet", *services], what, "E4077", BUILD_SECONDS)
        except WindflowError as error:
            raise WindflowError([explained(problem) for problem in error.problems], error.outcome) from None


def service(params: dict[str, Any], name: str, app: str) -> dict[str, Any]:
    """A service as far as its image goes; paths below the plugin are those of ``app``."""
    section = dict(params["builds"][name])
    section["context"] = inside(section["context"], app)
    contexts = section.get("additional_contexts")
    if isinstance(contexts, dict):
        section["additional_contexts"] = {key: inside(text, app) for key, text in contexts.items()}
    return {"image": params["images"][name], "build": section}


def inside(path: Any, app: str) -> str:
    text = str(path)
    return text if ":" in text or text.startswith("/") else os.path.normpath(os.path.join(app, text))


def explained(problem: Problem) -> Problem:
    """The remedy for a build that found no image to begin with: no registry is reached, or it has none."""
    if not UNREACHABLE.search(problem.got):
        return problem
    remedy = (
        "set images.base to an image that the host has; where no registry is reached, "
        "scripts/make-base-image.sh of the template plugin makes one"
    )
    return replace(problem, remedy=remedy)


def push(registry: str, tags: Sequence[str]) -> None:
    """Puts images into a registry, which keeps what it has already."""
    for tag in tags:
        remote = "%s/%s" % (registry, tag)
        engine.run(["image", "tag", tag, remote], "name an image for the registry", "E4081")
        engine.run(["image", "push", "--quiet", remote], "push %s" % remote, "E4081", LOAD_SECONDS)


def pull(registry: str, tags: Sequence[str]) -> None:
    """Takes images from a registry, under the names that they have without it."""
    for tag in tags:
        remote = "%s/%s" % (registry, tag)
        engine.run(["image", "pull", "--quiet", remote], "pull %s" % remote, "E4082", LOAD_SECONDS)
        engine.run(["image", "tag", remote, tag], "name an image of the registry", "E4082")


def load(path: str) -> None:
    engine.run(["image", "load", "--quiet", "--input", path], "load the images", "E4078", LOAD_SECONDS)


def save(tags: Sequence[str], path: str) -> None:
    """An archive of images, compressed by nobody: ssh and the disk decide. Its directory must be root's own."""
    engine.run(["image", "save", "--output", path, *tags], "save the images", "E4079", LOAD_SECONDS)


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.compose_images) to its options. Raises WindflowError."""
    images, check = params["images"], params["check"]
    if not images:
        return {"changed": False, "images": {}, "made": []}
    found = identities(sorted(images.values()))
    if params["state"] == "archived":
        if not check:
            save(sorted(images.values()), params["archive"])
        return {"changed": True, "images": found, "made": []}
    if params["state"] == "pushed":
        if not check:
            push(params["registry"], sorted(images.values()))
        return {"changed": True, "images": found, "made": []}
    missing = sorted(service for service, tag in images.items() if not found[tag])
    if missing and not check:
        if params["archive"]:
            load(params["archive"])
        elif params["install_dir"] or params["source"]:
            build(params, missing)
        else:
            pull(params["registry"], [images[name] for name in missing])
        found = identities(sorted(images.values()))
    return {
        "changed": bool(missing),
        "images": found,
        "made": missing,
        "diff": {"before": "", "after": "".join("%s\n" % images[name] for name in missing), "after_header": "images"},
    }
